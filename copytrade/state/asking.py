"""Who sent this event. Every handler is a public call, so each says for whom it is and is told who asks.

The identity comes from the HttpOnly cookie that the websocket's handshake carried, looked up at each event; nothing
that the browser can write to is ever believed.
"""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Any

import reflex as rx
import structlog
from reflex.utils.exceptions import LockExpiredError
from sqlalchemy.exc import DBAPIError

from copytrade.db.bell import bell
from copytrade.errors import CopyTradeError, NotAllowed, NotSignedIn
from copytrade.i18n.voice import Voice
from copytrade.state import routes
from copytrade.state.language import voice_of
from copytrade.state.work import read
from copytrade.users.queries import Person, person_of_token
from copytrade.users.service import token_in

log = structlog.get_logger()
AGAIN_S = 2.0
"""After a page could not be told in time."""

Handler = Callable[..., Awaitable[Any]]
"""`async (state, asker, voice, …)`; what it returns are Reflex events."""


class Who(StrEnum):
    """For whom a handler is; the service behind it checks whose the rows are."""

    PUBLIC = "public"
    USER = "user"
    TRADER = "trader"
    SUBSCRIBER = "subscriber"
    OPERATOR = "operator"


class Page(rx.State, mixin=True):
    """What every page state has: is it loaded, what went wrong, is it behind."""

    loaded: bool = False
    problem: str = ""
    stale: bool = False
    as_of: str = ""


async def asker_of(state: rx.State) -> Person | None:
    """Return who sent the event being handled, None for a stranger."""
    token = token_in(state.router.headers.cookie)
    return await read(person_of_token, token) if token else None


def admit(asker: Person | None, who: Who) -> None:
    """Raise unless the asker may call a handler meant for `who`."""
    if who is Who.PUBLIC:
        return
    if asker is None:
        raise NotSignedIn("nobody is signed in", user="Please sign in.")
    allowed = {
        Who.USER: True,
        Who.TRADER: asker.is_trader,
        Who.SUBSCRIBER: asker.is_subscriber,
        Who.OPERATOR: asker.is_operator,
    }[who]
    if not allowed:
        raise NotAllowed(f"{who} handler was called without the role", user="This page is not for your account.")


def action(who: Who) -> Callable[[Handler], Any]:
    """Make an event handler for `who` of `async (self, asker, voice, …)`; expected errors become a text."""

    def wrap(handler: Handler) -> Any:
        async def run(self: Any, *args: Any, **kwargs: Any) -> Any:
            if hasattr(self, "problem"):
                self.problem = ""
            if hasattr(self, "wrong"):
                self.wrong = ""
            return await _answer(self, who, handler, *args, **kwargs)

        return rx.event(_dressed(run, handler, who))

    return wrap


def live(who: Who, *topics: str, every: float = 60.0) -> Callable[[Handler], Any]:
    """Make an `on_load` handler that loads at once and again whenever one of the bell's topics rings.

    `{asker}` in a topic is the asker's id. A newer call ends the older one; leaving the page or the site ends it too.
    """

    def wrap(load: Handler) -> Any:
        async def watch(self: Any) -> Any:
            async with self:
                asker = await _quietly(self, asker_of)
            async for _ in bell().rings(*topics_for(asker, topics), quiet=1.0, every=every):
                answer = await _loaded(self, who, load)
                if answer is not None:
                    return answer
            return None

        dressed = _dressed(watch, load, who)
        dressed.load = load
        return rx.event(dressed, background=True, supersedes=True)

    return wrap


async def _loaded(state: Any, who: Who, load: Handler) -> Any:
    while True:
        try:
            async with state:
                return await load_once(state, who, load)
        except LockExpiredError:
            # On a starved machine a page may take longer than its lock lasts: it is told again, not left as it is.
            log.warning("page.too_slow", handler=load.__qualname__)
            await asyncio.sleep(AGAIN_S)


def topics_for(asker: Person | None, topics: tuple[str, ...]) -> list[str]:
    """Return the topics that concern the asker; a stranger has none of his own."""
    if asker is None:
        return [topic for topic in topics if "{asker}" not in topic]
    return [topic.format(asker=asker.id) for topic in topics]


async def _quietly(state: Any, question: Callable[[Any], Awaitable[Any]]) -> Any:
    try:
        return await question(state)
    except DBAPIError as error:
        log.warning("page.database", reason=type(error).__name__)
        return None


async def load_once(state: Any, who: Who, load: Handler) -> Any:
    """Run a page's load; where the database is away the page says that it is behind."""
    try:
        answer = await _answer(state, who, load)
    except DBAPIError as error:
        # The database restarts in a moment and the bell rings then: the page says that it is behind and waits.
        log.warning("page.database", reason=type(error).__name__)
        if hasattr(state, "stale"):
            state.stale = True
        return None
    if hasattr(state, "stale"):
        state.stale = False
        state.loaded = True
    return answer


async def _answer(state: Any, who: Who, handler: Handler, /, *args: Any, **kwargs: Any) -> Any:
    voice: Voice = await voice_of(state)
    try:
        asker = await asker_of(state)
        admit(asker, who)
        return await handler(state, asker, voice, *args, **kwargs)
    except NotSignedIn:
        return rx.redirect(routes.login(then=state.router.url.path))
    except CopyTradeError as error:
        log.info("page.refused", handler=handler.__qualname__, code=error.code, reason=error.message)
        text = voice.error(error)
        if not hasattr(state, "problem"):
            return rx.toast.error(text)
        state.problem = text
        if hasattr(state, "wrong"):
            state.wrong = error.field or ""
        return None


def _dressed(run: Any, handler: Handler, who: Who) -> Any:
    """Give `run` the handler's name and the arguments that the browser sends."""
    signature = inspect.signature(handler)
    seen = [p for name, p in signature.parameters.items() if name not in ("asker", "voice")]
    if run.__name__ == "watch":
        seen = seen[:1]
    run.__name__, run.__qualname__, run.__doc__ = handler.__name__, handler.__qualname__, handler.__doc__
    run.__module__ = handler.__module__
    run.__signature__ = signature.replace(parameters=seen, return_annotation=inspect.Signature.empty)
    run.__annotations__ = {p.name: p.annotation for p in seen if p.annotation is not inspect.Parameter.empty}
    run.who = who
    return run
