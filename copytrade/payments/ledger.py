"""The ledger: what was paid, refunded, disputed, kept by Stripe and paid out, each booked once under its own key."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Protocol
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from copytrade import clock
from copytrade.db.model import new_id
from copytrade.domain import bookings
from copytrade.domain.bookings import FEES, PLATFORM, trader_account
from copytrade.domain.terms import Shares, split
from copytrade.payments.entries import Booking, is_booked, taken_of, write
from copytrade.payments.ledger_models import EntryKind, Payout, Reversal, TraderShare
from copytrade.payments.models import PaidPeriod
from copytrade.settings import settings

_TAKING = (EntryKind.REFUND, EntryKind.REFUND_FAILED, EntryKind.DISPUTE_WON, EntryKind.DISPUTE_LOST)


class Sold(Protocol):
    """The subscription that was paid: who pays whom."""

    @property
    def id(self) -> UUID: ...

    @property
    def subscriber_id(self) -> UUID: ...

    @property
    def trader_id(self) -> UUID: ...


class Invoice(Protocol):
    """The invoice that was paid, and for which time."""

    @property
    def id(self) -> str: ...

    @property
    def minor(self) -> int: ...

    @property
    def currency(self) -> str: ...

    @property
    def payment_intent_id(self) -> str: ...

    @property
    def period_start(self) -> datetime: ...

    @property
    def period_end(self) -> datetime: ...

    @property
    def paid_at(self) -> datetime: ...


@dataclass(frozen=True, slots=True)
class Back:
    """A refund at Stripe: what went back to a payer, or came back to us since it failed."""

    id: str
    minor: int
    in_all: int
    """What Stripe gave back of this payment altogether; more than that is never booked."""
    happened_at: datetime


@dataclass(frozen=True, slots=True)
class Fee:
    """What Stripe kept of a movement of our balance; negative where it gave a fee back."""

    transaction_id: str
    minor: int
    currency: str
    happened_at: datetime


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """A dispute's money: what a bank took from our balance."""

    id: str
    minor: int
    currency: str
    happened_at: datetime


def book_paid(session: Session, *, subscription: Sold, invoice: Invoice) -> bool:
    """Write a paid period and its booking; False where that was done before."""
    platform_share = 1 - share_of(session, trader_id=subscription.trader_id)
    shares = split(invoice.minor, platform_share=platform_share)
    values = {
        "id": new_id(),
        "stripe_invoice_id": invoice.id,
        "stripe_payment_intent_id": invoice.payment_intent_id,
        "subscription_id": subscription.id,
        "subscriber_id": subscription.subscriber_id,
        "trader_id": subscription.trader_id,
        "minor": invoice.minor,
        "currency": invoice.currency,
        "platform_minor": shares.platform,
        "trader_minor": shares.trader,
        "refunded_minor": 0,
        "lost_minor": 0,
        "period_start": invoice.period_start,
        "period_end": invoice.period_end,
        "paid_at": invoice.paid_at,
    }
    statement = insert(PaidPeriod).values(values).on_conflict_do_nothing(index_elements=["stripe_invoice_id"])
    if session.connection().execute(statement.returning(col(PaidPeriod.id))).first() is None:
        return False
    period = PaidPeriod.model_validate(values)
    booking = _booking(f"paid:{invoice.id}", EntryKind.PAID, period, invoice.paid_at)
    write(session, booking, sums=bookings.paid(shares, trader=period.trader_id))
    return True


def book_fee(session: Session, *, fee: Fee, period: PaidPeriod | None = None) -> bool:
    """Book what Stripe kept: it is ours to bear, or the trader's where the settings say so and it is of his money."""
    is_his = settings().stripe_fees_by == "trader" and period is not None and period.currency == fee.currency
    bearer = trader_account(period.trader_id) if is_his and period else FEES
    booking = Booking(
        key=f"fee:{fee.transaction_id}",
        kind=EntryKind.FEE,
        currency=fee.currency,
        happened_at=fee.happened_at,
        period_id=period.id if period else None,
        available_at=_available_at(period) if period else None,
    )
    if is_booked(session, booking.key):
        return False
    return write(session, booking, sums=bookings.fee(fee.minor, bearer=bearer))


def book_refund(session: Session, *, period: PaidPeriod, back: Back) -> int:
    """Book what went back to a payer; return how much of it was the trader's, 0 where it was booked before.

    The period's row is locked by the caller.
    """
    key = f"refund:{back.id}"
    more = min(back.minor, back.in_all - period.refunded_minor)
    if more <= 0 or is_booked(session, key):
        return 0
    shares = _taken(session, period, more)
    booking = _booking(key, EntryKind.REFUND, period, back.happened_at)
    write(session, booking, sums=bookings.given_back(shares, trader=period.trader_id))
    period.refunded_minor += more
    session.add(period)
    return shares.trader


def book_refund_failed(session: Session, *, period: PaidPeriod, back: Back) -> int:
    """Book that a refund came back to us; return how much of it is the trader's again, 0 where nothing was booked."""
    key = f"refund:{back.id}:failed"
    if not is_booked(session, f"refund:{back.id}") or is_booked(session, key):
        return 0
    shares = _taken(session, period, -back.minor)
    booking = _booking(key, EntryKind.REFUND_FAILED, period, back.happened_at)
    write(session, booking, sums=bookings.given_back(shares, trader=period.trader_id))
    period.refunded_minor -= back.minor
    session.add(period)
    return -shares.trader


