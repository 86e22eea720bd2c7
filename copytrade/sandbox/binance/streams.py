"""Websockets: user-data streams by listen key, and market streams by subscription."""

import asyncio
from collections.abc import Hashable
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import orjson
from aiohttp import WSMsgType, web

from copytrade.sandbox.binance import events
from copytrade.sandbox.exchange.accounts import Account, Position
from copytrade.sandbox.exchange.instruments import FIRST_SPOT
from copytrade.sandbox.exchange.orders import Fill, Order
from copytrade.sandbox.sockets import Connection, Sockets

if TYPE_CHECKING:
    from copytrade.sandbox.binance.rest import Binance

PING_S = 180.0


class Streams(Sockets):
    """All open sockets; hears of everything that happens on the exchange."""

    def __init__(self, venue: "Binance") -> None:
        super().__init__(venue.faults)
        self.venue = venue
        venue.exchange.watchers.append(self)

    def order(self, account: Account, order: Order, execution: str, fill: Fill | None) -> None:
        if account.id in self.users and order.instrument < FIRST_SPOT:
            self._say(account, events.order_update(order, execution, fill, self.venue.exchange.clock.now()))

    def balance(self, account: Account, reason: str, change: int, positions: list[Position]) -> None:
        if account.id in self.users:
            now = self.venue.exchange.clock.now()
            self._say(account, events.account_update(account, reason, change, positions, now))

    def leverage(self, account: Account, instrument: int) -> None:
        if account.id in self.users:
            self._say(account, events.leverage_update(account, instrument, self.venue.exchange.clock.now()))

    def coins(self, account: Account, reason: str, changes: dict[str, int]) -> None:
        return

    def _say(self, account: Account, message: dict[str, Any]) -> None:
        self.publish(account.id, message["e"], message)

    def expire(self, account: int) -> None:
        """End an account's listen key and say so on its streams, which stay open and silent."""
        self._say_expired(account, self.venue.listen_keys.drop(account))

    def tick(self) -> None:
        """Say what the market streams say, and end listen keys whose hour is over."""
        for account, key in self.venue.listen_keys.expired():
            self._say_expired(account, key)
        said: dict[Hashable, list[dict[str, Any]]] = {}
        for connection in self.others:
            for stream in connection.topics:
                if stream not in said:
                    said[stream] = events.market_messages(self.venue, str(stream))
                for message in said[stream]:
                    connection.push({"stream": stream, "data": message} if connection.wrap else message)

    def _say_expired(self, account: int, key: str) -> None:
        now = self.venue.exchange.clock.now()
        self.publish(account, "listenKeyExpired", {"e": "listenKeyExpired", "E": now, "listenKey": key})
        self.users.pop(account, None)

    async def serve(self, request: web.BaseRequest, path: str) -> web.StreamResponse:
        """Hold one websocket from its opening to its end."""
        socket = web.WebSocketResponse(heartbeat=PING_S, max_msg_size=2**20)
        await socket.prepare(request)
        key, streams = _wanted(request)
        connection = Connection(socket, transport=request.transport)
        connection.topics |= streams
        if "/stream" in path:
            connection.wrap = partial(_wrapped, key)
        account = self.venue.listen_keys.account(key) if key else 0
        if account or not key:
            self.join(connection, account)
        sender = asyncio.create_task(connection.send_all())
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    _command(connection, message.data)
        finally:
            sender.cancel()
            self.leave(connection)
        return socket


def _wrapped(stream: str, message: Any) -> dict[str, Any]:
    return {"stream": stream, "data": message}


def _command(connection: Connection, text: str) -> None:
    try:
        command: dict[str, Any] = orjson.loads(text)
    except orjson.JSONDecodeError:
        connection.push({"code": 3, "msg": "Invalid JSON"})
        return
    wanted: list[str] = command.get("params") or []
    result: list[str] | None = None
    match command.get("method"):
        case "SUBSCRIBE":
            connection.topics.update(wanted)
        case "UNSUBSCRIBE":
            connection.topics.difference_update(wanted)
        case "LIST_SUBSCRIPTIONS":
            result = sorted(str(stream) for stream in connection.topics)
        case _:
            connection.push({"code": 1, "msg": "Invalid value type: expected method"})
            return
    connection.push({"result": result, "id": command.get("id")})


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
