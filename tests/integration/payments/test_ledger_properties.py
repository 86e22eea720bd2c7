"""Whatever happens to a trader's money, in whatever order and however often told: the books stay balanced and fair."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlmodel import Session, col, select, update

from copytrade import clock
from copytrade.payments import ledger, payouts, reversing
from copytrade.payments.ledger_models import (
    Dispute,
    EntryKind,
    LedgerEntry,
    Payout,
    PayoutLine,
    PayoutState,
    Reversal,
    ReversalState,
)
from tests.integration.payments.books import Books, chosen, onboarded
from tests.integration.users import people

NUMBER, PART = st.integers(0, 1), st.integers(1, 120)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("pay"), st.integers(0, 5000), st.sampled_from((0, 9, 20))),
        st.tuples(st.just("fee"), NUMBER, PART),
        st.tuples(st.just("refund"), NUMBER, PART),
        st.tuples(st.just("refund_failed"), NUMBER, PART),
        st.tuples(st.just("dispute_opened"), NUMBER, PART),
        st.tuples(st.just("dispute_lost"), NUMBER, PART),
        st.tuples(st.just("dispute_won"), NUMBER, PART),
        st.tuples(st.just("plan"), NUMBER, PART),
        st.tuples(st.just("send"), NUMBER, PART),
        st.tuples(st.just("cancel"), NUMBER, PART),
        st.tuples(st.just("reverse"), NUMBER, PART),
    ),
    min_size=4,
    max_size=25,
)
DISPUTED_AFTER_ITS_PAYOUT = [
    ("pay", 1000, 9), ("plan", 0, 1), ("refund", 0, 50), ("dispute_opened", 0, 50), ("pay", 1000, 9), ("plan", 0, 1),
]  # fmt: skip
CANCELED_WHILE_DISPUTED = [
    ("pay", 1000, 9), ("plan", 0, 1), ("dispute_lost", 0, 100), ("cancel", 0, 1), ("pay", 1, 9), ("plan", 0, 1),
    ("dispute_won", 0, 100), ("plan", 0, 1), ("send", 0, 1), ("reverse", 0, 1), ("plan", 0, 1),
]  # fmt: skip


@dataclass(slots=True)
class Life:
    """Does each step as the service does, some of them twice."""

    books: Books
    paid: dict[int, int] = field(default_factory=dict)
    refunds: dict[tuple[int, int], int] = field(default_factory=dict)
    disputes: dict[int, int] = field(default_factory=dict)

    @property
    def session(self) -> Session:
        return self.books.session

    def do(self, step: str, number: int, part: int) -> None:
        if step == "pay":
            made = self.books.pay(number, days_ago=part)
            self.books.pay(number, days_ago=part, number=made)
            self.paid[made] = number
        elif step in ("plan", "send", "cancel", "reverse"):
            getattr(self, step)()
        elif self.paid.get(number):
            getattr(self, step)(number, max(1, self.paid[number] * part // 100))

    def fee(self, number: int, minor: int) -> None:
        self.books.fee(number, minor)

    def refund(self, number: int, minor: int) -> None:
        # Stripe gives no more back than is left of a charge.
        period = self.books.period(number)
        minor = min(minor, period.minor - period.refunded_minor - period.lost_minor)
        if minor <= 0:
            return
        which = (number, len(self.refunds))
        self.refunds[which] = minor
        for _ in range(2):
            taken = self.books.refund(number, minor, name=f"re{which[1]}")
            if taken:
                reversing.plan(self.session, cause=f"refund:{which}", period=self.books.period(number), minor=taken)

    def refund_failed(self, number: int, minor: int) -> None:
        for (of, count), given_back in self.refunds.items():
            if of == number:
                for _ in range(2):
                    self.books.refund(number, given_back, name=f"re{count}", failed=True)
                return

    def dispute_opened(self, number: int, minor: int) -> None:
        self._dispute(number, minor, "needs_response")

    def dispute_lost(self, number: int, minor: int) -> None:
        self._dispute(number, minor, "lost")

    def dispute_won(self, number: int, minor: int) -> None:
        self._dispute(number, minor, "won")

    def _dispute(self, number: int, minor: int, status: str) -> None:
        minor = self.disputes.setdefault(number, minor)
        period, taken = self.books.taken(number, minor)
        row = self.session.get(Dispute, taken.id)
        if row is not None and row.status == "won":
            return
        now, is_open = clock.now(), status == "needs_response"
        values: dict[str, Any] = {"status": status, "is_open": is_open, "synced_at": now, "paid_period_id": period.id}
        if row is None:
            base = {"stripe_dispute_id": taken.id, "stripe_charge_id": "ch", "minor": minor, "currency": "usd"}
            row = Dispute.model_validate(base | {"reason": "fraudulent", "opened_at": now} | values)
        row.status, row.is_open = status, is_open
        self.session.add(row)
        self.session.flush()
        for _ in range(2):
            if status == "won":
                ledger.book_dispute_won(self.session, period=period, taken=taken)
            elif status == "lost":
                lost = ledger.book_dispute_lost(self.session, period=period, taken=taken)
                if lost:
                    reversing.plan(self.session, cause=f"dispute:{taken.id}", period=period, minor=lost)
            else:
                ledger.book_disputed(self.session, period=period, taken=taken)

    def plan(self) -> None:
        made = payouts.plan(self.session, trader_id=self.books.trader, currency="usd")
        assert payouts.plan(self.session, trader_id=self.books.trader, currency="usd") is None
        if made is not None:
            assert made.minor > 0
            assert self.books.balance().total >= 0, "more was paid than was owed"

    def send(self) -> None:
        for row in self._planned():
            row.state = PayoutState.SENT
            self.session.add(row)
        self.session.flush()

    def cancel(self) -> None:
        for row in self._planned():
            payouts.cancel(self.session, row)
        self.session.flush()

    def reverse(self) -> None:
        rows = self.session.exec(
            select(Reversal, Payout)
            .join(Payout, col(Payout.id) == col(Reversal.payout_id))
            .where(Reversal.state == ReversalState.PLANNED, Payout.state == PayoutState.SENT)
        ).all()
        for row, _ in rows:
            row.state = ReversalState.DONE
            self.session.add(row)
            ledger.book_reversal(self.session, reversal=row)
            ledger.book_reversal(self.session, reversal=row)

    def _planned(self) -> list[Payout]:
        return list(self.session.exec(select(Payout).where(Payout.state == PayoutState.PLANNED)))

    def holds(self) -> None:
        """Check what has to hold at every moment."""
        assert self.books.imbalance() == {}
        accounts = self.books.accounts()
        assert sum(accounts.values()) == 0
        shares = sum(period.trader_minor for period in self.books.all_periods())
        assert self._sum(EntryKind.PAYOUT, EntryKind.PAYOUT_CANCELED, EntryKind.REVERSAL) <= shares
        assert self.books.balance().total >= -self._taken_after_payout(), "a debt without a refund after a payout"
        assert self.books.balance().total == -self._unpaid(), "the entries that wait are not what is owed"

    def _sum(self, *kinds: EntryKind) -> int:
        mine = select(LedgerEntry.minor).where(
            LedgerEntry.account == f"trader:{self.books.trader}", col(LedgerEntry.kind).in_(kinds)
        )
        return sum(self.session.exec(mine))

    def _taken_after_payout(self) -> int:
        """Return what was taken of the trader in periods that a payout has paid."""
        paid = select(LedgerEntry.paid_period_id).join(PayoutLine, col(PayoutLine.entry_id) == col(LedgerEntry.id))
        paid = paid.where(LedgerEntry.kind == EntryKind.PAID, col(PayoutLine.is_live))
        taken = select(LedgerEntry.minor).where(
            LedgerEntry.account == f"trader:{self.books.trader}",
            col(LedgerEntry.paid_period_id).in_(paid),
            LedgerEntry.minor > 0,
        )
        return sum(self.session.exec(taken))

    def _unpaid(self) -> int:
        lined = select(PayoutLine.entry_id).where(col(PayoutLine.is_live))
        mine = select(LedgerEntry.minor).where(
            LedgerEntry.account == f"trader:{self.books.trader}",
            col(LedgerEntry.kind).not_in((EntryKind.PAYOUT, EntryKind.PAYOUT_CANCELED)),
            col(LedgerEntry.id).not_in(lined),
        )
        return sum(self.session.exec(mine))


@contextmanager
def rolled_back(session: Session) -> Generator[None]:
    nested = session.begin_nested()
    try:
        yield
    finally:
        nested.rollback()
        session.expunge_all()


@pytest.fixture
def trader(session: Session) -> Generator[Books]:
    alice = people.alice(session).id
    onboarded(session, alice)
    with chosen(payout_every="daily", payout_minimum="1"):
        yield Books(session, alice)


@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(steps=STEPS)
@example(steps=DISPUTED_AFTER_ITS_PAYOUT)
@example(steps=CANCELED_WHILE_DISPUTED)
def test_every_sequence_balances_and_nobody_is_paid_more_than_his_share(
    trader: Books, steps: list[tuple[str, int, int]]
) -> None:
    with rolled_back(trader.session):
        life = Life(Books(trader.session, trader.trader))
        for step in steps:
            life.do(*step)
            life.holds()


def test_the_property_sees_an_entry_that_nobody_may_write(trader: Books) -> None:
    life = Life(trader)
    life.do("pay", 2900, 10)
    life.holds()
    life.plan()
    life.holds()
    trader.session.connection().execute(update(PayoutLine).values(is_live=False))
    with pytest.raises(AssertionError, match="not what is owed"):
        life.holds()
