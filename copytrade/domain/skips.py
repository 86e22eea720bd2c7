"""Why a part of a trader's fill was not copied: the reasons that a subscriber reads in his history."""

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum


class SkipReason(StrEnum):
    """Reason codes; each has a text in every language of the catalogue."""

    PAUSED = "paused"
    SYMBOL_NOT_ALLOWED = "symbol_not_allowed"
    DIRECTION_NOT_ALLOWED = "direction_not_allowed"
    TOO_OLD = "too_old"
    MAX_ORDER = "max_order"
    MAX_POSITION = "max_position"
    MAX_TOTAL = "max_total"
    MAX_OPEN_POSITIONS = "max_open_positions"
    MAX_LEVERAGE = "max_leverage"
    DAILY_LOSS = "daily_loss"
    DRAWDOWN = "drawdown"
    ILLIQUID = "illiquid"
    EQUITY_UNKNOWN = "equity_unknown"
    NO_EQUITY = "no_equity"
    ORDER_UNKNOWN = "order_unknown"
    OUT_OF_ORDER = "out_of_order"
    MISSED = "missed"
    NOTHING_TO_REDUCE = "nothing_to_reduce"
    NOT_ENTITLED = "not_entitled"
    STOPPED = "stopped"
    HALTED = "halted"
    SLIPPAGE = "slippage"
    FUNDS = "funds"
    LEVERAGE = "leverage"
    OWN_POSITION = "own_position"
    OWN_TRADE = "own_trade"
    """The subscriber traded in the account himself."""
    DRIFT_HALT = "drift_halt"
    TOO_SMALL = "too_small"
    MARKET_CLOSED = "market_closed"
    POSITION_MODE = "position_mode"
    CREDENTIALS = "credentials"
    REFUSED = "refused"
    UNKNOWN_OUTCOME = "unknown_outcome"
    UNREACHABLE = "unreachable"
    UNLISTED = "unlisted"
    """The copy account's venue does not list the symbol."""
    MARGIN_MODE = "margin_mode"
    MODES_CHANGED = "modes_changed"
    """Leverage, margin or position mode were changed by hand."""
    SILENT = "silent"
    """Nothing is heard of the trader's account."""


FAILURES = frozenset(
    {
        SkipReason.FUNDS,
        SkipReason.LEVERAGE,
        SkipReason.MARKET_CLOSED,
        SkipReason.POSITION_MODE,
        SkipReason.CREDENTIALS,
        SkipReason.REFUSED,
        SkipReason.UNKNOWN_OUTCOME,
        SkipReason.UNREACHABLE,
        SkipReason.MARGIN_MODE,
    }
)
"""Reasons that are a failure of the copy rather than a limit that did what it was set for."""


@dataclass(frozen=True, slots=True)
class Skip:
    """A quantity ≥ 0 in base units that was not copied; `facts` go into the reason's text."""

    reason: SkipReason
    quantity: Decimal
    facts: dict[str, str] = field(default_factory=dict[str, str])
