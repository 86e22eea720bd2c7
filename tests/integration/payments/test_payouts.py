"""Payouts: held, planned on their date, moved once whatever Stripe does, told; and taken back or owed afterwards."""

from collections.abc import Generator
from datetime import timedelta
from uuid import UUID

import pytest
from sqlmodel import Session, select

from copytrade import clock
from copytrade.db.events import Event
from copytrade.payments import connect, ledger, payouts, reversing, taking_back
from copytrade.payments.gateway import ask
from copytrade.payments.ledger_models import Payout, PayoutAccount, PayoutLine, Reversal
from tests.integration.payments.books import chosen
from tests.integration.payments.paying import Stripe
from tests.integration.payments.test_connect import go_through
from tests.integration.payments.tills import SETTLES_LATER, Till
from tests.integration.users import people

HELD = timedelta(days=9)
"""Longer than a share is held, so that midnight lies behind it."""


@pytest.fixture(autouse=True)
def daily() -> Generator[None]:
    with chosen(payout_every="daily", payout_minimum="10"):
        yield


@pytest.fixture
def till(session: Session, stripe: Stripe) -> Till:
    """Alice's, who was onboarded."""
    alice = people.alice(session).id
    go_through(session, alice)
    assert connect.look_again(session, owner=alice).may_be_paid
    return Till(session, stripe, alice)


def later(by: timedelta = HELD) -> None:
    clock.set_offset(clock.offset() + by)


def run(session: Session) -> None:
    """Let the scheduled jobs run once: what is due is planned, and moved."""
    _retry_now(session)
    payouts.plan_due()
    payouts.move_due()
    session.expire_all()


def _retry_now(session: Session) -> None:
    for table in (Payout, Reversal):
        for row in session.exec(select(table)):
            row.try_at = clock.real_now()
            session.add(row)
    session.commit()


def states(session: Session) -> list[tuple[str, int]]:
    session.expire_all()
    return [(row.state, row.minor) for row in session.exec(select(Payout).order_by(Payout.created_at))]  # pyright: ignore[reportArgumentType]


def told(session: Session, kind: str) -> int:
    return session.exec(select(Event.kind)).all().count(kind)


def test_a_share_is_held_a_week_then_moved_once_and_told(session: Session, till: Till) -> None:
    till.sell(2900)
    till.sell(1100)
    run(session)
    assert states(session) == []
    later()
    for _ in range(3):
        run(session)
    assert states(session) == [("sent", 3200)]
    [transfer] = till.transfers()
    account = session.exec(select(PayoutAccount.stripe_account_id)).one()
    assert (transfer.amount, transfer.currency, transfer.destination) == (3200, "usd", account)
    assert till.books.accounts() == {"stripe": 800, "platform": -800}
    assert till.books.balance().total == 0
    assert len(session.exec(select(PayoutLine)).all()) == 2
    assert told(session, "payout.sent") == 1


def test_less_than_the_minimum_waits_until_it_is_enough(session: Session, till: Till) -> None:
    till.sell(1000)
    later()
    run(session)
    assert states(session) == []
    till.sell(1000)
    later()
    run(session)
    assert states(session) == [("sent", 1600)]


def test_a_sum_that_becomes_free_after_the_date_waits_for_the_next(session: Session, till: Till) -> None:
    till.sell()
    with chosen(payout_every="monthly"):
        now = clock.now()
        next_month = (now.replace(day=1) + timedelta(days=32)).replace(day=1, hour=0, minute=0)
        to_the_20th = next_month + timedelta(days=19)
        later(to_the_20th - now)
        run(session)
        was_free_on_the_first = now + timedelta(days=7) <= next_month
        assert states(session) == ([("sent", 2320)] if was_free_on_the_first else [])
        later(timedelta(days=20))
        run(session)
        assert states(session) == [("sent", 2320)]


def test_each_currency_is_paid_for_itself(session: Session, till: Till) -> None:
    till.sell(2900)
    till.sell(5000, currency="eur")
    till.sell(900, currency="jpy")
    later()
    run(session)
    assert {(one.currency, one.amount) for one in till.transfers()} == {("usd", 2320), ("eur", 4000), ("jpy", 720)}


def test_who_cannot_be_paid_is_owed_until_he_can(session: Session, stripe: Stripe) -> None:
    till = Till(session, stripe, people.alice(session).id)
    till.sell()
    later()
    run(session)
    assert (states(session), till.books.balance().available) == ([], 2320)
    go_through(session, till.trader)
    connect.look_again(session, owner=till.trader)
    run(session)
    assert states(session) == [("sent", 2320)]


