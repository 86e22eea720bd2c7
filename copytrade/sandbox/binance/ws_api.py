"""The websocket API of spot: signed requests on a socket, and user-data subscriptions that answer on it."""

import hmac
from collections.abc import Hashable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import orjson

from copytrade.sandbox.binance import errors, sign
from copytrade.sandbox.binance.call import Call
from copytrade.sandbox.sockets import Connection, Sockets

if TYPE_CHECKING:
    from copytrade.sandbox.binance.rest import Binance

PATH = "/ws-api/"
_METHODS: dict[str, tuple[str, str]] = {
    "ping": ("GET", "/api/v3/ping"),
    "time": ("GET", "/api/v3/time"),
    "exchangeInfo": ("GET", "/api/v3/exchangeInfo"),
    "depth": ("GET", "/api/v3/depth"),
    "klines": ("GET", "/api/v3/klines"),
    "trades.recent": ("GET", "/api/v3/trades"),
    "avgPrice": ("GET", "/api/v3/avgPrice"),
    "ticker.24hr": ("GET", "/api/v3/ticker/24hr"),
    "ticker.price": ("GET", "/api/v3/ticker/price"),
    "ticker.book": ("GET", "/api/v3/ticker/bookTicker"),
    "order.place": ("POST", "/api/v3/order"),
    "order.test": ("POST", "/api/v3/order/test"),
    "order.status": ("GET", "/api/v3/order"),
    "order.cancel": ("DELETE", "/api/v3/order"),
    "openOrders.status": ("GET", "/api/v3/openOrders"),
    "openOrders.cancelAll": ("DELETE", "/api/v3/openOrders"),
    "allOrders": ("GET", "/api/v3/allOrders"),
    "myTrades": ("GET", "/api/v3/myTrades"),
    "account.status": ("GET", "/api/v3/account"),
    "account.commission": ("GET", "/api/v3/account/commission"),
    "userDataStream.start": ("POST", "/api/v3/userDataStream"),
    "userDataStream.ping": ("PUT", "/api/v3/userDataStream"),
    "userDataStream.stop": ("DELETE", "/api/v3/userDataStream"),
}
_ACCOUNT = ("GET", "/api/v3/account/commission")
_SIGNED = "userDataStream.subscribe.signature"


class Subscription(Connection):
    """A user-data subscription: it speaks on the socket that asked for it, and ends with it."""

    def __init__(self, parent: Connection, number: int, topic: Hashable) -> None:
        super().__init__(parent.socket, transport=parent.transport)
        self.parent = parent
        self.number = number
        self.topics.add(topic)
        self.wrap = partial(_wrapped, number)

    def push_raw(self, content: bytes, *, delay_s: float = 0.0) -> None:
        """Send on the socket it is of."""
        self.parent.push_raw(content, delay_s=delay_s)


def _wrapped(number: int, event: Any) -> dict[str, Any]:
    return {"subscriptionId": number, "event": event}


