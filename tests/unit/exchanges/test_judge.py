"""Every row of the tables: what an answer, or the lack of one, proves about an order."""

import asyncio
import socket
from datetime import UTC, datetime
from typing import Any

import aiohttp
import ccxt
import pytest
from aiohttp.client_reqrep import ConnectionKey

from copytrade.domain.orders import OutcomeKind, Refusal
from copytrade.errors import BadCredentials, OrderRefused, Unavailable
from copytrade.exchanges import ladder
from copytrade.exchanges.binance.facts import BINANCE
from copytrade.exchanges.guard import Answer, TooLate, answer_of
from copytrade.exchanges.judge import failure_of, judge

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HOST = ConnectionKey("fapi.example", 443, True, True, None, None, None)


def verdict(error: BaseException, *, departed: bool = True) -> tuple[OutcomeKind, Refusal | None]:
    outcome = judge(failure_of(error, departed=departed), codes=BINANCE.codes, sent_at=NOW, answered_at=NOW)
    return outcome.kind, outcome.refusal


def answered(status: int, code: str = "", text: str = "", **headers: str) -> Answer:
    body = {"code": code, "msg": text} if code else None
    answer = answer_of(status, headers, text, body, codes=BINANCE.codes)
    assert answer is not None
    return answer


def caused(error: Exception, cause: BaseException) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("status", "code", "text", "kind", "refusal"),
    [
        (400, "-1022", "Signature for this request is not valid.", OutcomeKind.REFUSED, Refusal.CREDENTIALS),
        (401, "-2015", "Invalid API-key, IP, or permissions for action.", OutcomeKind.REFUSED, Refusal.CREDENTIALS),
        (400, "-2014", "API-key format invalid.", OutcomeKind.REFUSED, Refusal.CREDENTIALS),
        (400, "-1021", "Timestamp for this request is outside of the recvWindow.", OutcomeKind.NOT_SENT, None),
        (400, "-5028", "Timestamp for this request is outside of the ME recvWindow.", OutcomeKind.NOT_SENT, None),
        (400, "-2010", "Account has insufficient balance for requested action.", OutcomeKind.REFUSED, Refusal.FUNDS),
        (400, "-2019", "Margin is insufficient.", OutcomeKind.REFUSED, Refusal.FUNDS),
        (400, "-2018", "Balance is insufficient.", OutcomeKind.REFUSED, Refusal.FUNDS),
        (400, "-2010", "Duplicate order sent.", OutcomeKind.DUPLICATE, None),
        (400, "-4116", "ClientOrderId is duplicated.", OutcomeKind.DUPLICATE, None),
        (400, "-1013", "Filter failure: NOTIONAL", OutcomeKind.REFUSED, Refusal.MIN_NOTIONAL),
        (400, "-1013", "Filter failure: LOT_SIZE", OutcomeKind.REFUSED, Refusal.QUANTITY),
        (400, "-1013", "Filter failure: PERCENT_PRICE_BY_SIDE", OutcomeKind.REFUSED, Refusal.PRICE),
        (400, "-4164", "Order's notional must be no smaller than 5", OutcomeKind.REFUSED, Refusal.MIN_NOTIONAL),
        (400, "-1111", "Precision is over the maximum", OutcomeKind.REFUSED, Refusal.QUANTITY),
        (400, "-2022", "ReduceOnly Order is rejected.", OutcomeKind.REFUSED, Refusal.NOTHING_TO_REDUCE),
        (400, "-2027", "Exceeded the maximum allowable position", OutcomeKind.REFUSED, Refusal.LEVERAGE),
        (400, "-4016", "Limit price can't be higher than", OutcomeKind.REFUSED, Refusal.PRICE),
        (400, "-4061", "Order's position side does not match", OutcomeKind.REFUSED, Refusal.POSITION_MODE),
        (400, "-4141", "Symbol is closed.", OutcomeKind.REFUSED, Refusal.MARKET_CLOSED),
        (400, "-1102", "Mandatory parameter was not sent", OutcomeKind.REFUSED, Refusal.OTHER),
        (503, "-1008", "Server is currently overloaded with other requests.", OutcomeKind.NOT_SENT, None),
        (429, "-1003", "Too many requests", OutcomeKind.NOT_SENT, None),
        (429, "-1015", "Too many new orders", OutcomeKind.NOT_SENT, None),
        (429, "", "", OutcomeKind.NOT_SENT, None),
        (418, "-1003", "IP banned until 1", OutcomeKind.NOT_SENT, None),
        (408, "-1007", "Timeout waiting for response from backend server.", OutcomeKind.UNKNOWN, None),
        (504, "-1007", "Timeout waiting for response from backend server.", OutcomeKind.UNKNOWN, None),
        (500, "-1000", "An unknown error occured", OutcomeKind.UNKNOWN, None),
        (400, "-1000", "An unknown error occured", OutcomeKind.UNKNOWN, None),
        (400, "-1001", "Internal error", OutcomeKind.UNKNOWN, None),
        (400, "-1006", "An unexpected response was received", OutcomeKind.UNKNOWN, None),
        (503, "", "Unknown error, please check your request or try again later.", OutcomeKind.UNKNOWN, None),
        (503, "", "Service Unavailable.", OutcomeKind.UNKNOWN, None),
        (502, "", "<html>", OutcomeKind.UNKNOWN, None),
        (403, "", "<html>", OutcomeKind.UNKNOWN, None),
        (500, "-2019", "Margin is insufficient.", OutcomeKind.UNKNOWN, None),
        (400, "-9999", "something new", OutcomeKind.UNKNOWN, None),
        (200, "-2019", "Margin is insufficient.", OutcomeKind.REFUSED, Refusal.FUNDS),
    ],
)
def test_an_answer_is_judged_by_its_code(
    status: int, code: str, text: str, kind: OutcomeKind, refusal: Refusal | None
) -> None:
    assert verdict(answered(status, code, text)) == (kind, refusal)


