"""Subscribing: who may, to whom, and what time and money make of it."""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlmodel import Session, col, select

from copytrade import clock
from copytrade.accounts import service as accounts
from copytrade.db.events import Event
from copytrade.domain.instruments import Role
from copytrade.errors import Conflict, InvalidInput, NotAllowed, NotFound
from copytrade.settings import settings
from copytrade.subscriptions import queries, service
from copytrade.subscriptions.models import Subscription
from copytrade.subscriptions.states import EndMode, State
from tests import paid
from tests.integration.accounts.linking import linked, taken
from tests.integration.subscriptions.market import opened, subscribed
from tests.integration.users import people

MONTH, GRACE = timedelta(days=30), timedelta(days=3)


def _kinds(session: Session) -> list[str]:
    return [kind for kind in session.exec(select(Event.kind).order_by(col(Event.id))) if kind.startswith("subscri")]


def test_a_subscription_begins_incomplete_and_copies_nothing(session: Session) -> None:
    market = opened(session)
    id = subscribed(session, market)
    row = queries.subscription(session, owner=market.bob.id, subscription_id=id)
    assert (row.state, row.price, row.trader_name) == ("incomplete", 29, "Nordwind")
    assert queries.active_on_lead(session, lead_account_id=market.lead, now=clock.now()) == []


def test_a_paid_period_activates_once(session: Session) -> None:
    market = opened(session)
    id, until = subscribed(session, market), clock.now() + MONTH
    for _ in range(2):
        paid.entitle(session, subscription_id=id, until=until)
    (active,) = queries.active_on_lead(session, lead_account_id=market.lead, now=clock.now())
    assert (active.id, active.copy_account_id, active.may_enter) == (id, market.copy, True)
    assert _kinds(session) == ["subscription.activated", "subscriber.joined"]
    assert queries.profile_by_slug(session, market.slug).subscribers == 1


def test_an_older_period_never_shortens_the_access(session: Session) -> None:
    market = opened(session)
    id, now = subscribed(session, market), clock.now()
    paid.entitle(session, subscription_id=id, until=now + MONTH)
    paid.entitle(session, subscription_id=id, until=now + timedelta(days=1))
    row = queries.subscription(session, owner=market.bob.id, subscription_id=id)
    assert row.entitled_until == now + MONTH


def test_an_unpaid_one_is_taken_up_again_and_an_active_one_is_not(session: Session) -> None:
    market = opened(session)
    id = subscribed(session, market)
    assert subscribed(session, market) == id
    paid.entitle(session, subscription_id=id, until=clock.now() + MONTH)
    with pytest.raises(Conflict):
        subscribed(session, market)


def test_a_changed_price_makes_the_unpaid_one_anew(session: Session) -> None:
    market = opened(session)
    old = subscribed(session, market)
    service.save_profile(
        session,
        owner=market.alice.id,
        profile_id=market.profile_id,
        lead_account_id=market.lead,
        name="Nordwind",
        about="",
        price="35",
    )
    new = subscribed(session, market)
    assert new != old
    rows = {row.id: row for row in queries.subscriptions_of(session, owner=market.bob.id)}
    assert (rows[old].state, rows[new].state, rows[new].price) == ("canceled", "incomplete", 35)


def test_nobody_subscribes_to_himself(session: Session) -> None:
    mallory = people.mallory(session)
    lead = linked(session, mallory.id, role=Role.LEAD, api_key="a" * 64)
    copy = linked(session, mallory.id, role=Role.COPY, api_key="b" * 64)
    profile = service.save_profile(session, owner=mallory.id, lead_account_id=lead, name="Mal", about="", price="5")
    service.publish(session, owner=mallory.id, profile_id=profile.id, may_be_paid=True)
    with pytest.raises(Conflict):
        service.subscribe(session, owner=mallory.id, profile_id=profile.id, copy_account_id=copy)
    assert session.exec(select(Subscription)).all() == []


