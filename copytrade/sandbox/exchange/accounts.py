"""Accounts: wallet, positions with cross and isolated margin, orders, fills, ledger; and their API keys."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from copytrade.sandbox.exchange.instruments import FIRST_SPOT, INSTRUMENTS, MAKER_PPM, TAKER_PPM, Instrument
from copytrade.sandbox.exchange.orders import OPEN, Fill, Income, Order, PositionSide

DEFAULT_LEVERAGE = 20


@dataclass(slots=True)
class Position:
    """A signed quantity in steps and what it was opened for (money units, never negative)."""

    instrument: int
    side: PositionSide
    steps: int = 0
    cost: int = 0
    isolated_wallet: int = 0
    """Money set aside for it while its margin is isolated."""
    realized: int = 0
    """Accumulated realized PnL, before fees."""
    updated: int = 0

    @property
    def notional_cost(self) -> int:
        return self.cost if self.steps >= 0 else -self.cost

    def unrealized(self, mark: int) -> int:
        """Return the unrealized PnL at a mark price in ticks."""
        return self.steps * mark * INSTRUMENTS[self.instrument].unit - self.notional_cost


@dataclass(slots=True)
class ApiKey:
    """A key of an account and what it may do."""

    key: str
    secret: str
    account: int
    reading: bool = True
    futures: bool = True
    spot: bool = False
    withdrawals: bool = False
    internal_transfer: bool = False
    universal_transfer: bool = False
    addresses: tuple[str, ...] = ()
    """Where it may be used from; empty: anywhere."""
    created: int = 0
    expires: int = 0
    """Real time in ms after which it is refused; 0: never."""
    revoked: bool = False
    passphrase: str = ""
    """Of venues that want one beside the secret."""

    def record(self) -> tuple[Any, ...]:
        return (
            *("key", self.key, self.secret, self.account, self.reading, self.futures, self.spot, self.withdrawals),
            *(self.internal_transfer, self.universal_transfer, self.addresses, self.created, self.expires),
            *(self.revoked, self.passphrase),
        )

    @classmethod
    def from_record(cls, row: list[Any]) -> "ApiKey":
        rights: list[Any] = row[1:10]
        times = {"created": row[11], "expires": row[12]}
        word = row[14] if len(row) > 14 else ""
        return cls(*rights, addresses=tuple(row[10]), **times, revoked=row[13], passphrase=word)


@dataclass(slots=True)
class Account:
    """One account of a venue; money in units of 10⁻⁸."""

    id: int
    name: str
    venue: str = "binance"
    wallet: int = 0
    """Of the perpetuals; of a unified account also its spot USDT."""
    unified: bool = False
    """Whether spot and perpetuals share the USDT."""
    fee_asset: str = ""
    """A third asset that pays spot fees while there is enough of it; empty: what is received pays."""
    coins: dict[str, int] = field(default_factory=dict)
    """Spot balances by asset, in units of 10⁻⁸, what open orders hold included."""
    hedge: bool = False
    taker_ppm: int = TAKER_PPM
    maker_ppm: int = MAKER_PPM
    updated: int = 0
    leverage: dict[int, int] = field(default_factory=dict)
    isolated: set[int] = field(default_factory=set)
    positions: dict[tuple[int, PositionSide], Position] = field(default_factory=dict)
    orders: dict[int, Order] = field(default_factory=dict)
    orders_of: dict[int, list[Order]] = field(default_factory=dict)
    open: dict[int, Order] = field(default_factory=dict)
    by_client: dict[tuple[int, str], Order] = field(default_factory=dict)
    by_name: dict[tuple[bool, str], Order] = field(default_factory=dict)
    """Orders by market (whether spot) and client id, of the venues where an id is good for one order for ever."""
    fills: list[Fill] = field(default_factory=list)
    fills_of: dict[int, list[Fill]] = field(default_factory=dict)
    incomes: list[Income] = field(default_factory=list)

    def position(self, instrument: int, side: PositionSide) -> Position:
        """Return the position of an instrument and side, made when it is not there."""
        found = self.positions.get((instrument, side))
        if found is None:
            found = self.positions[instrument, side] = Position(instrument, side)
        return found

    def leverage_of(self, instrument: int) -> int:
        return self.leverage.get(instrument, min(DEFAULT_LEVERAGE, INSTRUMENTS[instrument].max_leverage))

    def open_positions(self) -> list[Position]:
        return [position for position in self.positions.values() if position.steps]

    def add_order(self, order: Order) -> None:
        """Remember a new order, or one whose state has changed."""
        if order.id not in self.orders:
            self.orders_of.setdefault(order.instrument, []).append(order)
            self.by_client[order.instrument, order.client_id] = order
            if self.venue != "binance":
                self.by_name[order.instrument >= FIRST_SPOT, order.client_id] = order
        self.orders[order.id] = order
        if order.status in OPEN:
            self.open[order.id] = order
        else:
            self.open.pop(order.id, None)

    def add_fill(self, fill: Fill) -> None:
        self.fills.append(fill)
        self.fills_of.setdefault(fill.instrument, []).append(fill)

    def uses(self, instrument: int, client_id: str) -> bool:
        """Tell whether a client id is taken: at Binance by an open order of the instrument, elsewhere by any order."""
        if self.venue != "binance":
            return (instrument >= FIRST_SPOT, client_id) in self.by_name
        known = self.by_client.get((instrument, client_id))
        return known is not None and known.status in OPEN

    def head(self) -> tuple[Any, ...]:
        leverage = list(self.leverage.items())
        fees = (self.taker_ppm, self.maker_ppm)
        where = (self.venue, self.unified, self.fee_asset)
        modes = (leverage, list(self.isolated))
        return ("a", self.id, self.name, self.wallet, self.hedge, *fees, self.updated, *modes, *where)

    def records(self) -> Iterator[tuple[Any, ...]]:
        """Yield everything there is to keep of the account."""
        yield self.head()
        yield from (("c", self.id, asset, amount) for asset, amount in self.coins.items())
        yield from (position_record(self.id, position) for position in self.positions.values())
        yield from (order.record() for order in self.orders.values())
        yield from (fill.record() for fill in self.fills)
        yield from (income.record() for income in self.incomes)


def position_record(account: int, position: Position) -> tuple[Any, ...]:
    """Return a position as the store keeps it."""
    return (
        *("p", account, position.instrument, position.side, position.steps, position.cost, position.isolated_wallet),
        *(position.realized, position.updated),
    )


def opening_steps(position: Position, side: int, steps: int) -> int:
    """Return how much of an order would open or add to a position instead of reducing it."""
    if position.steps * side >= 0:
        return steps
    return max(0, steps - abs(position.steps))


def margin_of(instrument: Instrument, steps: int, price: int, leverage: int) -> int:
    """Return the initial margin of a quantity at a price."""
    return -(-abs(steps) * price * instrument.unit // leverage)
