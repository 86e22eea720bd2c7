"""Bob's subscription to Alice through Stripe and time: both clocks go together, each webhook is handed over."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import stripe as sdk
from sqlmodel import Session, select

from copytrade import clock
from copytrade.db.events import Event
from copytrade.payments import service
from copytrade.payments.gateway import ask
from copytrade.payments.ledger_models import LedgerEntry
from copytrade.payments.models import Customer, PaidPeriod, StripeSubscription
from copytrade.subscriptions import queries
from copytrade.subscriptions import service as subscriptions
from copytrade.subscriptions.rows import SubscriptionRow
from tests.integration.payments.paying import GOOD, Caught, Stripe
from tests.integration.subscriptions.market import Market, subscribed
from tests.waiting import wait_until

DAY = timedelta(days=1)


@dataclass(slots=True)
class Buyer:
    """Bob, who buys at Stripe; `id` is his subscription."""

    session: Session
    stripe: Stripe
    market: Market
    id: UUID = field(init=False)

    def __post_init__(self) -> None:
        self.id = subscribed(self.session, self.market)

    def buy(self, number: str = GOOD, *, code: str = "") -> None:
        """Pay on the hosted page and let the webhooks in."""
        page = service.start_payment(self.session, owner=self.market.bob.id, subscription_id=self.id, code=code)
        self.session.commit()
        answer = self.stripe.pay(page.url, number)
        assert answer.status_code == 303, answer.text
        self.stripe.wait_for("checkout.session.completed")
        self.hand_over()

    def hand_over(self, *, order: Callable[[list[Caught]], list[Caught]] = list) -> None:
        """Let everything in that Stripe has to tell, once it has told all of it."""
        self.settled()
        self.stripe.hand_over(self.session, order=order)

    def settled(self) -> None:
        """Wait until Stripe has delivered all that it has."""
        wait_until(
            lambda: all(one["state"] != "pending" for one in self.stripe.control("GET", "deliveries")),
            what="every webhook delivered",
        )

    def later(self, days: float, *, tell: bool = True) -> None:
        """Let time go by for both, let the news in, and let the billing clock come by."""
        self.stripe.control("POST", "clock", seconds=int(days * 86_400))
        clock.set_offset(clock.offset() + timedelta(days=days))
        if tell:
            self.hand_over()
        self.tick()

    def tick(self) -> None:
        """Let the billing clock come by."""
        subscriptions.expire_due(self.session, clock.now())
        self.session.commit()
        service.process_events()
        self.session.expire_all()

    def card(self, number: str) -> None:
        """Put another card on file."""
        customer = self.session.exec(select(Customer.stripe_customer_id)).one()
        self.stripe.control("POST", "card", customer=customer, number=number)

    @property
    def row(self) -> SubscriptionRow:
        """The subscription as Bob sees it now."""
        self.session.expire_all()
        return queries.subscription(self.session, owner=self.market.bob.id, subscription_id=self.id)

    @property
    def state(self) -> str:
        """Where it stands now."""
        return self.row.state

    @property
    def may_enter(self) -> bool:
        """Whether copying may open positions for Bob now; False where he is not asked for at all."""
        self.session.expire_all()
        found = queries.active_on_lead(self.session, lead_account_id=self.market.lead, now=clock.now())
        return any(one.may_enter for one in found)

    @property
    def periods(self) -> list[PaidPeriod]:
        """What was paid, oldest first."""
        self.session.expire_all()
        return sorted(self.session.exec(select(PaidPeriod)).all(), key=lambda one: one.period_end)

    @property
    def remote(self) -> sdk.Subscription:
        """The subscription at Stripe."""
        self.session.expire_all()
        id = self.session.exec(select(StripeSubscription.stripe_subscription_id)).one()
        return ask(lambda client: client.v1.subscriptions.retrieve(id))

    @property
    def charge(self) -> str:
        """The newest charge at Stripe."""
        intent = self.periods[-1].stripe_payment_intent_id
        return str(ask(lambda client: client.v1.payment_intents.retrieve(intent)).latest_charge)

    def told(self, kind: str, *, user: UUID | None = None) -> list[dict[str, str]]:
        """What Bob, or somebody, was told of a kind; what is told twice by one cause is one."""
        found = self.session.exec(
            select(Event).where(Event.kind == kind, Event.user_id == (user or self.market.bob.id))
        ).all()
        return list({one.cause or str(one.id): one.facts for one in found}.values())

    def alarms(self) -> set[str]:
        """What the operators were told."""
        return set(self.session.exec(select(Event.kind).where(Event.user_id == None)).all())  # noqa: E711 - SQL

    def is_balanced(self) -> bool:
        """Whether every currency of the books adds up to zero."""
        sums: dict[str, int] = {}
        for entry in self.session.exec(select(LedgerEntry)):
            sums[entry.currency] = sums.get(entry.currency, 0) + entry.minor
        return all(total == 0 for total in sums.values())


def until(row: SubscriptionRow) -> datetime:
    """Return until when a subscription is paid, which it is."""
    assert row.entitled_until is not None
    return row.entitled_until


@contextmanager
def own_clock() -> Generator[None]:
    """Put this process's clock back afterwards."""
    before = clock.offset()
    try:
        yield
    finally:
        clock.set_offset(before)
