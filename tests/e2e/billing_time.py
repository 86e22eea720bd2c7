"""Time and Stripe from outside, for journeys about money: months pass, banks decide, cards are changed."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from sqlmodel import Session, select

from copytrade import clock, queues
from copytrade.db.bell import ring
from copytrade.db.clock import ClockOffset, advance
from copytrade.db.session import reading, transaction
from copytrade.payments.gateway import ask
from copytrade.payments.models import Customer, PaidPeriod
from copytrade.sandbox.stripe_control import StripeControl
from copytrade.settings import settings
from copytrade.users.queries import Person, person_by_email

APP = "api/v1/payments/notify"
JOBS = ("expire_subscriptions", "settle_payments")
LATER_JOBS = ("plan_payouts", "move_payouts")


@dataclass(slots=True)
class BillingTime:
    """Lets time pass for Stripe and for us, and does what banks and operators do elsewhere."""

    stripe: StripeControl
    used: list[str] = field(default_factory=list)

    def later(self, days: float) -> None:
        """Let days go by for everybody."""
        by = timedelta(days=days)
        self.stripe.advance(int(by.total_seconds()))
        with transaction() as session:
            advance(session, by)
        clock.set_offset(clock.offset() + by)
        self.knock()

    def knock(self) -> None:
        """Let the billing's clock come by now and not within a minute."""
        for job in JOBS:
            queues.knock("billing", f"workers.jobs.{job}")

    def pay_out(self) -> None:
        """Let the payouts' clock come by."""
        for job in LATER_JOBS:
            queues.knock("billing", f"workers.jobs.{job}")

    def card(self, email: str, number: str) -> None:
        """Give a payer another card."""
        with reading() as session:
            customer = session.get_one(Customer, _person(session, email).id).stripe_customer_id
        self.stripe.set_card(customer, number)

    def charge(self, email: str) -> str:
        """Return the newest charge of a payer."""
        with reading() as session:
            intent = session.exec(
                select(PaidPeriod.stripe_payment_intent_id)
                .where(PaidPeriod.subscriber_id == _person(session, email).id)
                .order_by(PaidPeriod.paid_at.desc())  # pyright: ignore[reportAttributeAccessIssue]
            ).first()
        assert intent
        return str(ask(lambda client: client.v1.payment_intents.retrieve(intent)).latest_charge)

    def refund(self, email: str, minor: int) -> None:
        """Give a part of the newest payment back, as an operator does at Stripe."""
        charge = self.charge(email)
        ask(lambda client: client.v1.refunds.create({"charge": charge, "amount": minor}))

    def dispute(self, email: str) -> str:
        """Let the payer's bank take the newest payment back."""
        return str(self.stripe.dispute(self.charge(email))["id"])

    def decide(self, dispute: str, status: str) -> None:
        """Let the bank decide."""
        self.stripe.call("POST", "/dispute/decide", dispute=dispute, status=status)


def _person(session: Session, email: str) -> Person:
    found = person_by_email(session, email)
    assert found is not None
    return found


@contextmanager
def billing_time(sandbox_url: str) -> Generator[BillingTime]:
    """Time that can pass; afterwards it is today again, and Stripe is new and empty."""
    before = clock.offset()
    with StripeControl(sandbox_url) as control:
        try:
            yield BillingTime(control)
        finally:
            with transaction() as session:
                row = session.get(ClockOffset, 1)
                if row is not None:
                    row.seconds = int(before.total_seconds())
                    session.add(row)
                ring(session, "clock")
            clock.set_offset(before)
            control.call("DELETE", "/state")
            address = f"http://127.0.0.1:{settings().port}/{APP}"
            control.endpoint(address, settings().stripe_webhook_secret.get_secret_value())