class WsApi:
    """Answers requests on sockets and keeps who is logged on and what is subscribed."""

    def __init__(self, venue: "Binance", sockets: Sockets, *, topic: Hashable) -> None:
        self._venue = venue
        self._sockets = sockets
        self._topic = topic
        self._subscriptions: WeakKeyDictionary[Connection, dict[int, Subscription]] = WeakKeyDictionary()
        self._keys: WeakKeyDictionary[Connection, tuple[str, int]] = WeakKeyDictionary()
        self._next = 0

    def take(self, connection: Connection, text: str, address: str) -> None:
        """Answer one request."""
        try:
            request = orjson.loads(text)
            number, method, params = request.get("id"), request["method"], _texts(request.get("params") or {})
        except (orjson.JSONDecodeError, AttributeError, KeyError, TypeError):
            error = {"code": -1102, "msg": "The request is no JSON object with a method."}
            connection.push({"id": None, "status": 400, "error": error})
            return
        try:
            answer = {"status": 200, "result": self._do(connection, method, params, address)}
        except errors.ApiError as error:
            answer = {"status": error.status, "error": {"code": error.code, "msg": error.message}}
        delay = self._venue.faults.latency_out_ms / 1000
        connection.push({"id": number, **answer, "rateLimits": self._used(address)}, delay_s=delay)

    def end(self, connection: Connection, now: int) -> bool:
        """End a subscription as the venue does of its own; tell whether it was one. The socket stays open."""
        if not isinstance(connection, Subscription):
            return False
        self._drop(connection.parent, connection)
        event = {"e": "eventStreamTerminated", "E": now}
        connection.push({"subscriptionId": connection.number, "event": event})
        return True

    def close(self, connection: Connection) -> None:
        """Forget a socket's subscriptions."""
        for subscription in list(self._subscriptions.get(connection, {}).values()):
            self._drop(connection, subscription)

    def _drop(self, connection: Connection, subscription: Subscription) -> None:
        self._subscriptions.get(connection, {}).pop(subscription.number, None)
        self._sockets.leave(subscription)

    def _do(self, connection: Connection, method: str, params: dict[str, str], address: str) -> Any:
        match method:
            case "session.logon":
                self._admit(params, address)
                self._keys[connection] = params["apiKey"], self._venue.exchange.clock.server_time()
                return self._session(connection)
            case "session.status":
                return self._session(connection)
            case "session.logout":
                self._log_out(connection)
                return self._session(connection)
            case "userDataStream.subscribe" | "userDataStream.subscribe.signature":
                return self._subscribe(connection, params, address, signed=method == _SIGNED)
            case "userDataStream.unsubscribe":
                return self._unsubscribe(connection, params)
            case "session.subscriptions":
                return [{"subscriptionId": number} for number in self._subscriptions.get(connection, {})]
            case _:
                return self._route(connection, method, params, address)

    def _session(self, connection: Connection) -> dict[str, Any]:
        key, since = self._keys.get(connection, (None, None))
        times = {"connectedSince": since, "serverTime": self._venue.exchange.clock.server_time()}
        return {"apiKey": key, "authorizedSince": since, **times, "returnRateLimits": True, "userDataStream": False}

    def _log_out(self, connection: Connection) -> None:
        """Forget who is logged on, and end what he subscribed."""
        if self._keys.pop(connection, None) is not None:
            for subscription in list(self._subscriptions.get(connection, {}).values()):
                self.end(subscription, self._venue.exchange.clock.now())

    def _subscribe(self, connection: Connection, params: dict[str, str], address: str, *, signed: bool) -> Any:
        if signed:
            self._admit(params, address)
        elif connection not in self._keys:
            raise errors.ApiError(-2015, "Invalid API-key, IP, or permissions for action.", status=401)
        key = params["apiKey"] if signed else self._keys[connection][0]
        account = self._venue.exchange.account_of(key)
        mine = self._subscriptions.setdefault(connection, {})
        if any(one.account == account for one in mine.values()):
            raise errors.ApiError(-2035, "User Data Stream subscription already active.")
        subscription = Subscription(connection, self._next, self._topic)
        self._next += 1
        mine[subscription.number] = subscription
        self._sockets.join(subscription, account)
        return {"subscriptionId": subscription.number}

    def _unsubscribe(self, connection: Connection, params: dict[str, str]) -> dict[str, Any]:
        mine = self._subscriptions.get(connection, {})
        wanted = params.get("subscriptionId", "")
        ended = [one for one in mine.values() if not wanted or str(one.number) == wanted]
        if not ended:
            raise errors.ApiError(-2036, "User Data Stream subscription not found.")
        for subscription in ended:
            self.end(subscription, self._venue.exchange.clock.now())
        return {}

    def _admit(self, params: Mapping[str, str], address: str) -> None:
        """Raise the venue's error unless the request is signed with a key that may read."""
        call = self._call(*_ACCOUNT, dict(params), params.get("apiKey", ""), address)
        self._venue.admit_signed(call, check=partial(check_signature, params=params))

    def _route(self, connection: Connection, method: str, params: dict[str, str], address: str) -> Any:
        if method not in _METHODS:
            raise errors.ApiError(-1000, f"Unknown method: {method}")
        logged_on = connection in self._keys and "signature" not in params
        api_key = params.get("apiKey") or (self._keys[connection][0] if logged_on else "")
        call = self._call(*_METHODS[method], params, api_key, address)
        check = None if logged_on else partial(check_signature, params=params)
        return self._venue.answer_signed(call, check=check)

    def _call(self, method: str, path: str, params: dict[str, str], api_key: str, address: str) -> Call:
        arrived = self._venue.exchange.clock.server_time()
        return Call(method, path, "", "", {}, api_key, address, arrived, params=params)

    def _used(self, address: str) -> list[dict[str, Any]]:
        limit, used = self._venue.rules.spot_weight_per_minute, self._venue.limits.used_weight(f"{address} spot")
        row = {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": limit}
        return [{**row, "count": used}]


def check_signature(secret: str, *, params: Mapping[str, str]) -> None:
    """Raise the venue's error unless the parameters, sorted by name, were signed with this secret."""
    given = params.get("signature", "")
    if not given:
        raise errors.missing("signature")
    signed = "&".join(f"{name}={value}" for name, value in sorted(params.items()) if name != "signature")
    if not hmac.compare_digest(sign.digest(secret, signed).encode(), given.lower().encode()):
        raise errors.signature()


def _texts(params: dict[str, Any]) -> dict[str, str]:
    """Return the parameters as they are signed and read: text."""
    return {name: _text(value) for name, value in params.items() if value is not None}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return orjson.dumps(value).decode() if isinstance(value, list | dict) else str(value)
