"""Websockets: private channels after a login, and public ones."""

import asyncio
from collections.abc import Hashable
from typing import Any, cast

import orjson
from aiohttp import WSMsgType, web

from copytrade.sandbox.bitget import events, sign, spot_events, spot_wire
from copytrade.sandbox.exchange.accounts import Account, Position
from copytrade.sandbox.exchange.clock import real_ms
from copytrade.sandbox.exchange.engine import Exchange
from copytrade.sandbox.exchange.faults import Faults
from copytrade.sandbox.exchange.instruments import INSTRUMENTS
from copytrade.sandbox.exchange.orders import Fill, Order
from copytrade.sandbox.sockets import Connection, Sockets

MIX, SPOT = "USDT-FUTURES", "SPOT"
_PRIVATE = frozenset({"fill", "orders", "account", "positions"})
_SILENT_S = 120.0
"""A socket that sends no ping for so long is cut."""


class Streams(Sockets):
    """All open sockets; hears of everything that happens on the exchange."""

    def __init__(self, exchange: Exchange, faults: Faults) -> None:
        super().__init__(faults)
        self.exchange = exchange
        exchange.watchers.append(self)

    def order(self, account: Account, order: Order, execution: str, fill: Fill | None) -> None:
        if account.id not in self.users:
            return
        is_spot = INSTRUMENTS[order.instrument].is_spot
        kind, tell = (SPOT, spot_events) if is_spot else (MIX, events)
        if fill is not None:
            self._say(account, kind, "fill", [tell.fill(account, order, fill)])
        self._say(account, kind, "orders", [tell.order(account, order, fill)])
        if fill is not None and not is_spot:
            self._tell_standing(account)

    def coins(self, account: Account, reason: str, changes: dict[str, int]) -> None:
        if account.id in self.users:
            now = self.exchange.clock.now()
            self._say(account, SPOT, "account", [spot_wire.asset(account, coin, now) for coin in changes])

    def balance(self, account: Account, reason: str, change: int, positions: list[Position]) -> None:
        # of an execution the fill is told first, see `order`
        if account.id in self.users and reason != "ORDER":
            self._tell_standing(account)

    def leverage(self, account: Account, instrument: int) -> None:
        """Say nothing: the venue has no such message."""

    def _tell_standing(self, account: Account) -> None:
        market = self.exchange.market
        self._say(account, MIX, "account", [events.balance(market, account)])
        self._say(account, MIX, "positions", events.positions(market, account))

    def _say(self, account: Account, kind: str, channel: str, rows: list[dict[str, Any]]) -> None:
        about = ("coin" if channel == "account" else "instId", "default")
        arg = {"instType": kind, "channel": channel, about[0]: about[1]}
        message = {"action": "snapshot", "arg": arg, "data": rows, "ts": self.exchange.clock.now()}
        self.publish(account.id, channel, message, topic=(kind, channel))

    def expire(self, account: int) -> None:
        """Cut an account's sockets: the venue does so with each after a day."""
        self.cut(account)

    def tick(self) -> None:
        """Say what the public channels say."""
        said: dict[Hashable, dict[str, Any]] = {}
        for connection in self.others:
            for topic in connection.topics:
                if topic not in said:
                    said[topic] = events.public(self.exchange, *cast("tuple[str, str, str]", topic))
                connection.push(said[topic])

    async def serve(self, request: web.BaseRequest, path: str) -> web.StreamResponse:
        """Hold one websocket from its opening to its end."""
        socket = web.WebSocketResponse(max_msg_size=2**20)
        await socket.prepare(request)
        connection = Connection(socket, transport=request.transport)
        self.join(connection, 0)
        sender = asyncio.create_task(connection.send_all())
        try:
            while True:
                message = await socket.receive(_SILENT_S)
                if message.type is not WSMsgType.TEXT:
                    break
                self._hear(connection, message.data, is_private=path.endswith("/private"))
        except TimeoutError:
            await socket.close()
        finally:
            sender.cancel()
            self.leave(connection)
        return socket

    def _hear(self, connection: Connection, text: str, *, is_private: bool) -> None:
        if text == "ping":
            connection.push_raw(b"pong")
            return
        try:
            command = orjson.loads(text)
            operation, wanted = command["op"], list(command.get("args") or [])
        except (orjson.JSONDecodeError, TypeError, KeyError):
            _refuse(connection, 30002, "Unrecognized request")
            return
        match operation:
            case "login" if wanted:
                self._log_in(connection, wanted[0])
            case "subscribe" | "unsubscribe":
                for arg in wanted:
                    self._subscribe(connection, operation, arg, is_private=is_private)
            case _:
                _refuse(connection, 30003, f"Illegal op: {operation}")

    def _log_in(self, connection: Connection, given: dict[str, Any]) -> None:
        key = self.exchange.keys.get(str(given.get("apiKey", "")))
        stamp = str(given.get("timestamp", ""))
        if key is None or key.revoked or self.exchange.accounts[key.account].venue != "bitget":
            _refuse(connection, 30011, "Invalid ACCESS_KEY")
        elif str(given.get("passphrase", "")) != key.passphrase:
            _refuse(connection, 30012, "Invalid ACCESS_PASSPHRASE")
        elif not stamp.isdecimal() or abs(_ms(stamp) - self.exchange.clock.server_time()) > sign.WINDOW_MS:
            _refuse(connection, 30013, "Invalid ACCESS_TIMESTAMP")
        elif key.expires and key.expires <= real_ms():
            _refuse(connection, 30014, "Request timestamp expired")
        elif not sign.is_login(key.secret, str(given.get("sign", "")), stamp):
            _refuse(connection, 30015, "Invalid sign")
        else:
            self.join(connection, key.account)
            connection.push({"event": "login", "code": 0})

    def _subscribe(self, connection: Connection, operation: str, arg: Any, *, is_private: bool) -> None:
        if not isinstance(arg, dict):
            _refuse(connection, 30016, "Param error")
            return
        given = cast("dict[str, Any]", arg)
        kind, channel, name = (str(given.get(field, "")) for field in ("instType", "channel", "instId"))
        if is_private and not connection.account:
            _refuse(connection, 30004, "User not logged in / User must be connected")
            return
        topic = (kind, channel) if is_private else (kind, channel, name.upper())
        if not (_is_private(kind, channel) if is_private else events.is_public(kind, channel, name)):
            text = f"instType:{kind},channel:{channel},instId:{name} doesn't exist"
            _refuse(connection, 30001, text, arg=given, operation=operation)
            return
        (connection.topics.add if operation == "subscribe" else connection.topics.discard)(topic)
        connection.push({"event": operation, "arg": arg})


def _is_private(kind: str, channel: str) -> bool:
    return kind in (MIX, SPOT) and channel in _PRIVATE and (kind, channel) != (SPOT, "positions")


def _ms(stamp: str) -> int:
    """Return a login's time in ms; it is told in seconds or, by some, in milliseconds."""
    return int(stamp) if len(stamp) >= 13 else int(stamp) * 1000


def _refuse(connection: Connection, code: int, message: str, *, arg: Any = None, operation: str = "") -> None:
    about = {"arg": arg, "op": operation} if arg is not None else {}
    connection.push({"event": "error", "code": code, "msg": message, **about})
