"""The nightly comparison: every kind of difference is found, told once, repaired where that can be, and closed."""

import pytest
from sqlmodel import Session, select

from copytrade import clock
from copytrade.db.events import Event
from copytrade.db.model import new_id
from copytrade.payments import connect, payouts, reconciling
from copytrade.payments.connect_gateway import create_reversal, create_transfer
from copytrade.payments.gateway import ask
from copytrade.payments.ledger_models import LedgerEntry, MoneyDifference, PayoutAccount
from copytrade.payments.models import PaidPeriod, StripeSubscription
from copytrade.subscriptions import service as subscriptions
from tests.integration.payments.books import chosen
from tests.integration.payments.buying import DAY, Buyer
from tests.integration.payments.paying import Stripe
from tests.integration.payments.test_connect import go_through
from tests.integration.payments.tills import Till
from tests.integration.subscriptions.market import opened


@pytest.fixture
def buyer(session: Session, stripe: Stripe) -> Buyer:
    """Bob, who has bought a month of Alice; everything agrees."""
    made = Buyer(session, stripe, opened(session))
    made.buy()
    assert compared(session) == 0
    return made


def compared(session: Session) -> int:
    """Compare, as a job of its own would."""
    session.commit()
    left = reconciling.compare()
    session.expire_all()
    return left


def differences(session: Session) -> list[tuple[str, str, str, bool]]:
    """Return kind, ours, theirs and whether it is closed, of all that were found."""
    rows = session.exec(select(MoneyDifference).order_by(MoneyDifference.found_at))  # pyright: ignore[reportArgumentType]
    return [(row.kind, row.ours, row.theirs, row.resolved_at is not None) for row in rows]


def alarms(session: Session) -> int:
    return session.exec(select(Event.kind)).all().count("alarm.money_differs")


def forget(buyer: Buyer) -> None:
    """Lose every webhook that is on its way."""
    buyer.settled()
    buyer.stripe.caught.clear()


def invent(session: Session) -> None:
    """Write a payment that never was."""
    period = session.exec(select(PaidPeriod)).one()
    changed = {"id": new_id(), "stripe_invoice_id": "in_nobody", "minor": 100}
    session.add(PaidPeriod.model_validate(period.model_dump() | changed))


def charge_of(period: PaidPeriod) -> str:
    intent = period.stripe_payment_intent_id
    return ask(lambda client: client.v1.charges.list({"payment_intent": intent})).data[0].id


def test_a_charge_that_we_lack_is_found_told_and_booked(session: Session, stripe: Stripe, buyer: Buyer) -> None:
    stripe.control("POST", "clock", seconds=31 * 86_400)
    clock.set_offset(31 * DAY)
    forget(buyer)
    assert compared(session) == 0
    assert differences(session) == [("payment", "", "29.00 USD", True)]
    assert (len(session.exec(select(PaidPeriod)).all()), alarms(session)) == (2, 1)
    assert compared(session) == 0
    assert alarms(session) == 1


def test_a_refund_in_stripes_dashboard_while_webhooks_were_away_is_booked(session: Session, buyer: Buyer) -> None:
    period = session.exec(select(PaidPeriod)).one()
    ask(lambda client: client.v1.refunds.create({"charge": charge_of(period), "amount": 1000}))
    forget(buyer)
    assert compared(session) == 0
    assert differences(session) == [("refund", "0.00 USD", "10.00 USD", True)]
    assert session.exec(select(PaidPeriod.refunded_minor)).one() == 1000
    assert sum(session.exec(select(LedgerEntry.minor))) == 0


def test_a_dispute_that_nobody_told_of_is_booked_and_freezes(session: Session, stripe: Stripe, buyer: Buyer) -> None:
    period = session.exec(select(PaidPeriod)).one()
    stripe.control("POST", "dispute", charge=charge_of(period))
    forget(buyer)
    assert compared(session) == 0
    assert [one[0] for one in differences(session)] == ["dispute"]
    assert session.exec(select(LedgerEntry.minor).where(LedgerEntry.account == "disputed")).one() == 2900


