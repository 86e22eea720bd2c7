"""Paying as handlers see it: terms before, a no by country, coupons, cancelling, moving, nobody else's money."""

import asyncio
import base64
from collections.abc import Generator
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from sqlmodel import Session

from copytrade import clock
from copytrade.payments import coupons
from copytrade.payments.coupons import Offer
from copytrade.state import routes
from copytrade.state.subscribe import SUMMARY, Subscribe
from copytrade.state.subscriptions import Subscriptions
from copytrade.subscriptions import queries as subscriptions
from copytrade.subscriptions.models import Profile, Subscription
from copytrade.users.queries import Person
from tests.conftest import Sandbox
from tests.integration.accounts.linking import linked
from tests.integration.payments.books import chosen
from tests.integration.payments.buying import Buyer, own_clock
from tests.integration.payments.paying import Stripe, stripe_at
from tests.integration.subscriptions.market import Market
from tests.integration.subscriptions.market import opened as market_opened
from tests.integration.users import people
from tests.ui.asking import loaded, opened, sent, signed_in

FORM = {"consent": "yes", "country": "DE"}


@pytest.fixture
def stripe(sandbox: Sandbox) -> Generator[Stripe]:
    with stripe_at(sandbox.url) as made, own_clock():
        yield made


@pytest.fixture
def market(session: Session) -> Market:
    return market_opened(session)


def summary(session: Session, market: Market, person: Person | None = None, **query: str) -> Subscribe:
    """Return Bob's page at its third step."""
    person = person or market.bob
    page = opened(Subscribe, cookie=signed_in(session, person), path=routes.subscribe(market.slug), **query)
    object.__setattr__(page, "slug", market.slug)
    asyncio.run(loaded(page))
    asyncio.run(sent(page, "take_account", {"account": str(market.copy)}))
    asyncio.run(sent(page, "settle", {"mode": "ratio", "factor": "0.1"}))
    assert (page.problem, page.step) == ("", SUMMARY)
    return page


def arguments(event: Any) -> str:
    """Return what an event tells the browser."""
    return " ".join(str(value) for pair in event.args for value in pair)


def mine(session: Session, person: Person) -> Subscriptions:
    page = opened(Subscriptions, cookie=signed_in(session, person))
    asyncio.run(loaded(page))
    return page


def count(session: Session, market: Market) -> int:
    session.expire_all()
    return len(subscriptions.subscriptions_of(session, owner=market.bob.id))


def test_the_summary_says_what_is_charged_when_and_whose_it_is(session: Session, market: Market) -> None:
    terms = summary(session, market).terms
    assert terms.today == "$29"
    assert terms.then.startswith("$29 a month, first on ")
    assert terms.share == "80% of what you pay goes to Nordwind, the rest to the platform."
    assert (terms.trial, terms.coupon) == ("", "")
    assert terms.refund == "If you stop at once, the rest of the paid month is not given back."
    with chosen(refund="pro_rata"):
        assert "go back to your card" in summary(session, market).terms.refund


def test_a_trial_is_told_with_its_end_and_is_there_once(session: Session, market: Market) -> None:
    session.get_one(Profile, market.profile_id).trial_days = 7
    session.commit()
    terms = summary(session, market).terms
    assert terms.today == "Nothing. You leave a card; it is not charged."
    assert terms.trial.startswith("7 days free, until ")
    before = Subscription(
        subscriber_id=market.bob.id, profile_id=market.profile_id, trader_id=market.alice.id,
        lead_account_id=market.lead, copy_account_id=market.copy, state="canceled", price=Decimal(29), currency="usd",
        started_at=clock.now(), ended_at=clock.now(), created_at=clock.now(),
    )  # fmt: skip
    session.add(before)
    session.commit()
    assert summary(session, market).terms.today == "$29"


def test_a_country_where_it_is_off_gets_a_clear_no_before_anything_is_made(session: Session, market: Market) -> None:
    with chosen(paid_copying_off='["DE"]'):
        page = summary(session, market)
        asyncio.run(sent(page, "state_country", "DE"))
        assert page.refused.startswith("Subscribing for money is not possible where you live.")
        asyncio.run(sent(page, "pay", FORM))
        assert page.problem.startswith("Subscribing for money is not possible where you live.")
        assert count(session, market) == 0
        asyncio.run(sent(page, "state_country", "AT"))
        assert page.refused == ""


def test_a_coupon_is_checked_shown_and_taken_along(session: Session, stripe: Stripe, market: Market) -> None:
    coupons.create(session, owner=market.alice.id, profile_id=market.profile_id, offer=Offer("SPRING", Decimal(20)))
    session.commit()
    page = summary(session, market)
    asyncio.run(sent(page, "use_code", {"code": "winter"}))
    assert (page.code_fault, page.code, page.terms.today) == ("This code is not valid here.", "", "$29")
    asyncio.run(sent(page, "use_code", {"code": " spring "}))
    assert (page.code_fault, page.code, page.terms.today) == ("", "SPRING", "$23.20")
    assert page.terms.coupon == "SPRING: 20% off the first payment."
    assert page.terms.then.startswith("$29 a month, first on ")
    assert "/stripe/" in arguments(asyncio.run(sent(page, "pay", FORM)))
    asyncio.run(sent(page, "drop_code"))
    assert (page.code, page.terms.today) == ("", "$29")


