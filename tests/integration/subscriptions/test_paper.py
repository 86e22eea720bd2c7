"""Subscriptions onto paper accounts: free, active at once, without end, ended by their owner or with the profile."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlmodel import Session, select

from copytrade import clock
from copytrade.accounts import checking, paper
from copytrade.accounts.checking import Examined
from copytrade.db.events import Event
from copytrade.domain.instruments import Role
from copytrade.errors import Conflict, InvalidInput, NotFound
from copytrade.payments import service as payments
from copytrade.subscriptions import queries, service
from copytrade.subscriptions.models import Subscription
from tests import paid
from tests.integration.accounts.linking import MAY_TRADE, equity, linked
from tests.integration.subscriptions.market import Market, opened, subscribed
from tests.integration.users import people

YEARS = timedelta(days=1000)


def paper_account(session: Session, owner: UUID, *, venue: str = "binance", is_active: bool = True) -> UUID:
    account_id = paper.open_account(session, owner=owner, venue=venue, market="perpetual")
    session.commit()
    if is_active:
        checking.settle(account_id, Examined(permissions=MAY_TRADE, equity=equity("10000")))
        session.expire_all()
    return account_id


def tried(session: Session, market: Market) -> UUID:
    account_id = paper_account(session, market.bob.id)
    row = service.subscribe(session, owner=market.bob.id, profile_id=market.profile_id, copy_account_id=account_id)
    session.commit()
    return row.id


def test_it_is_active_at_once_free_and_has_no_end(session: Session) -> None:
    market = opened(session)
    id = tried(session, market)
    row = queries.subscription(session, owner=market.bob.id, subscription_id=id)
    assert (row.state, row.is_paper, row.price, row.entitled_until, row.access_until) == ("active", True, 0, None, None)
    later = clock.now() + YEARS
    (active,) = queries.active_on_lead(session, lead_account_id=market.lead, now=later)
    assert (active.id, active.may_enter, active.is_paper) == (id, True, True)
    assert service.expire_due(session, later) == 0


def test_it_counts_as_no_subscriber_and_nobody_is_told_that_somebody_joined(session: Session) -> None:
    market = opened(session)
    tried(session, market)
    assert queries.profile(session, market.profile_id).subscribers == 0
    assert queries.subscribers_of(session, owner=market.alice.id, profile_id=market.profile_id) == []
    assert queries.subscribers_of_person(session, trader_id=market.alice.id, now=clock.now()) == []
    assert session.exec(select(Event).where(Event.kind == "subscriber.joined")).all() == []


def test_a_paid_one_stands_beside_it_and_a_second_on_paper_does_not(session: Session) -> None:
    market = opened(session)
    trying, paying = tried(session, market), subscribed(session, market)
    paid.entitle(session, subscription_id=paying, until=clock.now() + timedelta(days=30))
    assert queries.profile(session, market.profile_id).subscribers == 1
    found = queries.active_on_lead(session, lead_account_id=market.lead, now=clock.now())
    assert {one.id: one.is_paper for one in found} == {trying: True, paying: False}
    with pytest.raises(Conflict, match="on paper"):
        tried(session, market)


def test_it_can_be_neither_paid_nor_billed(session: Session) -> None:
    market = opened(session)
    id = tried(session, market)
    with pytest.raises(Conflict, match="on paper"):
        payments.start_payment(session, owner=market.bob.id, subscription_id=id)
    with pytest.raises(Conflict, match="on paper"):
        paid.entitle(session, subscription_id=id, until=clock.now() + YEARS)


def test_its_owner_stops_it_and_takes_it_up_again(session: Session) -> None:
    market = opened(session)
    id = tried(session, market)
    with pytest.raises(NotFound):
        service.end(session, owner=people.mallory(session).id, subscription_id=id)
    service.end(session, owner=market.bob.id, subscription_id=id)
    session.commit()
    assert queries.subscription(session, owner=market.bob.id, subscription_id=id).state == "canceled"
    assert [ended.id for ended in queries.ended_unsettled(session)] == [id]
    assert tried(session, market) != id


def test_it_ends_where_the_trader_is_published_no_more(session: Session) -> None:
    market = opened(session)
    trying, paying = tried(session, market), subscribed(session, market)
    paid.entitle(session, subscription_id=paying, until=clock.now() + timedelta(days=30))
    assert service.expire_due(session, clock.now()) == 0
    service.unpublish(session, owner=market.alice.id, profile_id=market.profile_id)
    assert service.expire_due(session, clock.now()) == 1
    rows = {row.id: row.state for row in queries.subscriptions_of(session, owner=market.bob.id)}
    assert rows == {trying: "canceled", paying: "active"}


def test_it_needs_an_account_of_ones_own_at_the_traders_place_that_works(session: Session) -> None:
    market, mallory = opened(session), people.mallory(session)
    bobs = paper_account(session, market.bob.id)
    with pytest.raises(NotFound):
        service.subscribe(session, owner=mallory.id, profile_id=market.profile_id, copy_account_id=bobs)
    elsewhere = paper_account(session, mallory.id, venue="bybit")
    checking_still = paper_account(session, mallory.id, is_active=False)
    for account_id in (elsewhere, checking_still):
        with pytest.raises(InvalidInput) as refusal:
            service.subscribe(session, owner=mallory.id, profile_id=market.profile_id, copy_account_id=account_id)
        assert refusal.value.field == "copy_account_id"
    assert session.exec(select(Subscription)).all() == []


def test_play_money_makes_no_circle(session: Session) -> None:
    ann, ben = (
        people._registered(session, f"{name}@copytrade.example", is_trader=True, is_subscriber=True)
        for name in ("ann", "ben")
    )
    profiles = {}
    for person in (ann, ben):
        name = person.email.partition("@")[0]
        lead = linked(session, person.id, role=Role.LEAD, api_key=name + "l" * 60)
        made = service.save_profile(session, owner=person.id, lead_account_id=lead, name=name, about="", price="5")
        service.publish(session, owner=person.id, profile_id=made.id, may_be_paid=True)
        profiles[person.id] = made.id
    for copier, copied in ((ann, ben), (ben, ann)):
        account_id = paper_account(session, copier.id)
        service.subscribe(session, owner=copier.id, profile_id=profiles[copied.id], copy_account_id=account_id)
    assert [row.price for row in session.exec(select(Subscription))] == [0, 0]
