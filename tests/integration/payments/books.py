"""Books for tests: payments of Alice's subscribers, as if Stripe had told of them."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from sqlmodel import Session, select

from copytrade import clock
from copytrade.db.model import new_id
from copytrade.payments import ledger
from copytrade.payments.entries import Balance, balances_of, sums
from copytrade.payments.ledger import Back, Fee, Withdrawn
from copytrade.payments.ledger_models import PayoutAccount, TraderShare
from copytrade.payments.models import PaidPeriod
from copytrade.settings import settings

DAY = timedelta(days=1)


@contextmanager
def chosen(**values: str) -> Generator[None]:
    """Run with settings from the environment, as an operator would choose them."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in values.items():
            patch.setenv(f"COPYTRADE_{name.upper()}", value)
        settings.cache_clear()
        yield
    settings.cache_clear()


def onboarded(session: Session, user_id: UUID) -> str:
    """Let a trader be one who can be paid, without asking Stripe; return the id of the account there."""
    now, id = clock.now(), f"acct_{user_id}"
    row = PayoutAccount(
        user_id=user_id,
        stripe_account_id=id,
        payouts_enabled=True,
        transfers_enabled=True,
        details_submitted=True,
        created_at=now,
        synced_at=now,
    )
    session.add(row)
    session.commit()
    return id


@dataclass(frozen=True, slots=True)
class Sold:
    """A subscription, as much as the ledger wants to know of it."""

    id: UUID
    subscriber_id: UUID
    trader_id: UUID


@dataclass(frozen=True, slots=True)
class Invoice:
    """A paid invoice."""

    id: str
    minor: int
    currency: str
    payment_intent_id: str
    period_start: datetime
    period_end: datetime
    paid_at: datetime


@dataclass(slots=True)
class Books:
    """Writes what happened to a trader's money, by the numbers of her payments."""

    session: Session
    trader: UUID = field(default_factory=new_id)
    periods: list[UUID] = field(default_factory=list)

    def pay(self, minor: int, *, days_ago: int = 0, currency: str = "usd", number: int | None = None) -> int:
        """Book a payment (again, where its number is told); return its number."""
        number = len(self.periods) if number is None else number
        paid_at = clock.now() - days_ago * DAY
        invoice = Invoice(
            id=f"in_{self.trader}_{number}",
            minor=minor,
            currency=currency,
            payment_intent_id=f"pi_{self.trader}_{number}",
            period_start=paid_at,
            period_end=paid_at + 30 * DAY,
            paid_at=paid_at,
        )
        if ledger.book_paid(self.session, subscription=Sold(new_id(), new_id(), self.trader), invoice=invoice):
            self.periods.append(self.period(number).id)
        return number

    def period(self, number: int) -> PaidPeriod:
        """Return a payment's period, locked."""
        found = ledger.locked_period(self.session, payment_intent_id=f"pi_{self.trader}_{number}")
        assert found is not None
        return found

    def fee(self, number: int, minor: int) -> bool:
        """Book what Stripe kept of a payment."""
        period = self.period(number)
        fee = Fee(f"txn_{period.id}", minor, period.currency, clock.now())
        return ledger.book_fee(self.session, fee=fee, period=period)

    def refund(self, number: int, minor: int, *, name: str = "re", failed: bool = False) -> int:
        """Book a refund, or that it failed."""
        period = self.period(number)
        in_all = min(period.minor - period.lost_minor, period.refunded_minor + minor)
        back = Back(f"{name}_{period.id}", minor, in_all, clock.now())
        book = ledger.book_refund_failed if failed else ledger.book_refund
        return book(self.session, period=period, back=back)

    def taken(self, number: int, minor: int, *, name: str = "dp") -> tuple[PaidPeriod, Withdrawn]:
        """Return what the bookings of a dispute need."""
        period = self.period(number)
        return period, Withdrawn(f"{name}_{period.id}", minor, period.currency, clock.now())

    def agree(self, share: str, *, by: UUID) -> None:
        """Agree on another share with the trader."""
        self.session.add(TraderShare(trader_id=self.trader, share=Decimal(share), set_by=by, set_at=clock.now()))
        self.session.flush()

    def balance(self, currency: str = "usd") -> Balance:
        """Return what is owed in a currency."""
        found = {balance.currency: balance for balance in balances_of(self.session, trader_id=self.trader)}
        return found.get(currency, Balance(currency, 0, 0, 0))

    def accounts(self, currency: str = "usd") -> dict[str, int]:
        """Return what stands on each account; the trader's is `trader`."""
        named = {f"trader:{self.trader}": "trader"}
        return {
            named.get(one.account, one.account): one.minor
            for one in sums(self.session)
            if one.currency == currency and one.minor
        }

    def imbalance(self) -> dict[str, int]:
        """Return the currencies whose entries do not add up to zero."""
        totals: dict[str, int] = {}
        for one in sums(self.session):
            totals[one.currency] = totals.get(one.currency, 0) + one.minor
        return {currency: total for currency, total in totals.items() if total}

    def all_periods(self) -> list[PaidPeriod]:
        """Return every period of the trader's."""
        return list(self.session.exec(select(PaidPeriod).where(PaidPeriod.trader_id == self.trader)))
