"""The one place that speaks to Stripe: explicit idempotency keys, short timeouts, plain values out."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import TypeVar
from urllib.request import getproxies
from uuid import UUID

import requests
import stripe
from requests.adapters import HTTPAdapter

from copytrade.domain.money import minor
from copytrade.errors import CopyTradeError
from copytrade.settings import settings

API_VERSION = "2026-10-28.endive"
TIMEOUT_S = 10
_MOST_CONNECTIONS = 32
T = TypeVar("T")
_REFUSALS = (stripe.InvalidRequestError, stripe.PermissionError, stripe.CardError)


class PaymentsUnavailable(CopyTradeError):
    """Stripe did not do what was asked; asking again with the same key is safe."""

    status, code = 502, "payments_unavailable"

    def __init__(self, message: str) -> None:
        super().__init__(message, user="The payment service did not answer. Nothing was charged; please try again.")


class PaymentsRefused(PaymentsUnavailable):
    """Stripe said no for certain, and did nothing; `reason` is its own code."""

    code = "payments_refused"

    def __init__(self, message: str, *, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class CheckoutPage:
    """A hosted payment page; `status` is `open`, `complete` or `expired`."""

    id: str
    url: str
    status: str
    stripe_subscription_id: str
    expires_at: datetime
    our_id: UUID | None
    """The subscription of ours that it is for."""


@dataclass(frozen=True, slots=True)
class PaidInvoice:
    """An invoice that was paid, with the period it pays for."""

    id: str
    minor: int
    currency: str
    payment_intent_id: str
    """Empty where nothing was charged: a coupon for all of it."""
    period_start: datetime
    period_end: datetime
    paid_at: datetime
    number: str = ""
    page_url: str = ""
    """Where its payer reads it."""
    pdf_url: str = ""


@dataclass(frozen=True, slots=True)
class RemoteSubscription:
    """A subscription as Stripe has it now."""

    id: str
    our_id: UUID | None
    status: str
    period_end: datetime
    cancel_at_period_end: bool


@lru_cache(maxsize=2)
def _client_of(pid: int) -> stripe.StripeClient:
    config = settings()
    key = config.stripe_key.get_secret_value()
    if not key:
        raise PaymentsUnavailable("no Stripe key is configured")
    if config.is_production and config.stripe_url:
        raise PaymentsUnavailable("a production installation talks to Stripe itself")
    return stripe.StripeClient(
        key,
        stripe_version=API_VERSION,
        base_addresses={"api": config.stripe_url} if config.stripe_url else {},
        max_network_retries=2,
        http_client=stripe.RequestsClient(timeout=TIMEOUT_S, session=_connections()),
    )


def _connections() -> requests.Session:
    """Keep connections for all threads; the environment is looked at for proxies only, and only where it names one.

    Else each request would look for a .netrc and go through all variables: a sixth of what a reading costs.
    """
    made = requests.Session()
    made.trust_env = bool(getproxies())
    made.mount("https://", HTTPAdapter(pool_maxsize=_MOST_CONNECTIONS))
    made.mount("http://", HTTPAdapter(pool_maxsize=_MOST_CONNECTIONS))
    return made


def ask(call: Callable[[stripe.StripeClient], T]) -> T:
    """Call Stripe; what goes wrong is PaymentsUnavailable with Stripe's own words and request id, never a key."""
    try:
        return call(_client_of(os.getpid()))
    except stripe.StripeError as error:
        said = f"{type(error).__name__} {error.code or ''} {error.request_id or ''}".strip()
        if isinstance(error, _REFUSALS):
            raise PaymentsRefused(f"stripe: {said}", reason=error.code or "") from None
        raise PaymentsUnavailable(f"stripe: {said}") from None


def create_customer(*, user_id: UUID, email: str) -> str:
    """Make the customer of a person and return its id."""
    made = ask(
        lambda client: client.v1.customers.create(
            {"email": email, "metadata": {"user_id": str(user_id)}}, {"idempotency_key": f"customer:{user_id}"}
        )
    )
    return made.id


def create_product(*, profile_id: UUID, name: str, key: str) -> str:
    """Make the product of a profile and return its id."""
    made = ask(
        lambda client: client.v1.products.create(
            {"name": name, "metadata": {"profile_id": str(profile_id)}}, {"idempotency_key": f"product:{key}"}
        )
    )
    return made.id


def create_price(*, product_id: str, amount: Decimal, currency: str, key: str) -> str:
    """Make a monthly price of a product and return its id."""
    made = ask(
        lambda client: client.v1.prices.create(
            {
                "product": product_id,
                "unit_amount": minor(amount, currency=currency),
                "currency": currency,
                "recurring": {"interval": "month"},
            },
            {"idempotency_key": f"price:{key}"},
        )
    )
    return made.id


