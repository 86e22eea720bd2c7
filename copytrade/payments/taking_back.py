"""Money that goes back to its payer: refunds and disputes read at Stripe, booked, and taken back of payouts."""

from sqlmodel import Session, col, select

from copytrade import clock
from copytrade.db.bell import ring
from copytrade.db.events import record
from copytrade.db.session import reading, transaction
from copytrade.domain.money import major, told
from copytrade.payments import entries, ledger, money_gateway, reversing
from copytrade.payments.ledger import Back, Fee, Withdrawn
from copytrade.payments.ledger_models import Dispute
from copytrade.payments.models import PaidPeriod
from copytrade.payments.money_gateway import RemoteDispute, RemoteFee, RemoteRefund

_WON, _LOST = "won", "lost"
_AT_ONCE = 200


def refunds(session: Session, *, charge_id: str) -> PaidPeriod | None:
    """Book the refunds of a charge as Stripe has them now; return the period it paid, None where it is not ours."""
    found = money_gateway.refunds_of(charge_id)
    period = _period(session, found[0].payment_intent_id) if found else None
    if period is None:
        return None
    in_all = sum(one.minor for one in found if not one.has_failed)
    for one in found:
        _book_refund(session, period, one, in_all=in_all)
    ring(session, f"user:{period.trader_id}", f"user:{period.subscriber_id}")
    return period


def _book_refund(session: Session, period: PaidPeriod, refund: RemoteRefund, *, in_all: int) -> None:
    back = Back(refund.id, refund.minor, in_all, refund.created_at)
    if refund.has_failed:
        ledger.book_refund_failed(session, period=period, back=back)
        reversing.drop(session, cause=f"refund:{refund.id}")
        return
    taken = ledger.book_refund(session, period=period, back=back)
    if taken:
        reversing.plan(session, cause=f"refund:{refund.id}", period=period, minor=taken)


def dispute(session: Session, *, dispute_id: str) -> Dispute:
    """Read a dispute at Stripe, book what the bank took, gave back or keeps, and return it as it stands.

    One of a payment that is not in the ledger (not ours, or not booked yet) is kept and not booked.
    """
    remote = money_gateway.dispute(dispute_id)
    period = _period(session, remote.payment_intent_id)
    row = _noted(session, remote, period)
    if period is None:
        return row
    for one in remote.fees:
        fee = Fee(one.transaction_id, one.minor, one.currency, one.created_at)
        ledger.book_fee(session, fee=fee, period=period)
    if remote.withdrawn:
        _book_dispute(session, remote, period)
    ring(session, f"user:{period.trader_id}", f"user:{period.subscriber_id}")
    return row


def _book_dispute(session: Session, remote: RemoteDispute, period: PaidPeriod) -> None:
    taken = Withdrawn(remote.id, remote.withdrawn, remote.currency, remote.created_at)
    cause = f"dispute:{remote.id}:lost"
    if remote.status == _WON:
        ledger.book_dispute_won(session, period=period, taken=taken)
        reversing.drop(session, cause=cause)
    elif remote.status == _LOST:
        lost = ledger.book_dispute_lost(session, period=period, taken=taken)
        if lost:
            reversing.plan(session, cause=cause, period=period, minor=lost)
    else:
        ledger.book_disputed(session, period=period, taken=taken)


def _noted(session: Session, remote: RemoteDispute, period: PaidPeriod | None) -> Dispute:
    row = session.get(Dispute, remote.id, with_for_update=True)
    was = row.status if row else ""
    if row is None:
        row = Dispute(
            stripe_dispute_id=remote.id,
            stripe_charge_id=remote.charge_id,
            minor=remote.minor,
            currency=remote.currency,
            reason=remote.reason,
            status=remote.status,
            is_open=remote.is_open,
            opened_at=remote.created_at,
            synced_at=clock.now(),
        )
    row.minor, row.reason, row.status, row.is_open = remote.minor, remote.reason, remote.status, remote.is_open
    row.paid_period_id = period.id if period else row.paid_period_id
    row.evidence_due_at, row.synced_at = remote.evidence_due_at, clock.now()
    if not remote.is_open and row.closed_at is None:
        row.closed_at = clock.now()
    session.add(row)
    session.flush()
    if was != row.status:
        _tell(session, row, period, is_new=not was)
    return row


def _tell(session: Session, row: Dispute, period: PaidPeriod | None, *, is_new: bool) -> None:
    id, reason = row.stripe_dispute_id, row.reason.replace("_", " ")
    amount = told(major(row.minor, currency=row.currency), currency=row.currency)
    if is_new:
        due = row.evidence_due_at.isoformat() if row.evidence_due_at else ""
        record(session, "alarm.dispute", cause=id, dispute=id, amount=amount, reason=reason, due=due)
    if period is None:
        return
    if is_new and row.is_open:
        record(session, "earnings.frozen", user_id=period.trader_id, cause=id, amount=amount, reason=reason)
    elif row.status in (_WON, _LOST):
        kind = f"earnings.dispute_{row.status}"
        record(session, kind, user_id=period.trader_id, cause=id, amount=amount, reason=reason)


def collect_fees() -> int:
    """Book what Stripe kept of charges since the last time; return how many bookings that made.

    Its list is read from the newest back to a page that is known wholly, and booked from the oldest on, so that what
    a crash leaves out is the newest, which the next time finds first.
    """
    waiting: list[RemoteFee] = []
    for page in money_gateway.charges_with_fees():
        with reading() as session:
            known = entries.booked(session, {f"fee:{one.transaction_id}" for one in page})
        new = [one for one in page if f"fee:{one.transaction_id}" not in known]
        waiting += new
        if page and not new:
            break
    waiting.reverse()
    return sum(_book_fees(waiting[start : start + _AT_ONCE]) for start in range(0, len(waiting), _AT_ONCE))


def _book_fees(fees: list[RemoteFee]) -> int:
    with transaction() as session:
        by_intent = {one.payment_intent_id for one in fees if one.payment_intent_id}
        found = session.exec(select(PaidPeriod).where(col(PaidPeriod.stripe_payment_intent_id).in_(by_intent)))
        periods = {period.stripe_payment_intent_id: period for period in found}
        return sum(
            ledger.book_fee(
                session,
                fee=Fee(one.transaction_id, one.minor, one.currency, one.created_at),
                period=periods.get(one.payment_intent_id),
            )
            for one in fees
        )


def _period(session: Session, payment_intent_id: str) -> PaidPeriod | None:
    """Return the period that a payment paid, locked; one from before payments' ids were kept is found by invoice."""
    if not payment_intent_id:
        return None
    found = ledger.locked_period(session, payment_intent_id=payment_intent_id)
    if found is not None:
        return found
    invoice = money_gateway.invoice_of(payment_intent_id)
    found = ledger.locked_period(session, invoice_id=invoice) if invoice else None
    if found is not None:
        found.stripe_payment_intent_id = payment_intent_id
        session.add(found)
    return found