@pytest.mark.parametrize(
    "cause",
    [
        aiohttp.ClientConnectorError(HOST, OSError(111, "Connection refused")),
        aiohttp.ClientConnectorDNSError(HOST, OSError(-2, "unknown")),
        aiohttp.ConnectionTimeoutError("connecting took too long"),
        socket.gaierror(-2, "unknown"),
    ],
)
def test_what_never_connected_was_not_sent(cause: BaseException) -> None:
    assert verdict(caused(ccxt.ExchangeNotAvailable("x"), cause)) == (OutcomeKind.NOT_SENT, None)


@pytest.mark.parametrize(
    ("wrapped", "cause"),
    [
        (ccxt.ExchangeNotAvailable, aiohttp.ServerDisconnectedError()),
        (ccxt.ExchangeNotAvailable, aiohttp.ClientOSError(104, "Connection reset by peer")),
        (ccxt.RequestTimeout, TimeoutError()),
        (ccxt.RequestTimeout, aiohttp.SocketTimeoutError("reading")),
        (ccxt.ExchangeError, aiohttp.ClientPayloadError("not enough data")),
        (ccxt.ExchangeError, aiohttp.ContentTypeError(None, ())),  # pyright: ignore[reportArgumentType]
    ],
)
def test_what_left_and_was_not_answered_is_unknown(wrapped: type[Exception], cause: BaseException) -> None:
    assert verdict(caused(wrapped("x"), cause)) == (OutcomeKind.UNKNOWN, None)


@pytest.mark.parametrize("error", [ValueError("odd"), ccxt.ExchangeError("bare"), asyncio.InvalidStateError()])
def test_any_other_error_after_the_request_left_is_unknown(error: Exception) -> None:
    assert verdict(error) == (OutcomeKind.UNKNOWN, None)


@pytest.mark.parametrize("error", [ccxt.AuthenticationError("no key"), ccxt.InvalidOrder("local"), TooLate()])
def test_what_failed_before_the_network_was_not_sent(error: Exception) -> None:
    assert verdict(error, departed=False) == (OutcomeKind.NOT_SENT, None)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (caused(aiohttp.ClientConnectorError(HOST, OSError(111, "refused")), OSError(111)), OutcomeKind.NOT_SENT),
        (caused(aiohttp.ConnectionTimeoutError("connecting"), TimeoutError()), OutcomeKind.NOT_SENT),
        (caused(aiohttp.ClientOSError(104, "reset"), ConnectionResetError()), OutcomeKind.UNKNOWN),
        (caused(aiohttp.ServerDisconnectedError(), socket.gaierror()), OutcomeKind.UNKNOWN),
        (TimeoutError(), OutcomeKind.UNKNOWN),
    ],
)
def test_an_error_of_the_http_client_says_itself_whether_the_request_left(error: Exception, kind: OutcomeKind) -> None:
    assert verdict(error) == (kind, None)


def test_the_wait_that_a_venue_asks_for_is_kept() -> None:
    assert failure_of(answered(429, "-1003", "slow down", **{"retry-after": "7"}), departed=True).retry_after == 7.0


def test_nothing_of_the_request_is_in_a_failure() -> None:
    secret = "https://fapi.example/order?apiKey=k-secret&signature=deadbeef"
    for error in (
        caused(ccxt.RequestTimeout(secret), TimeoutError(secret)),
        caused(ccxt.ExchangeNotAvailable(secret), aiohttp.ServerDisconnectedError(secret)),
        ValueError(secret),
    ):
        failure = failure_of(error, departed=True)
        assert "secret" not in repr(failure)
        assert "deadbeef" not in repr(failure)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (answered(401, "-2015", "Invalid API-key"), BadCredentials),
        (answered(400, "-1022", "Signature"), BadCredentials),
        (answered(400, "-1121", "Invalid symbol."), Unavailable),
        (answered(429, "-1003", "Too many"), Unavailable),
        (answered(502), Unavailable),
        (caused(ccxt.RequestTimeout("x"), TimeoutError()), Unavailable),
    ],
)
def test_a_failed_read_may_be_repeated_unless_the_key_is_refused(error: Exception, expected: type[Any]) -> None:
    failure = failure_of(error, departed=True)
    assert isinstance(ladder.read_error(failure, venue=BINANCE.venue, codes=BINANCE.codes), expected)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (answered(400, "-4028", "Leverage 126 is not valid"), OrderRefused),
        (answered(400, "-4048", "Margin type cannot be changed if there exists position."), OrderRefused),
        (answered(401, "-2015", "Invalid API-key"), BadCredentials),
        (answered(400, "-1021", "Timestamp"), Unavailable),
        (answered(502), Unavailable),
    ],
)
def test_a_setting_is_refused_only_by_the_venues_word(error: Exception, expected: type[Any]) -> None:
    failure = failure_of(error, departed=True)
    assert isinstance(ladder.change_error(failure, venue=BINANCE.venue, codes=BINANCE.codes), expected)
