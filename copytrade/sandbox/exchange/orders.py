"""Orders, fills and the entries of an account's ledger, and why an order is refused."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

BUY, SELL = 1, -1


class OrderType(StrEnum):
    LIMIT = "LIMIT"
    MARKET = "MARKET"
    LIQUIDATION = "LIQUIDATION"
    ADL = "ADL"
    """Auto-deleveraging: the venue closes the position of one who is in profit."""


class TimeInForce(StrEnum):
    GTC = "GTC"
    IOC = "IOC"
    FOK = "FOK"
    GTX = "GTX"


class Status(StrEnum):
    NEW = "NEW"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"


BY_VENUE = frozenset((OrderType.LIQUIDATION, OrderType.ADL))
OPEN = frozenset((Status.NEW, Status.PARTIALLY_FILLED))


class PositionSide(StrEnum):
    BOTH = "BOTH"
    LONG = "LONG"
    SHORT = "SHORT"


class IncomeKind(StrEnum):
    REALIZED_PNL = "REALIZED_PNL"
    COMMISSION = "COMMISSION"
    FUNDING_FEE = "FUNDING_FEE"
    TRANSFER = "TRANSFER"
    DEPOSIT = "DEPOSIT"
    WITHDRAWAL = "WITHDRAWAL"
    INSURANCE_CLEAR = "INSURANCE_CLEAR"


class Reason(StrEnum):
    """Why the engine refuses; each venue's protocol has its own code for it."""

    UNKNOWN_SYMBOL = "unknown_symbol"
    QUANTITY_MALFORMED = "quantity_malformed"
    QUANTITY_PRECISION = "quantity_precision"
    QUANTITY_ZERO = "quantity_zero"
    QUANTITY_TOO_LARGE = "quantity_too_large"
    PRICE_MALFORMED = "price_malformed"
    PRICE_TICK = "price_tick"
    PRICE_ZERO = "price_zero"
    PRICE_TOO_HIGH = "price_too_high"
    PRICE_TOO_LOW = "price_too_low"
    BOOK_TOO_FAR = "book_too_far"
    NOTIONAL_TOO_SMALL = "notional_too_small"
    MARGIN = "margin"
    BALANCE = "balance"
    POSITION_TOO_LARGE = "position_too_large"
    REDUCE_ONLY = "reduce_only"
    POSITION_SIDE = "position_side"
    DUPLICATE_CLIENT_ID = "duplicate_client_id"
    WOULD_TAKE = "would_take"
    WOULD_NOT_FILL = "would_not_fill"
    TOO_MANY_OPEN = "too_many_open"
    UNKNOWN_ORDER = "unknown_order"
    TRADING_HALTED = "trading_halted"
    LEVERAGE = "leverage"
    MARGIN_MODE_SAME = "margin_mode_same"
    MARGIN_MODE_ORDERS = "margin_mode_orders"
    MARGIN_MODE_POSITION = "margin_mode_position"
    POSITION_MODE_SAME = "position_mode_same"
    POSITION_MODE_ORDERS = "position_mode_orders"
    POSITION_MODE_POSITION = "position_mode_position"


class Refused(Exception):
    """The engine did not do it, and nothing has changed."""

    def __init__(self, reason: Reason, **facts: str) -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.facts = facts


@dataclass(slots=True)
class Order:
    """One order; `price` in ticks (0: market), `steps` and `executed` in steps, `quote` the money it has moved."""

    id: int
    account: int
    instrument: int
    client_id: str
    side: int
    type: OrderType
    time_in_force: TimeInForce
    price: int
    steps: int
    reduce_only: bool
    position_side: PositionSide
    created: int
    executed: int = 0
    quote: int = 0
    status: Status = Status.NEW
    updated: int = 0
    margin: int = 0
    """What is held back for it while it rests in the book: money, or on spot what it pays with."""
    budget: int = 0
    """Money that a spot market order was to spend or to bring in; 0: it was given in base."""
    purse: int = -1
    """Money that a spot market order cannot go beyond; known only while it is placed."""

    @property
    def remaining(self) -> int:
        return self.steps - self.executed

    @property
    def only_closes(self) -> bool:
        """Tell whether it may only make a position smaller: by its own word, or as the closing side in hedge mode."""
        closing = {PositionSide.LONG: SELL, PositionSide.SHORT: BUY}.get(self.position_side)
        return self.reduce_only or closing == self.side

    def record(self) -> tuple[Any, ...]:
        return (
            *("o", self.id, self.account, self.instrument, self.client_id, self.side, self.type, self.time_in_force),
            *(self.price, self.steps, self.reduce_only, self.position_side, self.created, self.executed, self.quote),
            *(self.status, self.updated, self.margin, self.budget),
        )

    @classmethod
    def from_record(cls, row: list[Any]) -> "Order":
        order = cls(*row[1:])
        order.type = OrderType(order.type)
        order.time_in_force = TimeInForce(order.time_in_force)
        order.position_side = PositionSide(order.position_side)
        order.status = Status(order.status)
        return order


@dataclass(frozen=True, slots=True)
class Fill:
    """One execution of an order of one account."""

    id: int
    order: int
    account: int
    instrument: int
    side: int
    price: int
    steps: int
    fee: int
    realized: int
    maker: bool
    position_side: PositionSide
    time: int
    fee_asset: str = "USDT"

    def record(self) -> tuple[Any, ...]:
        return (
            *("f", self.id, self.order, self.account, self.instrument, self.side, self.price, self.steps, self.fee),
            *(self.realized, self.maker, self.position_side, self.time, self.fee_asset),
        )

    @classmethod
    def from_record(cls, row: list[Any]) -> "Fill":
        facts: list[Any] = [*row[1:11], PositionSide(row[11]), *row[12:]]
        return cls(*facts)


@dataclass(frozen=True, slots=True)
class Income:
    """One entry of an account's ledger; `instrument` is −1 for a transfer."""

    id: int
    account: int
    kind: IncomeKind
    amount: int
    instrument: int
    time: int
    trade: int = 0
    asset: str = "USDT"
    spot: bool = False
    """Whether it is of the spot wallet."""

    def record(self) -> tuple[Any, ...]:
        what = (self.instrument, self.time, self.trade, self.asset, self.spot)
        return ("i", self.id, self.account, self.kind, self.amount, *what)

    @classmethod
    def from_record(cls, row: list[Any]) -> "Income":
        return cls(row[1], row[2], IncomeKind(row[3]), *row[4:])
