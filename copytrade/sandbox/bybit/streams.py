"""Bybit's websockets: one private socket for everything, public ones by category, and what they are told."""

import asyncio
import contextlib
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast
from uuid import uuid4

import orjson
from aiohttp import WSMsgType, web

from copytrade.sandbox.bybit import account as accounts
from copytrade.sandbox.bybit import errors, sign, wire
from copytrade.sandbox.bybit.history import trail
from copytrade.sandbox.bybit.market_streams import CATEGORIES, known, messages
from copytrade.sandbox.bybit.request import LINEAR, SPOT
from copytrade.sandbox.exchange.accounts import Account, Position
from copytrade.sandbox.exchange.instruments import INSTRUMENTS
from copytrade.sandbox.exchange.orders import Fill, Order, PositionSide
from copytrade.sandbox.sockets import Connection, Sockets

if TYPE_CHECKING:
    from copytrade.sandbox.bybit.rest import Bybit

PRIVATE = "/v5/private"
_BY_CATEGORY = ("order", "execution", "execution.fast", "position")
TOPICS = frozenset({*_BY_CATEGORY, "wallet", *(f"{topic}.{kind}" for topic in _BY_CATEGORY for kind in (SPOT, LINEAR))})
_AFTER_S = 0.003
"""Events leave after the answer to the request that caused them, those of one moment together."""
_ANSWER_S = 0.01
"""No venue answers sooner; there are clients that note what they asked for only after they sent it."""


@dataclass(slots=True)
class _Coming:
    """What is to be told to an account in a moment."""

    executions: list[dict[str, Any]] = field(default_factory=list)
    orders: dict[int, Order] = field(default_factory=dict)
    positions: dict[tuple[int, PositionSide], Position] = field(default_factory=dict)
    wallet: bool = False


class Streams(Sockets):
    """All open sockets; hears of everything that happens on the exchange."""

    def __init__(self, venue: "Bybit") -> None:
        super().__init__(venue.faults)
        self.venue = venue
        self._coming: dict[int, _Coming] = {}
        self._heard: dict[Connection, float] = {}
        venue.exchange.watchers.append(self)

    def order(self, account: Account, order: Order, execution: str, fill: Fill | None) -> None:
        if account.id in self.users:
            coming = self._soon(account)
            coming.orders[order.id] = order
            if fill is not None:
                coming.executions.append(wire.execution(order, fill, trail(self.venue, account).of(fill)))

    def balance(self, account: Account, reason: str, change: int, positions: list[Position]) -> None:
        if account.id in self.users:
            coming = self._soon(account)
            coming.wallet = True
            coming.positions |= {(row.instrument, row.side): row for row in positions}

    def coins(self, account: Account, reason: str, changes: dict[str, int]) -> None:
        if account.id in self.users:
            self._soon(account).wallet = True

    def leverage(self, account: Account, instrument: int) -> None:
        if account.id in self.users:
            rows = [account.position(instrument, side) for side in accounts.sides(account)]
            self._soon(account).positions |= {(row.instrument, row.side): row for row in rows}

    def expire(self, account: int) -> None:
        """Cut an account's sockets: nothing else expires here."""
        self.cut(account)

    def tick(self) -> None:
        """Say what the public streams say, and cut who has been silent."""
        said: dict[str, list[dict[str, Any]]] = {}
        for connection in self.others:
            for topic in cast("set[str]", connection.topics):
                if topic not in said:
                    said[topic] = messages(self.venue, topic)
                for message in said[topic]:
                    connection.push(message)
        for connection, heard in self._heard.items():
            if time.monotonic() - heard > self.venue.rules.silent_s:
                connection.cut()

    async def serve(self, request: web.BaseRequest, path: str) -> web.StreamResponse:
        """Hold one websocket from its opening to its end."""
        category = CATEGORIES.get(path, "")
        if path != PRIVATE and not category:
            return web.Response(status=404)
        socket = web.WebSocketResponse(max_msg_size=2**20)
        await socket.prepare(request)
        connection = Connection(socket, transport=request.transport)
        self.join(connection, 0)
        self._heard[connection] = time.monotonic()
        speaker = _Speaker(self, connection, category=category, address=request.remote or "")
        sender = asyncio.create_task(connection.send_all())
        try:
            async for message in socket:
                self._heard[connection] = time.monotonic()
                if message.type is WSMsgType.TEXT:
                    speaker.hear(message.data)
        finally:
            sender.cancel()
            self._heard.pop(connection, None)
            self.leave(connection)
            with contextlib.suppress(asyncio.CancelledError):
                await sender
        return socket

    def _soon(self, account: Account) -> _Coming:
        coming = self._coming.get(account.id)
        if coming is None:
            coming = self._coming[account.id] = _Coming()
            asyncio.get_running_loop().call_later(_AFTER_S, self._tell, account)
        return coming

    def _tell(self, account: Account) -> None:
        coming, market = self._coming.pop(account.id), self.venue.exchange.market
        known_trail = trail(self.venue, account)
        self._say(account, "execution", coming.executions)
        self._say(account, "execution.fast", [_fast(row) for row in coming.executions if row["execType"] == "Trade"])
        rows = [
            accounts.position(market, account, row, sequence=known_trail.sequence(row.instrument))
            for row in coming.positions.values()
        ]
        self._say(account, "position", rows)
        self._say(account, "order", [self._order(account, order) for order in coming.orders.values()])
        self._say(account, "wallet", [accounts.wallet(market, account)] if coming.wallet else [])

    def _order(self, account: Account, order: Order) -> dict[str, Any]:
        told = wire.order(account, order)
        return told | {"feeCurrency": "", "closedPnl": "0", "category": wire.category(INSTRUMENTS[order.instrument])}

    def _say(self, account: Account, topic: str, rows: list[dict[str, Any]]) -> None:
        """Tell rows of a topic to who wants all of them, and by category to who wants one."""
        sockets = self.users.get(account.id, ())
        heard = {str(name) for connection in sockets for name in connection.topics if str(name).startswith(topic)}
        for name in heard if rows else ():
            kind = name.removeprefix(topic).removeprefix(".")
            mine = [row for row in rows if not kind or row.get("category") == kind]
            if mine and kind in ("", SPOT, LINEAR):
                now = self.venue.exchange.clock.now()
                message = {"id": f"{account.id}_{uuid4()}", "topic": name, "creationTime": now, "data": mine}
                self.publish(account.id, topic, message, topic=name)