def test_nobody_copies_in_a_circle(session: Session) -> None:
    profiles = {}
    persons = {}
    for name in ("ann", "ben", "cid"):
        person = people._registered(session, f"{name}@copytrade.example", is_trader=True, is_subscriber=True)
        lead = linked(session, person.id, role=Role.LEAD, api_key=name + "l" * 60)
        copy = linked(session, person.id, role=Role.COPY, api_key=name + "c" * 60)
        made = service.save_profile(session, owner=person.id, lead_account_id=lead, name=name, about="", price="5")
        service.publish(session, owner=person.id, profile_id=made.id, may_be_paid=True)
        profiles[name], persons[name] = made.id, (person.id, copy)
    for copier, trader in (("ann", "ben"), ("ben", "cid")):
        owner, copy = persons[copier]
        service.subscribe(session, owner=owner, profile_id=profiles[trader], copy_account_id=copy)
    owner, copy = persons["cid"]
    with pytest.raises(Conflict, match="copies user"):
        service.subscribe(session, owner=owner, profile_id=profiles["ann"], copy_account_id=copy)


def test_an_unpublished_trader_takes_nobody(session: Session) -> None:
    market = opened(session)
    service.unpublish(session, owner=market.alice.id, profile_id=market.profile_id)
    with pytest.raises(NotFound):
        subscribed(session, market)
    with pytest.raises(NotFound):
        service.subscribe(session, owner=market.bob.id, profile_id=uuid4(), copy_account_id=market.copy)


def test_the_account_has_to_be_ones_own_active_and_for_copying(session: Session) -> None:
    market, mallory = opened(session), people.mallory(session)
    with pytest.raises(NotFound):
        service.subscribe(session, owner=mallory.id, profile_id=market.profile_id, copy_account_id=market.copy)
    lead = linked(session, mallory.id, role=Role.LEAD, api_key="m" * 64)
    checking = taken(session, mallory.id, role=Role.COPY, api_key="n" * 64)
    for account in (lead, checking):
        with pytest.raises(InvalidInput) as refusal:
            service.subscribe(session, owner=mallory.id, profile_id=market.profile_id, copy_account_id=account)
        assert refusal.value.field == "copy_account_id"


def test_a_trader_who_is_no_subscriber_copies_nobody(session: Session) -> None:
    market = opened(session)
    with pytest.raises(NotAllowed):
        service.subscribe(session, owner=market.alice.id, profile_id=market.profile_id, copy_account_id=market.copy)


def test_mallory_neither_sees_nor_ends_bobs_subscription(session: Session) -> None:
    market, mallory = opened(session), people.mallory(session)
    id = subscribed(session, market)
    with pytest.raises(NotFound):
        queries.subscription(session, owner=mallory.id, subscription_id=id)
    with pytest.raises(NotFound):
        service.end(session, owner=mallory.id, subscription_id=id)
    assert queries.subscriptions_of(session, owner=mallory.id) == []
    assert queries.subscribers_of(session, owner=mallory.id, profile_id=market.profile_id) == []


def test_an_unpaid_renewal_is_copied_through_the_grace_then_opens_nothing_and_then_ends(session: Session) -> None:
    market = opened(session)
    id, until = subscribed(session, market), clock.now() + MONTH
    paid.entitle(session, subscription_id=id, until=until)
    paid.mark_past_due(session, subscription_id=id)
    within, after = until + GRACE - timedelta(seconds=1), until + GRACE
    assert queries.active_on_lead(session, lead_account_id=market.lead, now=within)[0].may_enter
    assert not queries.active_on_lead(session, lead_account_id=market.lead, now=after)[0].may_enter
    assert service.expire_due(session, within) == 0
    assert service.expire_due(session, after) == 1
    assert service.expire_due(session, after) == 0
    (left,) = queries.active_on_lead(session, lead_account_id=market.lead, now=after)
    assert (left.may_enter, left.end_mode) == (False, "follow_exits")
    assert queries.subscription(session, owner=market.bob.id, subscription_id=id).state == "unpaid"
    after += timedelta(days=settings().payment_unpaid_days)
    assert service.expire_due(session, after - timedelta(seconds=1)) == 0
    assert service.expire_due(session, after) == 1
    row = queries.subscription(session, owner=market.bob.id, subscription_id=id)
    assert (row.state, row.end_reason) == ("canceled", "given_up")
    service.finish(session, subscription_id=id)
    assert queries.active_on_lead(session, lead_account_id=market.lead, now=after) == []
    assert _kinds(session) == [
        "subscription.activated", "subscriber.joined", "subscription.past_due", "subscription.unpaid",
        "subscription.ended",
    ]  # fmt: skip


