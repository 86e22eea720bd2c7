"""Facts read from Stripe, all of a subscription at once: what an event tells is never believed, only what is read."""

import calendar
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import stripe

from copytrade.payments import gateway
from copytrade.payments.gateway import PaidInvoice, ask, id_of, moment

GONE = ("canceled", "incomplete_expired")
LATE = ("past_due", "unpaid")
_SUBSCRIPTION = ["latest_invoice.payments", "default_payment_method", "discounts.source.coupon"]


@dataclass(frozen=True, slots=True)
class Card:
    """What a renewal will be charged to; nothing of it but its last digits."""

    id: str
    last4: str
    expires_at: datetime
    """When it is no longer good: the end of the month that stands on it."""


@dataclass(frozen=True, slots=True)
class Discount:
    """What a coupon takes off each invoice, for ever where `until` is None."""

    percent: Decimal | None
    minor: int | None
    until: datetime | None


@dataclass(frozen=True, slots=True)
class OpenInvoice:
    """An invoice that could not be charged."""

    id: str
    attempts: int


@dataclass(frozen=True, slots=True)
class SubscriptionTold:
    """A subscription with what was paid for it since we last looked."""

    id: str
    our_id: UUID | None
    status: str
    period_end: datetime
    cancel_at_period_end: bool
    is_paused: bool
    trial_end: datetime | None
    price_id: str
    item_id: str
    card: Card | None
    discount: Discount | None
    failed: OpenInvoice | None
    invoices: tuple[PaidInvoice, ...]
    """Paid ones that we did not know, oldest first."""


@dataclass(frozen=True, slots=True)
class Known:
    """What we have of a subscription already, so that only news are read."""

    invoices: frozenset[str] = field(default_factory=frozenset[str])
    paid_until: datetime | None = None


def subscription(stripe_subscription_id: str, *, known: Known) -> SubscriptionTold:
    """Read a subscription and the invoices that are news."""
    found = ask(
        lambda client: client.v1.subscriptions.retrieve(stripe_subscription_id, {"expand": list(_SUBSCRIPTION)})
    )
    item = max(found["items"].data, key=lambda one: one.current_period_end)
    latest = found.latest_invoice if isinstance(found.latest_invoice, stripe.Invoice) else None
    invoices = _news(found.id, latest, known)
    return SubscriptionTold(
        id=found.id,
        our_id=gateway.our_id(found.metadata.to_dict().get("subscription_id")),
        status=found.status,
        period_end=moment(item.current_period_end),
        cancel_at_period_end=found.cancel_at_period_end or found.cancel_at is not None,
        is_paused=found.status == "paused" or found.pause_collection is not None,
        trial_end=moment(found.trial_end) if found.trial_end else None,
        price_id=item.price.id,
        item_id=item.id,
        card=_card(found.default_payment_method),
        discount=_discount(found.discounts),
        failed=_failed(latest, found.status),
        invoices=tuple(invoices),
    )


def _news(id: str, latest: stripe.Invoice | None, known: Known) -> list[PaidInvoice]:
    """Read the whole list only where the latest invoice does not follow on what we know."""
    if latest is None or latest.id in known.invoices:
        return []
    starts = moment(min(line.period.start for line in latest.lines.data))
    follows = starts == known.paid_until if known.invoices else latest.billing_reason == "subscription_create"
    if follows:
        return [gateway.paid(latest)] if latest.status == "paid" else []
    return [one for one in reversed(gateway.paid_invoices(id)) if one.id not in known.invoices]


def _failed(latest: stripe.Invoice | None, status: str) -> OpenInvoice | None:
    if latest is None or latest.status != "open" or status not in LATE:
        return None
    return OpenInvoice(latest.id, latest.attempt_count)


def _card(method: object) -> Card | None:
    if not isinstance(method, stripe.PaymentMethod) or method.card is None:
        return None
    year, month = method.card.exp_year, method.card.exp_month
    last = calendar.monthrange(year, month)[1]
    return Card(method.id, method.card.last4 or "", datetime(year, month, last, 23, 59, 59, tzinfo=UTC))


def _discount(found: Sequence[object]) -> Discount | None:
    for one in found:
        if isinstance(one, stripe.Discount) and isinstance(one.source.coupon, stripe.Coupon):
            off = one.source.coupon
            percent = Decimal(str(off.percent_off)) if off.percent_off is not None else None
            is_once = off.duration == "once"
            until = moment(one.end) if one.end else moment(one.start) if is_once else None
            return Discount(percent, off.amount_off, until)
    return None


def subscription_of(charge_id: str) -> str:
    """Return which subscription a charge was for; empty for none."""
    paid = ask(lambda client: client.v1.charges.retrieve(charge_id))
    payment_intent_id = id_of(paid.payment_intent)
    if not payment_intent_id:
        return ""
    links = ask(
        lambda client: client.v1.invoice_payments.list(
            {"payment": {"type": "payment_intent", "payment_intent": payment_intent_id}, "expand": ["data.invoice"]}
        )
    )
    for link in links.data:
        if isinstance(link.invoice, stripe.Invoice) and link.invoice.parent is not None:
            details = link.invoice.parent.subscription_details
            return id_of(details.subscription) if details else ""
    return ""
