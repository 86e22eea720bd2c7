"""Handlers called as the browser calls them: with a cookie, without one, with anything as an argument."""

import dataclasses
import inspect
from typing import Any, TypeVar

import reflex as rx
from sqlmodel import Session

from copytrade.state.asking import Who, load_once
from copytrade.users import service
from copytrade.users.queries import Person

S = TypeVar("S", bound=rx.State)
OURS = "copytrade.state."


def signed_in(session: Session, person: Person) -> str:
    """Return the cookie header of a browser in which this person has signed in."""
    token = service.start_session(session, user_id=person.id, address="127.0.0.1", user_agent="test")
    session.commit()
    return f"{service.cookie_name()}={token}"


def opened(state: type[S], /, *, cookie: str = "", path: str = "/", **query: str) -> S:
    """Return a page's state as it is in a browser that opened `path`."""
    root = rx.State()
    found = root.get_substate(state.get_full_name().split("."))
    asked = "&".join(f"{name}={value}" for name, value in query.items())
    url = f"http://localhost:3000{path}" + (f"?{asked}" if asked else "")
    root.router = dataclasses.replace(
        root.router,
        headers=dataclasses.replace(root.router.headers, cookie=cookie),
        url=type(root.router.url)(url),
    )
    return found  # pyright: ignore[reportReturnType]


async def loaded(state: rx.State) -> Any:
    """Run the page's load once and return the events it answered with."""
    watch = type(state).event_handlers["watch"].fn
    return await load_once(state, watch.who, watch.load)  # pyright: ignore[reportFunctionMemberAccess]


async def sent(state: rx.State, handler: str, *arguments: Any) -> Any:
    """Send an event to a handler, its arguments by name as the browser sends them; return what it answered with."""
    called = type(state).event_handlers[handler].fn
    names = list(inspect.signature(called).parameters)[1:]
    return await called(state, **dict(zip(names, arguments, strict=True)))


def states() -> list[type[rx.State]]:
    """Return every state of ours that a browser can reach."""
    found: list[type[rx.State]] = []
    waiting: list[type[rx.State]] = [rx.State]
    while waiting:
        state = waiting.pop()
        waiting.extend(state.get_substates())  # pyright: ignore[reportArgumentType]
        if state.__module__.startswith(OURS):
            found.append(state)
    return sorted(found, key=lambda state: state.get_full_name())


def handlers() -> list[tuple[type[rx.State], str, Who]]:
    """Return every handler of ours with for whom it is; None for one that does not say."""
    return [
        (state, name, getattr(handler.fn, "who", None))  # pyright: ignore[reportReturnType]
        for state in states()
        for name, handler in sorted(state.event_handlers.items())
        if handler.fn.__module__.startswith(OURS)
    ]


def anything(state: type[rx.State], name: str) -> list[Any]:
    """Return arguments such as nobody's page would send."""
    parameters = list(inspect.signature(state.event_handlers[name].fn).parameters)[1:]
    form = {
        "name": "x",
        "price": "1",
        "api_key": "k" * 64,
        "api_secret": "s" * 64,
        "factor": "1",
        "consent": "yes",
        "country": "DE",
    }
    return [form if parameter == "form" else "01890000-0000-7000-8000-000000000000" for parameter in parameters]