_FAST = ("category", "symbol", "execId", "execPrice", "execQty", "orderId", "isMaker", "orderLinkId", "side")


def _fast(row: dict[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in (*_FAST, "execTime", "seq")}


class _Speaker:
    """What is answered to what a client says on one socket."""

    def __init__(self, streams: Streams, connection: Connection, *, category: str, address: str) -> None:
        self._streams = streams
        self._connection = connection
        self._category = category
        self._address = address
        self._id = uuid4().hex[:20]

    def hear(self, text: str) -> None:
        """Answer one message."""
        try:
            said = orjson.loads(text)
        except orjson.JSONDecodeError:
            said = {}
        if not isinstance(said, dict):
            said = {}
        told = cast("dict[str, Any]", said)
        match told.get("op"):
            case "auth" if not self._category:
                self._authenticate(told)
            case "subscribe" | "unsubscribe":
                self._subscribe(told)
            case "ping":
                self._pong(told)
            case _:
                self._answer(told, success=False, message="error:invalid op")

    def _authenticate(self, said: dict[str, Any]) -> None:
        venue = self._streams.venue
        try:
            api_key, expires, signature = (str(part) for part in said.get("args") or ())
            key = venue.in_force(api_key, self._address)
            is_signed = sign.matches(signature, secret=key.secret, origin=f"GET/realtime{expires}")
            in_time = expires.isdecimal() and int(expires) > venue.exchange.clock.server_time()
            if not (is_signed and in_time and key.reading and venue.exchange.accounts[key.account].unified):
                raise errors.bad_key()
        except (errors.ApiError, ValueError):
            self._answer(said, success=False, message="error:USVC1111")
            return
        self._streams.join(self._connection, key.account)
        self._answer(said, success=True)

    def _subscribe(self, said: dict[str, Any]) -> None:
        topics, own = self._connection.topics, self._connection.account
        wanted = [str(topic) for topic in said.get("args") or ()]
        allowed = [known(topic, category=self._category) if self._category else topic in TOPICS for topic in wanted]
        if not wanted or not all(allowed):
            bad = next((topic for topic, is_known in zip(wanted, allowed, strict=True) if not is_known), "")
            self._answer(said, success=False, message=f"error:handler not found,topic:{bad}")
            return
        if not self._category and not own:
            self._answer(said, success=False, message="error:request not authorized")
            return
        names = {f"{self._category} {topic}" if self._category else topic for topic in wanted}
        if said["op"] == "subscribe":
            topics |= names
        else:
            topics -= names
        self._answer(said, success=True)
        if self._category and said["op"] == "subscribe":
            for name in names:
                for message in messages(self._streams.venue, name):
                    self._connection.push(message)

    def _pong(self, said: dict[str, Any]) -> None:
        told = {"op": "pong", "args": [str(self._streams.venue.exchange.clock.server_time())], "conn_id": self._id}
        if self._category:
            told = {"success": True, "ret_msg": "pong", "conn_id": self._id, "op": "ping"}
        self._connection.push(self._named(said, told))

    def _answer(self, said: dict[str, Any], *, success: bool, message: str = "") -> None:
        told = {"success": success, "ret_msg": message, "op": said.get("op", ""), "conn_id": self._id}
        self._connection.push(self._named(said, told), delay_s=_ANSWER_S)

    @staticmethod
    def _named(said: dict[str, Any], told: dict[str, Any]) -> dict[str, Any]:
        return {**told, "req_id": str(said["req_id"])} if "req_id" in said else told
