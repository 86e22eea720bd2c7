"""Websockets: user-data streams by listen key, and market streams by subscription."""

import asyncio
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs

import orjson
from aiohttp import WSMsgType, web

from copytrade.sandbox.binance import events
from copytrade.sandbox.binance.rest import Binance
from copytrade.sandbox.exchange.accounts import Account, Position
from copytrade.sandbox.exchange.orders import Fill, Order

PING_S = 180.0


class Connection:
    """One socket; what is pushed leaves in order, each not before it is due."""

    def __init__(self, socket: web.WebSocketResponse, *, account: int, wraps: bool) -> None:
        self.socket = socket
        self.account = account
        self.wraps = wraps
        """Whether messages carry the stream's name around them."""
        self.streams: set[str] = set()
        self.name = ""
        self._queue: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        self.transport: asyncio.Transport | None = None

    def push(self, message: dict[str, Any], *, stream: str = "", delay_s: float = 0.0) -> None:
        """Send a message when `delay_s` has passed."""
        content = {"stream": stream or self.name, "data": message} if self.wraps else message
        self._queue.put_nowait((asyncio.get_running_loop().time() + delay_s, orjson.dumps(content)))

    async def send_all(self) -> None:
        """Send what is pushed until the socket is closed."""
        loop = asyncio.get_running_loop()
        with suppress(ConnectionResetError):
            while not self.socket.closed:
                due, content = await self._queue.get()
                if (wait := due - loop.time()) > 0:
                    await asyncio.sleep(wait)
                await self.socket.send_str(content.decode())

    def cut(self) -> None:
        """Break the connection off without a word."""
        if self.transport is not None:
            self.transport.abort()


class Streams:
    """All open sockets; hears of everything that happens on the exchange."""

    def __init__(self, venue: Binance) -> None:
        self.venue = venue
        self.users: dict[int, set[Connection]] = {}
        self.markets: set[Connection] = set()
        venue.exchange.watchers.append(self)

    def order(self, account: Account, order: Order, execution: str, fill: Fill | None) -> None:
        if account.id in self.users:
            now = self.venue.exchange.clock.now()
            self._publish(account.id, events.order_update(order, execution, fill, now))

    def balance(self, account: Account, reason: str, change: int, positions: list[Position]) -> None:
        if account.id in self.users:
            now = self.venue.exchange.clock.now()
            self._publish(account.id, events.account_update(account, reason, change, positions, now))

    def leverage(self, account: Account, instrument: int) -> None:
        if account.id in self.users:
            self._publish(account.id, events.leverage_update(account, instrument, self.venue.exchange.clock.now()))

    def cut(self, account: int = 0) -> int:
        """Break off the sockets of an account, or all; return how many."""
        found = self._sockets(account)
        for connection in found:
            connection.cut()
        return len(found)

    def expire(self, account: int) -> None:
        """End an account's listen key and say so on its streams, which stay open and silent."""
        key = self.venue.listen_keys.drop(account)
        now = self.venue.exchange.clock.now()
        self._publish(account, {"e": "listenKeyExpired", "E": now, "listenKey": key})
        self.users.pop(account, None)

    def tick(self) -> None:
        """Say what the market streams say, and end listen keys whose hour is over."""
        for account, key in self.venue.listen_keys.expired():
            now = self.venue.exchange.clock.now()
            self._publish(account, {"e": "listenKeyExpired", "E": now, "listenKey": key})
            self.users.pop(account, None)
        said: dict[str, list[dict[str, Any]]] = {}
        for connection in self.markets:
            for stream in connection.streams:
                if stream not in said:
                    said[stream] = events.market_messages(self.venue, stream)
                for message in said[stream]:
                    connection.push(message, stream=stream)

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        """Hold one websocket from its opening to its end."""
        socket = web.WebSocketResponse(heartbeat=PING_S, max_msg_size=2**20)
        await socket.prepare(request)
        key, streams = _wanted(request)
        account = self.venue.listen_keys.account(key) if key else 0
        connection = Connection(socket, account=account, wraps="/stream" in request.path)
        connection.transport, connection.name, connection.streams = request.transport, key, streams
        if account:
            self.users.setdefault(account, set()).add(connection)
        elif not key:
            self.markets.add(connection)
        sender = asyncio.create_task(connection.send_all())
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    self._command(connection, message.data)
        finally:
            sender.cancel()
            self.markets.discard(connection)
            self._forget(connection)
        return socket

    def _forget(self, connection: Connection) -> None:
        sockets = self.users.get(connection.account, set())
        sockets.discard(connection)
        if not sockets:
            self.users.pop(connection.account, None)

    def _command(self, connection: Connection, text: str) -> None:
        try:
            command: dict[str, Any] = orjson.loads(text)
        except orjson.JSONDecodeError:
            connection.push({"code": 3, "msg": "Invalid JSON"})
            return
        wanted: list[str] = command.get("params") or []
        result: list[str] | None = None
        match command.get("method"):
            case "SUBSCRIBE":
                connection.streams.update(wanted)
            case "UNSUBSCRIBE":
                connection.streams.difference_update(wanted)
            case "LIST_SUBSCRIPTIONS":
                result = sorted(connection.streams)
            case _:
                connection.push({"code": 1, "msg": "Invalid value type: expected method"})
                return
        connection.push({"result": result, "id": command.get("id")})

    def _sockets(self, account: int) -> list[Connection]:
        if account:
            return list(self.users.get(account, ()))
        return [*self.markets, *(socket for sockets in self.users.values() for socket in sockets)]

    def _publish(self, account: int, message: dict[str, Any]) -> None:
        faults = self.venue.faults
        if account in faults.halted_streams:
            return
        fault = faults.take_stream(account, message["e"]) if faults.streams else None
        delay = faults.latency_out_ms / 1000
        for connection in self.users.get(account, ()):
            if fault is None or fault.action == "double":
                connection.push(message, delay_s=delay)
            if fault is not None and fault.action == "double":
                connection.push(message, delay_s=delay)
            if fault is not None and fault.action == "delay":
                loop = asyncio.get_running_loop()
                loop.call_later(delay + fault.delay_ms / 1000, connection.push, message)


def _wanted(request: web.BaseRequest) -> tuple[str, set[str]]:
    """Return the listen key and the market streams that an address asks for."""
    query = parse_qs(request.query_string)
    last = request.path.rstrip("/").rpartition("/")[2]
    key = query.get("listenKey", [""])[0]
    names = {name for value in query.get("streams", []) for name in value.split("/") if name}
    if last not in ("ws", "stream") and not last.isdecimal():
        names.add(last)
    markets = {name for name in names if "@" in name or name.startswith("!")}
    plain = sorted(names - markets)
    return key or (plain[0] if plain else ""), markets
