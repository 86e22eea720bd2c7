"""Every handler is a public call: each is in this table, says for whom it is, and holds to it."""

import asyncio
from typing import Any

import pytest
import reflex as rx
from sqlalchemy import text
from sqlmodel import Session

from copytrade.copytrade import app
from copytrade.state.asking import Who
from tests.integration.users.people import PASSWORD
from tests.ui.asking import anything, handlers, opened, sent, signed_in, states

assert app is not None, "importing the app registers every page's state"

TABLE = {
    Who.PUBLIC: {
        "gate.open", "guide.watch", "home.watch", "preferences.choose_gains", "preferences.choose_language",
        "trader.choose_window", "trader.watch", "traders.choose", "traders.find", "traders.watch", "visitor.watch",
    },
    Who.USER: {
        "accounts.drop_replacement", "accounts.examine", "accounts.open", "accounts.put_aside", "accounts.recheck",
        "accounts.rename", "accounts.replace_key", "accounts.unlink", "accounts.watch", "copies.choose",
        "copies.export", "copies.open", "copies.show_more", "copies.watch", "linking.choose", "linking.link",
        "linking.open", "linking.watch", "notices.prefer", "notices.read_all", "notices.read_one", "notices.watch",
        "settings.change_password", "settings.rename", "settings.revoke", "settings.watch", "wallet.choose_money",
        "wallet.choose_window", "wallet.release", "wallet.watch",
    },
    Who.SUBSCRIBER: {
        "subscribe.add_symbol", "subscribe.back", "subscribe.choose_paper", "subscribe.drop_code",
        "subscribe.open_paper", "subscribe.pay", "subscribe.pay_again", "subscribe.settle", "subscribe.state_country",
        "subscribe.take_account", "subscribe.typed", "subscribe.use_code", "subscribe.watch",
        "subscriptions.add_symbol", "subscriptions.cancel", "subscriptions.choose_account", "subscriptions.close",
        "subscriptions.edit", "subscriptions.export", "subscriptions.go_on", "subscriptions.move",
        "subscriptions.pause", "subscriptions.pay", "subscriptions.portal", "subscriptions.release",
        "subscriptions.resume", "subscriptions.save", "subscriptions.stop", "subscriptions.stop_everything",
        "subscriptions.take_back", "subscriptions.typed", "subscriptions.watch",
    },
    Who.TRADER: {
        "desk.edit", "desk.end_coupon", "desk.export", "desk.make_coupon", "desk.publish", "desk.save",
        "desk.show_coupons", "desk.unpublish", "desk.watch", "earnings.choose_currency", "earnings.dashboard",
        "earnings.export", "earnings.get_paid", "earnings.look_again", "earnings.open", "earnings.watch",
    },
    Who.OPERATOR: {
        "operator.ask", "operator.choose_scope", "operator.confirm", "operator.decide", "operator.let_go_on",
        "operator.put_aside", "operator.try_again", "operator.watch", "operator_money.agree", "operator_money.export",
        "operator_money.replay", "operator_money.watch",
    },
}  # fmt: skip
"""For whom each handler is: a new one has to be thought about here first."""

FRAMEWORKS = {"setvar", "set_is_hydrated", "on_load_internal", "hydrate", "hydrate_and_load", "update_vars_internal"}
PRIVATE = [(state, name) for state, name, who in handlers() if who is not Who.PUBLIC]


def _named(state: type[rx.State], name: str) -> str:
    return f"{state.__module__.rsplit('.', 1)[-1]}.{name}"


def test_every_handler_is_in_the_table_with_its_role() -> None:
    found: dict[Who, set[str]] = {who: set() for who in Who}
    for state, name, who in handlers():
        found[who].add(_named(state, name))
    assert found == TABLE


def test_no_state_has_a_handler_that_is_neither_ours_nor_the_frameworks() -> None:
    ours = {(state, name) for state, name, _ in handlers()}
    for state in states():
        for name in state.event_handlers:
            assert (state, name) in ours or name in FRAMEWORKS, f"{state}.{name}"


def test_no_variable_can_be_set_from_outside() -> None:
    for state in states():
        setters = [name for name in state.event_handlers if name.startswith("set_") and name not in FRAMEWORKS]
        assert setters == [], f"setvar reaches {setters} of {state}"


def _rows(session: Session) -> dict[str, Any]:
    tables = session.connection().execute(
        text("select schemaname, tablename from pg_tables where schemaname in ('people', 'trades')")
    )
    return {
        f"{schema}.{table}": session.connection()
        .execute(text(f'select count(*), sum(hashtext(t::text)) from "{schema}"."{table}" t'))
        .one()
        for schema, table in tables
        if table not in ("user_sessions",)
    }


@pytest.mark.parametrize(("state", "name"), PRIVATE, ids=lambda part: part if isinstance(part, str) else part.__name__)
def test_a_stranger_is_sent_to_the_door_and_changes_nothing(session: Session, state: type[rx.State], name: str) -> None:
    before = _rows(session)
    page = opened(state, path="/wallet")
    shown = page.dict()
    if name == "watch":
        from tests.ui.asking import loaded

        answer = asyncio.run(loaded(page))
    else:
        answer = asyncio.run(sent(page, name, *anything(state, name)))
    assert "/login" in str(answer)
    assert _rows(session) == before
    assert page.dict() == shown or name == "watch"


@pytest.mark.parametrize(
    ("state", "name"),
    [(state, name) for state, name, who in handlers() if who in (Who.TRADER, Who.OPERATOR) and name != "watch"],
    ids=lambda part: part if isinstance(part, str) else part.__name__,
)
def test_a_subscriber_gets_nothing_that_is_a_traders_or_an_operators(
    session: Session, state: type[rx.State], name: str
) -> None:
    from tests.integration.users.people import bob

    page = opened(state, cookie=signed_in(session, bob(session)))
    before = _rows(session)
    answer = asyncio.run(sent(page, name, *anything(state, name)))
    assert answer is None
    assert page.problem == "This page is not for your account."  # pyright: ignore[reportAttributeAccessIssue]
    assert _rows(session) == before


def test_a_cookie_that_nobody_issued_is_a_strangers(session: Session) -> None:
    from copytrade.state.settings import Settings

    page = opened(Settings, cookie="session=" + "A" * 43)
    assert "/login" in str(asyncio.run(sent(page, "rename", {"name": PASSWORD})))