def book_disputed(session: Session, *, period: PaidPeriod, taken: Withdrawn) -> bool:
    """Book that a bank took money until a dispute is decided; False where that was booked before."""
    booking = _of_dispute(taken, "opened", EntryKind.DISPUTED, period)
    return write(session, booking, sums=bookings.disputed(taken.minor))


def book_dispute_lost(session: Session, *, period: PaidPeriod, taken: Withdrawn) -> int:
    """Book that the bank keeps the money; return how much of it was the trader's, 0 where it was decided before."""
    book_disputed(session, period=period, taken=taken)
    booking = _of_dispute(taken, "lost", EntryKind.DISPUTE_LOST, period)
    if is_booked(session, booking.key) or is_booked(session, f"dispute:{taken.id}:won"):
        return 0
    shares = _taken(session, period, taken.minor)
    write(session, booking, sums=bookings.dispute_lost(shares, trader=period.trader_id))
    period.lost_minor += taken.minor
    session.add(period)
    return shares.trader


def book_dispute_won(session: Session, *, period: PaidPeriod, taken: Withdrawn) -> int:
    """Book that the bank gave the money back; return how much of it is the trader's again that was lost before."""
    book_disputed(session, period=period, taken=taken)
    booking = _of_dispute(taken, "won", EntryKind.DISPUTE_WON, period)
    if is_booked(session, booking.key):
        return 0
    if not is_booked(session, f"dispute:{taken.id}:lost"):
        write(session, booking, sums=bookings.dispute_won(taken.minor))
        return 0
    shares = _taken(session, period, -taken.minor)
    write(session, booking, sums=bookings.given_back(shares, trader=period.trader_id))
    period.lost_minor -= taken.minor
    session.add(period)
    return -shares.trader


def book_payout(session: Session, *, payout: Payout) -> bool:
    """Book a payout as it is planned: from then on it is owed no more."""
    booking = Booking(f"payout:{payout.id}", EntryKind.PAYOUT, payout.currency, payout.created_at)
    return write(session, booking, sums=bookings.payout(payout.minor, trader=payout.trader_id))


def book_payout_canceled(session: Session, *, payout: Payout) -> bool:
    """Book that a payout never left: it is owed again."""
    key = f"payout:{payout.id}:canceled"
    booking = Booking(key, EntryKind.PAYOUT_CANCELED, payout.currency, clock.now())
    return write(session, booking, sums=bookings.payout_back(payout.minor, trader=payout.trader_id))


def book_reversal(session: Session, *, reversal: Reversal) -> bool:
    """Book what came back of a payout."""
    period = session.get_one(PaidPeriod, reversal.paid_period_id)
    booking = _booking(f"reversal:{reversal.cause}", EntryKind.REVERSAL, period, clock.now())
    return write(session, booking, sums=bookings.payout_back(reversal.minor, trader=reversal.trader_id))


def share_of(session: Session, *, trader_id: UUID) -> Decimal:
    """Return a trader's part of what is paid from now on: his own agreement, else what the settings say."""
    agreed = session.exec(
        select(TraderShare)
        .where(TraderShare.trader_id == trader_id)
        .order_by(col(TraderShare.set_at).desc(), col(TraderShare.id).desc())
        .limit(1)
    ).first()
    return 1 - settings().platform_share if agreed is None else agreed.share


def locked_period(session: Session, *, payment_intent_id: str = "", invoice_id: str = "") -> PaidPeriod | None:
    """Return the period that a payment paid, locked; None where it is not ours or not booked yet."""
    by = (
        PaidPeriod.stripe_payment_intent_id == payment_intent_id
        if payment_intent_id
        else PaidPeriod.stripe_invoice_id == invoice_id
    )
    found = select(PaidPeriod).where(by).with_for_update().execution_options(populate_existing=True)
    return session.exec(found).first()


def _taken(session: Session, period: PaidPeriod, more: int) -> Shares:
    sharers = (PLATFORM, trader_account(period.trader_id))
    before = taken_of(session, period.id, kinds=_TAKING, shared=sharers)
    paid = Shares(platform=period.platform_minor, trader=period.trader_minor)
    return bookings.more_taken(paid, before=before, more=more)


def _booking(key: str, kind: EntryKind, period: PaidPeriod, happened_at: datetime) -> Booking:
    return Booking(key, kind, period.currency, happened_at, period_id=period.id, available_at=_available_at(period))


def _of_dispute(taken: Withdrawn, step: str, kind: EntryKind, period: PaidPeriod) -> Booking:
    key, until = f"dispute:{taken.id}:{step}", _available_at(period)
    return Booking(key, kind, taken.currency, taken.happened_at, period_id=period.id, available_at=until)


def _available_at(period: PaidPeriod) -> datetime:
    """Return from when a trader's part of a period may be paid; what is taken of it waits just as long."""
    return period.paid_at + timedelta(days=settings().payout_hold_days)
