"""What goes wrong around paying and no other file here tries: tabs, the back button, odd dates, traders who vanish."""

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import httpx
import pytest
from sqlmodel import Session, select

from copytrade import clock
from copytrade.errors import Conflict
from copytrade.payments import connect, gateway, service
from copytrade.payments.gateway import PaymentsUnavailable, ask
from copytrade.payments.ledger_models import LedgerEntry
from copytrade.payments.models import Checkout
from copytrade.subscriptions import service as subscriptions
from tests.integration.payments.books import chosen
from tests.integration.payments.buying import Buyer, own_clock
from tests.integration.payments.paying import Stripe
from tests.integration.payments.test_connect import go_through
from tests.integration.payments.test_payouts import later, run, states
from tests.integration.payments.tills import Till
from tests.integration.subscriptions.market import opened
from tests.integration.users import people


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
    """Give Stripe a moment only to answer, so that a time-out takes no ten seconds."""
    monkeypatch.setattr(gateway, "TIMEOUT_S", 1)
    gateway._client_of.cache_clear()
    yield
    monkeypatch.undo()
    gateway._client_of.cache_clear()


def _page(bob: Buyer) -> str:
    url = service.start_payment(bob.session, owner=bob.market.bob.id, subscription_id=bob.id).url
    bob.session.commit()
    return url


def _charges() -> int:
    return len(ask(lambda client: client.v1.charges.list({})).data)


def test_two_tabs_that_pay_at_the_same_moment_pay_once(bob: Buyer) -> None:
    url = _page(bob)
    with ThreadPoolExecutor(4) as tabs:
        answers = list(tabs.map(lambda _: bob.stripe.pay(url).status_code, range(4)))
    assert 303 in answers
    bob.stripe.wait_for("checkout.session.completed")
    bob.hand_over()
    assert (bob.state, len(bob.periods), _charges(), bob.is_balanced()) == ("active", 1, 1, True)


def test_the_back_button_after_paying_charges_nothing_more_and_opens_no_other_page(bob: Buyer) -> None:
    url = _page(bob)
    assert bob.stripe.pay(url).status_code == 303
    assert httpx.get(url).status_code < 500
    bob.stripe.pay(url)
    # Nobody has told us yet: the button of our own page leads on, never to another page that could be paid.
    assert service.start_payment(bob.session, owner=bob.market.bob.id, subscription_id=bob.id).state == "processing"
    bob.session.commit()
    bob.stripe.wait_for("checkout.session.completed")
    bob.hand_over()
    with pytest.raises(Conflict, match="active"):
        service.start_payment(bob.session, owner=bob.market.bob.id, subscription_id=bob.id)
    assert (len(bob.periods), _charges(), len(bob.session.exec(select(Checkout)).all())) == (1, 1, 1)


@pytest.mark.usefixtures("impatient")
def test_a_payment_page_whose_answer_timed_out_is_the_one_that_is_opened_again(bob: Buyer) -> None:
    call = "POST /v1/checkout/sessions"
    bob.stripe.control("POST", "faults", kind="timeout_after", match=call, count=3, seconds=3)
    with pytest.raises(PaymentsUnavailable):
        _page(bob)
    bob.session.rollback()
    assert bob.session.exec(select(Checkout)).all() == []
    bob.stripe.control("DELETE", "faults")
    url = _page(bob)
    assert len(ask(lambda client: client.v1.checkout.sessions.list({})).data) == 1
    assert bob.stripe.pay(url).status_code == 303
    bob.stripe.wait_for("checkout.session.completed")
    bob.hand_over()
    assert (bob.state, _charges()) == ("active", 1)


@pytest.mark.usefixtures("impatient")
def test_a_transfer_that_was_made_before_the_time_out_is_made_once(session: Session, stripe: Stripe) -> None:
    with own_clock(), chosen(payout_every="daily", payout_minimum="10"):
        alice = people.alice(session).id
        go_through(session, alice)
        assert connect.look_again(session, owner=alice).may_be_paid
        till = Till(session, stripe, alice)
        till.sell()
        later()
        stripe.control("POST", "faults", kind="timeout_after", match="POST /v1/transfers", count=3, seconds=3)
        run(session)
        assert (states(session), len(till.transfers())) == ([("planned", 2320)], 1)
        stripe.control("DELETE", "faults")
        run(session)
        run(session)
        assert (states(session), [one.amount for one in till.transfers()]) == ([("sent", 2320)], [2320])
        assert till.books.imbalance() == {}


def test_a_trader_who_closes_his_profile_keeps_what_was_paid_and_gets_no_more(bob: Buyer) -> None:
    """By default nothing goes back: the paid month runs out, and no other is charged."""
    bob.buy()
    subscriptions.close_profile(bob.session, owner=bob.market.alice.id, profile_id=bob.market.profile_id)
    bob.session.commit()
    bob.tick()
    bob.hand_over()
    assert (bob.state, bob.row.is_ending, bob.may_enter) == ("active", True, True)
    assert len(bob.told("subscription.trader_gone")) == 1
    bob.later(31.5)
    assert (bob.state, len(bob.periods), _charges()) == ("canceled", 1, 1)
    owed = [one.minor for one in bob.session.exec(select(LedgerEntry)) if one.account.startswith("trader:")]
    assert (owed, bob.periods[0].refunded_minor, bob.is_balanced()) == ([-2320], 0, True)


def test_months_over_the_31st_a_29th_of_february_and_summer_time_follow_on_each_other(
    session: Session, stripe: Stripe
) -> None:
    """Bought on 31 January of a leap year: paid to 29 February, 31 March (clocks went forward before), 30 April."""
    with own_clock():
        ahead = datetime(2028, 1, 31, 12, tzinfo=UTC) - clock.now()
        stripe.control("POST", "clock", seconds=int(ahead.total_seconds()))
        clock.set_offset(clock.offset() + ahead)
        bob = Buyer(session, stripe, opened(session))
        bob.buy()
        for days in (29.5, 30.5, 30.5):
            assert (bob.state, bob.may_enter) == ("active", True)
            bob.later(days)
        ends = [f"{one.period_end:%m-%d}" for one in bob.periods]
        assert ends == ["02-29", "03-31", "04-30", "05-31"]
        assert {f"{one.period_end:%H:%M}" for one in bob.periods} == {f"{bob.periods[0].period_start:%H:%M}"}
        assert all(one.period_end == two.period_start for one, two in zip(bob.periods, bob.periods[1:], strict=False))
        assert (bob.state, _charges(), bob.is_balanced()) == ("active", 4, True)
