"""The web app: its pages and the API on one port. Reads like a site map."""

import asyncio
import os
import signal
from collections.abc import Callable
from typing import Any

import reflex as rx

from copytrade.api.app import api
from copytrade.pages.home import home
from copytrade.pages.login import login
from copytrade.pages.register import register
from copytrade.state import routes
from copytrade.state.gate import Gate
from copytrade.state.visitor import Visitor

app = rx.App(
    stylesheets=["/app.css"],
    head_components=[
        rx.el.link(rel="icon", href="/favicon.svg", type="image/svg+xml"),
        rx.el.meta(name="viewport", content="width=device-width, initial-scale=1, viewport-fit=cover"),
        rx.el.script(src="/first.js"),
    ],
    api_transformer=api,
)


def _page(component: Callable[[], rx.Component], route: str, title: str, *loads: Any) -> None:
    app.add_page(component, route=route, title=f"{title} · CopyTrade", on_load=[Visitor.watch, *loads])


_page(home, routes.HOME, "Copy traders you can check")
_page(login, routes.LOGIN, "Sign in", Gate.open)
_page(register, routes.REGISTER, "Sign up", Gate.open)


@app.register_lifespan_task
async def _follow_parent() -> None:
    """End this worker when the server that started it is gone, so that the next one finds its port free."""
    parent = os.getppid()
    while os.getppid() == parent:  # noqa: ASYNC110 - nobody tells a process that it became an orphan
        await asyncio.sleep(1)
    os.kill(os.getpid(), signal.SIGTERM)
