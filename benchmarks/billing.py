"""A night on which every subscription renews, worked off by the real processes, and a large trader's earnings page.

Subscribers buy on the hosted page's own code and their first webhooks make our rows, as in an installation. Then both
clocks go a month ahead while the deliveries are held, and what counts begins with the first of them.
"""

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from benchmarks.ground import Ground, ground
from copytrade.sandbox.stripe_control import StripeControl
from tests.waiting import wait_until
from workers.launching.ports import any_free

SUBSCRIPTIONS = int(os.environ.get("BENCH_SUBSCRIPTIONS", "10000"))
MONTH = timedelta(days=31)
PATIENCE_S = 1800.0
PROCESSES = ("web", "cron", "worker-billing", "worker-billing:2")
EVENTS = (
    "account.application.deauthorized",
    "account.updated",
    "charge.dispute.closed",
    "charge.dispute.created",
    "charge.dispute.updated",
    "charge.refunded",
    "checkout.session.completed",
    "checkout.session.expired",
    "customer.subscription.created",
    "customer.subscription.deleted",
    "customer.subscription.paused",
    "customer.subscription.resumed",
    "customer.subscription.updated",
    "invoice.paid",
    "invoice.payment_action_required",
    "invoice.payment_failed",
    "refund.failed",
    "refund.updated",
)
"""What the README has Stripe send: nothing else, so that no event counts that asks for no work."""


@dataclass(frozen=True, slots=True)
class Night:
    """When the first event of the night came and the last was worked off."""

    events: int
    first: datetime
    last: datetime

    @property
    def seconds(self) -> float:
        """How long it took."""
        return (self.last - self.first).total_seconds()


def measure() -> dict[str, float]:
    """Return events a second, what does not balance, the webhook's answer, and the earnings page."""
    with _place() as place, StripeControl(place.control_url, timeout=PATIENCE_S) as stripe:
        from benchmarks import billing_books, billing_crowd, billing_earnings
        from benchmarks.billing_probe import answers

        place.ground.processes.start(*PROCESSES)
        place.wait_for_web()
        stripe.endpoint(place.webhook_url, place.secret, enabled_events=list(EVENTS))
        trader_id = billing_crowd.gather(stripe, subscriptions=SUBSCRIPTIONS)
        stripe.webhooks()
        _wait(stripe, what="the first payments")
        billing_books.check_active(SUBSCRIPTIONS)
        stripe.webhooks(hold=True)
        _a_month_later(stripe)
        before = billing_books.handled()
        with answers(place.webhook_url, place.secret) as latencies:
            stripe.webhooks()
            _wait(stripe, what="the renewals")
        night = Night(*billing_books.night(since=before))
        return {
            "billing.subscriptions": SUBSCRIPTIONS,
            "billing.events": night.events,
            "billing.seconds": night.seconds,
            "billing.events_per_s": night.events / night.seconds,
            "billing.renewals_per_s": SUBSCRIPTIONS / night.seconds,
            "billing.webhook_p99_ms": percentile(latencies, 0.99),
            "billing.imbalance": billing_books.imbalance(trader_id, periods=2 * SUBSCRIPTIONS),
            # its subscriptions were never paid at Stripe: they come when the books are compared
            **billing_earnings.measure(),
        }


@dataclass(frozen=True, slots=True)
class _Place:
    ground: Ground
    web_port: int

    @property
    def control_url(self) -> str:
        return self.ground.api_url.removesuffix("/binance")

    @property
    def webhook_url(self) -> str:
        return f"http://127.0.0.1:{self.web_port}/api/v1/payments/notify"

    @property
    def secret(self) -> str:
        return os.environ["COPYTRADE_STRIPE_WEBHOOK_SECRET"]

    def wait_for_web(self) -> None:
        self.ground.processes.wait_for_web()


@contextmanager
def _place() -> Iterator[_Place]:
    """The ground, with a web process that has no pages: only Stripe asks it."""
    port = any_free()
    with ground(port=str(port), host="127.0.0.1", web_workers="2") as place:
        var = os.environ["COPYTRADE_VAR"]
        os.makedirs(f"{var}/web/build/client", exist_ok=True)
        os.environ |= {"REFLEX_WEB_WORKDIR": f"{var}/web", "REFLEX_REDIS_URL": os.environ["COPYTRADE_REDIS_URL"]}
        os.environ["REFLEX_TELEMETRY_ENABLED"] = "false"
        yield _Place(place, port)


def _a_month_later(stripe: StripeControl) -> None:
    from copytrade import clock
    from copytrade.db.clock import advance
    from copytrade.db.session import transaction

    stripe.advance(int(MONTH.total_seconds()), timeout=PATIENCE_S)
    with transaction() as session:
        advance(session, MONTH)
    clock.set_offset(MONTH)


def _wait(stripe: StripeControl, *, what: str) -> None:
    from benchmarks import billing_books

    def is_done() -> bool:
        return stripe.backlog() == 0 and billing_books.waiting() == 0

    wait_until(is_done, timeout=PATIENCE_S, every=0.5, what=f"{what} worked off")


def percentile(values: list[float], part: float) -> float:
    """Return the value below which this part of the values is."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, math.ceil(part * len(ordered)) - 1)]
