"""What a venue's side of the sandbox is to the parts that serve it: requests, answers, and the streams beside them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from aiohttp import web

from copytrade.sandbox.exchange.orders import Fill, Order


@dataclass(slots=True)
class Call:
    """One request; `path` is without the venue's prefix, `arrived` the venue's time at which it came."""

    method: str
    path: str
    query: str
    body: str
    headers: Mapping[str, str]
    api_key: str
    address: str
    arrived: int


@dataclass(slots=True)
class Reply:
    """What goes back."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


class StreamSide(Protocol):
    """A venue's websockets."""

    async def serve(self, request: web.BaseRequest, path: str) -> web.StreamResponse:
        """Hold one websocket from its opening to its end; `path` is without the venue's prefix."""
        ...

    def cut(self, account: int = 0) -> int:
        """Break off the sockets of an account, or all; return how many."""
        ...

    def tell_raw(self, account: int, text: str) -> int:
        """Send a text as it stands on an account's sockets; return on how many."""
        ...

    def expire(self, account: int) -> None:
        """End what lets an account's private streams speak, as the venue does it when time is over."""
        ...

    def counts(self) -> tuple[dict[int, int], int]:
        """Return how many private sockets each account has, and how many public ones there are."""
        ...

    def tick(self) -> None:
        """Do what is due every second."""
        ...


class VenueSide(Protocol):
    """A venue on the wire: who it is, how it answers, how it says an error."""

    @property
    def name(self) -> str:
        """Return its name, which is also the first part of the path."""
        ...

    @property
    def hosts(self) -> frozenset[str]:
        """Return the names in a Host header that mean this venue, whatever the path."""
        ...

    @property
    def streams(self) -> StreamSide:
        """Return its websockets."""
        ...

    @property
    def rules(self) -> Any:
        """Return its request limits: a dataclass of whole numbers that the control interface may change."""
        ...

    def key_of(self, headers: Mapping[str, str]) -> str:
        """Return the API key that a request carries, empty when there is none."""
        ...

    def answer(self, call: Call) -> Reply:
        """Do what a request asks and say what became of it."""
        ...

    def error_body(self, code: int | str, message: str) -> bytes:
        """Return the body with which this venue says an error."""
        ...

    def forget_limits(self) -> None:
        """Forget what was counted against the limits, and all bans."""
        ...


@runtime_checkable
class OwnIds(Protocol):
    """A venue whose orders and trades have other ids than the exchange's numbers; the controls then tell those."""

    def order_id(self, order: Order) -> str:
        """Return the id of an order."""
        ...

    def trade_id(self, fill: Fill) -> str:
        """Return the id of a trade."""
        ...
