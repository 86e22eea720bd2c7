"""A trader's profiles, subscribers and coupons in words."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any

from copytrade import clock
from copytrade.errors import InvalidInput
from copytrade.i18n.names import place_name
from copytrade.i18n.voice import Moment, Voice
from copytrade.payments.coupons import Duration, Offer
from copytrade.payments.rows import CouponRow
from copytrade.settings import settings
from copytrade.state import routes
from copytrade.state.billing_told import STATES
from copytrade.state.terms_told import coupon_told
from copytrade.state.typed import amount_of
from copytrade.subscriptions.rows import ProfileRow, SubscriberRow
from copytrade.subscriptions.states import State


@dataclass(frozen=True, slots=True)
class ProfileLine:
    """One of the trader's profiles."""

    id: str
    account_id: str
    name: str
    href: str
    about: str
    place: str
    price: str
    price_plain: str
    currency: str
    trial: str
    """Free days in words, empty where there are none."""
    trial_days: str
    is_published: bool
    is_closed: bool
    has_subscribers: bool
    subscribers: str
    share: str
    unpublishing: str
    """What taking it from the list means for whoever subscribes."""


@dataclass(frozen=True, slots=True)
class SubscriberLine:
    """A subscriber, as much as a trader may see of him."""

    name: str
    profile: str
    state: str
    price: str
    since: Moment


@dataclass(frozen=True, slots=True)
class CouponLine:
    """A coupon in words."""

    id: str
    code: str
    told: str
    used: str
    ends: str
    is_live: bool


def profile_line(row: ProfileRow, *, share: Decimal, voice: Voice) -> ProfileLine:
    """Return a profile in words; `share` is the trader's part."""
    return ProfileLine(
        id=str(row.id),
        account_id=str(row.lead_account_id),
        name=row.name,
        href=routes.trader(row.slug),
        about=row.about,
        place=place_name(voice, row.venue, row.market),
        price=voice.cash(row.price, row.currency),
        price_plain=f"{row.price.normalize():f}",
        currency=row.currency,
        trial=voice.count(row.trial_days, "{n} day free", "{n} days free") if row.trial_days else "",
        trial_days=str(row.trial_days),
        is_published=row.is_published,
        is_closed=row.closed_at is not None,
        has_subscribers=row.subscribers > 0,
        subscribers=voice.count(row.subscribers, "{n} subscriber", "{n} subscribers"),
        share=voice.cash(row.price * share, row.currency),
        unpublishing=_unpublishing(row, voice),
    )


def _unpublishing(row: ProfileRow, voice: Voice) -> str:
    if not row.subscribers:
        return voice.say("Nobody new can subscribe. Nobody copies you now.")
    people = voice.count(row.subscribers, "{n} subscriber", "{n} subscribers")
    if settings().refund == "pro_rata":
        return voice.say(
            "Nobody new can subscribe. Told and ended now: {subscribers}. The unused days are given back, your share "
            "of them too.",
            subscribers=people,
        )
    return voice.say(
        "Nobody new can subscribe. Told and not charged again: {subscribers}. Copying goes on to the end of what is "
        "paid.",
        subscribers=people,
    )


def subscriber_line(row: SubscriberRow, *, profile: ProfileRow, voice: Voice) -> SubscriberLine:
    """Return a subscriber in words."""
    return SubscriberLine(
        name=row.name or voice.say("without a name"),
        profile=profile.name,
        state=voice.say(STATES[State(row.state)]),
        price=voice.cash(row.price, profile.currency),
        since=voice.moment(row.started_at, now=clock.now()),
    )


def coupon_line(row: CouponRow, voice: Voice, *, now: datetime) -> CouponLine:
    """Return a coupon in words."""
    is_live = row.ended_at is None and (row.ends_at is None or row.ends_at > now)
    is_used_up = row.most is not None and row.redeemed >= row.most
    used = voice.count(row.redeemed, "used {n} time", "used {n} times")
    if row.most is not None:
        used = voice.say("{used} of {most}", used=used, most=voice.number(row.most, places=0))
    if not is_live or is_used_up:
        ends = voice.say("ended")
    else:
        ends = voice.say("until {day}", day=voice.day(row.ends_at)) if row.ends_at else voice.say("until you end it")
    return CouponLine(
        id=str(row.id),
        code=row.code,
        told=coupon_told(row, row.currency, voice).removeprefix(f"{row.code}: "),
        used=used,
        ends=ends,
        is_live=is_live,
    )


def offer_of(form: dict[str, Any]) -> Offer:
    """Return the coupon that a form asks for; what it may be is checked where it is made."""
    off, is_percent = amount_of(form, "off"), form.get("kind") == "percent"
    if off is None:
        raise InvalidInput("off was empty", user="Please type a number, for example 0.5.", field="off")
    if str(form.get("duration", "")) not in set(Duration):
        raise InvalidInput("duration was unknown", user="Please choose one of the list.", field="duration")
    return Offer(
        code=str(form.get("code", "")),
        percent=off if is_percent else None,
        amount=None if is_percent else off,
        duration=Duration(str(form.get("duration"))),
        months=whole_of(form, "months"),
        most=whole_of(form, "most"),
        ends_at=_end_of(form, "ends_on"),
    )


def whole_of(form: dict[str, Any], name: str) -> int | None:
    """Return the whole number in a field, None where it is empty."""
    typed = amount_of(form, name)
    try:
        if typed is None or typed == typed.to_integral_value():
            return None if typed is None else int(typed)
    except InvalidOperation:
        pass
    raise InvalidInput(f"{name} was no whole number", user="Please type a whole number.", field=name)


def _end_of(form: dict[str, Any], name: str) -> datetime | None:
    """Return the end (UTC) of the day in a field, None where it is empty."""
    typed = str(form.get(name, "")).strip()
    if not typed:
        return None
    try:
        return datetime.combine(date.fromisoformat(typed), time(23, 59, 59), tzinfo=UTC)
    except ValueError:
        raise InvalidInput(f"{name} was no day", user="Please type a day.", field=name) from None
