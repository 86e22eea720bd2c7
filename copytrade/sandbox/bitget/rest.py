"""Bitget's REST side: who calls, may he, has he called too often; and then the answer."""

from collections.abc import Mapping
from typing import Any

import orjson

from copytrade.sandbox.bitget import (
    errors,
    market_data,
    mix_account,
    mix_orders,
    public,
    sign,
    spot_account,
    spot_orders,
)
from copytrade.sandbox.bitget.call import Access, Asked, Route, read
from copytrade.sandbox.bitget.limits import LimitRules, Limits
from copytrade.sandbox.bitget.streams import Streams
from copytrade.sandbox.exchange.accounts import ApiKey
from copytrade.sandbox.exchange.clock import real_ms
from copytrade.sandbox.exchange.engine import Exchange
from copytrade.sandbox.exchange.faults import Faults
from copytrade.sandbox.exchange.orders import Refused
from copytrade.sandbox.protocol import Call, Reply

NAME = "bitget"
_KEY, _SIGN, _STAMP, _PHRASE = "access-key", "access-sign", "access-timestamp", "access-passphrase"


class Bitget:
    """Bitget in front of the exchange."""

    name = NAME
    hosts = frozenset({"api.bitget.com", "ws.bitget.com", "wspap.bitget.com"})

    def __init__(self, exchange: Exchange, faults: Faults, rules: LimitRules | None = None) -> None:
        self.exchange = exchange
        self.faults = faults
        self.rules = rules or LimitRules()
        self.limits = Limits(self.rules)
        self.streams = Streams(exchange, faults)
        self._routes: dict[tuple[str, str], Route] = {
            **public.routes(),
            **market_data.routes(),
            **mix_orders.routes(),
            **mix_account.routes(),
            **spot_orders.routes(),
            **spot_account.routes(),
        }

    def key_of(self, headers: Mapping[str, str]) -> str:
        return headers.get("ACCESS-KEY", "")

    def error_body(self, code: int | str, message: str) -> bytes:
        return orjson.dumps({"code": str(code), "msg": message, "requestTime": real_ms(), "data": None})

    def forget_limits(self) -> None:
        self.limits.forget()

    def answer(self, call: Call) -> Reply:
        """Do what a request asks and say what became of it."""
        is_spot = call.path.startswith("/api/v2/spot/")
        try:
            content, status = self._serve(call), 200
        except Refused as refusal:
            error = errors.refused(refusal, is_spot=is_spot)
            return self._refusal(call, error)
        except errors.ApiError as error:
            return self._refusal(call, error)
        body = {"code": "00000", "msg": "success", "requestTime": call.arrived, "data": content}
        return Reply(status, orjson.dumps(body), self._headers(call))

    def _refusal(self, call: Call, error: errors.ApiError) -> Reply:
        return Reply(error.status, self.error_body(error.code, error.message), self._headers(call))

    def _headers(self, call: Call) -> dict[str, str]:
        left = str(self.limits.remaining(call.address))
        return {"Content-Type": "application/json", "x-mbx-used-remain-limit": left}

    def _serve(self, call: Call) -> Any:
        if not self.limits.passes_address(call.address):
            raise errors.too_often()
        route = self._routes.get((call.method, call.path))
        if route is None:
            raise errors.not_found(call.path)
        asked = Asked(call, read(call))
        if route.access is not Access.PUBLIC:
            self._admit(route, asked)
        return route.handler(self, asked)

    def _admit(self, route: Route, asked: Asked) -> None:
        call = asked.call
        headers = {name.lower(): value for name, value in call.headers.items()}
        key = self._key(headers.get(_KEY, ""), headers.get(_PHRASE, ""), call.address)
        stamp = headers.get(_STAMP, "")
        sign.check_time(stamp, call.arrived)
        sign.check_signature(
            *(key.secret, headers.get(_SIGN, "")),
            stamp=stamp,
            method=call.method,
            path=call.path,
            query=call.query,
            body=call.body,
        )
        account = self.exchange.accounts[key.account]
        is_allowed = {Access.READ: key.reading, Access.FUTURES: key.futures, Access.SPOT: key.spot}
        if not is_allowed[route.access]:
            raise errors.no_right()
        if account.unified and call.path.startswith("/api/v2/"):
            raise errors.unified_only()
        is_copied = route.is_order and account.id == self.rules.copied_user
        per_second = 1 if is_copied else route.per_second
        if not self.limits.passes_user(account.id, call.path, per_second):
            raise errors.too_often()
        asked.key, asked.holder = key, account
        asked.lag_until = self.exchange.clock.now() - self.faults.lag(account.id)

    def _key(self, name: str, phrase: str, address: str) -> ApiKey:
        if not name:
            raise errors.ApiError("40001", "ACCESS_KEY cannot be empty")
        key = self.exchange.keys.get(name)
        if key is None or key.revoked or self.exchange.accounts[key.account].venue != NAME:
            raise errors.ApiError("40006", "Invalid ACCESS_KEY")
        if key.expires and key.expires <= real_ms():
            raise errors.ApiError("40037", "Apikey does not exist")
        if not phrase:
            raise errors.ApiError("40011", "ACCESS_PASSPHRASE cannot be empty")
        if phrase != key.passphrase:
            raise errors.ApiError("40012", "apikey/password is incorrect")
        if key.addresses and address not in key.addresses:
            raise errors.ApiError("40018", "Invalid IP")
        return key
