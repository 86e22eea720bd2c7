"""Entries of the ledger: written once for each booking, summed up, never changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, case, func
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from copytrade import clock
from copytrade.db.model import new_id
from copytrade.domain.bookings import Sums, trader_account
from copytrade.payments.ledger_models import Dispute, EntryKind, LedgerEntry, PayoutLine

MOVED = (EntryKind.PAYOUT, EntryKind.PAYOUT_CANCELED)
"""What leaves us and comes back as a whole; every other entry of a trader is paid by a line of a payout."""


@dataclass(frozen=True, slots=True)
class Booking:
    """What is booked, and when it was: `key` makes it one."""

    key: str
    kind: EntryKind
    currency: str
    happened_at: datetime
    period_id: UUID | None = None
    available_at: datetime | None = None
    """From when a trader's entry may be paid; None: at once."""


@dataclass(frozen=True, slots=True)
class Balance:
    """What we owe a trader in one currency: `total` is `held`, `frozen` by disputes and `available` together.

    Where `available` is below zero the trader owes us: a debt that his next payout settles.
    """

    currency: str
    total: int
    held: int
    frozen: int

    @property
    def available(self) -> int:
        """What may be paid out now; negative for a debt."""
        return self.total - self.held - self.frozen

    @property
    def debt(self) -> int:
        """What the trader owes us."""
        return max(0, -self.available)


@dataclass(frozen=True, slots=True)
class AccountSum:
    """What stands on an account in one currency."""

    account: str
    currency: str
    minor: int


def write(session: Session, booking: Booking, *, sums: Sums) -> bool:
    """Write a booking; False where it was written before. ArithmeticError where it does not add up."""
    if sum(sums.values()) != 0:
        raise ArithmeticError(f"booking {booking.key} does not add up: {dict(sums)}")
    now = clock.now()
    rows = [
        {
            "id": new_id(),
            "booking": booking.key,
            "kind": booking.kind,
            "account": account,
            "minor": minor,
            "currency": booking.currency,
            "paid_period_id": booking.period_id,
            "available_at": booking.available_at or booking.happened_at,
            "happened_at": booking.happened_at,
            "booked_at": now,
        }
        for account, minor in sums.items()
        if minor
    ]
    if not rows:
        return False
    statement = insert(LedgerEntry).values(rows).on_conflict_do_nothing(index_elements=["booking", "account"])
    written = session.connection().execute(statement.returning(col(LedgerEntry.id))).all()
    if len(written) not in (0, len(rows)):
        raise ArithmeticError(f"booking {booking.key} was there with other accounts")
    return bool(written)


def is_booked(session: Session, key: str) -> bool:
    """Tell whether a booking is in the ledger."""
    return session.exec(select(LedgerEntry.id).where(LedgerEntry.booking == key).limit(1)).first() is not None


def booked(session: Session, keys: set[str]) -> set[str]:
    """Return which of these bookings are in the ledger."""
    return set(session.exec(select(LedgerEntry.booking).where(col(LedgerEntry.booking).in_(keys))))


def taken_of(session: Session, period_id: UUID, *, kinds: Sequence[EntryKind], shared: Sequence[str]) -> int:
    """Return what bookings of these kinds took from the sharers of a period in all."""
    total = session.exec(
        select(func.coalesce(func.sum(LedgerEntry.minor), 0)).where(
            LedgerEntry.paid_period_id == period_id,
            col(LedgerEntry.kind).in_(kinds),
            col(LedgerEntry.account).in_(shared),
        )
    ).one()
    return int(total)


def sums(session: Session) -> list[AccountSum]:
    """Return what stands on every account, by currency; all sums of a currency add up to zero."""
    rows = session.exec(
        select(LedgerEntry.account, LedgerEntry.currency, func.sum(LedgerEntry.minor))
        .group_by(col(LedgerEntry.account), col(LedgerEntry.currency))
        .order_by(col(LedgerEntry.account), col(LedgerEntry.currency))
    )
    return [AccountSum(account, currency, int(minor)) for account, currency, minor in rows]


def balances_of(session: Session, *, trader_id: UUID) -> list[Balance]:
    """Return what we owe a trader, by currency."""
    now = clock.now()
    frozen = is_frozen()
    rows = session.exec(
        select(
            LedgerEntry.currency,
            -func.sum(LedgerEntry.minor),
            -func.sum(case((frozen, 0), (col(LedgerEntry.available_at) > now, LedgerEntry.minor), else_=0)),
            -func.sum(case((frozen, LedgerEntry.minor), else_=0)),
        )
        .where(LedgerEntry.account == trader_account(trader_id))
        .group_by(col(LedgerEntry.currency))
        .order_by(col(LedgerEntry.currency))
    )
    return [Balance(currency, int(total), int(held), int(frozen)) for currency, total, held, frozen in rows]


def is_frozen() -> ColumnElement[bool]:
    """Say of an entry whether a bank is deciding about its period's money, and no payout has paid that.

    Where one has, what is taken of the period counts at once: it is owed back.
    """
    credit = aliased(LedgerEntry)
    is_paid = select(PayoutLine.entry_id).where(PayoutLine.entry_id == credit.id, col(PayoutLine.is_live)).exists()
    waiting = (
        select(credit.paid_period_id)
        .join(Dispute, col(Dispute.paid_period_id) == col(credit.paid_period_id))
        .where(
            col(Dispute.is_open),
            credit.kind == EntryKind.PAID,
            col(credit.account).startswith("trader:"),
            col(credit.paid_period_id).is_not(None),
            ~is_paid,
        )
    )
    return col(LedgerEntry.paid_period_id).in_(waiting)


def is_in_payout() -> ColumnElement[bool]:
    """Say of an entry whether a payout that was not canceled pays it."""
    return select(PayoutLine.entry_id).where(PayoutLine.entry_id == LedgerEntry.id, col(PayoutLine.is_live)).exists()