@pytest.mark.parametrize("kind", ["error_after", "error_before"])
def test_a_transfer_whose_answer_was_lost_is_found_and_not_made_again(
    session: Session, stripe: Stripe, till: Till, kind: str
) -> None:
    till.sell()
    later()
    stripe.control("POST", "faults", kind=kind, match="POST /v1/transfers", count=3)
    run(session)
    assert states(session) == [("planned", 2320)]
    assert len(till.transfers()) == (1 if kind == "error_after" else 0)
    assert till.books.balance().total == 0
    run(session)
    run(session)
    assert states(session) == [("sent", 2320)]
    assert [one.amount for one in till.transfers()] == [2320]
    assert told(session, "payout.sent") == 1


def test_a_stripe_that_is_away_is_asked_again(session: Session, stripe: Stripe, till: Till) -> None:
    till.sell()
    later()
    stripe.control("POST", "faults", kind="error_before", match="GET /v1/transfers", count=3)
    run(session)
    row = session.exec(select(Payout)).one()
    assert (row.state, row.attempts, row.refusals) == ("planned", 1, 0)
    assert row.try_at > clock.real_now()
    assert "sk_test" not in row.error
    run(session)
    assert states(session) == [("sent", 2320)]


def test_too_little_at_stripe_waits_and_the_operator_is_told_once(session: Session, stripe: Stripe, till: Till) -> None:
    till.sell(card=SETTLES_LATER)
    later()
    run(session)
    run(session)
    row = session.exec(select(Payout)).one()
    assert (row.state, row.refusals) == ("planned", 2)
    alarms = session.exec(select(Event.cause).where(Event.kind == "alarm.balance_too_low")).all()
    assert set(alarms) == {str(row.id)}
    stripe.control("POST", "clock", seconds=3 * 86_400)
    run(session)
    assert states(session) == [("sent", 2320)]
    assert len(till.transfers()) == 1


def test_a_held_back_account_frees_the_entries_and_is_paid_later(session: Session, stripe: Stripe, till: Till) -> None:
    till.sell()
    account = session.exec(select(PayoutAccount.stripe_account_id)).one()
    stripe.control("POST", "onboard", account=account, state="restricted")
    later()
    run(session)
    run(session)
    assert states(session) == [("canceled", 2320)]
    assert till.books.balance().available == 2320
    assert (told(session, "payout.canceled"), told(session, "payouts.restricted")) == (1, 1)
    assert not connect.may_be_paid(session, user_id=till.trader)
    stripe.control("POST", "onboard", account=account, state="enabled")
    connect.look_again(session, owner=till.trader)
    run(session)
    assert states(session) == [("canceled", 2320), ("sent", 2320)]
    assert len(till.transfers()) == 1
    assert till.books.imbalance() == {}


def test_a_refund_before_the_payout_lowers_it(session: Session, till: Till) -> None:
    charge = till.sell(2900)
    till.refund(charge, 1000)
    taking_back.refunds(session, charge_id=charge.id)
    session.commit()
    later()
    run(session)
    assert states(session) == [("sent", 1520)]
    assert session.exec(select(Reversal)).all() == []


def test_a_disputed_month_is_frozen_until_the_bank_decides_for_us(session: Session, till: Till) -> None:
    till.sell(2900)
    till.fund()
    charge = till.sell(2000)
    dispute = till.dispute(charge)
    taking_back.dispute(session, dispute_id=dispute)
    session.commit()
    later()
    run(session)
    assert states(session) == [("sent", 2320)]
    balance = till.books.balance()
    assert (balance.frozen, balance.available, balance.debt) == (1600, 0, 0)
    till.decide(dispute, "won")
    taking_back.dispute(session, dispute_id=dispute)
    session.commit()
    later(timedelta(days=1))
    run(session)
    assert states(session) == [("sent", 2320), ("sent", 1600)]


def test_a_refund_after_the_payout_is_taken_back_of_it(session: Session, till: Till) -> None:
    charge = till.sell(2900)
    later()
    run(session)
    till.refund(charge, 1000)
    taking_back.refunds(session, charge_id=charge.id)
    session.commit()
    assert till.books.balance().debt == 800
    run(session)
    run(session)
    [transfer] = till.transfers()
    assert transfer.amount_reversed == 800
    assert (till.books.balance().total, told(session, "payout.reversed")) == (0, 1)
    till.refund(charge)
    taking_back.refunds(session, charge_id=charge.id)
    session.commit()
    run(session)
    [transfer] = till.transfers()
    assert transfer.reversed
    assert till.books.accounts() == {}
    assert states(session) == [("sent", 2320)]


