"""RQ jobs: each rings the loop of its worker or calls one service."""

from copytrade import clock
from copytrade.analytics import service as analytics
from copytrade.copying import skip_results
from copytrade.db.session import transaction
from copytrade.notifications import service as notifications
from copytrade.payments import payouts, reconciling, taking_back
from copytrade.payments import service as payments
from copytrade.subscriptions import service as subscriptions
from workers.loop import current


def wake_copying() -> None:
    """Let the copy loop look for fills to plan and legs to drive."""
    current().ring("plan")
    current().ring("drive")


def wake_capture() -> None:
    """Let the capture loop look for accounts to check and to poll."""
    current().ring("check")
    current().ring("poll")


def settle_payments() -> None:
    """Work off the webhooks that lie in the inbox."""
    payments.process_events()


def reconcile_payments() -> None:
    """Compare what we believe of payments with what Stripe says."""
    payments.reconcile()


def plan_payouts() -> None:
    """Plan what traders are paid on this date; on other days nothing is due."""
    payouts.plan_due()


def move_payouts() -> None:
    """Move what is planned, and take back what went back to payers."""
    payouts.move_due()


def collect_fees() -> None:
    """Book what Stripe kept of charges."""
    taking_back.collect_fees()


def compare_money() -> None:
    """Compare Stripe's lists with ours and alarm on differences."""
    reconciling.compare()


def expire_subscriptions() -> None:
    """End the entitlement of those whose time has run out."""
    with transaction() as session:
        subscriptions.expire_due(session, clock.now())


def deliver_notices() -> None:
    """Turn events into notices and mails."""
    notifications.deliver_due()


def refresh_statistics() -> None:
    """Bring statistics up to the newest fills and snapshots."""
    analytics.refresh_all()


def price_skips() -> None:
    """Price what was not copied of openings that traders left in the last minutes."""
    skip_results.price_lately()


def price_all_skips() -> None:
    """Price what was not copied of openings whose exit the usual round missed."""
    skip_results.price_all()