def open_checkout(
    *,
    subscription_id: UUID,
    customer_id: str,
    price_id: str,
    success_url: str,
    cancel_url: str,
    attempt: int,
    trial_days: int = 0,
    promotion_code_id: str = "",
) -> CheckoutPage:
    """Open a hosted payment page for a subscription."""
    metadata = {"subscription_id": str(subscription_id)}
    asked: stripe.params.checkout.SessionCreateParams = {
        "mode": "subscription",
        "line_items": [{"price": price_id, "quantity": 1}],
        "customer": customer_id,
        "client_reference_id": str(subscription_id),
        "metadata": metadata,
        "subscription_data": {"metadata": metadata},
        "success_url": success_url,
        "cancel_url": cancel_url,
    }
    if trial_days:
        asked["subscription_data"] = {"metadata": metadata, "trial_period_days": trial_days}
    if promotion_code_id:
        asked["discounts"] = [{"promotion_code": promotion_code_id}]
    key = f"checkout:{subscription_id}:{attempt}"
    return _page(ask(lambda client: client.v1.checkout.sessions.create(asked, {"idempotency_key": key})))


def checkout(session_id: str) -> CheckoutPage:
    """Return a payment page as Stripe has it now."""
    return _page(ask(lambda client: client.v1.checkout.sessions.retrieve(session_id)))


def expire_checkout(session_id: str) -> None:
    """Close an open payment page, so that nobody pays for what has ended."""
    ask(lambda client: client.v1.checkout.sessions.expire(session_id))


def _page(made: stripe.checkout.Session) -> CheckoutPage:
    return CheckoutPage(
        id=made.id,
        url=made.url or "",
        status=made.status or "",
        stripe_subscription_id=id_of(made.subscription),
        expires_at=moment(made.expires_at),
        our_id=our_id(made.client_reference_id),
    )


def subscription(stripe_subscription_id: str) -> RemoteSubscription:
    """Return a subscription as Stripe has it now."""
    found = ask(lambda client: client.v1.subscriptions.retrieve(stripe_subscription_id))
    return RemoteSubscription(
        id=found.id,
        our_id=our_id(found.metadata.to_dict().get("subscription_id")),
        status=found.status,
        period_end=moment(max(item.current_period_end for item in found["items"].data)),
        cancel_at_period_end=found.cancel_at_period_end,
    )


def cancel(stripe_subscription_id: str) -> None:
    """End a subscription at Stripe now; one that has ended already is left alone."""
    if subscription(stripe_subscription_id).status not in ("canceled", "incomplete_expired"):
        ask(lambda client: client.v1.subscriptions.cancel(stripe_subscription_id))


def paid_invoices(stripe_subscription_id: str) -> list[PaidInvoice]:
    """Return the paid invoices of a subscription, newest first."""
    pages = ask(
        lambda client: client.v1.invoices.list(
            {
                "subscription": stripe_subscription_id,
                "status": "paid",
                "limit": 100,
                "expand": ["data.payments"],
            }
        )
    )
    return [paid(invoice) for invoice in ask(lambda _: list(pages.auto_paging_iter()))]


def paid(invoice: stripe.Invoice) -> PaidInvoice:
    """Return what we keep of a paid invoice whose payments were expanded."""
    periods = [line.period for line in invoice.lines.data]
    return PaidInvoice(
        id=invoice.id,
        minor=invoice.amount_paid,
        currency=invoice.currency,
        payment_intent_id=_intent_of(invoice),
        period_start=moment(min(period.start for period in periods)),
        period_end=moment(max(period.end for period in periods)),
        paid_at=moment(invoice.status_transitions.paid_at or invoice.created),
        number=invoice.number or "",
        page_url=invoice.hosted_invoice_url or "",
        pdf_url=invoice.invoice_pdf or "",
    )


def _intent_of(invoice: stripe.Invoice) -> str:
    paid = [link for link in (invoice.payments.data if invoice.payments else []) if link.status == "paid"]
    return id_of(paid[0].payment.payment_intent) if paid else ""


def portal(*, customer_id: str, return_url: str) -> str:
    """Open the customer's portal and return its address."""
    made = ask(
        lambda client: client.v1.billing_portal.sessions.create({"customer": customer_id, "return_url": return_url})
    )
    return made.url


def id_of(value: object) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return str(getattr(value, "id", ""))


def our_id(value: str | None) -> UUID | None:
    """Return the id that we gave a thing of Stripe's; None where it is no id of ours."""
    try:
        return UUID(value or "")
    except ValueError:
        return None


def moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
