"""Stripe's lists held against ours: what is there and not here, here and not there, or not the same."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlmodel import Session, col, select

from copytrade import clock
from copytrade.domain.money import major, told
from copytrade.payments import connect_gateway, entries, money_gateway
from copytrade.payments.facts import GONE
from copytrade.payments.ledger_models import Dispute, Payout, PayoutState, Reversal, ReversalState
from copytrade.payments.models import PaidPeriod, StripeSubscription
from copytrade.payments.money_gateway import RemoteDispute, RemoteInvoice, RemoteRefund, RemoteRunning
from copytrade.subscriptions import queries as subscriptions

INVOICE_MAY_WAIT = timedelta(days=45)
"""So long after it was made an invoice may still be paid: retries, and a payer who takes his time."""
_UNDER_WAY = timedelta(hours=1)
"""What happened just now may not have reached us: no difference yet."""


class Kind(StrEnum):
    """What differs."""

    PAYMENT = "payment"
    REFUND = "refund"
    DISPUTE = "dispute"
    TRANSFER = "transfer"
    REVERSAL = "reversal"
    RUNS_THERE = "runs_there"
    ENDED_THERE = "ended_there"


@dataclass(frozen=True, slots=True)
class Finding:
    """A difference; `of` is what has to be read again so that it goes away, empty where nothing can be done."""

    kind: Kind
    stripe_id: str
    ours: str
    theirs: str
    of: str = ""


@dataclass(frozen=True, slots=True)
class Lists:
    """What Stripe has."""

    invoices: list[RemoteInvoice]
    refunds: list[RemoteRefund]
    disputes: list[RemoteDispute]
    transfers: list[connect_gateway.RemoteTransfer]
    running: list[RemoteRunning]


def lists_of_stripe(since: datetime) -> Lists:
    """Read Stripe's lists since a time; what runs is read wholly."""
    return Lists(
        invoices=money_gateway.paid_invoices_since(since - INVOICE_MAY_WAIT),
        refunds=money_gateway.refunds_since(since),
        disputes=money_gateway.disputes_since(since),
        transfers=connect_gateway.transfers_since(since),
        running=money_gateway.running_subscriptions(),
    )


def findings(session: Session, lists: Lists, *, since: datetime) -> list[Finding]:
    """Return where Stripe's lists and ours differ."""
    return [
        *_payments(session, lists.invoices, since),
        *_refunds(session, lists.refunds),
        *_disputes(session, lists.disputes),
        *_transfers(session, lists.transfers, since),
        *_subscriptions(session, lists.running),
    ]


def _payments(session: Session, invoices: list[RemoteInvoice], since: datetime) -> Iterator[Finding]:
    rows = session.exec(select(PaidPeriod).where(PaidPeriod.paid_at >= since - INVOICE_MAY_WAIT)).all()
    here = {row.stripe_invoice_id: row for row in rows}
    known = set(session.exec(select(StripeSubscription.stripe_subscription_id)))
    for one in invoices:
        row = here.get(one.id)
        if row is None and not one.is_ours and one.stripe_subscription_id not in known:
            continue
        theirs, ours = _told(one.minor, one.currency), _told(row.minor, row.currency) if row else ""
        if ours != theirs:
            yield Finding(Kind.PAYMENT, one.id, ours, theirs, of=one.stripe_subscription_id)
    there = {one.id for one in invoices}
    for row in rows:
        if row.paid_at >= since and row.stripe_invoice_id not in there:
            yield Finding(Kind.PAYMENT, row.stripe_invoice_id, _told(row.minor, row.currency), "")


def _refunds(session: Session, refunds: list[RemoteRefund]) -> Iterator[Finding]:
    intents = {one.payment_intent_id for one in refunds if one.payment_intent_id}
    rows = session.exec(select(PaidPeriod).where(col(PaidPeriod.stripe_payment_intent_id).in_(intents)))
    periods = {row.stripe_payment_intent_id: row for row in rows}
    keys = {key for one in refunds for key in (f"refund:{one.id}", f"refund:{one.id}:failed")}
    booked = entries.booked(session, keys)
    for one in refunds:
        period = periods.get(one.payment_intent_id)
        key = f"refund:{one.id}"
        is_standing = key in booked and f"{key}:failed" not in booked
        if period is None or is_standing != one.has_failed:
            continue
        # One from before refunds were booked by their ids is in the sum, which is what counts.
        total = sum(each.minor for each in money_gateway.refunds_of(one.charge_id) if not each.has_failed)
        if total != period.refunded_minor:
            ours = _told(period.refunded_minor, period.currency)
            yield Finding(Kind.REFUND, one.id, ours, _told(total, one.currency), of=one.charge_id)


