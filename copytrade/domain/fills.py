"""Executions, positions, balances and ledger entries as a venue reports them, in one form for every venue."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from copytrade.domain.instruments import MarginMode, PositionSide, Side


@dataclass(frozen=True, slots=True)
class Fill:
    """One execution. `quantity` is in base units and > 0, the side carries the sign; times are the venue's, UTC."""

    trade_id: str
    order_id: str
    symbol: str
    side: Side
    quantity: Decimal
    price: Decimal
    fee: Decimal
    fee_asset: str
    venue_time: datetime
    position_side: PositionSide = PositionSide.NET
    client_order_id: str = ""
    is_maker: bool = False
    is_liquidation: bool = False
    order_quantity: Decimal | None = None
    """Full quantity of its order in the unit it was given in; None until known."""
    order_unit_is_quote: bool = False
    position_after: Decimal | None = None
    """The venue's own signed position after this fill, where the message said so."""
    sequence: int = 0
    """The venue's own order within a millisecond, where its trade ids do not tell."""

    @property
    def signed(self) -> Decimal:
        """Return the signed base quantity."""
        return self.quantity * self.side.sign


@dataclass(frozen=True, slots=True)
class Position:
    """A position as the venue reads it; `quantity` is signed, in base units."""

    symbol: str
    quantity: Decimal
    entry_price: Decimal
    mark_price: Decimal
    unrealized_pnl: Decimal
    position_side: PositionSide = PositionSide.NET
    leverage: int | None = None
    liquidation_price: Decimal | None = None
    margin_mode: MarginMode | None = None
    """Cross or isolated, where the reading told."""


@dataclass(frozen=True, slots=True)
class Balance:
    """What an account holds of an asset."""

    asset: str
    free: Decimal
    total: Decimal


@dataclass(frozen=True, slots=True)
class Equity:
    """Worth of an account in USDT at `read_at`: wallet plus unrealized PnL (plus other coins at mark on spot)."""

    total: Decimal
    wallet: Decimal
    unrealized_pnl: Decimal
    available: Decimal
    read_at: datetime


@dataclass(frozen=True, slots=True)
class AccountState:
    """One reading of an account: equity, signed quantities held by symbol and position side, flat ones left out.

    `mark` changes whenever wallet or positions do: two equal marks mean that nothing was traded between them.
    `asked_at` and `answered_at` are by the venue's clock; the reading is of a moment between them.
    """

    equity: Equity
    positions: dict[tuple[str, PositionSide], Decimal]
    mark: str
    asked_at: datetime
    answered_at: datetime


class EntryKind(StrEnum):
    """Kinds of ledger entries that are no fills."""

    FUNDING = "funding"
    FEE = "fee"
    REALIZED_PNL = "realized_pnl"
    TRANSFER = "transfer"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """A change of the wallet that the venue books; `amount` > 0 is received, in `asset`."""

    entry_id: str
    kind: EntryKind
    asset: str
    amount: Decimal
    venue_time: datetime
    symbol: str = ""


@dataclass(frozen=True, slots=True)
class Candle:
    """Open, high, low, close and base volume of the interval that starts at `opened_at`."""

    opened_at: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal


@dataclass(frozen=True, slots=True)
class Quote:
    """Best bid and ask, and the mark price, read at `read_at`."""

    symbol: str
    bid: Decimal
    ask: Decimal
    mark: Decimal
    read_at: datetime


@dataclass(frozen=True, slots=True)
class KeyPermissions:
    """What an API key may do. `None` means that the venue did not tell, which counts as refused."""

    may_read: bool | None
    may_trade: bool | None
    may_withdraw: bool | None
    may_transfer: bool | None
    ip_restricted: bool | None = None
    expires_at: datetime | None = None
    uid: str = ""
    """The venue's id of the account that the key belongs to; empty where the call does not tell."""
    unfit: str = ""
    """Why an account of this kind cannot be used (`not_unified` at Bybit, `unified` at Bitget); empty: it can."""
    orders_per_s: int | None = None
    """How many orders a second the venue takes from this account, where it told that they are fewer than usual."""
