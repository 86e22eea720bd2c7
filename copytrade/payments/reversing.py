"""Taking a part of a payout back, since the money behind it went back to its payer: planned, asked, booked."""

from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select, update

from copytrade import clock
from copytrade.db.bell import ring
from copytrade.db.events import record
from copytrade.db.model import new_id
from copytrade.db.session import transaction
from copytrade.domain.money import major, told
from copytrade.failpoints import Label, reach
from copytrade.payments import connect_gateway, ledger
from copytrade.payments.connect_gateway import RemoteReversal
from copytrade.payments.gateway import PaymentsRefused, PaymentsUnavailable
from copytrade.payments.ledger_models import (
    EntryKind,
    LedgerEntry,
    Payout,
    PayoutLine,
    PayoutState,
    Reversal,
    ReversalState,
)
from copytrade.payments.models import PaidPeriod

log = structlog.get_logger()
_LEASE = timedelta(seconds=90)
_LONGEST_PAUSE = timedelta(hours=1)
MOST_REFUSALS = 3
"""So often Stripe may say no until it is a debt, which the trader's next payout settles."""


def plan(session: Session, *, cause: str, period: PaidPeriod, minor: int) -> bool:
    """Note that so much of a payout is to be taken back; False where no payout paid that period."""
    payout_id = session.exec(
        select(PayoutLine.payout_id)
        .join(LedgerEntry, col(LedgerEntry.id) == col(PayoutLine.entry_id))
        .where(
            LedgerEntry.paid_period_id == period.id,
            LedgerEntry.kind == EntryKind.PAID,
            col(PayoutLine.is_live),
        )
    ).first()
    if payout_id is None:
        return False
    values = {
        "id": new_id(),
        "cause": cause,
        "payout_id": payout_id,
        "trader_id": period.trader_id,
        "paid_period_id": period.id,
        "currency": period.currency,
        "minor": minor,
        "state": ReversalState.PLANNED,
        "stripe_reversal_id": "",
        "attempts": 0,
        "refusals": 0,
        "error": "",
        "try_at": clock.real_now(),
        "created_at": clock.now(),
    }
    session.connection().execute(insert(Reversal).values(values).on_conflict_do_nothing(index_elements=["cause"]))
    ring(session, "billing")
    return True


def drop(session: Session, *, cause: str) -> None:
    """Take back nothing where the money came back to us before it was taken."""
    session.connection().execute(
        update(Reversal)
        .where(col(Reversal.cause) == cause, col(Reversal.state) == ReversalState.PLANNED, col(Reversal.attempts) == 0)
        .values(state=ReversalState.DROPPED)
    )


def work_off(*, until: datetime) -> int:
    """Take back what is due, each in steps of its own, until a time; return how many were tried."""
    done = 0
    while clock.real_now() < until and (claimed := _claim()) is not None:
        _take_back(claimed)
        done += 1
    return done


def _claim() -> UUID | None:
    """Hide the next reversal for a while; one whose payout has not left waits for it."""
    with transaction() as session:
        row = session.exec(
            select(Reversal)
            .join(Payout, col(Payout.id) == col(Reversal.payout_id))
            .where(
                Reversal.state == ReversalState.PLANNED,
                col(Reversal.try_at) <= clock.real_now(),
                col(Payout.state) != PayoutState.PLANNED,
            )
            .order_by(col(Reversal.try_at), col(Reversal.id))
            .limit(1)
            .with_for_update(of=Reversal, skip_locked=True)
        ).first()
        if row is None:
            return None
        row.attempts += 1
        row.try_at = clock.real_now() + _LEASE
        session.add(row)
    return row.id


def _take_back(id: UUID) -> None:
    with transaction() as session:
        row = session.get_one(Reversal, id)
        payout = session.get_one(Payout, row.payout_id)
        if payout.state == PayoutState.CANCELED:
            # Nothing left: the entries are free again, and what went back is among them.
            row.state, row.done_at = ReversalState.DROPPED, clock.now()
            session.add(row)
            return
    try:
        made = connect_gateway.reversal_of(payout.stripe_transfer_id, cause=row.cause)
        reach(Label.REVERSAL_ASKED)
        made = made or _reversed(row, payout)
    except PaymentsRefused as error:
        _refused(id, error)
    except PaymentsUnavailable as error:
        _again_later(id, error)
    else:
        reach(Label.REVERSAL_DONE)
        _note_done(id, made)


def _reversed(row: Reversal, payout: Payout) -> RemoteReversal:
    """Ask for what is left of the transfer at most: a payout may be less than one of its lines."""
    transfer = connect_gateway.transfer(payout.stripe_transfer_id)
    minor = min(row.minor, transfer.minor - transfer.reversed_minor)
    if minor <= 0:
        raise PaymentsRefused(f"transfer {transfer.id} is reversed wholly", reason="nothing_left")
    key = f"reversal:{row.cause}:{row.refusals}"
    return connect_gateway.create_reversal(transfer.id, cause=row.cause, key=key, minor=minor)


def _note_done(id: UUID, made: RemoteReversal) -> None:
    with transaction() as session:
        row = session.get_one(Reversal, id, with_for_update=True)
        row.state, row.stripe_reversal_id, row.minor = ReversalState.DONE, made.id, made.minor
        row.done_at, row.error = clock.now(), ""
        session.add(row)
        if ledger.book_reversal(session, reversal=row):
            _tell(session, row, "payout.reversed")
        reach(Label.REVERSAL_WRITTEN)


def _refused(id: UUID, error: PaymentsRefused) -> None:
    with transaction() as session:
        row = session.get_one(Reversal, id, with_for_update=True)
        row.refusals += 1
        row.error = error.message
        if row.refusals >= MOST_REFUSALS:
            row.state, row.done_at = ReversalState.REFUSED, clock.now()
            _tell(session, row, "payout.debt")
        else:
            row.try_at = clock.real_now() + _pause(row.refusals)
        session.add(row)


def _again_later(id: UUID, error: PaymentsUnavailable) -> None:
    log.warning("reversal.again_later", reversal=str(id), reason=error.message)
    with transaction() as session:
        row = session.get_one(Reversal, id, with_for_update=True)
        row.error, row.try_at = error.message, clock.real_now() + _pause(row.attempts)
        session.add(row)


def _pause(tries: int) -> timedelta:
    return min(timedelta(seconds=2.0 ** min(tries, 20)), _LONGEST_PAUSE)


def _tell(session: Session, row: Reversal, kind: str) -> None:
    amount = told(major(row.minor, currency=row.currency), currency=row.currency)
    record(session, kind, user_id=row.trader_id, cause=row.cause, amount=amount)
    ring(session, f"user:{row.trader_id}")
