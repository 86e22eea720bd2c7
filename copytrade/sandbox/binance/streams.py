"""Websockets: user-data streams by listen key, market streams by subscription, and the websocket API of spot."""

import asyncio
from collections.abc import Hashable
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import orjson
from aiohttp import WSMsgType, web

from copytrade.sandbox.binance import events, spot_events, spot_wire
from copytrade.sandbox.binance.ws_api import PATH, WsApi
from copytrade.sandbox.exchange.accounts import Account, Position
from copytrade.sandbox.exchange.instruments import FIRST_SPOT
from copytrade.sandbox.exchange.orders import BY_VENUE, Fill, IncomeKind, Order
from copytrade.sandbox.sockets import Connection, Sockets

if TYPE_CHECKING:
    from copytrade.sandbox.binance.rest import Binance

PING_S = 180.0
WS_API_PING_S = 20.0
FUTURES, SPOT = ("user", "futures"), ("user", "spot")
"""Topics of private messages."""
_FUTURES_PATHS = ("/private", "/public", "/market")
_MOVEMENTS = frozenset((IncomeKind.DEPOSIT, IncomeKind.WITHDRAWAL, IncomeKind.TRANSFER))


class Streams(Sockets):
    """All open sockets; hears of everything that happens on the exchange."""

    def __init__(self, venue: "Binance") -> None:
        super().__init__(venue.faults)
        self.venue = venue
        self._ws_api = WsApi(venue, self, topic=SPOT)
        venue.exchange.watchers.append(self)

    def order(self, account: Account, order: Order, execution: str, fill: Fill | None) -> None:
        if account.id not in self.users:
            return
        now = self.venue.exchange.clock.now()
        if order.instrument >= FIRST_SPOT:
            self._say(account, spot_wire.report(order, execution, fill, now), SPOT)
            return
        self._say(account, events.order_update(order, execution, fill, now), FUTURES)

    def balance(self, account: Account, reason: str, change: int, positions: list[Position]) -> None:
        if account.id in self.users:
            now = self.venue.exchange.clock.now()
            if reason == "ORDER":
                self._say_lite(account, now)
            self._say(account, events.account_update(account, reason, change, positions, now), FUTURES)

    def _say_lite(self, account: Account, now: int) -> None:
        fill = account.fills[-1]
        order = account.orders[fill.order]
        if order.type not in BY_VENUE:
            lite = events.trade_lite(order, fill, now)
            self.publish(account.id, "TRADE_LITE", lite, topic=FUTURES, counts=False)

    def leverage(self, account: Account, instrument: int) -> None:
        if account.id in self.users:
            now = self.venue.exchange.clock.now()
            self._say(account, events.leverage_update(account, instrument, now), FUTURES)

    def coins(self, account: Account, reason: str, changes: dict[str, int]) -> None:
        if account.id not in self.users:
            return
        now = self.venue.exchange.clock.now()
        self._say(account, spot_wire.balances(account, list(changes), now), SPOT)
        if reason in _MOVEMENTS:
            for asset, change in changes.items():
                self._say(account, spot_wire.movement(asset, change, now), SPOT)

    def _say(self, account: Account, message: dict[str, Any], topic: Hashable) -> None:
        self.publish(account.id, message["e"], message, topic=topic)

    def expire(self, account: int) -> None:
        """End an account's listen keys and subscriptions and say so on its streams, which stay open and silent."""
        venue = self.venue
        self._end(account, venue.listen_keys.drop(account), venue.spot_listen_keys.drop(account))

    def tick(self) -> None:
        """Say what the market streams say, and end listen keys whose hour is over."""
        for account, key in self.venue.listen_keys.expired():
            self._end(account, key, "")
        for account, key in self.venue.spot_listen_keys.expired():
            self._end(account, "", key)
        said: dict[tuple[Hashable, bool], list[dict[str, Any]]] = {}
        for connection in self.all():
            for stream in connection.topics:
                wanted = stream, FUTURES in connection.topics
                if isinstance(stream, str) and wanted not in said:
                    said[wanted] = self._market(stream, futures=wanted[1])
                for message in said.get(wanted, ()):
                    connection.push({"stream": stream, "data": message} if connection.wrap else message)

    def _market(self, stream: str, *, futures: bool) -> list[dict[str, Any]]:
        if futures or "markPrice" in stream:
            return events.market_messages(self.venue, stream)
        return spot_events.market_messages(self.venue, stream)

    def _end(self, account: int, futures_key: str, spot_key: str) -> None:
        now = self.venue.exchange.clock.now()
        for connection in list(self.users.get(account, ())):
            key = futures_key if FUTURES in connection.topics else spot_key
            if self._ws_api.end(connection, now) or not key:
                continue
            message = {"e": "listenKeyExpired", "E": now, "listenKey": key}
            connection.push(message if connection.wrap is None else connection.wrap(message))
            self.leave(connection)

    async def serve(self, request: web.BaseRequest, path: str) -> web.StreamResponse:
        """Hold one websocket from its opening to its end."""
        is_api = path.startswith(PATH)
        ping = WS_API_PING_S if is_api else PING_S
        socket = web.WebSocketResponse(heartbeat=ping, max_msg_size=2**20)
        await socket.prepare(request)
        connection = Connection(socket, transport=request.transport)
        if is_api:
            self.join(connection, 0)
        else:
            self._open(connection, request, path)
        sender = asyncio.create_task(connection.send_all())
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT and is_api:
                    self._ws_api.take(connection, message.data, request.remote or "")
                elif message.type is WSMsgType.TEXT:
                    self._command(connection, message.data)
        finally:
            sender.cancel()
            self._ws_api.close(connection)
            self.leave(connection)
        return socket

    def _open(self, connection: Connection, request: web.BaseRequest, path: str) -> None:
        """Let a socket hear what its address asks for; a key that is not in force hears nothing."""
        key, streams = _wanted(request)
        connection.topics |= streams
        if "/stream" in path:
            connection.wrap = partial(_wrapped, key)
        is_futures = path.startswith(_FUTURES_PATHS) or request.headers.get("Host", "").startswith("fstream.")
        account, topic = self._owner(key)
        connection.topics |= {topic} if account else {FUTURES} if is_futures else set()
        if account or not key:
            self.join(connection, account)

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
                connection.topics.update(wanted)
                self._hear(connection, wanted)
            case "UNSUBSCRIBE":
                connection.topics.difference_update(wanted)
                if any(self._owner(name)[0] for name in wanted):
                    self.join(connection, 0)
            case "LIST_SUBSCRIPTIONS":
                result = sorted(stream for stream in connection.topics if isinstance(stream, str))
            case _:
                connection.push({"code": 1, "msg": "Invalid value type: expected method"})
                return
        connection.push({"result": result, "id": command.get("id")})

    def _hear(self, connection: Connection, names: list[str]) -> None:
        """Let a socket hear the user stream of a listen key that it subscribes by name."""
        for name in names:
            account, topic = self._owner(name)
            if account:
                connection.topics.add(topic)
                connection.wrap = partial(_wrapped, name) if connection.wrap else None
                self.join(connection, account)

    def _owner(self, key: str) -> tuple[int, Hashable]:
        """Return whose listen key it is and which user stream it opens; account 0 when it is not in force."""
        account = self.venue.listen_keys.account(key)
        return (account, FUTURES) if account else (self.venue.spot_listen_keys.account(key), SPOT)


def _wrapped(stream: str, message: Any) -> dict[str, Any]:
    return {"stream": stream, "data": message}


def _wanted(request: web.BaseRequest) -> tuple[str, set[Hashable]]:
    """Return the listen key and the market streams that an address asks for."""
    query = parse_qs(request.query_string)
    last = request.path.rstrip("/").rpartition("/")[2]
    key = query.get("listenKey", [""])[0]
    names = {name for value in query.get("streams", []) for name in value.split("/") if name}
    if last not in ("ws", "stream") and not last.isdecimal():
        names.add(last)
    markets: set[Hashable] = {name for name in names if "@" in name or name.startswith("!")}
    plain = sorted(names - markets)
    return key or (plain[0] if plain else ""), markets
