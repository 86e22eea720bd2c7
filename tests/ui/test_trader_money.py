"""A trader's and an operator's money as handlers see it: figures, payouts with their lines, being set up, the rules."""

import asyncio
from collections.abc import Generator
from decimal import Decimal

import httpx
import pytest
from sqlmodel import Session, select

from copytrade import clock
from copytrade.domain.instruments import Role
from copytrade.notifications.texts import text_of
from copytrade.payments import connect, ledger, payouts
from copytrade.payments.ledger_models import Dispute, MoneyDifference
from copytrade.payments.models import WebhookEvent
from copytrade.state import routes
from copytrade.state.desk import Desk
from copytrade.state.earnings import Earnings
from copytrade.state.operator_money import OperatorMoney
from copytrade.subscriptions.models import Profile
from copytrade.users import service as users
from copytrade.users.queries import Person, person_by_email
from tests.conftest import Sandbox
from tests.integration.accounts.linking import linked
from tests.integration.payments.books import DAY, Books, chosen
from tests.integration.payments.buying import own_clock
from tests.integration.payments.paying import Stripe, stripe_at
from tests.integration.payments.test_connect import FORM
from tests.integration.subscriptions.market import opened as market_opened
from tests.integration.users import people
from tests.ui.asking import loaded, opened, sent, signed_in
from tests.ui.test_paying import arguments


@pytest.fixture
def stripe(sandbox: Sandbox) -> Generator[Stripe]:
    with stripe_at(sandbox.url) as made, own_clock():
        yield made


def alice(session: Session) -> Person:
    """Return Alice, registered once."""
    return person_by_email(session, "alice@copytrade.example") or people.alice(session)


@pytest.fixture
def books(session: Session) -> Books:
    return Books(session, trader=alice(session).id)


def earnings(session: Session) -> Earnings:
    page = opened(Earnings, cookie=signed_in(session, alice(session)))
    asyncio.run(loaded(page))
    return page


def desk(session: Session) -> Desk:
    page = opened(Desk, cookie=signed_in(session, alice(session)))
    asyncio.run(loaded(page))
    return page


def money(session: Session) -> OperatorMoney:
    olga, _ = users.make_operator(session, email="olga@copytrade.example")
    page = opened(OperatorMoney, cookie=signed_in(session, olga))
    asyncio.run(loaded(page))
    return page


def set_up(session: Session) -> None:
    """Follow Alice's link to Stripe's onboarding to its end."""
    url = connect.onboarding_url(session, owner=alice(session).id)
    session.commit()
    httpx.post(httpx.get(url).headers["location"], data=FORM | {"action": "finish"})
    assert connect.look_again(session, owner=alice(session).id).may_be_paid
    session.commit()


def test_nothing_earned_says_what_comes_and_leads_to_stripe(session: Session, stripe: Stripe) -> None:
    page = earnings(session)
    assert (page.standing.step, page.share_told, page.upcoming.owed) == ("none", "80%", "$0")
    assert page.upcoming.told == "once your payouts are set up"
    assert (page.payouts, page.paid, page.chart.rows) == ([], [], [])
    assert "/stripe/" in arguments(asyncio.run(sent(page, "get_paid")))
    asyncio.run(loaded(page))
    assert page.standing.step == "begun"
    assert "Your bank account" in page.standing.needs
    asyncio.run(sent(page, "dashboard"))
    assert page.problem == "Set up your payouts first."
    set_up(session)
    asyncio.run(loaded(page))
    assert page.standing.step == "ready"
    assert "/stripe/" in arguments(asyncio.run(sent(page, "dashboard")))


