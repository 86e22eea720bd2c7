"""Open websockets: whose they are, and how messages leave on them, with the faults in force."""

import asyncio
from collections.abc import Callable, Hashable
from contextlib import suppress
from typing import Any

import orjson
from aiohttp import web

from copytrade.sandbox.exchange.faults import Faults


class Connection:
    """One socket; what is pushed leaves in order, each not before it is due."""

    def __init__(self, socket: web.WebSocketResponse, *, transport: asyncio.Transport | None = None) -> None:
        self.socket = socket
        self.transport = transport
        self.account = 0
        """Whose private messages it hears; 0 while nobody has said who he is."""
        self.topics: set[Hashable] = set()
        """What it has asked to hear, as the venue names it."""
        self.wrap: Callable[[Any], Any] | None = None
        """What the venue puts around each private message on this socket."""
        self._queue: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

    def push(self, message: Any, *, delay_s: float = 0.0) -> None:
        """Send a message when `delay_s` has passed."""
        self.push_raw(orjson.dumps(message), delay_s=delay_s)

    def push_raw(self, content: bytes, *, delay_s: float = 0.0) -> None:
        """Send a text as it stands."""
        self._queue.put_nowait((asyncio.get_running_loop().time() + delay_s, content))

    async def send_all(self) -> None:
        """Send what is pushed until the socket is closed."""
        loop = asyncio.get_running_loop()
        with suppress(ConnectionResetError):
            while not self.socket.closed:
                due, content = await self._queue.get()
                if (wait := due - loop.time()) > 0:
                    await asyncio.sleep(wait)
                await self.socket.send_str(content.decode("utf-8", "surrogateescape"))

    def cut(self) -> None:
        """Break the connection off without a word."""
        if self.transport is not None:
            self.transport.abort()


class Sockets:
    """The open sockets of one venue."""

    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        self.users: dict[int, set[Connection]] = {}
        """Private sockets by account."""
        self.others: set[Connection] = set()
        """Public ones, and those that have not said whose they are."""

    def join(self, connection: Connection, account: int) -> None:
        """Let a socket hear an account's messages; 0 takes it away from whom it had."""
        self.leave(connection)
        connection.account = account
        (self.users.setdefault(account, set()) if account else self.others).add(connection)

    def leave(self, connection: Connection) -> None:
        """Forget a socket."""
        self.others.discard(connection)
        sockets = self.users.get(connection.account, set())
        sockets.discard(connection)
        if not sockets:
            self.users.pop(connection.account, None)

    def publish(
        self,
        account: int,
        event: str,
        message: Any,
        *,
        topic: Hashable = None,
        delay_s: float = 0.0,
        counts: bool = True,
    ) -> None:
        """Send a private message to an account's sockets that hear its topic (None: all of them).

        `event` is the name by which stream faults speak of it; a companion of another message does not count there.
        """
        faults = self.faults
        if account not in self.users or account in faults.halted_streams:
            return
        hearing = [one for one in self.users[account] if topic is None or topic in one.topics]
        fault = faults.take_stream(account, event, counts=counts) if faults.streams and hearing else None
        delay = faults.latency_out_ms / 1000 + delay_s
        for connection in hearing:
            content = orjson.dumps(message if connection.wrap is None else connection.wrap(message))
            if fault is not None and fault.tampering:
                content = fault.tampering.apply(content)
            if fault is None or fault.action in ("double", "change"):
                connection.push_raw(content, delay_s=delay)
            if fault is not None and fault.action == "double":
                connection.push_raw(content, delay_s=delay)
            if fault is not None and fault.action == "delay":
                loop = asyncio.get_running_loop()
                loop.call_later(delay + fault.delay_ms / 1000, connection.push_raw, content)

    def cut(self, account: int = 0) -> int:
        """Break off the sockets of an account, or all; return how many."""
        found = list(self.users.get(account, ())) if account else self.all()
        for connection in found:
            connection.cut()
        return len(found)

    def tell_raw(self, account: int, text: str) -> int:
        """Send a text as it stands on an account's sockets; return on how many."""
        found = list(self.users.get(account, ()))
        for connection in found:
            connection.push_raw(text.encode())
        return len(found)

    def counts(self) -> tuple[dict[int, int], int]:
        """Return how many private sockets each account has, and how many others there are."""
        return {account: len(found) for account, found in self.users.items()}, len(self.others)

    def all(self) -> list[Connection]:
        """Return every open socket."""
        return [*self.others, *(socket for sockets in self.users.values() for socket in sockets)]
