"""One form for every failure: {"error": {"code", "message", "field", "facts"}}, in the caller's language."""

from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from redis import RedisError
from sqlalchemy.exc import DataError, OperationalError
from starlette.exceptions import HTTPException

from copytrade.db.model import new_id
from copytrade.errors import CopyTradeError
from copytrade.i18n.voice import Voice

log = structlog.get_logger()

SENTENCES = {
    "invalid_input": "Please check what you typed.",
    "not_found": "There is nothing at this address.",
    "method_not_allowed": "This address cannot be used that way.",
    "unavailable": "The service is not ready at this moment. Please try again shortly.",
    "internal": "Something went wrong on our side. Please try again; if it stays so, quote {id}.",
}
"""What is said where no service says it; by code."""
_CODES = {404: "not_found", 405: "method_not_allowed"}


class Problem(BaseModel):
    """What went wrong: a code to act on, a sentence to show, the field it is about."""

    code: str = Field(examples=["not_found"])
    message: str = Field(examples=["There is no such exchange account."])
    field: str | None = Field(default=None, examples=["api_key"])
    facts: dict[str, str] = Field(default_factory=dict)


class ProblemAnswer(BaseModel):
    """Every answer from 400 on."""

    error: Problem


def voice_for(request: Request) -> Voice:
    """Return the voice of the caller: the language he set, else what his browser asks for."""
    person = getattr(request.state, "person", None)
    if person is not None:
        return Voice.of(person.locale, person.timezone)
    locale = request.cookies.get("locale") or request.headers.get("accept-language", "")[:2].lower()
    return Voice.of(locale, request.cookies.get("zone", ""))


def problem(
    request: Request,
    text: str,
    *,
    status: int,
    code: str,
    field: str | None = None,
    facts: dict[str, str] | None = None,
) -> JSONResponse:
    """Return the answer for a failure; `text` is a sentence of the catalogue."""
    told = facts or {}
    message = voice_for(request).say(text, **told)
    answer = ProblemAnswer(error=Problem(code=code, message=message, field=field, facts=told))
    return JSONResponse(answer.model_dump(), status_code=status, headers={"Cache-Control": "no-store"})


def add_handlers(api: FastAPI) -> None:
    """Give the API its answers to everything that may go wrong."""
    api.add_exception_handler(CopyTradeError, _expected)
    api.add_exception_handler(RequestValidationError, _invalid)
    api.add_exception_handler(HTTPException, _http)
    api.add_exception_handler(DataError, _unstorable)
    api.add_exception_handler(OperationalError, _away)
    api.add_exception_handler(RedisError, _away)
    api.add_exception_handler(Exception, _bug)


async def _expected(request: Request, error: Any) -> JSONResponse:
    log.info("api.refused", path=request.url.path, code=error.code, reason=error.message)
    return problem(
        request,
        error.user.text,
        status=error.status,
        code=error.code,
        field=error.field,
        facts=error.user.facts,
    )


async def _invalid(request: Request, error: Any) -> JSONResponse:
    # What was typed is never echoed: it may be a secret in the wrong field.
    first = error.errors()[0]
    names = [str(part) for part in first["loc"] if part not in ("body", "query", "path", "header")]
    return problem(
        request,
        SENTENCES["invalid_input"],
        status=422,
        code="invalid_input",
        field=".".join(names) or None,
        facts={"reason": str(first["type"])},
    )


async def _http(request: Request, error: Any) -> JSONResponse:
    code = _CODES.get(error.status_code, "invalid_input")
    return problem(request, SENTENCES[code], status=error.status_code, code=code)


async def _unstorable(request: Request, error: Any) -> JSONResponse:
    log.info("api.unstorable", path=request.url.path, reason=type(error.orig).__name__)
    return problem(request, SENTENCES["invalid_input"], status=422, code="invalid_input")


async def _away(request: Request, error: Any) -> JSONResponse:
    log.warning("api.engine_away", path=request.url.path, reason=type(error).__name__)
    return problem(request, SENTENCES["unavailable"], status=503, code="unavailable")


async def _bug(request: Request, error: Exception) -> JSONResponse:
    number = str(new_id())
    log.error("api.bug", path=request.url.path, id=number, exc_info=error)
    return problem(request, SENTENCES["internal"], status=500, code="internal", facts={"id": number})