def test_months_and_what_is_next_are_told_with_why(session: Session, stripe: Stripe, books: Books) -> None:
    set_up(session)
    books.pay(2900, days_ago=40)
    books.pay(2900)
    session.commit()
    with chosen(payout_every="daily"):
        page = earnings(session)
        assert (page.upcoming.owed, page.upcoming.next, page.upcoming.held) == ("$46.40", "$0", "$23.20")
        assert page.upcoming.told.endswith("at least $25 has to be free")
        books.pay(1000, days_ago=40)
        session.commit()
        page = earnings(session)
        assert (page.upcoming.next, page.upcoming.told[:3]) == ("$31.20", "on ")
    assert page.chart.summary.startswith("You earned $54.40 in these months")
    assert [len(row) for row in page.chart.rows] == [7] * len(page.chart.rows)
    assert [line.mine for line in page.paid] == ["$23.20", "$8", "$23.20"]
    assert page.paid[0].note.startswith("held until ")


def test_a_debt_is_explained(session: Session, stripe: Stripe, books: Books) -> None:
    set_up(session)
    number = books.pay(5000, days_ago=9)
    with chosen(payout_every="daily"):
        assert payouts.plan(session, trader_id=books.trader, currency="usd") is not None
    books.refund(number, 5000)
    session.commit()
    page = earnings(session)
    assert page.upcoming.debt.startswith("You owe $40:")
    assert page.upcoming.owed == "−$40"


def test_a_payout_shows_its_lines_to_its_trader_alone(session: Session, stripe: Stripe, books: Books) -> None:
    set_up(session)
    number = books.pay(5000, days_ago=9)
    books.refund(number, 1000)
    with chosen(payout_every="daily"):
        made = payouts.plan(session, trader_id=books.trader, currency="usd")
    assert made is not None
    session.commit()
    page = earnings(session)
    [line] = page.payouts
    assert (line.amount, line.state, line.note) == ("$32", "on its way", "2 lines")
    asyncio.run(sent(page, "open", line.id))
    assert [(one.what, one.amount) for one in page.parts] == [("a payment", "+$40"), ("a refund", "−$8")]
    asyncio.run(sent(page, "open", line.id))
    assert (page.opened, page.parts) == ("", [])
    other = opened(Earnings, cookie=signed_in(session, people.mallory(session)))
    asyncio.run(sent(other, "open", line.id))
    assert (other.problem, other.parts) == ("There is no such payout.", [])


def test_publishing_waits_for_payouts_and_says_the_way_out(session: Session, stripe: Stripe) -> None:
    lead = linked(session, alice(session).id, role=Role.LEAD, api_key="a" * 64)
    page = desk(session)
    asyncio.run(sent(page, "edit", "new"))
    form = {"lead_account_id": str(lead), "name": "Nordwind", "about": "", "price": "29", "currency": "usd",
            "trial_days": "7"}  # fmt: skip
    asyncio.run(sent(page, "save", form))
    assert page.problem == ""
    asyncio.run(loaded(page))
    [line] = page.profiles
    assert (line.price, line.trial, line.share, page.may_be_paid) == ("$29", "7 days free", "$23.20", False)
    asyncio.run(sent(page, "publish", line.id))
    assert page.problem.startswith("Set up your payouts first")
    set_up(session)
    asyncio.run(sent(page, "publish", line.id))
    assert page.problem == ""
    asyncio.run(loaded(page))
    assert (page.profiles[0].is_published, page.may_be_paid) == (True, True)
    asyncio.run(sent(page, "unpublish", line.id))
    asyncio.run(loaded(page))
    assert not page.profiles[0].is_published


@pytest.mark.parametrize(
    ("field", "value"),
    [("price", "0"), ("price", "-1"), ("price", "1.999"), ("currency", "xxx"), ("trial_days", "400"),
     ("trial_days", "1.5"), ("trial_days", "x")],
)  # fmt: skip
def test_a_price_that_cannot_be_is_told(session: Session, field: str, value: str) -> None:
    market = market_opened(session)
    page = desk(session)
    asyncio.run(sent(page, "edit", str(market.profile_id)))
    form = {"name": "Nordwind", "about": "", "price": "30", "currency": "usd", "trial_days": "0", field: value}
    asyncio.run(sent(page, "save", form))
    assert page.problem
    session.expire_all()
    assert session.get_one(Profile, market.profile_id).price == 29


