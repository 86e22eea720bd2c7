"""Contract 1: POST /register, /login, /logout, as a page's plain form (303, cookie) or as JSON (a body, cookie)."""

import asyncio
import json
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlencode
from uuid import UUID

from fastapi import Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse
from pydantic import BaseModel, Field, ValidationError
from sqlmodel import Session

from copytrade import metrics
from copytrade.api import cookies
from copytrade.api.answers import voice_for
from copytrade.api.callers import JSON, address_of, content_type, same_origin
from copytrade.api.routing import contract
from copytrade.db.session import transaction
from copytrade.errors import CopyTradeError
from copytrade.state import routes
from copytrade.users import service, throttle
from copytrade.users.queries import Person

FORM = "application/x-www-form-urlencoded"
T = TypeVar("T")

router = contract("1 · register and sign in")


class Registration(BaseModel):
    """What registering takes."""

    email: str = Field(max_length=1000, examples=["alice@copytrade.example"])
    password: str = Field(max_length=1000, examples=["correct horse battery"], description="12 to 128 characters")
    roles: list[str] = Field(default_factory=list, max_length=4, examples=[["trader", "subscriber"]])
    accepted_terms: bool = Field(default=False, examples=[True])
    locale: str = Field(default="", max_length=10, examples=["en"])


class Login(BaseModel):
    """What signing in takes."""

    email: str = Field(max_length=1000, examples=["alice@copytrade.example"])
    password: str = Field(max_length=1000, examples=["correct horse battery"])


class PersonAnswer(BaseModel):
    """A person as he sees himself."""

    id: UUID
    email: str
    name: str
    is_trader: bool
    is_subscriber: bool
    is_operator: bool
    locale: str

    @classmethod
    def of(cls, person: Person) -> "PersonAnswer":
        return cls(**{name: getattr(person, name) for name in cls.model_fields})


def _body(shape: type[BaseModel]) -> dict[str, Any]:
    schema = shape.model_json_schema()
    content = {JSON: {"schema": schema}, FORM: {"schema": schema}}
    return {"requestBody": {"required": True, "content": content}}


async def _read(request: Request) -> dict[str, Any]:
    """Return the fields of a form or of a JSON object; the origin has been checked already."""
    body = await request.body()
    if content_type(request) == FORM:
        fields = parse_qs(body.decode(errors="replace"), keep_blank_values=True, max_num_fields=20)
        flat: dict[str, Any] = {name: values[-1] for name, values in fields.items()}
        flat["roles"] = fields.get("roles", [])
        return flat
    try:
        read = json.loads(body)
    except ValueError:
        read = None
    if not isinstance(read, dict):
        raise RequestValidationError([{"loc": ("body",), "type": "json_invalid"}])
    return read


def _as(shape: type[T], fields: dict[str, Any]) -> T:
    try:
        return shape(**{name: value for name, value in fields.items() if name in shape.model_fields})  # pyright: ignore[reportAttributeAccessIssue]
    except ValidationError as error:
        raise RequestValidationError(error.errors(include_input=False, include_context=False)) from None


async def _answer(
    request: Request, page: str, *, act: Callable[[Session, dict[str, Any]], tuple[Person, str]], status: int
) -> Response:
    """Run `act` in one transaction; answer a form with a redirect and JSON with JSON, both with the cookie."""
    is_form, fields = content_type(request) == FORM, await _read(request)

    def run() -> tuple[Person, str]:
        with transaction() as session:
            done = act(session, fields)
            if old := service.token_in(request.headers.get("cookie", "")):
                service.log_out(session, token=old)
            return done

    try:
        person, token = await asyncio.to_thread(run)
    except CopyTradeError as refusal:
        metrics.sign_ins.labels(what=page.strip("/"), outcome=refusal.code).inc()
        if not is_form:
            raise
        return _back(page, refusal.code, fields)
    except RequestValidationError:
        if not is_form:
            raise
        return _back(page, "invalid_input", fields)
    metrics.sign_ins.labels(what=page.strip("/"), outcome="ok").inc()
    if is_form:
        answer: Response = RedirectResponse(_onward(fields), status_code=303)
    else:
        answer = JSONResponse(PersonAnswer.of(person).model_dump(mode="json"), status_code=status)
    cookies.put(answer, token=token)
    return answer


def _onward(fields: dict[str, Any]) -> str:
    then = str(fields.get("next", ""))
    return then if routes.local(then) else routes.HOME


def _back(page: str, code: str, fields: dict[str, Any]) -> Response:
    told = {"error": code, "email": str(fields.get("email", ""))[:254]}
    if routes.local(then := str(fields.get("next", ""))):
        told["next"] = then
    if fields.get("roles"):
        told["roles"] = ",".join(str(role) for role in fields["roles"][:2])
    return RedirectResponse(f"{page}?{urlencode(told)}", status_code=303)


@router.post(
    "/register",
    status_code=201,
    response_model=PersonAnswer,
    openapi_extra=_body(Registration),
    dependencies=[Depends(same_origin)],
)
async def register(request: Request) -> Response:
    """Make an account and sign in: 201 and the cookie; a form: 303 onwards, or back to the page with `?error=`."""

    def act(session: Session, fields: dict[str, Any]) -> tuple[Person, str]:
        typed = _as(Registration, fields)
        address = address_of(request)
        throttle.before_registering(address=address)
        person = service.register(
            session,
            email=typed.email,
            password=typed.password,
            is_trader="trader" in typed.roles,
            is_subscriber="subscriber" in typed.roles,
            locale=typed.locale or voice_for(request).locale,
            accepted_terms=typed.accepted_terms,
        )
        agent = request.headers.get("user-agent", "")
        return person, service.start_session(session, user_id=person.id, address=address, user_agent=agent)

    return await _answer(request, routes.REGISTER, act=act, status=201)


@router.post("/login", response_model=PersonAnswer, openapi_extra=_body(Login), dependencies=[Depends(same_origin)])
async def login(request: Request) -> Response:
    """Sign in: 200 and the cookie; a form: 303 onwards, or back to the page with `?error=`."""

    def act(session: Session, fields: dict[str, Any]) -> tuple[Person, str]:
        typed = _as(Login, fields)
        return service.log_in(
            session,
            email=typed.email,
            password=typed.password,
            address=address_of(request),
            user_agent=request.headers.get("user-agent", ""),
        )

    return await _answer(request, routes.LOGIN, act=act, status=200)


@router.post("/logout", status_code=204, dependencies=[Depends(same_origin)])
def logout(request: Request) -> Response:
    """End this session: 204; a form: 303 to the first page."""
    if token := service.token_in(request.headers.get("cookie", "")):
        with transaction() as session:
            service.log_out(session, token=token)
    is_form = content_type(request) == FORM
    answer = RedirectResponse(routes.HOME, status_code=303) if is_form else Response(status_code=204)
    cookies.drop(answer)
    return answer
