"""A trader's profile: made, changed, published."""

from decimal import Decimal

import pytest
from sqlmodel import Session, select

from copytrade.accounts import service as accounts
from copytrade.db.events import Event
from copytrade.domain.instruments import Role
from copytrade.errors import Conflict, InvalidInput, NotAllowed, NotFound
from copytrade.subscriptions import queries, service
from copytrade.subscriptions.models import Profile
from tests.integration.accounts.linking import linked, taken
from tests.integration.subscriptions.market import opened
from tests.integration.users import people


def test_a_published_profile_stands_in_the_list_with_its_price(session: Session) -> None:
    market = opened(session, price="29.90")
    (row,) = queries.published(session)
    assert (row.slug, row.price, row.currency, row.venue, row.market) == (
        "nordwind", Decimal("29.90"), "usd", "binance", "perpetual",
    )  # fmt: skip
    assert queries.profile_by_slug(session, "nordwind").id == market.profile_id
    kinds = session.exec(select(Event.kind).where(Event.user_id == market.alice.id)).all()
    assert kinds.count("profile.published") == 1


def test_publishing_twice_tells_once(session: Session) -> None:
    market = opened(session)
    service.publish(session, owner=market.alice.id, profile_id=market.profile_id, may_be_paid=True)
    assert session.exec(select(Event.kind).where(Event.kind == "profile.published")).all() == ["profile.published"]


@pytest.mark.parametrize("price", ["0", "-1", "1e9", "abc"])
def test_an_impossible_price_is_refused_and_nothing_is_stored(session: Session, price: str) -> None:
    alice = people.alice(session)
    lead = linked(session, alice.id, role=Role.LEAD)
    with pytest.raises(InvalidInput) as refusal:
        service.save_profile(session, owner=alice.id, lead_account_id=lead, name="N w", about="", price=price)
    assert refusal.value.field == "price"
    assert session.exec(select(Profile)).all() == []


@pytest.mark.parametrize("name", ["", " a ", "x" * 41, "a\x00b\x00c"])
def test_a_name_too_short_too_long_or_unprintable_is_refused(session: Session, name: str) -> None:
    alice = people.alice(session)
    lead = linked(session, alice.id, role=Role.LEAD)
    with pytest.raises(InvalidInput) as refusal:
        service.save_profile(session, owner=alice.id, lead_account_id=lead, name=name, about="", price="5")
    assert refusal.value.field == "name"


def test_a_name_is_taken_whatever_its_case(session: Session) -> None:
    opened(session)
    mallory = people.mallory(session)
    lead = linked(session, mallory.id, role=Role.LEAD, api_key="m" * 64)
    with pytest.raises(Conflict) as refusal:
        service.save_profile(session, owner=mallory.id, lead_account_id=lead, name="NORDWIND", about="", price="5")
    assert refusal.value.field == "name"


def test_an_account_has_one_profile(session: Session) -> None:
    market = opened(session)
    with pytest.raises(Conflict):
        service.save_profile(
            session, owner=market.alice.id, lead_account_id=market.lead, name="Other", about="", price="5"
        )


def test_a_subscriber_and_a_copy_account_make_no_profile(session: Session) -> None:
    market = opened(session)
    with pytest.raises(NotAllowed):
        service.save_profile(session, owner=market.bob.id, lead_account_id=market.copy, name="Bob", about="", price="5")
    mallory = people.mallory(session)
    copy = linked(session, mallory.id, role=Role.COPY, api_key="m" * 64)
    with pytest.raises(InvalidInput):
        service.save_profile(session, owner=mallory.id, lead_account_id=copy, name="Mal", about="", price="5")


def test_a_profile_with_an_unchecked_account_is_not_published(session: Session) -> None:
    alice = people.alice(session)
    lead = taken(session, alice.id, role=Role.LEAD)
    profile = service.save_profile(session, owner=alice.id, lead_account_id=lead, name="Early", about="", price="5")
    with pytest.raises(Conflict):
        service.publish(session, owner=alice.id, profile_id=profile.id, may_be_paid=True)
    assert queries.published(session) == []


def test_mallory_neither_changes_publishes_nor_takes_alices_account(session: Session) -> None:
    market, mallory = opened(session), people.mallory(session)
    with pytest.raises(NotFound):
        service.unpublish(session, owner=mallory.id, profile_id=market.profile_id)
    with pytest.raises(NotFound):
        service.publish(session, owner=mallory.id, profile_id=market.profile_id, may_be_paid=True)
    with pytest.raises(NotFound):
        service.save_profile(session, owner=mallory.id, lead_account_id=market.lead, name="Mine", about="", price="5")
    lead = linked(session, mallory.id, role=Role.LEAD, api_key="m" * 64)
    with pytest.raises(NotFound):
        service.save_profile(
            session,
            owner=mallory.id,
            profile_id=market.profile_id,
            lead_account_id=lead,
            name="Mine",
            about="",
            price="5",
        )
    assert queries.profile_by_slug(session, market.slug).name == "Nordwind"


def test_a_profile_that_was_never_public_is_seen_by_its_trader_only(session: Session) -> None:
    alice = people.alice(session)
    lead = linked(session, alice.id, role=Role.LEAD)
    profile = service.save_profile(session, owner=alice.id, lead_account_id=lead, name="Draft", about="", price="5")
    assert queries.profile_by_slug(session, "draft", viewer=alice.id).id == profile.id
    with pytest.raises(NotFound):
        queries.profile_by_slug(session, "draft")


def test_two_names_with_the_same_letters_get_two_addresses(session: Session) -> None:
    alice = people.alice(session)
    slugs = []
    for number, name in enumerate(["Nord wind", "Nord-wind", "Nord, wind"]):
        lead = linked(session, alice.id, role=Role.LEAD, api_key=str(number) * 64)
        slugs.append(
            service.save_profile(session, owner=alice.id, lead_account_id=lead, name=name, about="", price="5").slug
        )
    assert slugs == ["nord-wind", "nord-wind-2", "nord-wind-3"]


def test_a_profile_outlives_its_unlinked_account(session: Session) -> None:
    market = opened(session)
    accounts.unlink(session, owner=market.alice.id, account_id=market.lead)
    assert queries.profile_by_slug(session, market.slug).venue == "binance"
