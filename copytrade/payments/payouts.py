"""Payouts: what is free is planned with its lines, moved at Stripe once, and told; each step has its own commit.

Whoever dies between two steps leaves a row that says how far it came: a planned payout is looked for at Stripe by its
group before it is asked for, and asked for under a key that stays the same until Stripe has said no for certain.
"""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import structlog
from sqlalchemy import ColumnElement, func, insert, literal, text, update
from sqlmodel import Session, and_, col, select

from copytrade import clock
from copytrade.db.bell import ring
from copytrade.db.events import record
from copytrade.db.session import reading, transaction
from copytrade.domain.bookings import trader_account, trader_of
from copytrade.domain.money import major, told
from copytrade.domain.payout_dates import last_date, least
from copytrade.errors import CopyTradeError
from copytrade.failpoints import Label, reach
from copytrade.payments import connect, connect_gateway, ledger, reversing
from copytrade.payments.connect_gateway import RemoteTransfer
from copytrade.payments.entries import MOVED, is_frozen, is_in_payout
from copytrade.payments.gateway import PaymentsRefused, PaymentsUnavailable
from copytrade.payments.ledger_models import LedgerEntry, PayoutLine, PayoutState
from copytrade.payments.ledger_models import Payout as Row
from copytrade.settings import settings

log = structlog.get_logger()
NOT_PAYABLE = ("insufficient_capabilities_for_transfer", "account_invalid", "resource_missing", "transfers_not_allowed")
"""Stripe's words for an account that cannot be paid: the payout is canceled, and its entries are free again."""
NOT_ENOUGH = "balance_insufficient"
_LEASE = timedelta(seconds=90)
_A_WHILE = timedelta(seconds=30)
"""Well below the time that a job may take; the next one goes on."""
_LONGEST_PAUSE = timedelta(hours=1)


def plan_due() -> int:
    """Plan a payout for every trader and currency that is owed enough since the last date; return how many."""
    with reading() as session:
        owed = _owed(session)
    return sum(_planned(trader_id, currency) for trader_id, currency in owed)


def _owed(session: Session) -> list[tuple[UUID, str]]:
    sums = session.exec(
        select(LedgerEntry.account, LedgerEntry.currency, -func.sum(LedgerEntry.minor))
        .where(*_free(), col(LedgerEntry.account).startswith("trader:"))
        .group_by(col(LedgerEntry.account), col(LedgerEntry.currency))
        .having(func.sum(LedgerEntry.minor) < 0)
        .order_by(col(LedgerEntry.account), col(LedgerEntry.currency))
    )
    found = [(trader_of(account), currency, int(minor)) for account, currency, minor in sums]
    return [(trader, currency) for trader, currency, minor in found if trader and minor >= _least(currency)]


def _free() -> Sequence[ColumnElement[bool]]:
    """Say of an entry that it waits for a payout: its time of holding was over at the last date, nothing freezes it."""
    date = last_date(clock.now(), every=settings().payout_every)
    return (
        col(LedgerEntry.available_at) <= date,
        col(LedgerEntry.kind).not_in(MOVED),
        ~is_in_payout(),
        ~is_frozen(),
    )


def _least(currency: str) -> int:
    return least(settings().payout_minimum, currency=currency)


def _planned(trader_id: UUID, currency: str) -> bool:
    with transaction() as session:
        made = plan(session, trader_id=trader_id, currency=currency)
        reach(Label.PAYOUT_PLANNED)
    reach(Label.PAYOUT_COMMITTED)
    return made is not None


def plan(session: Session, *, trader_id: UUID, currency: str) -> Row | None:
    """Write a payout of all that is free, with its lines and its booking; None where it is too little or unpayable."""
    session.connection().execute(text("select pg_advisory_xact_lock(hashtext(:key))"), {"key": f"payout:{trader_id}"})
    account = connect.account_of(session, user_id=trader_id)
    if account is None or not account.may_be_paid:
        return None
    row = Row(
        trader_id=trader_id,
        currency=currency,
        minor=0,
        stripe_account_id=account.stripe_account_id,
        try_at=clock.real_now(),
        created_at=clock.now(),
    )
    with session.begin_nested() as nested:
        row.minor = _take(session, row)
        if row.minor < max(1, _least(currency)):
            nested.rollback()
            return None
        session.add(row)
        ledger.book_payout(session, payout=row)
    ring(session, "billing", f"user:{trader_id}")
    return row


