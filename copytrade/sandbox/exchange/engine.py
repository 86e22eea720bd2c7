"""The exchange itself: accounts, keys, orders, and everything that happens to them, one action at a time."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from copytrade.sandbox.exchange.accounts import Account, ApiKey, Position
from copytrade.sandbox.exchange.book import RestingBook
from copytrade.sandbox.exchange.clock import Clock
from copytrade.sandbox.exchange.instruments import INSTRUMENTS, QUOTE
from copytrade.sandbox.exchange.market import FixedBook, Market
from copytrade.sandbox.exchange.orders import (
    Fill,
    Income,
    IncomeKind,
    Order,
    OrderType,
    PositionSide,
    TimeInForce,
)
from copytrade.sandbox.exchange.path import DAY_MS, PricePath, StillPath
from copytrade.sandbox.exchange.store import Store

COMPACT_BYTES = 8_000_000
"""A state file larger than this is written anew at the start."""


class BadState(Exception):
    """What lies in the state folder cannot be read."""


class Watcher(Protocol):
    """Somebody who is told what happens, in order, while it happens."""

    def order(self, account: Account, order: Order, execution: str, fill: Fill | None) -> None: ...

    def balance(self, account: Account, reason: str, change: int, positions: list[Position]) -> None: ...

    def leverage(self, account: Account, instrument: int) -> None: ...

    def coins(self, account: Account, reason: str, changes: dict[str, int]) -> None: ...


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """What somebody wants: quantity in steps, price in ticks (0 for a market order)."""

    instrument: int
    side: int
    type: OrderType
    steps: int
    price: int = 0
    time_in_force: TimeInForce = TimeInForce.GTC
    reduce_only: bool = False
    position_side: PositionSide = PositionSide.BOTH
    client_id: str = ""
    budget: int = 0
    """On spot, for a market order without steps: the money to spend, or to bring in."""


class Exchange:
    """All there is; the functions of this package act on it and end with `commit`."""

    def __init__(
        self, *, seed: int, folder: Path | None = None, now: int | None = None, days: int = 0, is_fed: bool = False
    ) -> None:
        self.seed = seed
        self.clock = Clock()
        self.store = Store(folder)
        self.accounts: dict[int, Account] = {}
        self.keys: dict[str, ApiKey] = {}
        self.resting = {row.index: RestingBook() for row in INSTRUMENTS}
        self.watchers: list[Watcher] = []
        self.next_id = 1_000_000
        self.ticked = 0
        self.funded = 0
        self.genesis = 0
        self.extras: dict[str, Any] = {}
        """Small things kept for others by name: limits, who the traders are."""
        start = self.clock.now() if now is None else now
        self._held: dict[int, int] = {}
        self._books: dict[int, FixedBook] = {}
        self._halted: set[int] = set()
        self._delisted: set[int] = set()
        self.is_new = not self.store.load(self._apply) or not self.genesis
        if self.is_new:
            self.genesis = (start // DAY_MS - days - 1) * DAY_MS
            self.ticked = self.funded = start
        prices = None if folder is None else folder / "prices"
        if prices is not None and self.is_new:
            for file in prices.glob("*.knots"):
                file.unlink()
        path = StillPath(self.genesis) if is_fed else PricePath(seed=seed, genesis=self.genesis, folder=prices)
        self.market = Market(path, self.clock)
        self.market.held, self.market.books, self.market.halted = self._held, self._books, self._halted
        self.market.delisted = self._delisted
        for account in self.accounts.values():
            for fill in account.fills:
                self.market.note(fill.instrument, fill.price, fill.time)

    def begin(self) -> None:
        """Write from now on; what was done before this is kept only if it is whole."""
        if self.is_new or self.store.size() > COMPACT_BYTES:
            self.store.rewrite(self.records())
        else:
            self.store.open()

    def commit(self) -> None:
        """Make what was done durable; nobody may be answered before."""
        self.store.commit()

    def new_id(self) -> int:
        """Return the next number for an order, a trade or a ledger entry."""
        self.next_id += 1
        return self.next_id

    def open_account(self, name: str, *, venue: str = "binance", unified: bool = False) -> Account:
        """Open an account without money."""
        number = self.new_id()
        account = Account(number, name, venue, unified=unified, updated=self.clock.now())
        self.accounts[number] = account
        self.store.put(account.head())
        return account

    def add_key(self, key: ApiKey) -> ApiKey:
        """Put a key into force, in the place of one of the same name."""
        self.keys[key.key] = key
        self.store.put(key.record())
        return key

    def account_of(self, api_key: str) -> int:
        """Return the account a key belongs to, 0 when there is none."""
        key = self.keys.get(api_key)
        return key.account if key is not None else 0

    def transfer(self, account: Account, amount: int) -> None:
        """Bring money in, or take it out; whether it may be taken out is the caller's to ask."""
        account.wallet += amount
        account.updated = self.clock.now()
        self.book_income(account, IncomeKind.TRANSFER, amount, instrument=-1)
        self.store.put(account.head())
        for watcher in self.watchers:
            watcher.balance(account, "DEPOSIT" if amount > 0 else "WITHDRAW", amount, [])

    def book_income(
        self,
        account: Account,
        kind: IncomeKind,
        amount: int,
        *,
        instrument: int,
        trade: int = 0,
        spot_asset: str = "",
    ) -> None:
        """Write an entry into the ledger; the wallet, or with `spot_asset` the coins, are the caller's."""
        where = (spot_asset or QUOTE, bool(spot_asset))
        income = Income(self.new_id(), account.id, kind, amount, instrument, self.clock.now(), trade, *where)
        account.incomes.append(income)
        self.store.put(income.record())

    def set_extra(self, name: str, value: Any) -> None:
        """Keep a small thing by name."""
        self.extras[name] = value
        self.store.put(("x", name, value))

    def keep_time(self) -> None:
        """Keep where the clock and the tick stand."""
        self.store.put(("t", self.genesis, self.clock.offset_ms, self.ticked, self.funded))

    def records(self) -> Iterator[tuple[Any, ...]]:
        """Yield the whole state, for the store."""
        yield ("t", self.genesis, self.clock.offset_ms, self.ticked, self.funded)
        yield ("n", self.next_id)
        yield from (("x", name, value) for name, value in self.extras.items())
        yield from self.market.records()
        for account in self.accounts.values():
            yield from account.records()
        yield from (key.record() for key in self.keys.values())

    def _apply(self, row: list[Any]) -> None:
        match row[0]:
            case "o":
                self._apply_order(Order.from_record(row))
            case "f":
                self.accounts[row[3]].add_fill(Fill.from_record(row))
                self.next_id = max(self.next_id, row[1])
            case "i":
                self.accounts[row[2]].incomes.append(Income.from_record(row))
                self.next_id = max(self.next_id, row[1])
            case "w":
                self.accounts[row[1]].wallet, self.accounts[row[1]].updated = row[2], row[3]
            case "p":
                side = PositionSide(row[3])
                self.accounts[row[1]].positions[row[2], side] = Position(row[2], side, *row[4:])
            case "a":
                self._apply_head(row)
            case "c":
                self.accounts[row[1]].coins[row[2]] = row[3]
            case "key":
                self.keys[row[1]] = ApiKey.from_record(row)
            case "t":
                self.genesis, self.clock.offset_ms, self.ticked, self.funded = row[1:]
            case "n":
                self.next_id = max(self.next_id, row[1])
            case "x":
                self.extras[row[1]] = row[2]
            case _:
                self._apply_market(row)

    def _apply_order(self, order: Order) -> None:
        account = self.accounts[order.account]
        known = account.orders.get(order.id)
        if known is None:
            account.add_order(order)
        else:
            self.resting[order.instrument].remove(known)
            known.executed, known.quote, known.status = order.executed, order.quote, order.status
            known.updated, known.steps, known.margin, known.price = (
                *(order.updated, order.steps, order.margin),
                order.price,
            )
            account.add_order(known)
            order = known
        if order.id in account.open:
            self.resting[order.instrument].add(order)
        self.next_id = max(self.next_id, order.id)

    def _apply_head(self, row: list[Any]) -> None:
        account = self.accounts.setdefault(row[1], Account(row[1], row[2]))
        account.name, account.wallet, account.hedge = row[2], row[3], row[4]
        account.taker_ppm, account.maker_ppm, account.updated = row[5], row[6], row[7]
        account.leverage = dict(row[8])
        account.isolated = set(row[9])
        if len(row) > 10:
            account.venue, account.unified, account.fee_asset = row[10:13]
        self.next_id = max(self.next_id, row[1])

    def _apply_market(self, row: list[Any]) -> None:
        match row:
            case ["held", index, int(price)]:
                self._held[index] = price
            case ["held", index, None]:
                self._held.pop(index, None)
            case ["book", index, None, None]:
                self._books.pop(index, None)
            case ["book", index, bids, asks]:
                self._books[index] = FixedBook(bids, asks)
            case ["halted", index, True]:
                self._halted.add(index)
            case ["halted", index, False]:
                self._halted.discard(index)
            case ["delisted", index, True]:
                self._delisted.add(index)
            case ["delisted", index, False]:
                self._delisted.discard(index)
            case _:
                raise BadState(f"a record of an unknown kind was in its state: {row[0]!r}")
