"""How a trader comes to be paid: onboarded on Stripe's own pages, held back, cut off; and who may publish."""

from uuid import UUID

import httpx
import pytest
from sqlmodel import Session, select

from copytrade.db.events import Event
from copytrade.domain.instruments import Role
from copytrade.errors import Conflict, NotAllowed, NotFound
from copytrade.payments import connect, connect_gateway
from copytrade.payments.gateway import PaymentsUnavailable
from copytrade.payments.ledger_models import PayoutAccount
from copytrade.subscriptions import profiles
from tests.integration.accounts.linking import linked
from tests.integration.payments.paying import Stripe
from tests.integration.users import people

FORM = {"first": "Alice", "last": "Trader", "email": "alice@copytrade.example", "iban": "DE89370400440532013000"}


@pytest.fixture
def alice(session: Session) -> UUID:
    return people.alice(session).id


def go_through(session: Session, owner: UUID, action: str = "finish") -> httpx.Response:
    """Follow the link to Stripe's onboarding and press a button there; return where that leads."""
    url = connect.onboarding_url(session, owner=owner)
    session.commit()
    page = httpx.get(url).headers["location"]
    return httpx.post(page, data=FORM | {"action": action})


def account_id(session: Session) -> str:
    return session.exec(select(PayoutAccount.stripe_account_id)).one()


def test_a_trader_who_told_stripe_everything_can_be_paid(session: Session, stripe: Stripe, alice: UUID) -> None:
    before = connect.standing(session, owner=alice)
    assert (before.has_account, before.may_be_paid) == (False, False)
    back = go_through(session, alice)
    assert back.headers["location"].endswith(connect.BACK)
    assert not connect.may_be_paid(session, user_id=alice)
    after = connect.look_again(session, owner=alice)
    assert (after.may_be_paid, after.is_submitted, after.needs, after.is_held_back) == (True, True, (), False)
    assert connect.may_be_paid(session, user_id=alice)
    assert session.exec(select(Event.kind).where(Event.user_id == alice)).all().count("payouts.ready") == 1
    assert "alice@copytrade.example" in httpx.get(connect.dashboard_url(session, owner=alice)).text


def test_what_stripe_says_by_webhook_is_read_again_and_believed(session: Session, stripe: Stripe, alice: UUID) -> None:
    go_through(session, alice)
    stripe.wait_for("account.updated")
    stripe.hand_over(session)
    assert connect.may_be_paid(session, user_id=alice)
    stripe.control("POST", "onboard", account=account_id(session), state="restricted")
    stripe.wait_for("account.updated")
    stripe.hand_over(session)
    standing = connect.standing(session, owner=alice)
    assert (standing.may_be_paid, standing.is_held_back) == (False, True)
    kinds = session.exec(select(Event.kind).where(Event.user_id == alice)).all()
    assert (kinds.count("payouts.ready"), kinds.count("payouts.restricted")) == (1, 1)


def test_a_document_that_is_still_asked_for_is_said_in_plain_words(
    session: Session, stripe: Stripe, alice: UUID
) -> None:
    go_through(session, alice, "more")
    standing = connect.look_again(session, owner=alice)
    assert (standing.may_be_paid, standing.needs) == (False, ("A document that shows who you are",))
    go_through(session, alice)
    assert connect.look_again(session, owner=alice).may_be_paid


def test_who_leaves_the_onboarding_comes_back_to_the_same_account(
    session: Session, stripe: Stripe, alice: UUID
) -> None:
    go_through(session, alice, "later")
    first = account_id(session)
    standing = connect.look_again(session, owner=alice)
    assert (standing.has_account, standing.is_submitted, standing.is_held_back) == (True, False, False)
    assert {"Your bank account", "Your name", "Your date of birth", "Your consent to Stripe's terms"} <= set(
        standing.needs
    )
    go_through(session, alice)
    assert account_id(session) == first
    assert connect.look_again(session, owner=alice).may_be_paid


def test_a_crash_after_stripe_made_the_account_makes_no_second_one(
    session: Session, stripe: Stripe, alice: UUID
) -> None:
    nested = session.begin_nested()
    connect.onboarding_url(session, owner=alice)
    first = account_id(session)
    nested.rollback()
    session.expire_all()
    assert session.exec(select(PayoutAccount)).all() == []
    connect.onboarding_url(session, owner=alice)
    assert account_id(session) == first


def test_a_link_that_was_used_leads_to_a_fresh_one(session: Session, stripe: Stripe, alice: UUID) -> None:
    url = connect.onboarding_url(session, owner=alice)
    httpx.get(url)
    assert httpx.get(url).headers["location"].endswith(connect.AGAIN)


def test_an_account_that_is_gone_is_not_paid_any_more(session: Session, stripe: Stripe, alice: UUID) -> None:
    go_through(session, alice)
    assert connect.look_again(session, owner=alice).may_be_paid
    deleted = httpx.delete(
        f"{stripe.url}/v1/accounts/{account_id(session)}", headers={"Authorization": "Bearer sk_test_x"}
    )
    assert deleted.json()["deleted"] is True
    assert connect.refresh(session, stripe_account_id=account_id(session))
    assert not connect.may_be_paid(session, user_id=alice)


def test_a_stripe_that_is_away_leaves_the_account_as_it_was(session: Session, stripe: Stripe, alice: UUID) -> None:
    go_through(session, alice)
    connect.look_again(session, owner=alice)
    stripe.control("POST", "faults", kind="error_before", match="GET /v1/accounts", count=9)
    with pytest.raises(PaymentsUnavailable):
        connect.refresh(session, stripe_account_id=account_id(session))
    assert connect.may_be_paid(session, user_id=alice)


def test_an_account_of_nobody_here_is_none_of_ours(session: Session, stripe: Stripe, alice: UUID) -> None:
    made = connect_gateway.create_account(user_id=alice, email="alice@copytrade.example")
    assert not connect.refresh(session, stripe_account_id=made.id)


def test_a_price_is_published_only_by_who_can_be_paid(session: Session, stripe: Stripe, alice: UUID) -> None:
    lead = linked(session, alice, role=Role.LEAD)
    profile = profiles.save_profile(session, owner=alice, lead_account_id=lead, name="Nordwind", about="", price="29")
    with pytest.raises(Conflict, match="cannot be paid") as refusal:
        connect.publish_profile(session, owner=alice, profile_id=profile.id)
    assert refusal.value.user.text.startswith("Set up your payouts first")
    assert not profile.is_published
    go_through(session, alice)
    connect.look_again(session, owner=alice)
    connect.publish_profile(session, owner=alice, profile_id=profile.id)
    assert profile.is_published


def test_mallory_publishes_nothing_of_alices_and_sees_nothing_of_her_account(
    session: Session, stripe: Stripe, alice: UUID
) -> None:
    lead = linked(session, alice, role=Role.LEAD)
    profile = profiles.save_profile(session, owner=alice, lead_account_id=lead, name="Nordwind", about="", price="29")
    go_through(session, alice)
    connect.look_again(session, owner=alice)
    mallory = people.mallory(session).id
    with pytest.raises(NotFound):
        connect.publish_profile(session, owner=mallory, profile_id=profile.id)
    with pytest.raises(Conflict, match="was not onboarded"):
        connect.dashboard_url(session, owner=mallory)
    assert not connect.look_again(session, owner=mallory).has_account


def test_who_only_subscribes_is_not_onboarded(session: Session, stripe: Stripe) -> None:
    bob = people.bob(session).id
    with pytest.raises(NotAllowed):
        connect.onboarding_url(session, owner=bob)
    assert session.exec(select(PayoutAccount)).all() == []