def _take(session: Session, row: Row) -> int:
    """Write the lines of a payout first and sum them up then, so that no entry can come in between."""
    mine = and_(LedgerEntry.account == trader_account(row.trader_id), LedgerEntry.currency == row.currency)
    entries = select(literal(row.id), LedgerEntry.id, literal(True)).where(mine, *_free())  # pyright: ignore[reportCallIssue, reportArgumentType, reportUnknownVariableType, reportUnknownMemberType]
    columns = ["payout_id", "entry_id", "is_live"]
    session.connection().execute(insert(PayoutLine).from_select(columns, entries))  # pyright: ignore[reportUnknownArgumentType]
    total = session.exec(
        select(func.coalesce(-func.sum(LedgerEntry.minor), 0))
        .join(PayoutLine, col(PayoutLine.entry_id) == col(LedgerEntry.id))
        .where(PayoutLine.payout_id == row.id)
    ).one()
    return int(total)


def move_due() -> int:
    """Send what is planned and take back what went back to payers, for a while; return how many were tried."""
    done, until = 0, clock.real_now() + _A_WHILE
    while clock.real_now() < until and (claimed := _claim()) is not None:
        reach(Label.PAYOUT_CLAIMED)
        _send(claimed)
        done += 1
    return done + reversing.work_off(until=until)


def _claim() -> Row | None:
    with transaction() as session:
        row = session.exec(
            select(Row)
            .where(Row.state == PayoutState.PLANNED, col(Row.try_at) <= clock.real_now())
            .order_by(col(Row.try_at), col(Row.id))
            .limit(1)
            .with_for_update(skip_locked=True)
        ).first()
        if row is not None:
            row.attempts += 1
            row.try_at = clock.real_now() + _LEASE
            session.add(row)
    return row


def _send(row: Row) -> None:
    group = f"payout:{row.id}"
    try:
        moved = connect_gateway.transfer_of(group)
        if moved is None:
            reach(Label.PAYOUT_ASKED)
            moved = connect_gateway.create_transfer(
                group=group,
                key=f"{group}:{row.refusals}",
                stripe_account_id=row.stripe_account_id,
                minor=row.minor,
                currency=row.currency,
            )
    except PaymentsRefused as error:
        _refused(row.id, error)
    except PaymentsUnavailable as error:
        _again_later(row.id, error)
    else:
        reach(Label.PAYOUT_MOVED)
        _note_sent(row.id, moved)
        reach(Label.PAYOUT_TOLD)


def _note_sent(id: UUID, moved: RemoteTransfer) -> None:
    with transaction() as session:
        row = _locked(session, id)
        if row.state != PayoutState.PLANNED:
            return
        row.state, row.stripe_transfer_id = PayoutState.SENT, moved.id
        row.sent_at, row.error = clock.now(), ""
        session.add(row)
        _tell(session, row, "payout.sent")
        reach(Label.PAYOUT_SENT)


def _refused(id: UUID, error: PaymentsRefused) -> None:
    """Cancel what the account cannot take; everything else waits, and the operators are told once."""
    with transaction() as session:
        row = _locked(session, id)
        if row.state != PayoutState.PLANNED:
            return
        row.refusals += 1
        row.error = error.message
        row.try_at = clock.real_now() + _pause(row.refusals)
        session.add(row)
        if error.reason in NOT_PAYABLE:
            cancel(session, row)
        else:
            kind = "alarm.balance_too_low" if error.reason == NOT_ENOUGH else "alarm.payout_refused"
            record(session, kind, cause=str(row.id), payout=row.id, amount=_amount(row), error=error.message)
    if row.state == PayoutState.CANCELED:
        _look_at_account(row.stripe_account_id)


def cancel(session: Session, row: Row) -> None:
    """Give a planned payout up that certainly was not made: its entries are free again."""
    row.state = PayoutState.CANCELED
    session.add(row)
    lines = update(PayoutLine).where(col(PayoutLine.payout_id) == row.id)
    session.connection().execute(lines.values(is_live=False))
    ledger.book_payout_canceled(session, payout=row)
    _tell(session, row, "payout.canceled")


def _look_at_account(stripe_account_id: str) -> None:
    try:
        with transaction() as session:
            connect.refresh(session, stripe_account_id=stripe_account_id)
    except CopyTradeError as error:
        log.warning("payouts.account_unread", reason=error.message)


def _again_later(id: UUID, error: PaymentsUnavailable) -> None:
    log.warning("payouts.again_later", payout=str(id), reason=error.message)
    with transaction() as session:
        row = _locked(session, id)
        row.error, row.try_at = error.message, clock.real_now() + _pause(row.attempts)
        session.add(row)


def _locked(session: Session, id: UUID) -> Row:
    return session.get_one(Row, id, with_for_update=True)


def _pause(tries: int) -> timedelta:
    return min(timedelta(seconds=2.0 ** min(tries, 20)), _LONGEST_PAUSE)


def _amount(row: Row) -> str:
    return told(major(row.minor, currency=row.currency), currency=row.currency)


def _tell(session: Session, row: Row, kind: str) -> None:
    record(session, kind, user_id=row.trader_id, cause=str(row.id), amount=_amount(row))
    ring(session, f"user:{row.trader_id}")
