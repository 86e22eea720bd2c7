"""What subscribing costs, in words: what is charged when, what a coupon takes off, whose it is, how one leaves."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Protocol

from copytrade.domain.money import digits
from copytrade.i18n.voice import Voice
from copytrade.settings import settings


class TakesOff(Protocol):
    """What a coupon takes off: a percentage or an amount, once, for some months or for ever."""

    @property
    def code(self) -> str: ...
    @property
    def percent(self) -> Decimal | None: ...
    @property
    def amount(self) -> Decimal | None: ...
    @property
    def duration(self) -> str: ...
    @property
    def months(self) -> int | None: ...


@dataclass(frozen=True, slots=True)
class Offer:
    """What somebody is about to pay for."""

    trader: str
    price: Decimal
    currency: str
    trial_days: int
    share: Decimal
    """The trader's part of what is paid."""
    coupon: TakesOff | None = None


@dataclass(frozen=True, slots=True)
class TermsTold:
    """The terms of an offer as its subscriber reads them; what does not apply is empty."""

    today: str = ""
    then: str = ""
    trial: str = ""
    coupon: str = ""
    share: str = ""
    cancel: str = ""
    refund: str = ""
    late: str = ""
    new_price: str = ""


def terms_told(offer: Offer, voice: Voice, *, now: datetime) -> TermsTold:
    """Return what an offer means for whoever takes it now."""
    grace, notice = settings().payment_grace_days, settings().price_notice_days
    return TermsTold(
        today=_today(offer, voice),
        then=_then(offer, voice, now),
        trial=_trial(offer, voice, now),
        coupon=coupon_told(offer.coupon, offer.currency, voice) if offer.coupon else "",
        share=voice.say(
            "{share} of what you pay goes to {trader}, the rest to the platform.",
            share=voice.percent(offer.share, places=0),
            trader=offer.trader,
        ),
        cancel=voice.say(
            "At any time, on the page of your subscriptions. Copying then goes on to the end of what is paid, and "
            "nothing more is charged."
        ),
        refund=refund_told(voice),
        late=voice.count(
            grace,
            "If a month cannot be charged you are told, and copying goes on for {n} day; then nothing new is opened.",
            "If a month cannot be charged you are told, and copying goes on for {n} days; then nothing new is opened.",
        ),
        new_price=voice.count(
            notice,
            "Your price stays unless the trader asks for another: you are told {n} day before, and may cancel.",
            "Your price stays unless the trader asks for another: you are told {n} days before, and may cancel.",
        ),
    )


def refund_told(voice: Voice) -> str:
    """Return what becomes of the rest of a paid month when a subscriber stops at once."""
    if settings().refund == "pro_rata":
        return voice.say("If you stop at once, the unused days of the month go back to your card.")
    return voice.say("If you stop at once, the rest of the paid month is not given back.")


def coupon_told(coupon: TakesOff, currency: str, voice: Voice) -> str:
    """Return what a coupon takes off and for how long."""
    off = off_told(coupon, currency, voice)
    match coupon.duration:
        case "once":
            return voice.say("{code}: {off} off the first payment.", code=coupon.code, off=off)
        case "repeating":
            return voice.count(
                coupon.months or 1,
                "{code}: {off} off for {n} month.",
                "{code}: {off} off for {n} months.",
                code=coupon.code,
                off=off,
            )
        case _:
            return voice.say("{code}: {off} off every payment.", code=coupon.code, off=off)


def off_told(coupon: TakesOff, currency: str, voice: Voice) -> str:
    """Return how much a coupon takes off."""
    if coupon.percent is not None:
        return voice.percent(coupon.percent / 100, places=0 if coupon.percent == int(coupon.percent) else 1)
    return voice.cash(coupon.amount, currency)


def reduced(price: Decimal, coupon: TakesOff | None, *, currency: str) -> Decimal:
    """Return a price less what a coupon takes off, never below zero."""
    if coupon is None:
        return price
    smallest = Decimal(1).scaleb(-digits(currency))
    off = coupon.amount or Decimal(0)
    if coupon.percent is not None:
        off = (price * coupon.percent / 100).quantize(smallest, rounding=ROUND_HALF_UP)
    return max(Decimal(0), price - off)


def a_month_after(at: datetime) -> datetime:
    """Return the same day of the next month, or its last one."""
    year, month = (at.year + 1, 1) if at.month == 12 else (at.year, at.month + 1)
    return at.replace(year=year, month=month, day=min(at.day, monthrange(year, month)[1]))


def _first(offer: Offer) -> Decimal:
    return reduced(offer.price, offer.coupon, currency=offer.currency)


def _today(offer: Offer, voice: Voice) -> str:
    if offer.trial_days:
        return voice.say("Nothing. You leave a card; it is not charged.")
    return voice.cash(_first(offer), offer.currency)


def _trial(offer: Offer, voice: Voice, now: datetime) -> str:
    if not offer.trial_days:
        return ""
    ends = now + timedelta(days=offer.trial_days)
    notice = min(settings().trial_notice_days, offer.trial_days)
    free = voice.count(
        offer.trial_days, "{n} day free, until {day}.", "{n} days free, until {day}.", day=voice.day(ends)
    )
    told = voice.count(
        notice,
        "You are told {n} day before it ends; who cancels until then pays nothing.",
        "You are told {n} days before it ends; who cancels until then pays nothing.",
    )
    return f"{free} {told}"


def _then(offer: Offer, voice: Voice, now: datetime) -> str:
    """Return the charges after today's: when the first comes, and what the price is once a coupon is used up."""
    price, first = voice.cash(offer.price, offer.currency), voice.cash(_first(offer), offer.currency)
    months = _reduced_months(offer)
    if offer.trial_days:
        begins = now + timedelta(days=offer.trial_days)
        left = months
    else:
        begins = a_month_after(now)
        left = None if months is None else months - 1
    day = voice.day(begins)
    if left is None:
        return voice.say("{amount} a month, first on {day}, until you cancel.", amount=first, day=day)
    if left <= 0:
        return voice.say("{amount} a month, first on {day}, until you cancel.", amount=price, day=day)
    return voice.count(
        left,
        "{amount} on {day}; after {n} reduced payment {price} a month, until you cancel.",
        "{amount} on {day}; after {n} reduced payments {price} a month, until you cancel.",
        amount=first,
        day=day,
        price=price,
    )


def _reduced_months(offer: Offer) -> int | None:
    """Return for how many payments the coupon counts, None for all of them."""
    if offer.coupon is None:
        return 0
    return {"once": 1, "repeating": offer.coupon.months or 1}.get(offer.coupon.duration)
