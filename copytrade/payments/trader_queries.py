"""What a trader sees of his money: months, what comes next and what waits, his payouts and what they are made of."""

from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy import Date, cast, func
from sqlmodel import Session, col, select

from copytrade import clock
from copytrade.domain.bookings import trader_account
from copytrade.domain.money import major
from copytrade.domain.payout_dates import least, next_date
from copytrade.errors import NotFound
from copytrade.payments.earning_rows import EarningsMonth, HeldPart, PayoutLineRow, PayoutRow, UpcomingPayout
from copytrade.payments.entries import Balance, balances_of, is_frozen
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
from copytrade.payments.months import TAKING, Key, PaidSums, booked_by_month, months_before, paid_by_month
from copytrade.settings import settings


def earnings_by_month(session: Session, *, owner: UUID, months: int = 12) -> list[EarningsMonth]:
    """Return a trader's months that have something in them, oldest first, each currency for itself."""
    since, account = months_before(clock.now(), months=months), trader_account(owner)
    paid = paid_by_month(session, since=since, trader_id=owner)
    taken = booked_by_month(session, account=account, since=since, kinds=TAKING)
    fees = booked_by_month(session, account=account, since=since, kinds=(EntryKind.FEE,))
    keys = sorted({*paid, *taken, *fees})
    return [_month(key, paid.get(key, PaidSums()), taken.get(key, 0), fees.get(key, 0)) for key in keys]


def _month(key: Key, paid: PaidSums, taken: int, fees: int) -> EarningsMonth:
    month, currency = key
    return EarningsMonth(
        month=month,
        currency=currency,
        payments=paid.payments,
        gross=major(paid.gross, currency=currency),
        platform=major(paid.platform, currency=currency),
        share=major(paid.traders, currency=currency),
        taken_back=major(taken, currency=currency),
        fees=major(fees, currency=currency),
        net=major(paid.traders - taken - fees, currency=currency),
    )


def upcoming(session: Session, *, owner: UUID) -> list[UpcomingPayout]:
    """Return what a trader gets next and what waits, by currency; his installation's currency is always there."""
    found = {balance.currency: balance for balance in balances_of(session, trader_id=owner)}
    currency = settings().currency
    found.setdefault(currency, Balance(currency, 0, 0, 0))
    held, way = _held(session, owner), _on_its_way(session, owner)
    return [_upcoming(balance, held.get(code, {}), way.get(code, 0)) for code, balance in sorted(found.items())]


def _upcoming(balance: Balance, held: dict[date, int], on_its_way: int) -> UpcomingPayout:
    currency = balance.currency
    on = next_date(clock.now(), every=settings().payout_every).date()
    # What is free in the midst of a day is paid on a date after that day.
    free = balance.available + sum(minor for day, minor in held.items() if day < on)
    minimum = least(settings().payout_minimum, currency=currency)
    return UpcomingPayout(
        currency=currency,
        on=on,
        amount=major(free if free >= max(1, minimum) else 0, currency=currency),
        owed=major(balance.total, currency=currency),
        available=major(max(0, balance.available), currency=currency),
        held=tuple(HeldPart(day, major(minor, currency=currency)) for day, minor in sorted(held.items()) if minor),
        frozen=major(balance.frozen, currency=currency),
        debt=major(balance.debt, currency=currency),
        minimum=major(minimum, currency=currency),
        on_its_way=major(on_its_way, currency=currency),
    )


def _held(session: Session, owner: UUID) -> dict[str, dict[date, int]]:
    day = cast(func.timezone("UTC", LedgerEntry.available_at), Date)
    rows = session.exec(
        select(LedgerEntry.currency, day, -func.sum(LedgerEntry.minor))
        .where(
            LedgerEntry.account == trader_account(owner),
            col(LedgerEntry.available_at) > clock.now(),
            ~is_frozen(),
        )
        .group_by(col(LedgerEntry.currency), day)
    )
    held: dict[str, dict[date, int]] = {}
    for currency, at, minor in rows:
        held.setdefault(currency, {})[at] = int(minor)
    return held


def _on_its_way(session: Session, owner: UUID) -> dict[str, int]:
    rows = session.exec(
        select(Payout.currency, func.sum(Payout.minor))
        .where(Payout.trader_id == owner, Payout.state == PayoutState.PLANNED)
        .group_by(col(Payout.currency))
    )
    return {currency: int(minor) for currency, minor in rows}


def payouts_of(session: Session, *, owner: UUID, limit: int = 50, offset: int = 0) -> list[PayoutRow]:
    """Return a trader's payouts, newest first."""
    rows = session.exec(
        select(Payout)
        .where(Payout.trader_id == owner)
        .order_by(col(Payout.created_at).desc(), col(Payout.id).desc())
        .limit(limit)
        .offset(offset)
    ).all()
    ids = [row.id for row in rows]
    lines = dict(
        session.exec(
            select(PayoutLine.payout_id, func.count())
            .where(col(PayoutLine.payout_id).in_(ids))
            .group_by(col(PayoutLine.payout_id))
        ).all()
    )
    taken = dict(
        session.exec(
            select(Reversal.payout_id, func.sum(Reversal.minor))
            .where(col(Reversal.payout_id).in_(ids), Reversal.state == ReversalState.DONE)
            .group_by(col(Reversal.payout_id))
        ).all()
    )
    return [_payout(row, lines.get(row.id, 0), int(taken.get(row.id, 0))) for row in rows]


def _payout(row: Payout, lines: int, taken: int) -> PayoutRow:
    return PayoutRow(
        id=row.id,
        amount=major(row.minor, currency=row.currency),
        currency=row.currency,
        state=row.state,
        lines=lines,
        taken_back=major(taken, currency=row.currency),
        created_at=row.created_at,
        sent_at=row.sent_at,
        stripe_transfer_id=row.stripe_transfer_id,
    )


def payout_lines(
    session: Session, *, owner: UUID, payout_id: UUID, limit: int = 100, offset: int = 0
) -> list[PayoutLineRow]:
    """Return what a payout of this owner is made of, oldest first; anybody else's is not found."""
    payout = session.get(Payout, payout_id)
    if payout is None or payout.trader_id != owner:
        raise NotFound(f"payout {payout_id} of {owner} was not found", user="There is no such payout.")
    rows = session.exec(
        select(LedgerEntry, PaidPeriod)
        .join(PayoutLine, col(PayoutLine.entry_id) == col(LedgerEntry.id))
        .join(PaidPeriod, col(PaidPeriod.id) == col(LedgerEntry.paid_period_id), isouter=True)
        .where(PayoutLine.payout_id == payout_id)
        .order_by(col(LedgerEntry.happened_at), col(LedgerEntry.id))
        .limit(limit)
        .offset(offset)
    )
    return [_line(entry, period) for entry, period in rows]


def _line(entry: LedgerEntry, period: PaidPeriod | None) -> PayoutLineRow:
    paid: Decimal | None = major(period.minor, currency=period.currency) if period else None
    return PayoutLineRow(
        kind=entry.kind,
        amount=major(-entry.minor, currency=entry.currency),
        currency=entry.currency,
        paid=paid,
        period_start=period.period_start if period else None,
        period_end=period.period_end if period else None,
        happened_at=entry.happened_at,
    )
