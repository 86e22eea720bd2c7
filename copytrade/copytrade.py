"""The web app: its pages and the API on one port. Reads like a site map."""

import asyncio
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import reflex as rx

from copytrade import logs
from copytrade.api.app import api
from copytrade.components.text import Text, t
from copytrade.db.clock import keep_following
from copytrade.pages.accounts import accounts
from copytrade.pages.copies import copies
from copytrade.pages.desk import desk
from copytrade.pages.earnings import earnings
from copytrade.pages.home import home
from copytrade.pages.login import login
from copytrade.pages.missing import missing
from copytrade.pages.notices import notices
from copytrade.pages.operator import operator
from copytrade.pages.operator_money import operator_money
from copytrade.pages.register import register
from copytrade.pages.settings import settings
from copytrade.pages.subscribe import subscribe
from copytrade.pages.subscriptions import subscriptions
from copytrade.pages.trader import trader
from copytrade.pages.traders import traders
from copytrade.pages.wallet import wallet
from copytrade.state import routes
from copytrade.state.accounts import Accounts
from copytrade.state.bugs import tell_of_bug
from copytrade.state.copies import Copies
from copytrade.state.desk import Desk
from copytrade.state.earnings import Earnings
from copytrade.state.gate import Gate
from copytrade.state.guide import Guide
from copytrade.state.home import Home
from copytrade.state.linking import Linking
from copytrade.state.notices import Notices
from copytrade.state.operator import Operator
from copytrade.state.operator_money import OperatorMoney
from copytrade.state.settings import Settings
from copytrade.state.subscribe import Subscribe
from copytrade.state.subscriptions import Subscriptions
from copytrade.state.trader import Trader
from copytrade.state.traders import Traders
from copytrade.state.visitor import Visitor
from copytrade.state.wallet import Wallet


@dataclass(frozen=True, slots=True)
class Page:
    """A page, where it is, what it is called, and what it loads."""

    component: Callable[[], rx.Component]
    route: str
    title: Text
    """In the person's language: the browser changes it with the language."""
    loads: tuple[Any, ...] = ()


def _named(name: Text, else_: Text) -> Text:
    return rx.cond(name != "", name, else_)


PAGES = (
    Page(home, routes.HOME, t("Copy traders you can check"), (Home.watch,)),
    Page(login, routes.LOGIN, t("Sign in"), (Gate.open,)),
    Page(register, routes.REGISTER, t("Sign up"), (Gate.open,)),
    Page(traders, routes.TRADERS, t("Traders"), (Traders.watch, Guide.watch)),
    Page(trader, routes.TRADER, _named(Trader.head.name, t("Trader")), (Trader.watch,)),
    Page(subscribe, routes.SUBSCRIBE, _named(Subscribe.name, t("Subscribe")), (Subscribe.watch,)),
    Page(wallet, routes.WALLET, t("Wallet"), (Wallet.watch, Guide.watch)),
    Page(copies, routes.COPIES, t("Copies"), (Copies.watch, Guide.watch)),
    Page(subscriptions, routes.SUBSCRIPTIONS, t("Subscriptions"), (Subscriptions.watch, Guide.watch)),
    Page(accounts, routes.ACCOUNTS, t("Exchange accounts"), (Accounts.watch, Linking.open, Linking.watch, Guide.watch)),
    Page(desk, routes.DESK, t("Desk"), (Desk.watch,)),
    Page(earnings, routes.EARNINGS, t("Earnings"), (Earnings.watch,)),
    Page(notices, routes.NOTICES, t("Notices"), (Notices.watch,)),
    Page(settings, routes.SETTINGS, t("Settings"), (Settings.watch,)),
    Page(operator, routes.OPERATOR, t("Operator"), (Operator.watch,)),
    Page(operator_money, routes.OPERATOR_MONEY, t("Money"), (OperatorMoney.watch,)),
    Page(missing, routes.MISSING, t("No such page")),
)

app = rx.App(
    stylesheets=["/app.css"],
    head_components=[
        rx.el.link(rel="icon", href="/favicon.svg", type="image/svg+xml"),
        rx.el.meta(name="viewport", content="width=device-width, initial-scale=1, viewport-fit=cover"),
        rx.el.script(src="/first.js"),
    ],
    api_transformer=api,
    backend_exception_handler=tell_of_bug,
)

for page in PAGES:
    app.add_page(
        page.component, route=page.route, title=page.title + " · CopyTrade", on_load=[Visitor.watch, *page.loads]
    )


@app.register_lifespan_task
async def _log() -> None:
    """Send this worker's logs where those of all processes go."""
    logs.configure("web")


@app.register_lifespan_task
async def _follow_clock() -> None:
    """Show the time that the installation has."""
    await keep_following()


@app.register_lifespan_task
async def _follow_parent() -> None:
    """End this worker when the server that started it is gone, so that the next one finds its port free."""
    parent = os.getppid()
    while os.getppid() == parent:  # noqa: ASYNC110 - nobody tells a process that it became an orphan
        await asyncio.sleep(1)
    os.kill(os.getpid(), signal.SIGTERM)
