"""Whether fills and ledger explain what a spot account holds: what Binance tells symbol by symbol has no other proof.

At a moment of rest, when two readings agree, what was held at the last such moment plus all that was captured since
must be what is held now. If it is not, the ledger is asked, then the symbols that could have moved the coins, first
those known of the account; what is still unexplained then came or went without a trade: it is booked and told.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from copytrade.capture import spot, storing, trouble
from copytrade.capture.service import lock_state
from copytrade.capture.trouble import Trouble
from copytrade.db.model import TRADES
from copytrade.domain.fills import EntryKind, LedgerEntry
from copytrade.exchanges.holdings import STABLE

ZERO = Decimal(0)
_ROUNDING = Decimal("0.00000001")
"""A venue rounds what a fill costs to so much."""
AT_ONCE = 10
"""Symbols asked in one poll while a balance is not explained."""


@dataclass(frozen=True, slots=True)
class Rest:
    """What was held at a moment when nothing moved."""

    at: datetime
    held: Mapping[str, Decimal]


@dataclass(slots=True)
class Search:
    """The search for what moved a balance: symbols still to be asked, from when on."""

    since: datetime
    left: list[str] = field(default_factory=list[str])
    is_filled: bool = False
    """Whether `left` was chosen; before that the ledger is asked."""

    def take(self) -> list[str]:
        """Return the symbols of one poll."""
        taken, self.left = self.left[:AT_ONCE], self.left[AT_ONCE:]
        return taken


def rest_of(balances: Mapping[str, Any]) -> Rest | None:
    """Return the last moment of rest as a capture state keeps it, None before the first."""
    if not balances:
        return None
    held = {asset: Decimal(total) for asset, total in balances["held"].items()}
    return Rest(datetime.fromisoformat(balances["at"]), held)


_FILLS = text(f"""
SELECT symbol, fee_asset, sum(signed) AS signed, sum(signed * price) AS cost, sum(fee) AS fee, count(*) AS fills FROM (
    SELECT symbol, fee_asset, fee, price, CASE side WHEN 'buy' THEN quantity ELSE -quantity END AS signed
    FROM {TRADES}.fills WHERE exchange_account_id = :account AND venue_time > :since AND venue_time <= :until
) moved GROUP BY symbol, fee_asset
""")  # noqa: S608 - only the schema's name goes in, here and below
_ENTRIES = text(f"""
SELECT asset, sum(amount) AS amount FROM {TRADES}.account_entries
WHERE exchange_account_id = :account AND venue_time > :since AND venue_time <= :until GROUP BY asset
""")  # noqa: S608


def unexplained(session: Session, account_id: UUID, rest: Rest, now: Rest) -> dict[str, Decimal]:
    """Return what moved of each asset between two moments of rest and is neither in fills nor in the ledger."""
    span = {"account": account_id, "since": rest.at, "until": now.at}
    moved = {asset: now.held.get(asset, ZERO) - rest.held.get(asset, ZERO) for asset in {*rest.held, *now.held}}
    fills = 0
    for row in session.connection().execute(_FILLS, span):
        base, quote = spot.coins_of(row.symbol)
        for asset, amount in ((base, row.signed), (quote, -row.cost), (row.fee_asset, -row.fee)):
            moved[asset] = moved.get(asset, ZERO) - amount
        fills += row.fills
    for row in session.connection().execute(_ENTRIES, span):
        moved[row.asset] = moved.get(row.asset, ZERO) - row.amount
    return {asset: amount for asset, amount in moved.items() if asset and abs(amount) > _ROUNDING * (fills + 1)}


def candidates(
    moved: Collection[str], *, known: Iterable[str], named: Iterable[str], rules: Iterable[str]
) -> list[str]:
    """Return the symbols that may have moved these assets, the likeliest first; `named`: by the venue itself."""
    coins = {asset for asset in moved if asset not in STABLE}
    wanted = coins or set(moved)
    first = [symbol for symbol in sorted(known) if wanted & set(spot.coins_of(symbol))]
    rest = [symbol for symbol in sorted(rules) if wanted & set(spot.coins_of(symbol))]
    return list(dict.fromkeys([*first, *sorted(named), *sorted(known), *rest]))


def settle(session: Session, account_id: UUID, now: Rest, *, left_over: Mapping[str, Decimal]) -> None:
    """Make this the last moment of rest; what is left over is booked as it is, and told where it is a coin."""
    state = lock_state(session, account_id)
    if state is None:
        return
    # dollars also move with perpetuals where an account is one for both
    coins = {asset: amount for asset, amount in left_over.items() if asset not in STABLE}
    entries = [
        LedgerEntry(f"unexplained:{asset}:{now.at.isoformat()}", EntryKind.OTHER, asset, amount, now.at)
        for asset, amount in sorted(coins.items())
    ]
    storing.store_entries(session, entries, account_id=account_id)
    if coins:
        trouble.mark(session, Trouble.UNEXPLAINED, account_id=account_id, assets=sorted(coins))
    held = {asset: str(total) for asset, total in now.held.items() if total}
    state.balances = {"at": now.at.isoformat(), "held": held}
    session.add(state)
