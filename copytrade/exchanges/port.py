"""The one port to the exchanges: the same calls, types and errors for every venue and market."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol
from uuid import UUID

from copytrade.domain.fills import (
    AccountState,
    Balance,
    Candle,
    Equity,
    Fill,
    KeyPermissions,
    LedgerEntry,
    Position,
    Quote,
)
from copytrade.domain.instruments import MarginMode, Market, MarketRules, Venue
from copytrade.domain.orders import OrderRequest, Outcome, VenueOrder


@dataclass(frozen=True, slots=True)
class Credentials:
    """Opened secrets of one exchange account; lives only in a worker's warm client, never printed."""

    api_key: str
    api_secret: str
    passphrase: str = ""

    def __repr__(self) -> str:
        return "Credentials(***)"


@dataclass(frozen=True, slots=True)
class AccountRef:
    """Which account a client speaks for: enough to build it, without a secret."""

    id: UUID
    venue: Venue
    market: Market
    mode: str
    """`live`, `testnet`, `sandbox` or `paper`."""
    egress: str = ""
    """Name of the way out that the account is bound to (exchanges.egress)."""
    key_version: int = 1
    """Grows with each new key: a client of another version is not used any more."""


@dataclass(frozen=True, slots=True)
class FillPage:
    """One page of fills, oldest first; `cursor`: where the next page starts; `is_last`: nothing newer is there."""

    fills: Sequence[Fill]
    cursor: str
    is_last: bool
    spoiled: Sequence[str] = ()
    """Rows that could not be read, as the venue sent them; they are kept, never dropped."""


@dataclass(frozen=True, slots=True)
class StreamMessage:
    """One thing a private stream told. Exactly one of the fields is set; `connected` after every (re)connect."""

    fill: Fill | None = None
    order: VenueOrder | None = None
    position: Position | None = None
    transfer: LedgerEntry | None = None
    connected: bool = False
    alive: bool = False
    """The connection stands, though nothing was told for a while."""
    spoiled: str = ""
    """An event that could not be read, as the venue sent it."""
    venue_time: datetime | None = None


StreamMessages = AsyncIterator[StreamMessage]


class ExchangeClient(Protocol):
    """One exchange account at one venue. Reads raise Unavailable or BadCredentials; `place` raises neither."""

    ref: AccountRef

    async def server_time(self) -> datetime: ...
    async def permissions(self) -> KeyPermissions: ...
    async def rules(self) -> dict[str, MarketRules]:
        """Return the rules of every tradable symbol of this market, from the process's shared markets."""
        ...

    async def balances(self) -> list[Balance]: ...
    async def equity(self) -> Equity: ...
    async def state(self) -> AccountState:
        """Return equity, quantities held and a mark of both in one cheap call."""
        ...

    async def positions(self) -> list[Position]:
        """Return the non-flat positions, all symbols."""
        ...

    async def traded_symbols(self, *, since: datetime) -> set[str]:
        """Return symbols in which something may have been traded since, as cheaply as the venue allows."""
        ...

    async def fills(self, symbol: str, *, cursor: str, since: datetime | None) -> FillPage:
        """Return one page after `cursor` (the venue's; empty: from `since`, None: as far as the venue keeps them)."""
        ...

    async def entries(self, *, since: datetime, until: datetime) -> list[LedgerEntry]:
        """Return funding, fees, realized PnL and transfers in the window, complete, paged inside."""
        ...

    async def quote(self, symbol: str) -> Quote: ...
    async def quotes(self, symbols: Sequence[str]) -> dict[str, Quote]: ...
    async def candles(self, symbol: str, *, interval: str, since: datetime, until: datetime) -> list[Candle]: ...
    async def place(self, request: OrderRequest, *, not_after: datetime) -> Outcome:
        """Send one order once, nothing at or after the real time `not_after`. Any answer or failure is an Outcome."""
        ...

    async def look_up(self, symbol: str, client_order_id: str) -> VenueOrder | None:
        """Return the order by our id, None where the venue says it does not exist (which is no proof yet)."""
        ...

    async def order(self, symbol: str, venue_order_id: str) -> VenueOrder | None:
        """Return any order of the account by the venue's id, None where the venue does not know it (any more)."""
        ...

    async def order_fills(self, symbol: str, venue_order_id: str) -> list[Fill]: ...
    async def recent_orders(self, symbol: str, *, since: datetime) -> list[VenueOrder]: ...
    async def open_orders(self, symbol: str) -> list[VenueOrder]: ...
    async def cancel(self, symbol: str, client_order_id: str) -> VenueOrder | None: ...
    async def day_volumes(self) -> dict[str, Decimal]:
        """Return what each symbol of this market turned over in the last 24 hours, in quote."""
        ...

    async def max_leverage(self, symbol: str) -> int:
        """Return the most leverage that the venue gives in a symbol."""
        ...

    async def leverage(self, symbol: str) -> int: ...
    async def margin_mode(self, symbol: str) -> MarginMode: ...
    async def set_leverage(self, symbol: str, leverage: int) -> None: ...
    async def set_cross_margin(self, symbol: str) -> None:
        """Make the margin mode of a symbol cross; unchanged is success."""
        ...

    async def set_isolated_margin(self, symbol: str) -> None:
        """Make the margin mode of a symbol isolated (of the whole account at Bybit); unchanged is success."""
        ...

    async def is_hedged(self) -> bool: ...
    async def set_one_way(self) -> None:
        """Make the account's position mode one-way; unchanged is success, open positions or orders are OrderRefused."""
        ...

    async def set_hedged(self) -> None:
        """Make the account's position mode hedge, likewise."""
        ...

    def stream(self) -> AbstractAsyncContextManager[StreamMessages]:
        """Open the private stream; it reconnects by itself and tells `connected` each time: the poll fills the gap."""
        ...


class ClientPool(Protocol):
    """Warm clients of this process's event loop, a bounded LRU over one HTTP session and one set of markets a venue."""

    async def get(self, ref: AccountRef) -> ExchangeClient: ...
    async def trial(self, ref: AccountRef, credentials: Credentials) -> ExchangeClient:
        """Return a client of a key that is tried out; the pool does not keep it."""
        ...

    async def forget(self, account_id: UUID) -> None: ...
    async def close(self) -> None: ...


class SecretOpener(Protocol):
    """Opens the secrets of an account; only workers have one (accounts.vault)."""

    def __call__(self, account_id: UUID) -> Credentials: ...
