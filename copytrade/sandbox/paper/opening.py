"""The one thing that a paper exchange does and a venue does not: opening an account with play money, by HTTP."""

import hmac
import re
import secrets
from typing import Any

import orjson
from aiohttp import web

from copytrade.sandbox.exchange import spot
from copytrade.sandbox.exchange.accounts import Account, ApiKey
from copytrade.sandbox.exchange.clock import real_ms
from copytrade.sandbox.exchange.engine import Exchange
from copytrade.sandbox.exchange.instruments import QUOTE
from copytrade.sandbox.exchange.values import MONEY_DECIMALS, MONEY_UNIT, Malformed, TooPrecise, parse

PATH = "/paper/accounts"
"""Behind the venue's own part of the address."""
MARKETS = ("perpetual", "spot")
MOST_FUNDS = 1_000_000 * MONEY_UNIT
_NAME = re.compile(r"[0-9a-f-]{36}")


class Desk:
    """Opens accounts at a venue's exchange: `POST /<venue>/paper/accounts` with the token of the settings."""

    def __init__(self, exchange: Exchange, *, token: str) -> None:
        self._exchange = exchange
        self._token = token

    async def handle(self, request: web.BaseRequest, *, venue: str) -> web.StreamResponse:
        """Answer one request; the answer holds the account's key."""
        if request.method != "POST":
            return _problem(405, "accounts are opened by POST")
        given = request.headers.get("Authorization", "").removeprefix("Bearer").strip().encode()
        if not hmac.compare_digest(given, self._token.encode()):
            return _problem(401, "the token is another")
        try:
            name, market, funds = _asked(orjson.loads(await request.read()))
        except (orjson.JSONDecodeError, Malformed, TooPrecise, KeyError, TypeError) as error:
            return _problem(400, f"the request could not be read: {type(error).__name__}")
        return web.json_response(open_account(self._exchange, name=name, venue=venue, market=market, funds=funds))


def open_account(exchange: Exchange, *, name: str, venue: str, market: str, funds: int) -> dict[str, Any]:
    """Open an account with `funds` (money units) where it trades; one of this name that is there is given again."""
    title = f"paper:{venue}:{name}"
    known = next((account for account in exchange.accounts.values() if account.name == title), None)
    if known is not None:
        return _shown(next(key for key in exchange.keys.values() if key.account == known.id))
    is_unified = venue == "bybit"
    account = exchange.open_account(title, venue=venue, unified=is_unified)
    if market == "spot":
        spot.transfer(exchange, account, QUOTE, funds)
    else:
        exchange.transfer(account, funds)
    key = exchange.add_key(_key(account, market))
    exchange.commit()
    return _shown(key)


def _key(account: Account, market: str) -> ApiKey:
    # As at the venues, a right is asked for where it is needed: Bitget's and Bybit's keys have both.
    is_broad = account.venue != "binance"
    return ApiKey(
        *(secrets.token_urlsafe(48)[:64], secrets.token_urlsafe(48)[:64], account.id),
        futures=is_broad or market == "perpetual",
        spot=is_broad or market == "spot",
        created=real_ms(),
        passphrase=secrets.token_urlsafe(12) if account.venue == "bitget" else "",
    )


def _asked(facts: Any) -> tuple[str, str, int]:
    name, market = str(facts["name"]), str(facts["market"])
    funds = parse(str(facts["funds"]), MONEY_DECIMALS)
    if not _NAME.fullmatch(name) or market not in MARKETS or not 0 < funds <= MOST_FUNDS:
        raise KeyError("name, market or funds")
    return name, market, funds


def _shown(key: ApiKey) -> dict[str, Any]:
    return {"api_key": key.key, "api_secret": key.secret, "passphrase": key.passphrase}


def _problem(status: int, text: str) -> web.Response:
    return web.json_response({"error": text}, status=status)
