"""The nightly comparison with Stripe: each new difference is an alarm; what reading again can repair, it repairs."""

from datetime import datetime, timedelta

import structlog
from sqlmodel import Session, col, select

from copytrade import clock
from copytrade.db.events import record
from copytrade.db.session import reading, transaction
from copytrade.errors import CopyTradeError
from copytrade.payments import comparing, facts, gateway, sync, taking_back
from copytrade.payments.comparing import Finding, Kind
from copytrade.payments.facts import Known
from copytrade.payments.gateway import PaymentsUnavailable
from copytrade.payments.ledger_models import MoneyDifference
from copytrade.payments.models import StripeSubscription
from copytrade.settings import settings
from copytrade.subscriptions import queries as subscriptions

log = structlog.get_logger()


def compare() -> int:
    """Compare Stripe's lists with ours, alarm on what is new, repair what can be, and compare again.

    Return how many differences are left.
    """
    try:
        found = _found()
        _keep(found)
        if any(one.of for one in found):
            for one in found:
                _repair(one)
            found = _found()
            _keep(found)
    except PaymentsUnavailable as error:
        with transaction() as session:
            day = clock.now().date().isoformat()
            record(session, "alarm.reconciliation_failed", cause=day, day=day, error=error.message)
        return -1
    return len(found)


def _found() -> list[Finding]:
    with reading() as session:
        since = _since(session)
        lists = comparing.lists_of_stripe(since)
        return comparing.findings(session, lists, since=since)


def _since(session: Session) -> datetime:
    """Return how far back to look: what differs stays in sight until it does not."""
    window = timedelta(days=settings().reconcile_days)
    oldest = session.exec(
        select(MoneyDifference.found_at)
        .where(col(MoneyDifference.resolved_at).is_(None))
        .order_by(col(MoneyDifference.found_at))
        .limit(1)
    ).first()
    return min(oldest or clock.now(), clock.now()) - window


def _keep(found: list[Finding]) -> None:
    """Write and tell what is new, and note what is gone."""
    with transaction() as session:
        rows = session.exec(select(MoneyDifference).where(col(MoneyDifference.resolved_at).is_(None)).with_for_update())
        known = {(row.kind, row.stripe_id): row for row in rows}
        seen = {(one.kind.value, one.stripe_id): one for one in found}
        for key, one in seen.items():
            row = known.get(key)
            if row is None:
                row = MoneyDifference(
                    kind=one.kind, stripe_id=one.stripe_id, ours=one.ours, theirs=one.theirs, found_at=clock.now()
                )
                _alarm(session, row)
            row.ours, row.theirs = one.ours, one.theirs
            session.add(row)
        for key, row in known.items():
            if key not in seen:
                row.resolved_at = clock.now()
                session.add(row)


def _alarm(session: Session, row: MoneyDifference) -> None:
    record(
        session,
        "alarm.money_differs",
        cause=str(row.id),
        kind_of=row.kind.replace("_", " "),
        stripe=row.stripe_id,
        ours=row.ours or "–",
        theirs=row.theirs or "–",
    )


def _repair(one: Finding) -> None:
    """Read again what differs; what cannot be repaired now stays told."""
    if not one.of:
        return
    try:
        with transaction() as session:
            match one.kind:
                case Kind.PAYMENT | Kind.ENDED_THERE:
                    _read_wholly(session, one.of)
                case Kind.REFUND:
                    sync.refund(session, charge_id=one.of)
                case Kind.DISPUTE:
                    taking_back.dispute(session, dispute_id=one.of)
                case Kind.RUNS_THERE:
                    _end_or_take_in(session, one.of)
                case Kind.TRANSFER | Kind.REVERSAL:
                    return
    except CopyTradeError as error:
        log.warning("reconciling.not_repaired", kind=one.kind, stripe_id=one.stripe_id, reason=error.message)


def _read_wholly(session: Session, stripe_subscription_id: str) -> None:
    """Read a subscription with every invoice of it, whatever we believe to know."""
    [asking] = sync.asked(session, [stripe_subscription_id])
    sync.take_in(session, asking, facts.subscription(stripe_subscription_id, known=Known()))


def _end_or_take_in(session: Session, stripe_subscription_id: str) -> None:
    row = session.get(StripeSubscription, stripe_subscription_id)
    ours = subscriptions.by_ids(session, {row.subscription_id}) if row else {}
    if row is not None and ours[row.subscription_id].ended_at is not None:
        gateway.cancel(stripe_subscription_id)
    _read_wholly(session, stripe_subscription_id)
