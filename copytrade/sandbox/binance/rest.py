"""The venue's REST side: who calls, may he, has he called too often; and then the answer."""

from collections.abc import Mapping
from typing import Any

import orjson

from copytrade.sandbox import protocol
from copytrade.sandbox.binance import account, errors, public, sign, spot, trade
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
        self._routes: dict[tuple[str, str], Route] = {
            **public.routes(),
            **trade.routes(),
            **account.routes(),
            **spot.routes(),
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
            error = errors.refused(refusal)
        except errors.ApiError as refusal:
            error = refusal
        reply = self._reply(error.status, {"code": error.code, "msg": error.message}, call, route)
        if error.retry_after:
            reply.headers["Retry-After"] = str(error.retry_after)
        return reply

    def _serve(self, route: Route, call: Call) -> Any:
        call.params = sign.read(call.query, call.body)
        weight = route.weight if isinstance(route.weight, int) else route.weight(call)
        rules = self.rules
        limit = rules.weight_per_minute if call.path.startswith("/fapi") else rules.spot_weight_per_minute
        allowance = self.limits.spend(_pool(call), weight, allowed=limit)
        if allowance.wait_ms:
            until = real_ms() + allowance.wait_ms if allowance.banned else 0
            raise errors.too_much_weight(limit, allowance.wait_ms, banned_until=until)
        if route.access is not Access.PUBLIC:
            self._admit(route, call)
        return route.handler(self, call)

    def _admit(self, route: Route, call: Call) -> None:
        if not call.api_key:
            raise errors.malformed_key()
        key = self.exchange.keys.get(call.api_key)
        if key is None or not _in_force(key, call.address):
            raise errors.bad_key()
        holder = self.exchange.accounts[key.account]
        if holder.venue != self.name:
            raise errors.bad_key()
        if route.access is not Access.KEY:
            sign.check_signature(key.secret, call.query, call.body)
            sign.check_time(call.params, call.arrived)
        if (route.access is Access.FUTURES and not key.futures) or not key.reading:
            raise errors.bad_key()
        call.key, call.holder = key, holder

    def _reply(self, status: int, content: Any, call: Call, route: Route | None) -> Reply:
        headers = {"Content-Type": _JSON, "X-MBX-USED-WEIGHT-1M": str(self.limits.used_weight(_pool(call)))}
        if route is not None and route.is_order and call.key is not None:
            owner = call.key.account
            headers["X-MBX-ORDER-COUNT-10S"] = str(self.limits.used_orders(owner, 10_000))
            headers["X-MBX-ORDER-COUNT-1M"] = str(self.limits.used_orders(owner, 60_000))
        return Reply(status, orjson.dumps(content), headers)


def _pool(call: Call) -> str:
    side = FUTURES if call.path.startswith("/fapi") else SPOT
    return f"{call.address} {side}"


def _in_force(key: ApiKey, address: str) -> bool:
    return not (
        key.revoked or (key.expires and key.expires <= real_ms()) or (key.addresses and address not in key.addresses)
    )
