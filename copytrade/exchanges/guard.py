"""ccxt's classes with the few methods replaced that decide whether money is safe.

A venue's refusal keeps its own code and HTTP status, and whether a request left is known for certain. ccxt's own
mapping of errors to classes is not used: it misleads (execution.md, 1.4).
"""

import json
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, cast

import aiohttp
from yarl import URL

from copytrade import clock
from copytrade.exchanges.facts import Codes
from copytrade.settings import settings


class Answer(Exception):
    """A venue answered with an error: HTTP status, the venue's code and text."""

    def __init__(self, *, status: int, code: str, text: str, retry_after: float | None) -> None:
        super().__init__(f"HTTP {status}, code {code or 'none'}: {text}")
        self.status = status
        self.code = code
        self.text = text
        self.retry_after = retry_after


class TooLate(Exception):
    """The moment after which nothing may be sent was reached before the request left."""


@dataclass(slots=True)
class Departure:
    """One request on its way: when it was signed and handed to the network; None while it has not been."""

    not_after: datetime | None = None
    at: datetime | None = None
    headers: Any = None
    """Headers of the answer, where one came."""
    session: aiohttp.ClientSession | None = None
    """Where set, it goes out by this session: ccxt signs it, but its fetch, which costs as much again, stays out."""


departure: ContextVar[Departure | None] = ContextVar("departure", default=None)


def answer_of(status: int, headers: Any, body: Any, parsed: Any, *, codes: Codes) -> Answer | None:
    """Return the error in a response, None where it is a success."""
    fields = cast("dict[str, Any]", parsed) if isinstance(parsed, dict) else {}
    code = str(fields.get(codes.code_field, ""))
    if status < 400 and code in codes.success:
        return None
    text = str(fields.get(codes.text_field, "")) if fields else f"{len(str(body))} characters that are no JSON object"
    # a code of success beside an HTTP error says nothing of what went wrong
    code = "" if code in codes.success else code
    return Answer(status=status, code=code, text=text[:200], retry_after=_retry_after(headers, codes=codes))


def _retry_after(headers: Any, *, codes: Codes) -> float | None:
    found = {str(name).lower(): value for name, value in dict(headers or {}).items()}
    try:
        if "retry-after" in found:
            return float(found["retry-after"])
        if codes.reset_header in found:
            return max(float(found[codes.reset_header]) / 1000 - clock.real_now().timestamp(), 0.0) or None
    except ValueError:
        return None
    return None


class Guard:
    """Goes before a ccxt class in the bases of our own."""

    error_codes: Codes
    clock_offset_ms: Any
    """A function: how far this machine is ahead of the venue, in ms."""

    def nonce(self) -> int:
        return int(clock.real_now().timestamp() * 1000) - self.clock_offset_ms()

    def handle_errors(
        self, code: int, _reason: str, _url: str, _method: str, headers: Any, body: Any, response: Any, *_: Any
    ) -> None:
        if (on_its_way := departure.get()) is not None:
            on_its_way.headers = headers
        answer = answer_of(code, headers, body, response, codes=self.error_codes)
        if answer is not None:
            raise answer

    async def request(self, path: str, api: Any, method: str, params: Any, config: Any) -> Any:
        on_its_way = departure.get()
        if on_its_way is not None and on_its_way.session is not None:
            return await _post(self, self.sign(path, api, method, params), on_its_way, on_its_way.session)  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownArgumentType]
        return await super().request(path, api, method, params, config)  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownVariableType]

    async def fetch(self, url: str, method: str = "GET", headers: Any = None, body: Any = None) -> Any:
        if (on_its_way := departure.get()) is not None:
            _depart(on_its_way)
        return await super().fetch(url, method, headers, body)  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownVariableType]

    def __del__(self) -> None:
        # The session is the pool's; ccxt would complain that nobody closed it.
        return


def _depart(on_its_way: Departure) -> None:
    now = clock.real_now()
    if on_its_way.not_after is not None and now >= on_its_way.not_after:
        raise TooLate
    on_its_way.at = now


async def _post(exchange: Any, signed: dict[str, Any], on_its_way: Departure, session: aiohttp.ClientSession) -> Any:
    """Return the JSON of the answer to a signed request, None where it is none; Answer where it is an error."""
    _depart(on_its_way)
    async with session.post(
        _url(signed["url"]),
        data=signed["body"].encode(),
        headers=signed["headers"],
        proxy=exchange.httpProxy,
        allow_redirects=False,
        timeout=_timeout(settings().request_timeout_ms),
    ) as response:
        content = await response.read()
    on_its_way.headers = response.headers
    body = _parsed(content)
    answer = answer_of(response.status, response.headers, content, body, codes=exchange.error_codes)
    if answer is not None:
        raise answer
    return body


def _parsed(content: bytes) -> Any:
    try:
        return json.loads(content, parse_float=Decimal)
    except ValueError:  # no JSON, or no text at all
        return None


@lru_cache(maxsize=64)
def _url(text: str) -> URL:
    return URL(text, encoded=True)


@lru_cache(maxsize=1)
def _timeout(milliseconds: int) -> aiohttp.ClientTimeout:
    seconds = milliseconds / 1000
    return aiohttp.ClientTimeout(total=seconds, sock_connect=seconds)


@lru_cache(maxsize=32)
def guarded(bases: tuple[type[Any], ...]) -> type[Any]:
    """Return a class of ours over a ccxt class (and mix-ins before it)."""
    return type("Guarded", (Guard, *bases), {})
