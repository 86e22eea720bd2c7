"""What became of an order: judged by whether the request left and by the venue's own codes, never by ccxt's classes."""

import asyncio
import socket
from dataclasses import dataclass
from datetime import datetime

import aiohttp

from copytrade.domain.orders import Outcome, OutcomeKind, Refusal
from copytrade.exchanges.facts import Codes
from copytrade.exchanges.guard import Answer, TooLate

_NEVER_CONNECTED = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, socket.gaierror)
_TRUST_CODES_BELOW = 500
_OVERLOADED = 503


@dataclass(frozen=True, slots=True)
class Failure:
    """How a request failed, in words without anything secret; `left` is False only where it certainly did not leave."""

    left: bool
    text: str
    status: int | None = None
    code: str = ""
    retry_after: float | None = None


def failure_of(error: BaseException, *, departed: bool) -> Failure:
    """Return what `error` of a request says; addresses, queries and bodies in it are dropped."""
    if isinstance(error, TooLate):
        return Failure(left=False, text="its time was over before it was sent")
    if isinstance(error, Answer):
        return Failure(left=True, text=error.text, status=error.status, code=error.code, retry_after=error.retry_after)
    # ccxt wraps what aiohttp raises; aiohttp's own errors have causes too, which say less than they do
    cause = error if isinstance(error, aiohttp.ClientError | OSError) else error.__cause__ or error
    if isinstance(cause, asyncio.TimeoutError) and not isinstance(cause, aiohttp.ConnectionTimeoutError):
        return Failure(left=departed, text="no answer in time")
    left = departed and not isinstance(cause, _NEVER_CONNECTED)
    return Failure(left=left, text=type(cause).__name__)


def judge(failure: Failure, *, codes: Codes, sent_at: datetime | None, answered_at: datetime) -> Outcome:
    """Return the outcome of an order whose request failed (execution.md 1.3–1.5); what proves nothing is UNKNOWN."""
    kind, refusal = _verdict(failure, codes=codes)
    return Outcome(
        kind=kind,
        sent_at=sent_at if failure.left else None,
        acknowledged_at=answered_at if failure.status is not None else None,
        refusal=refusal,
        venue_code=failure.code,
        message=failure.text,
        retry_after=failure.retry_after,
    )


def _verdict(failure: Failure, *, codes: Codes) -> tuple[OutcomeKind, Refusal | None]:
    if not failure.left or failure.status in codes.throttled_statuses:
        return OutcomeKind.NOT_SENT, None
    if failure.status is None or not failure.code:
        return OutcomeKind.UNKNOWN, None
    if failure.code in codes.not_executed and failure.status <= _OVERLOADED:
        return OutcomeKind.NOT_SENT, None
    if failure.status >= _TRUST_CODES_BELOW:
        return OutcomeKind.UNKNOWN, None
    if failure.code in codes.clock:
        return OutcomeKind.NOT_SENT, None
    if failure.code in codes.duplicate or any(text in failure.text for text in codes.duplicate_texts):
        return OutcomeKind.DUPLICATE, None
    if failure.code in codes.refused:
        return OutcomeKind.REFUSED, refusal_of(failure, codes=codes)
    return OutcomeKind.UNKNOWN, None


_TEXTS = {
    "NOTIONAL": Refusal.MIN_NOTIONAL,
    "LOT_SIZE": Refusal.QUANTITY,
    "PRICE": Refusal.PRICE,
    "insufficient balance": Refusal.FUNDS,
}


def refusal_of(failure: Failure, *, codes: Codes) -> Refusal:
    """Return why; where one code stands for many reasons its text decides."""
    refusal = codes.refused.get(failure.code, Refusal.OTHER)
    if refusal is not Refusal.OTHER:
        return refusal
    told = failure.text.lower()
    own = next((reason for text, reason in codes.refused_texts.items() if text in told), None)
    return own or next((reason for text, reason in _TEXTS.items() if text in failure.text), Refusal.OTHER)
