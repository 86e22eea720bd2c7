"""The venue's REST side: who calls, may he, has he called too often; and then the answer."""

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from copytrade.sandbox import protocol
from copytrade.sandbox.binance import account, errors, extras, public, sapi, sign, spot_public, spot_trade, trade
from copytrade.sandbox.binance.call import Access, Call, Route
from copytrade.sandbox.binance.listen_keys import ListenKeys
from copytrade.sandbox.binance.streams import Streams
from copytrade.sandbox.exchange.accounts import ApiKey
from copytrade.sandbox.exchange.clock import real_ms
from copytrade.sandbox.exchange.engine import Exchange
from copytrade.sandbox.exchange.faults import Faults
from copytrade.sandbox.exchange.limits import LimitRules, Limits
from copytrade.sandbox.exchange.orders import Refused
from copytrade.sandbox.protocol import Reply

CheckSignature = Callable[[str], None]
"""Raises the venue's error unless the request was signed with this secret."""
_JSON = "application/json"
FUTURES, SPOT = "futures", "spot"
HOSTS = (
    "api",
    "api1",
    "api2",
    "api3",
    "api4",
    "fapi",
    "dapi",
    "eapi",
    "papi",
    "fstream",
    "stream",
    "ws-api",
    "ws-fapi",
)


class Binance:
    """Binance in front of the exchange; weights are counted apart for futures and for spot."""

    name = "binance"
    hosts = frozenset(f"{host}.binance.com" for host in HOSTS)

    def __init__(self, exchange: Exchange, faults: Faults, rules: LimitRules) -> None:
        self.exchange = exchange
        self.faults = faults
        self.rules = rules
        self.limits = Limits(rules)
        self.listen_keys = ListenKeys(exchange)
        self.spot_listen_keys = ListenKeys(exchange, "spot_listen_keys")
        self._routes: dict[tuple[str, str], Route] = {
            **public.routes(),
            **trade.routes(),
            **account.routes(),
            **spot_public.routes(),
            **spot_trade.routes(),
            **sapi.routes(),
            **extras.routes(),
        }
        self.streams = Streams(self)

    def key_of(self, headers: Mapping[str, str]) -> str:
        """Return the API key that a request carries."""
        return headers.get("X-MBX-APIKEY", "")

    def error_body(self, code: int | str, message: str) -> bytes:
        """Return the body with which Binance says an error."""
        return orjson.dumps({"code": code, "msg": message})

    def forget_limits(self) -> None:
        """Forget what was counted against the limits, and all bans."""
        self.limits.lift_bans()

    def answer(self, call: protocol.Call) -> Reply:
        """Do what a request asks and say what became of it."""
        who = (call.headers, call.api_key, call.address, call.arrived)
        return self._answer(Call(call.method, call.path, call.query, call.body, *who))

    def _answer(self, call: Call) -> Reply:
        route = self._routes.get((call.method, call.path))
        try:
            if route is None:
                raise errors.ApiError(-5000, f"Path {call.path}, Method {call.method} is invalid", status=404)
            return self._reply(200, self._serve(route, call), call, route)
        except Refused as refusal:
            error = errors.refused(refusal, is_spot=call.is_spot)
        except errors.ApiError as refusal:
            error = refusal
        reply = self._reply(error.status, {"code": error.code, "msg": error.message}, call, route)
        if error.retry_after:
            reply.headers["Retry-After"] = str(error.retry_after)
        return reply

    def _serve(self, route: Route, call: Call) -> Any:
        call.params = sign.read(call.query, call.body)
        self._spend(route, call)
        if route.access is not Access.PUBLIC:
            self._admit(route, call, lambda secret: sign.check_signature(secret, call.query, call.body))
        return route.handler(self, call)

    def answer_signed(self, call: Call, *, check: CheckSignature | None) -> Any:
        """Do what a request with its parameters already read asks; raise ApiError. Without `check` it is trusted."""
        route = self._routes[call.method, call.path]
        try:
            self._spend(route, call)
            if route.access is not Access.PUBLIC:
                self._admit(route, call, check)
            return route.handler(self, call)
        except Refused as refusal:
            raise errors.refused(refusal, is_spot=call.is_spot) from None

    def admit_signed(self, call: Call, *, check: CheckSignature) -> None:
        """Raise ApiError unless the request may look at its account."""
        self._admit(self._routes[call.method, call.path], call, check)

    def _spend(self, route: Route, call: Call) -> None:
        weight = route.weight if isinstance(route.weight, int) else route.weight(call)
        rules = self.rules
        limit = rules.weight_per_minute if call.path.startswith("/fapi") else rules.spot_weight_per_minute
        allowance = self.limits.spend(_pool(call), weight, allowed=limit)
        if allowance.wait_ms:
            until = real_ms() + allowance.wait_ms if allowance.banned else 0
            raise errors.too_much_weight(limit, allowance.wait_ms, banned_until=until)

    def _admit(self, route: Route, call: Call, check: CheckSignature | None) -> None:
        """Raise the venue's error unless the caller may; None as `check`: he has shown before who he is."""
        if not call.api_key:
            raise errors.malformed_key()
        key = self.exchange.keys.get(call.api_key)
        if key is None or not _in_force(key, call.address):
            raise errors.bad_key()
        holder = self.exchange.accounts[key.account]
        if holder.venue != self.name:
            raise errors.bad_key()
        if route.access is not Access.KEY and check is not None:
            check(key.secret)
            sign.check_time(call.params, call.arrived)
        right = key.futures if route.access is Access.FUTURES else key.spot or route.access is not Access.SPOT
        if not right or not key.reading:
            raise errors.bad_key()
        call.key, call.holder = key, holder

    def _reply(self, status: int, content: Any, call: Call, route: Route | None) -> Reply:
        headers = {"Content-Type": _JSON, "X-MBX-USED-WEIGHT-1M": str(self.limits.used_weight(_pool(call)))}
        if route is not None and route.is_order and call.key is not None:
            headers |= self.limits.order_headers(call.key.account, is_spot=call.is_spot)
        return Reply(status, orjson.dumps(content), headers)


def _pool(call: Call) -> str:
    side = FUTURES if call.path.startswith("/fapi") else SPOT
    return f"{call.address} {side}"


def _in_force(key: ApiKey, address: str) -> bool:
    return not (
        key.revoked or (key.expires and key.expires <= real_ms()) or (key.addresses and address not in key.addresses)
    )
