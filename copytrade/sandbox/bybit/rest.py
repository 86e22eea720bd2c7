"""Bybit's REST side: who calls, may he, has he called too often; and then the answer."""

from collections.abc import Mapping
from typing import Any

import orjson

from copytrade.sandbox.bybit import (
    account,
    amending,
    assets,
    batches,
    errors,
    history,
    ids,
    ledger,
    public,
    settings,
    sign,
    trade,
)
from copytrade.sandbox.bybit.limits import Limits, Rules
from copytrade.sandbox.bybit.request import Access, Request, Route, read
from copytrade.sandbox.bybit.streams import Streams
from copytrade.sandbox.bybit.trail import Trail
from copytrade.sandbox.exchange.accounts import ApiKey
from copytrade.sandbox.exchange.clock import real_ms
from copytrade.sandbox.exchange.engine import Exchange
from copytrade.sandbox.exchange.faults import Faults
from copytrade.sandbox.exchange.instruments import INSTRUMENTS
from copytrade.sandbox.exchange.orders import Fill, Order, Refused
from copytrade.sandbox.protocol import Call, Reply

_JSON = "application/json; charset=utf-8"
_CLASSIC_MAY = frozenset({"/v5/user/query-api", "/v5/account/info", "/v5/account/wallet-balance"})
"""What an account that is not unified may still ask here."""


class Bybit:
    """Bybit in front of the exchange."""

    name = "bybit"
    hosts = frozenset(f"{host}.{domain}.com" for host in ("api", "stream") for domain in ("bybit", "bytick"))

    def __init__(self, exchange: Exchange, faults: Faults, rules: Rules) -> None:
        self.exchange = exchange
        self.faults = faults
        self.rules = rules
        self.limits = Limits(rules)
        self.trails: dict[int, Trail] = {}
        self.began = exchange.clock.now()
        self._routes: dict[tuple[str, str], Route] = {
            **public.routes(),
            **trade.routes(),
            **amending.routes(),
            **batches.routes(),
            **history.routes(),
            **account.routes(),
            **settings.routes(),
            **ledger.routes(),
            **assets.routes(),
        }
        self.streams = Streams(self)

    def key_of(self, headers: Mapping[str, str]) -> str:
        """Return the API key that a request carries."""
        return headers.get("X-BAPI-API-KEY", "")

    def error_body(self, code: int | str, message: str) -> bytes:
        """Return the body with which Bybit says an error."""
        return self._body(int(code), message, {})

    def forget_limits(self) -> None:
        """Forget what was counted against the limits, and all bans."""
        self.limits.clear()

    def order_id(self, order: Order) -> str:
        """Return the id of an order."""
        return ids.order_id(order.id, is_spot=INSTRUMENTS[order.instrument].is_spot)

    def trade_id(self, fill: Fill) -> str:
        """Return the id of an execution."""
        return ids.execution_id(fill.id, is_spot=INSTRUMENTS[fill.instrument].is_spot)

    def answer(self, call: Call) -> Reply:
        """Do what a request asks and say what became of it."""
        if not self.limits.passes(call.address):
            return Reply(403, b"403, access too frequent", {"Content-Type": "text/plain; charset=utf-8"})
        request = Request(call, {})
        try:
            route = self._routes.get((call.method, call.path))
            if route is None:
                raise errors.no_such_path()
            request.params = read(call)
            if route.access is not Access.PUBLIC:
                self._admit(route, request)
            result = route.handler(self, request)
            return self._reply(200, self._body(0, "OK", result, request.beside), request)
        except Refused as refusal:
            error = errors.refused(refusal, is_spot=request.is_spot)
        except errors.ApiError as refusal:
            error = refusal
        return self._reply(error.status, self._body(error.code, error.message, {}), request)

    def in_force(self, api_key: str, address: str) -> ApiKey:
        """Return a key that may be used from an address; raise the venue's error otherwise."""
        key = self.exchange.keys.get(api_key)
        if key is None or key.revoked or self.exchange.accounts[key.account].venue != self.name:
            raise errors.bad_key()
        if key.expires and key.expires <= real_ms():
            raise errors.key_expired()
        if key.addresses and address not in key.addresses:
            raise errors.wrong_address()
        return key

    def _admit(self, route: Route, request: Request) -> None:
        call = request.call
        if not call.api_key:
            raise errors.no_authentication()
        key = self.in_force(call.api_key, call.address)
        sent = call.query if call.method == "GET" else call.body
        sign.check(call.headers, secret=key.secret, sent=sent, now=call.arrived)
        request.key, request.holder = key, self.exchange.accounts[key.account]
        standing = self.limits.count(key.account, call.path, is_spot=request.is_spot)
        request.notes = standing.headers
        if standing.left < 0:
            raise errors.too_many()
        if not key.reading or (route.access is Access.TRADE and not (key.spot if request.is_spot else key.futures)):
            raise errors.no_right()
        if not request.holder.unified and call.path not in _CLASSIC_MAY:
            raise errors.not_unified()

    def _body(self, code: int, message: str, result: Any, beside: Mapping[str, Any] | None = None) -> bytes:
        now = self.exchange.clock.server_time()
        told = {"retCode": code, "retMsg": message, "result": result, "retExtInfo": beside or {}, "time": now}
        return orjson.dumps(told)

    def _reply(self, status: int, body: bytes, request: Request) -> Reply:
        return Reply(status, body, {"Content-Type": _JSON, **request.notes})
