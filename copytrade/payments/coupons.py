"""Coupons of traders: a code that takes something off the price of their own profile, and of no other."""

import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import func
from sqlmodel import Session, col, select

from copytrade import clock
from copytrade.domain.money import TooFine, major, minor
from copytrade.errors import Conflict, InvalidInput, NotFound
from copytrade.payments import gateway_selling, prices
from copytrade.payments.gateway import PaymentsRefused
from copytrade.payments.rows import CouponRow
from copytrade.payments.selling_models import Coupon, Duration
from copytrade.subscriptions import queries as subscriptions
from copytrade.subscriptions.rows import ProfileRow

MOST_MONTHS, MOST_TIMES, MOST_COUPONS = 36, 100_000, 50
_CODE = re.compile(r"[A-Z0-9-]{3,30}")


@dataclass(frozen=True, slots=True)
class Offer:
    """What a coupon takes off, either a part or an amount, for how long, and how often it may be redeemed."""

    code: str
    percent: Decimal | None = None
    amount: Decimal | None = None
    duration: Duration = Duration.ONCE
    months: int | None = None
    most: int | None = None
    ends_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Redeemable:
    """A coupon that can be redeemed now."""

    id: UUID
    stripe_promotion_code_id: str


def create(session: Session, *, owner: UUID, profile_id: UUID, offer: Offer) -> CouponRow:
    """Make a coupon for a profile of this owner."""
    profile = _owned(session, owner=owner, profile_id=profile_id)
    code = offer.code.strip().upper()
    off = _checked(offer, code, profile)
    session.connection().execute(select(func.pg_advisory_xact_lock(func.hashtext("coupons"))))
    _free(session, code, profile_id)
    row = Coupon(
        profile_id=profile_id,
        code=code,
        percent=offer.percent,
        minor=off,
        currency=profile.currency,
        duration=offer.duration,
        months=offer.months if offer.duration is Duration.REPEATING else None,
        most=offer.most,
        ends_at=offer.ends_at,
        stripe_coupon_id="",
        stripe_promotion_code_id="",
        created_at=clock.now(),
    )
    # A product is made with its price: the coupon is good for that product only.
    prices.price_id(session, profile_id=profile_id, name=profile.name, amount=profile.price, currency=profile.currency)
    row.stripe_coupon_id = gateway_selling.create_coupon(
        our_id=row.id,
        product_id=prices.product_id(session, profile_id=profile_id, name=profile.name),
        name=code,
        percent=row.percent,
        minor=row.minor,
        currency=row.currency,
        duration=row.duration,
        months=row.months,
    )
    try:
        row.stripe_promotion_code_id = gateway_selling.create_promotion_code(
            our_id=row.id, coupon_id=row.stripe_coupon_id, code=code, most=row.most, ends_at=row.ends_at
        )
    except PaymentsRefused:
        raise Conflict(f"code {code} was refused", user="This code is taken.", field="code") from None
    session.add(row)
    session.flush()
    return _row(row, redeemed=0)


def coupons_of(session: Session, *, owner: UUID, profile_id: UUID) -> list[CouponRow]:
    """Return the coupons of a profile of this owner, newest first."""
    _owned(session, owner=owner, profile_id=profile_id)
    rows = session.exec(
        select(Coupon).where(Coupon.profile_id == profile_id).order_by(col(Coupon.created_at).desc())
    ).all()
    counts = gateway_selling.redemptions([row.stripe_promotion_code_id for row in rows])
    return [_row(row, redeemed=count) for row, count in zip(rows, counts, strict=True)]


def end(session: Session, *, owner: UUID, coupon_id: UUID) -> None:
    """Let a coupon of this owner be redeemed no more; who has it keeps what it takes off."""
    row = session.get(Coupon, coupon_id, with_for_update=True)
    if row is None or subscriptions.profile(session, row.profile_id).user_id != owner:
        raise NotFound(f"coupon {coupon_id} of {owner} was not found", user="There is no such coupon.")
    if row.ended_at is None:
        gateway_selling.end_promotion_code(row.stripe_promotion_code_id)
        row.ended_at = clock.now()
        session.add(row)