def test_one_that_is_not_renewed_has_no_grace(session: Session) -> None:
    market = opened(session)
    id, until = subscribed(session, market), clock.now() + MONTH
    paid.entitle(session, subscription_id=id, until=until)
    paid.set_ending(session, subscription_id=id, is_ending=True)
    assert service.expire_due(session, until - timedelta(seconds=1)) == 0
    assert service.expire_due(session, until) == 1


def test_the_old_period_read_again_leaves_a_late_one_late(session: Session) -> None:
    market = opened(session)
    id, until = subscribed(session, market), clock.now() + MONTH
    for _ in range(3):
        paid.entitle(session, subscription_id=id, until=until)
        paid.mark_past_due(session, subscription_id=id)
    assert queries.subscription(session, owner=market.bob.id, subscription_id=id).state == "past_due"
    assert _kinds(session).count("subscription.past_due") == 1


def test_a_late_payment_makes_a_late_one_active_again(session: Session) -> None:
    market = opened(session)
    id, now = subscribed(session, market), clock.now()
    paid.entitle(session, subscription_id=id, until=now + MONTH)
    paid.mark_past_due(session, subscription_id=id)
    paid.entitle(session, subscription_id=id, until=now + 2 * MONTH)
    row = queries.subscription(session, owner=market.bob.id, subscription_id=id)
    assert (row.state, row.entitled_until) == ("active", now + 2 * MONTH)


def test_an_ended_one_waits_for_copying_and_is_not_ended_twice(session: Session) -> None:
    market = opened(session)
    id = subscribed(session, market)
    paid.entitle(session, subscription_id=id, until=clock.now() + MONTH)
    service.end(session, owner=market.bob.id, subscription_id=id, mode=EndMode.CLOSE)
    (ended,) = queries.ended_unsettled(session)
    assert (ended.id, ended.end_mode) == (id, "close")
    assert queries.active_on_lead(session, lead_account_id=market.lead, now=clock.now()) == []
    with pytest.raises(Conflict):
        service.end(session, owner=market.bob.id, subscription_id=id)


def test_money_for_an_ended_one_rings_an_alarm_and_copies_nothing(session: Session) -> None:
    market = opened(session)
    id, now = subscribed(session, market), clock.now()
    paid.entitle(session, subscription_id=id, until=now + MONTH)
    service.end(session, owner=market.bob.id, subscription_id=id)
    for _ in range(2):
        paid.entitle(session, subscription_id=id, until=now + 2 * MONTH)
    row = queries.subscription(session, owner=market.bob.id, subscription_id=id)
    assert row.state == "canceled"
    assert session.exec(select(Event.kind).where(Event.kind == "alarm.paid_after_end")).all() == [
        "alarm.paid_after_end"
    ]


def test_one_that_was_never_paid_is_forgotten_quietly(session: Session) -> None:
    market = opened(session)
    subscribed(session, market)
    assert service.expire_due(session, clock.now() + service.UNPAID_FOR) == 1
    assert _kinds(session) == []
    assert queries.ended_unsettled(session) == []


def test_the_contracts_lists_tell_traders_and_their_subscribers(session: Session) -> None:
    market = opened(session)
    id = subscribed(session, market)
    paid.entitle(session, subscription_id=id, until=clock.now() + MONTH)
    (trader,) = queries.traders(session)
    assert (trader.user_id, trader.lead_account_id) == (market.alice.id, market.lead)
    (active,) = queries.subscribers_of_person(session, trader_id=market.alice.id, now=clock.now())
    assert active.subscriber_id == market.bob.id
    accounts.unlink(session, owner=market.alice.id, account_id=market.lead)
    assert queries.traders(session) == []


def test_a_trader_sees_who_subscribed(session: Session) -> None:
    market = opened(session)
    id = subscribed(session, market)
    assert queries.subscribers_of(session, owner=market.alice.id, profile_id=market.profile_id) == []
    paid.entitle(session, subscription_id=id, until=clock.now() + MONTH)
    (row,) = queries.subscribers_of(session, owner=market.alice.id, profile_id=market.profile_id)
    assert (row.subscription_id, row.state) == (id, State.ACTIVE)