def test_coupons_are_made_listed_and_ended_by_their_trader(session: Session, stripe: Stripe) -> None:
    market = market_opened(session)
    page = desk(session)
    asyncio.run(sent(page, "show_coupons", str(market.profile_id)))
    assert (page.couponing, page.coupons) == (str(market.profile_id), [])
    form = {"code": "spring", "off": "20", "kind": "percent", "duration": "repeating", "months": "3", "most": "5",
            "ends_on": f"{clock.now() + 40 * DAY:%Y-%m-%d}"}  # fmt: skip
    asyncio.run(sent(page, "make_coupon", form))
    assert page.problem == ""
    [line] = page.coupons
    assert (line.code, line.told, line.used, line.is_live) == (
        "SPRING", "20% off for 3 months.", "used 0 times of 5", True
    )  # fmt: skip
    asyncio.run(sent(page, "make_coupon", form | {"code": "other", "months": "1.5"}))
    assert page.problem == "Please type a whole number."
    asyncio.run(sent(page, "make_coupon", form | {"code": "other", "ends_on": "tomorrow"}))
    assert page.problem == "Please type a day."
    asyncio.run(sent(page, "end_coupon", line.id))
    assert (page.problem, page.coupons[0].is_live, page.coupons[0].ends) == ("", False, "ended")


def test_an_operator_sees_the_money_and_agrees_on_a_share(session: Session, books: Books) -> None:
    number = books.pay(2900)
    books.fee(number, 114)
    period, taken = books.taken(number, 2900)
    ledger.book_disputed(session, period=period, taken=taken)
    now = clock.now()
    session.add_all(
        [
            Dispute(stripe_dispute_id="dp_1", stripe_charge_id="ch_1", minor=2900, currency="usd", reason="fraudulent",
                    status="needs_response", is_open=True, evidence_due_at=now + 2 * DAY, opened_at=now, synced_at=now),
            MoneyDifference(kind="refund", stripe_id="re_1", ours="", theirs="2900 usd", found_at=now),
            WebhookEvent(id="evt_1", type="invoice.paid", api_version="x", body="{}", state="failed", error="no row",
                         try_at=now, received_at=now),
        ]
    )  # fmt: skip
    session.commit()
    page = money(session)
    [month] = page.revenue
    assert (month.gross, month.platform, month.fees, month.net) == ("$29", "$5.80", "$1.14", "$4.66")
    [book] = page.books
    assert (book.stripe, book.disputed, book.traders, book.off) == ("−$1.14", "$29", "$23.20", "")
    assert (page.open_disputes, page.disputes[0].is_soon, page.open_differences) == (1, True, 1)
    assert [line.id for line in page.events] == ["evt_1"]
    asyncio.run(sent(page, "replay", "evt_1"))
    session.expire_all()
    assert session.exec(select(WebhookEvent.state)).one() == "pending"
    asyncio.run(sent(page, "agree", {"trader": "Alice@copytrade.example ", "share": "85"}))
    assert page.problem == ""
    assert ledger.share_of(session, trader_id=books.trader) == Decimal("0.85")
    asyncio.run(loaded(page))
    assert [(line.trader, line.share) for line in page.shares] == [("alice@copytrade.example", "85%")]
    for trader, share in (("nobody@copytrade.example", "85"), ("alice@copytrade.example", "50"), ("", "")):
        asyncio.run(sent(page, "agree", {"trader": trader, "share": share}))
        assert page.problem


def test_money_of_operators_is_not_for_others(session: Session) -> None:
    page = opened(OperatorMoney, cookie=signed_in(session, people.bob(session)))
    asyncio.run(loaded(page))
    assert (page.problem, page.books) == ("This page is not for your account.", [])


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("payout.sent", routes.EARNINGS),
        ("payouts.ready", routes.EARNINGS),
        ("payment.failed", routes.SUBSCRIPTIONS),
        ("alarm.dispute", routes.OPERATOR_MONEY),
        ("alarm.webhook_failed", routes.OPERATOR_MONEY),
        ("alarm.venue_ban", routes.OPERATOR),
    ],
)
def test_news_of_money_lead_to_where_it_is_shown(kind: str, path: str) -> None:
    assert text_of(kind).path == path