def redeemable(session: Session, *, profile_id: UUID, code: str, currency: str) -> Redeemable:
    """Return the coupon of a code for this profile; another profile's is as good as none."""
    row = session.exec(
        select(Coupon).where(
            Coupon.profile_id == profile_id, Coupon.code == code.strip().upper(), col(Coupon.ended_at).is_(None)
        )
    ).first()
    now = clock.now()
    is_good = (
        row is not None
        and (row.ends_at is None or row.ends_at > now)
        and (row.minor is None or row.currency == currency)
        and (row.most is None or gateway_selling.redeemed(row.stripe_promotion_code_id) < row.most)
    )
    if row is None or not is_good:
        raise InvalidInput(f"code {code!r} is not good", user="This code is not valid here.", field="code")
    return Redeemable(row.id, row.stripe_promotion_code_id)


def _owned(session: Session, *, owner: UUID, profile_id: UUID) -> ProfileRow:
    profile = next((one for one in subscriptions.profiles_of(session, owner=owner) if one.id == profile_id), None)
    if profile is None:
        raise NotFound(f"profile {profile_id} of {owner} was not found", user="There is no such profile.")
    return profile


def _free(session: Session, code: str, profile_id: UUID) -> None:
    live = select(func.count()).select_from(Coupon).where(col(Coupon.ended_at).is_(None))
    if session.exec(live.where(Coupon.code == code)).one():
        raise Conflict(f"code {code} is taken", user="This code is taken.", field="code")
    if session.exec(live.where(Coupon.profile_id == profile_id)).one() >= MOST_COUPONS:
        raise Conflict(
            f"profile {profile_id} has {MOST_COUPONS} coupons",
            user="There can be {most} coupons at a time. End one first.",
            most=MOST_COUPONS,
        )


def _checked(offer: Offer, code: str, profile: ProfileRow) -> int | None:
    """Return what is taken off in minor units; None for a part. InvalidInput for what nobody can redeem."""
    if not _CODE.fullmatch(code):
        raise InvalidInput(
            f"code was {offer.code!r}",
            user="A code has 3 to 30 letters from A to Z, digits or dashes.",
            field="code",
        )
    if (offer.percent is None) == (offer.amount is None):
        raise InvalidInput("either a part or an amount", user="A coupon takes off either a part or an amount.")
    if offer.percent is not None and not _is_percent(offer.percent):
        raise InvalidInput(
            f"percent was {offer.percent}",
            user="The part is a number from 1 to 100 with at most two decimals.",
            field="percent",
        )
    is_counted = offer.months is not None and 1 <= offer.months <= MOST_MONTHS
    if offer.duration is Duration.REPEATING and not is_counted:
        raise InvalidInput(
            f"months were {offer.months}",
            user="Say for how many months, 1 to {most}.",
            field="months",
            most=MOST_MONTHS,
        )
    if offer.most is not None and not 1 <= offer.most <= MOST_TIMES:
        raise InvalidInput(
            f"most was {offer.most}", user="A limit is a number from 1 to {most}.", field="most", most=MOST_TIMES
        )
    if offer.ends_at is not None and offer.ends_at <= clock.now():
        raise InvalidInput(f"ends at {offer.ends_at}", user="The last day lies in the future.", field="ends_at")
    return None if offer.amount is None else _off(offer.amount, profile)


def _is_percent(percent: Decimal) -> bool:
    return percent.is_finite() and 1 <= percent <= 100 and percent == round(percent, 2)


def _off(amount: Decimal, profile: ProfileRow) -> int:
    try:
        off = minor(amount, currency=profile.currency)
    except TooFine:
        off = 0
    if not 0 < off <= minor(profile.price, currency=profile.currency):
        raise InvalidInput(
            f"amount was {amount}",
            user="The amount is above 0, at most the price, and in whole cents.",
            field="amount",
        )
    return off


def _row(row: Coupon, *, redeemed: int) -> CouponRow:
    return CouponRow(
        id=row.id,
        profile_id=row.profile_id,
        code=row.code,
        percent=row.percent,
        amount=None if row.minor is None else major(row.minor, currency=row.currency),
        currency=row.currency,
        duration=row.duration,
        months=row.months,
        most=row.most,
        redeemed=redeemed,
        ends_at=row.ends_at,
        ended_at=row.ended_at,
        created_at=row.created_at,
    )