def test_a_subscription_that_runs_there_and_ended_here_is_ended_there(session: Session, buyer: Buyer) -> None:
    remote = session.exec(select(StripeSubscription)).one()
    subscriptions.end(session, owner=buyer.market.bob.id, subscription_id=buyer.id)
    session.commit()
    clock.set_offset(clock.offset() + DAY)
    assert compared(session) == 0
    assert differences(session) == [("runs_there", "canceled", "active", True)]
    status = ask(lambda client: client.v1.subscriptions.retrieve(remote.stripe_subscription_id)).status
    assert (status, remote.status) == ("canceled", "canceled")


def test_a_subscription_that_ended_there_ends_here(session: Session, buyer: Buyer) -> None:
    id = session.exec(select(StripeSubscription.stripe_subscription_id)).one()
    ask(lambda client: client.v1.subscriptions.cancel(id))
    forget(buyer)
    assert compared(session) == 0
    assert differences(session) == [("ended_there", "active", "canceled", True)]
    assert session.exec(select(StripeSubscription.status)).one() == "canceled"


def test_a_transfer_made_by_hand_stays_told_until_it_is_taken_back(
    session: Session, stripe: Stripe, buyer: Buyer
) -> None:
    till = Till(session, stripe, buyer.market.alice.id)
    till.fund()
    go_through(session, till.trader)
    connect.look_again(session, owner=till.trader)
    account = session.exec(select(PayoutAccount.stripe_account_id)).one()
    moved = create_transfer(group="by hand", key="by hand", stripe_account_id=account, minor=500, currency="usd")
    assert compared(session) == 0
    clock.set_offset(2 * DAY)
    assert (compared(session), compared(session)) == (1, 1)
    assert (differences(session), alarms(session)) == ([("transfer", "", "5.00 USD", False)], 1)
    clock.set_offset(90 * DAY)
    assert compared(session) == 1
    create_reversal(moved.id, cause="by hand", key="by hand back", minor=500)
    assert compared(session) == 0
    assert differences(session) == [("transfer", "", "5.00 USD", True)]


def test_a_payout_that_was_taken_back_by_hand_is_told(session: Session, stripe: Stripe, buyer: Buyer) -> None:
    till = Till(session, stripe, buyer.market.alice.id)
    till.fund()
    go_through(session, till.trader)
    connect.look_again(session, owner=till.trader)
    clock.set_offset(9 * DAY)
    with chosen(payout_every="daily", payout_minimum="10"):
        payouts.plan_due()
        payouts.move_due()
    assert compared(session) == 0
    create_reversal(till.transfers()[0].id, cause="by hand", key="by hand", minor=320)
    assert compared(session) == 1
    assert differences(session) == [("reversal", "0.00 USD", "3.20 USD", False)]


def test_what_is_sold_beside_us_in_the_same_stripe_account_is_none_of_ours(
    session: Session, stripe: Stripe, buyer: Buyer
) -> None:
    till = Till(session, stripe, buyer.market.alice.id)
    charge = till.sell(900, booked=False)
    till.refund(charge)
    stripe.control("POST", "dispute", charge=till.sell(700, booked=False).id)
    assert compared(session) == 0
    assert differences(session) == []


def test_a_payment_that_stripe_does_not_know_is_told_and_stays(session: Session, buyer: Buyer) -> None:
    invent(session)
    assert (compared(session), compared(session)) == (1, 1)
    assert (differences(session), alarms(session)) == ([("payment", "1.00 USD", "", False)], 1)


def test_a_night_without_stripe_is_told_and_nothing_is_closed(session: Session, stripe: Stripe, buyer: Buyer) -> None:
    invent(session)
    assert compared(session) == 1
    stripe.control("POST", "faults", kind="error_before", match="GET /v1/refunds", count=9)
    assert compared(session) == -1
    stripe.control("DELETE", "faults")
    assert [one[3] for one in differences(session)] == [False]
    kinds = session.exec(select(Event.kind)).all()
    assert (kinds.count("alarm.reconciliation_failed"), kinds.count("alarm.money_differs")) == (1, 1)