def _disputes(session: Session, disputes: list[RemoteDispute]) -> Iterator[Finding]:
    here = {row.stripe_dispute_id: row for row in session.exec(select(Dispute))}
    intents = {one.payment_intent_id for one in disputes if one.payment_intent_id}
    ours = set(
        session.exec(
            select(PaidPeriod.stripe_payment_intent_id).where(col(PaidPeriod.stripe_payment_intent_id).in_(intents))
        )
    )
    for one in disputes:
        row = here.get(one.id)
        if one.payment_intent_id in ours and (row is None or row.status != one.status):
            yield Finding(Kind.DISPUTE, one.id, row.status if row else "", one.status, of=one.id)


def _transfers(session: Session, transfers: list[connect_gateway.RemoteTransfer], since: datetime) -> Iterator[Finding]:
    rows = session.exec(select(Payout).where(Payout.state == PayoutState.SENT, Payout.created_at >= since)).all()
    ids = {one.id for one in transfers}
    sent = {
        row.stripe_transfer_id: row
        for row in (*rows, *session.exec(select(Payout).where(col(Payout.stripe_transfer_id).in_(ids))))
    }
    taken = _reversed(session, sent)
    for one in transfers:
        row, is_whole = sent.get(one.id), one.reversed_minor == one.minor
        if row is None and (is_whole or one.created_at > clock.now() - _UNDER_WAY):
            continue
        theirs, ours = _told(one.minor, one.currency), _told(row.minor, row.currency) if row else ""
        if ours != theirs:
            yield Finding(Kind.TRANSFER, one.id, ours, theirs)
        elif taken.get(one.id, 0) != one.reversed_minor:
            ours = _told(taken.get(one.id, 0), one.currency)
            yield Finding(Kind.REVERSAL, one.id, ours, _told(one.reversed_minor, one.currency))
    for row in rows:
        if row.sent_at and row.sent_at >= since and row.stripe_transfer_id not in ids:
            yield Finding(Kind.TRANSFER, row.stripe_transfer_id, _told(row.minor, row.currency), "")


def _reversed(session: Session, sent: dict[str, Payout]) -> dict[str, int]:
    by_payout = {row.id: id for id, row in sent.items()}
    taken: dict[str, int] = {}
    found = select(Reversal).where(Reversal.state == ReversalState.DONE, col(Reversal.payout_id).in_(by_payout))
    for row in session.exec(found):
        id = by_payout[row.payout_id]
        taken[id] = taken.get(id, 0) + row.minor
    return taken


def _subscriptions(session: Session, running: list[RemoteRunning]) -> Iterator[Finding]:
    rows = {row.stripe_subscription_id: row for row in session.exec(select(StripeSubscription))}
    ours = subscriptions.by_ids(session, {row.subscription_id for row in rows.values()})
    just_now = clock.now() - _UNDER_WAY
    there = {one.id: one for one in running}
    for one in running:
        row = rows.get(one.id)
        if row is None:
            if one.is_ours:
                yield Finding(Kind.RUNS_THERE, one.id, "", one.status, of=one.id)
            continue
        mine = ours[row.subscription_id]
        if mine.successor_id is None and mine.ended_at is not None and mine.ended_at < just_now:
            yield Finding(Kind.RUNS_THERE, one.id, mine.state, one.status, of=one.id)
    for id, row in rows.items():
        if row.status not in GONE and id not in there:
            yield Finding(Kind.ENDED_THERE, id, row.status, "canceled", of=id)


def _told(minor: int, currency: str) -> str:
    return told(major(minor, currency=currency), currency=currency)