def test_a_reversal_whose_answer_was_lost_is_found_and_not_made_again(
    session: Session, stripe: Stripe, till: Till
) -> None:
    charge = till.sell(2900)
    later()
    run(session)
    till.refund(charge, 1000)
    taking_back.refunds(session, charge_id=charge.id)
    session.commit()
    stripe.control("POST", "faults", kind="error_after", match="POST /v1/transfers", count=3)
    run(session)
    run(session)
    [transfer] = till.transfers()
    assert transfer.amount_reversed == 800
    assert (till.books.balance().total, till.books.imbalance()) == (0, {})


def test_what_cannot_be_taken_back_is_a_debt_that_the_next_payout_settles(
    session: Session, stripe: Stripe, till: Till
) -> None:
    charge = till.sell(2900)
    later()
    run(session)
    stripe.control("POST", "clock", seconds=3 * 86_400)
    till.refund(charge)
    taking_back.refunds(session, charge_id=charge.id)
    session.commit()
    for _ in range(reversing.MOST_REFUSALS):
        run(session)
    assert session.exec(select(Reversal.state)).all() == ["refused"]
    assert (till.books.balance().debt, told(session, "payout.debt")) == (2320, 1)
    till.sell(5000)
    later()
    run(session)
    assert states(session) == [("sent", 2320), ("sent", 1680)]
    assert (till.books.balance().total, till.books.balance().debt) == (0, 0)


def test_a_dispute_lost_after_the_payout_is_taken_back_and_one_won_after_all_is_paid_again(
    session: Session, till: Till
) -> None:
    till.fund()
    charge = till.sell(2900)
    later()
    run(session)
    dispute = till.dispute(charge)
    taking_back.dispute(session, dispute_id=dispute)
    session.commit()
    run(session)
    assert till.transfers()[0].amount_reversed == 0
    till.decide(dispute, "lost")
    taking_back.dispute(session, dispute_id=dispute)
    taking_back.dispute(session, dispute_id=dispute)
    session.commit()
    assert till.books.balance().debt == 2320
    run(session)
    assert till.transfers()[0].amount_reversed == 2320
    assert (till.books.balance().total, told(session, "earnings.dispute_lost")) == (0, 1)
    taken = ledger.Withdrawn(dispute, 2900, "usd", clock.now())
    ledger.book_dispute_won(session, period=till.period(charge), taken=taken)
    session.commit()
    later(timedelta(days=1))
    run(session)
    assert states(session) == [("sent", 2320), ("sent", 2320)]
    assert till.books.imbalance() == {}


def test_a_payout_that_is_canceled_needs_nothing_taken_back(session: Session, stripe: Stripe, till: Till) -> None:
    charge = till.sell(2900)
    later()
    stripe.control("POST", "faults", kind="error_before", match="POST /v1/transfers", count=3)
    run(session)
    till.refund(charge)
    taking_back.refunds(session, charge_id=charge.id)
    session.commit()
    account = session.exec(select(PayoutAccount.stripe_account_id)).one()
    stripe.control("POST", "onboard", account=account, state="restricted")
    run(session)
    assert states(session) == [("canceled", 2320)]
    assert session.exec(select(Reversal.state)).all() == ["dropped"]
    assert till.books.accounts() == {}


def test_stripes_fees_are_booked_once_whoever_is_asked_how_often(session: Session, till: Till) -> None:
    charges = [till.sell(2900), till.sell(1000)]
    till.sell(500, booked=False)
    moved = [ask(lambda client, one=one: client.v1.balance_transactions.list({"source": one.id})) for one in charges]
    assert taking_back.collect_fees() == 3
    assert taking_back.collect_fees() == 0
    till.sell(700)
    assert taking_back.collect_fees() == 1
    session.expire_all()
    known = sum(page.data[0].fee for page in moved)
    assert till.books.accounts()["fees"] > known > 0
    assert till.books.imbalance() == {}


def test_the_owner_of_a_payout_is_the_one_who_earned_it(session: Session, stripe: Stripe, till: Till) -> None:
    mallory: UUID = people.mallory(session).id
    go_through(session, mallory)
    connect.look_again(session, owner=mallory)
    till.sell()
    later()
    run(session)
    assert session.exec(select(Payout.trader_id)).all() == [till.trader]
    assert payouts.plan(session, trader_id=mallory, currency="usd") is None