def test_stripe_down_says_so_and_loses_nothing(session: Session, stripe: Stripe, market: Market) -> None:
    stripe.control("POST", "faults", kind="error_before", match="POST /v1/checkout/sessions", count=50)
    page = summary(session, market)
    assert asyncio.run(sent(page, "pay", FORM)) is None
    assert page.problem == "The payment service did not answer. Nothing was charged; please try again."
    assert (page.step, page.account_id, page.country) == (SUMMARY, str(market.copy), "DE")
    assert [line.state for line in mine(session, market.bob).rows] == ["incomplete"]
    stripe.control("DELETE", "faults")
    assert "/stripe/" in arguments(asyncio.run(sent(page, "pay", FORM)))


def test_a_second_tab_is_told_that_it_is_paid(session: Session, stripe: Stripe, market: Market) -> None:
    second = summary(session, market)
    Buyer(session, stripe, market).buy()
    asyncio.run(sent(second, "pay", FORM))
    assert second.problem == "You are subscribed to this trader already."
    asyncio.run(loaded(second))
    assert second.is_running


def test_coming_back_promises_nothing_until_the_invoice_is_paid(
    session: Session, stripe: Stripe, market: Market
) -> None:
    buyer = Buyer(session, stripe, market)
    query = {"subscription": str(buyer.id), "payment": "paid"}
    page = opened(Subscribe, cookie=signed_in(session, market.bob), path=routes.subscribe(market.slug), **query)
    object.__setattr__(page, "slug", market.slug)
    asyncio.run(loaded(page))
    assert page.paid == "processing"
    assert not buyer.may_enter
    buyer.buy()
    asyncio.run(loaded(page))
    assert page.paid == "active"


def test_it_is_cancelled_taken_back_and_its_invoice_is_there(session: Session, stripe: Stripe, market: Market) -> None:
    buyer = Buyer(session, stripe, market)
    buyer.buy()
    page = mine(session, market.bob)
    [line] = page.rows
    assert (line.state, line.may_cancel, line.may_go_on) == ("active", True, False)
    assert line.next.startswith("next charge ")
    assert line.next.endswith(": $29")
    assert line.stopping.startswith("What is paid until ")
    [invoice] = page.invoices
    assert (invoice.name, invoice.amount, invoice.back) == ("Nordwind", "$29", "")
    assert invoice.pdf.startswith("http")
    asyncio.run(sent(page, "cancel", line.id))
    assert page.problem == ""
    asyncio.run(loaded(page))
    [line] = page.rows
    assert (line.may_cancel, line.may_go_on) == (False, True)
    assert line.next.startswith("runs until ")
    asyncio.run(sent(page, "take_back", line.id))
    asyncio.run(loaded(page))
    assert page.rows[0].may_cancel
    sheet = arguments(asyncio.run(sent(page, "export"))).split("base64,")[1].split('"')[0]
    assert ",Nordwind," in base64.b64decode(sheet).decode()


@pytest.mark.parametrize("handler", ["cancel", "take_back", "choose_account"])
def test_nobody_touches_anothers(session: Session, stripe: Stripe, market: Market, handler: str) -> None:
    buyer = Buyer(session, stripe, market)
    buyer.buy()
    page = mine(session, people.mallory(session))
    asyncio.run(sent(page, handler, str(buyer.id)))
    assert page.problem == "There is no such subscription."
    assert not buyer.row.is_ending
    assert (page.invoices, page.moving) == ([], "")


def test_what_stopping_gives_back_is_said_before(session: Session, stripe: Stripe, market: Market) -> None:
    with chosen(refund="pro_rata"):
        buyer = Buyer(session, stripe, market)
        buyer.buy()
        assert mine(session, market.bob).rows[0].stopping.startswith("About $")


def test_a_late_payment_says_until_when_copying_goes_on(session: Session, stripe: Stripe, market: Market) -> None:
    buyer = Buyer(session, stripe, market)
    buyer.buy()
    buyer.card("4000 0000 0000 0341")
    buyer.later(32)
    [line] = mine(session, market.bob).rows
    assert line.state == "past_due"
    assert line.late.startswith("The last payment failed. Copying goes on until ")
    buyer.later(3)
    [line] = mine(session, market.bob).rows
    assert line.state == "unpaid"
    assert line.late.startswith("This month is not paid: exits are followed")


def test_it_moves_to_another_account_of_ones_own(session: Session, stripe: Stripe, market: Market) -> None:
    buyer = Buyer(session, stripe, market)
    buyer.buy()
    other = linked(session, market.bob.id, api_key="c" * 64)
    foreign = linked(session, people.mallory(session).id, api_key="d" * 64)
    page = mine(session, market.bob)
    asyncio.run(sent(page, "choose_account", str(buyer.id)))
    assert [one.id for one in page.others] == [str(other)]
    asyncio.run(sent(page, "move", {"account": str(foreign), "mode": "keep"}))
    assert page.problem == "There is no such exchange account."
    asyncio.run(sent(page, "move", {"account": str(other), "mode": "explode"}))
    assert page.problem == "Please choose one of the list."
    asyncio.run(sent(page, "move", {"account": str(other), "mode": "keep"}))
    assert (page.problem, page.moving) == ("", "")
    live = [row for row in subscriptions.subscriptions_of(session, owner=market.bob.id) if row.state == "active"]
    assert [row.copy_account_id for row in live] == [other]


def test_an_announced_price_is_told_with_its_day(session: Session, stripe: Stripe, market: Market) -> None:
    buyer = Buyer(session, stripe, market)
    buyer.buy()
    row = session.get_one(Subscription, buyer.id)
    row.next_price, row.next_price_from = Decimal(35), clock.now()
    session.commit()
    [line] = mine(session, market.bob).rows
    assert line.new_price.endswith("on it costs $35 a month instead of $29. You may cancel before.")
    assert UUID(line.id) == buyer.id
