"""The operators' page: switches asked for and confirmed, work that was given up tried again."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from rq import SimpleWorker
from rq.serializers import JSONSerializer
from sqlmodel import Session, select

from copytrade import clock
from copytrade.copying import service
from copytrade.copying.models import Switch, SwitchMode, SwitchScope
from copytrade.domain.orders import Outcome, OutcomeKind
from copytrade.payments import inbox
from copytrade.payments.models import InboxState, WebhookEvent
from copytrade.queues import queue
from copytrade.state.operator import Operator
from copytrade.users.service import make_operator
from tests.integration.copying.desk import desk
from tests.integration.subscriptions.market import opened as opened_market
from tests.integration.users import people
from tests.ui.asking import loaded, opened, sent, signed_in

Show = Callable[..., Any]


@pytest.fixture
def page(session: Session) -> Operator:
    olga, _ = make_operator(session, email="olga@copytrade.example")
    session.commit()
    return opened(Operator, cookie=signed_in(session, olga), path="/operator")


def _send(page: Operator, handler: str, *arguments: Any) -> None:
    asyncio.run(sent(page, handler, *arguments))


def _load(page: Operator) -> Operator:
    asyncio.run(loaded(page))
    return page


def _modes(session: Session) -> dict[tuple[str, str], str]:
    session.expire_all()
    return {(row.scope, row.scope_id): row.mode for row in session.exec(select(Switch))}


def test_a_switch_is_told_in_numbers_and_set_only_when_confirmed(session: Session, page: Operator) -> None:
    _send(page, "ask", {"scope": "venue", "target": "bybit", "mode": "flatten", "reason": "they announced a halt"})
    assert page.problem == ""
    assert page.asked.told == "Close everything for Bybit: 0 copied positions, about 0.00\u00a0USDT, of 0 subscribers."
    assert _modes(session) == {}
    _send(page, "confirm")
    assert _modes(session) == {("venue", "bybit"): "flatten"}
    [line] = _load(page).switches
    assert (line.name, line.mode, line.reason) == ("Bybit", "close everything", "they announced a halt")
    assert line.by == "olga@copytrade.example"
    _send(page, "let_go_on", {"scope": "venue", "scope_id": "bybit", "reason": " "})
    assert page.problem == "Say why: others will read it."
    assert _modes(session) == {("venue", "bybit"): "flatten"}
    _send(page, "let_go_on", {"scope": "venue", "scope_id": "bybit", "reason": "they trade again"})
    assert _modes(session) == {("venue", "bybit"): "on"}
    assert _load(page).switches == []


def test_who_turned_which_switch_to_what_and_why_is_told(session: Session, page: Operator) -> None:
    market = opened_market(session)
    session.commit()
    service.set_switch(
        session,
        by=market.bob.id,
        scope=SwitchScope.SUBSCRIBER,
        scope_id=str(market.bob.id),
        mode=SwitchMode.FLATTEN,
        reason="his own stop",
    )
    session.commit()
    for form in (
        {"scope": "trader", "target": f"/traders/{market.slug}", "mode": "hands_off", "reason": "he gambles"},
        {"scope": "platform", "mode": "entries_off", "reason": "a drill"},
    ):
        _send(page, "ask", form)
        _send(page, "confirm")
    _send(page, "let_go_on", {"scope": "platform", "scope_id": "all", "reason": "the drill is over"})
    olga = "olga@copytrade.example"
    told = [(line.name, line.mode, line.reason, line.by) for line in _load(page).switched]
    assert told == [
        ("the whole platform", "let go on", "the drill is over", olga),
        ("the whole platform", "no new entries", "a drill", olga),
        ("Nordwind", "freeze", "he gambles", olga),
        (market.bob.email, "close everything", "his own stop", market.bob.email),
    ]
    assert [line.name for line in page.switches] == ["Nordwind", market.bob.email]


def test_a_switch_put_aside_is_never_set(session: Session, page: Operator) -> None:
    _send(page, "ask", {"scope": "platform", "mode": "hands_off", "reason": "a drill"})
    _send(page, "put_aside")
    _send(page, "confirm")
    assert page.problem == "Please choose one of the list."
    assert _modes(session) == {}


def test_a_subscriber_is_found_by_his_address(session: Session, page: Operator) -> None:
    bob = people.bob(session)
    _send(
        page,
        "ask",
        {"scope": "subscriber", "target": " Bob@copytrade.example ", "mode": "hands_off", "reason": "fraud?"},
    )
    _send(page, "confirm")
    assert _modes(session) == {("subscriber", str(bob.id)): "hands_off"}


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"scope": "galaxy", "mode": "flatten", "reason": "why not"}, "Please choose one of the list."),
        ({"scope": "platform", "mode": "on", "reason": "why not"}, "Please choose one of the list."),
        ({"scope": "platform", "mode": "flatten", "reason": " "}, "Say why: others will read it."),
        (
            {"scope": "venue", "target": "kraken", "mode": "flatten", "reason": "why not"},
            "Nobody of that name was found.",
        ),
        ({"scope": "trader", "target": "nobody", "mode": "flatten", "reason": "why not"}, "There is no such trader."),
        (
            {"scope": "subscriber", "target": "x", "mode": "flatten", "reason": "why not"},
            "Nobody of that name was found.",
        ),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_asked(
    session: Session, page: Operator, form: dict[str, str], said: str
) -> None:
    _send(page, "ask", form)
    assert page.problem == said
    assert page.asked.scope == ""
    assert _modes(session) == {}


def test_a_switch_that_nobody_set_cannot_be_taken_back(session: Session, page: Operator) -> None:
    _send(page, "let_go_on", {"scope": "platform", "scope_id": "all", "reason": "a drill"})
    assert page.problem == "This switch is not set any more."
    assert _modes(session) == {}


def test_an_unknown_order_is_decided_by_the_form_it_stands_in(session: Session, page: Operator) -> None:
    on = desk(session)
    on.lead("1")
    on.tell(on.sending(), Outcome(OutcomeKind.UNKNOWN, message="no answer in time"))
    [order] = on.orders()
    order.sent_at = clock.real_now() - timedelta(hours=2)
    session.add(order)
    session.commit()
    [line] = _load(page).unknown
    assert (line.client_order_id, page.on_the_way) == (order.client_order_id, [])
    _send(page, "decide", {"order_id": "", "filled": "0"})
    assert page.problem == "There is nothing at this address."
    _send(page, "decide", {"order_id": line.id, "filled": ""})
    assert page.problem == "Please type a number, for example 0.5."
    _send(page, "decide", {"order_id": line.id, "filled": "0"})
    assert (page.problem, _load(page).unknown) == ("", [])


def test_what_was_given_up_is_listed_and_tried_again(session: Session, page: Operator) -> None:
    of = queue("analytics")
    of.delete(delete_jobs=True)
    of.enqueue("builtins.int", "no number", job_id="dead-2")
    SimpleWorker([of], connection=of.connection, serializer=JSONSerializer).work(burst=True)
    session.add(
        WebhookEvent(
            id="evt_dead", type="invoice.paid", api_version="x", body="{}", state=InboxState.FAILED,
            attempts=inbox.MOST_ATTEMPTS, error="Stripe did not answer", try_at=clock.now(), received_at=clock.now(),
        )
    )  # fmt: skip
    session.commit()
    found = {(letter.kind, letter.id): letter for letter in _load(page).letters}
    assert found["event", "evt_dead"].why == "Stripe did not answer"
    assert found["job", "dead-2"].why.startswith("ValueError")
    _send(page, "try_again", "event", "", "evt_dead")
    _send(page, "try_again", "job", "analytics", "dead-2")
    assert page.problem == ""
    left = {(letter.kind, letter.id) for letter in _load(page).letters}
    assert not left & set(found)
    assert of.job_ids == ["dead-2"]
    for kind, name, letter in (("job", "analytics", "dead-2"), ("job", "nowhere", "dead-2"), ("letter", "", "x")):
        _send(page, "try_again", kind, name, letter)
        assert page.problem == "There is no such failed message any more."
    of.delete(delete_jobs=True)
