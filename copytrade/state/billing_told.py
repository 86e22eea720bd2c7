"""Where a subscription and its money stand, in words: state, next charge, what is late, what its end would mean."""

from dataclasses import dataclass
from datetime import timedelta

from copytrade.domain.sizing import EndMode
from copytrade.i18n.voice import Voice
from copytrade.payments.bill_rows import ChargeRow, InvoiceRow
from copytrade.settings import settings
from copytrade.subscriptions.rows import SubscriptionRow
from copytrade.subscriptions.states import LIVE, State

STATES = {
    State.INCOMPLETE: "not paid yet",
    State.TRIALING: "free trial",
    State.ACTIVE: "active",
    State.PAST_DUE: "payment is late",
    State.UNPAID: "not paid: nothing new is opened",
    State.PAUSED: "on hold: nothing new is opened",
    State.DISPUTED: "disputed: nothing new is opened",
    State.CANCELED: "ended",
}
TONES = {
    State.INCOMPLETE: "amber",
    State.TRIALING: "jade",
    State.ACTIVE: "jade",
    State.PAST_DUE: "tomato",
    State.UNPAID: "tomato",
    State.PAUSED: "amber",
    State.DISPUTED: "tomato",
    State.CANCELED: "gray",
}
ENDS = {
    EndMode.FOLLOW_EXITS: "what is open then follows his exits",
    EndMode.CLOSE: "what is open then is closed",
    EndMode.KEEP: "what is open then stays as your own",
}


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """A paid invoice in words."""

    id: str
    number: str
    name: str
    day: str
    period: str
    amount: str
    back: str
    """What went back, or what the bank took; empty: nothing."""
    page: str
    pdf: str


def next_told(row: SubscriptionRow, charge: ChargeRow | None, voice: Voice) -> str:
    """Return when what is charged next, or until when what is paid reaches."""
    if row.state == State.CANCELED:
        return voice.say("ended {when}", when=voice.day(row.ended_at)) if row.ended_at else ""
    if row.is_paper:
        return voice.say("free, until you stop it")
    if row.entitled_until is None:
        return voice.say("Nothing was charged yet.")
    until = voice.day(row.entitled_until)
    if row.is_ending:
        ends = voice.say(ENDS[EndMode(row.end_mode)])
        return voice.say("runs until {day}, is not renewed; {ends}", day=until, ends=ends)
    if row.state in (State.PAST_DUE, State.UNPAID):
        return voice.say("paid until {day}; the last payment failed", day=until)
    amount = charge.amount if charge is not None and charge.amount is not None else row.next_amount
    told = voice.cash(amount, row.currency)
    if row.state == State.TRIALING:
        return voice.say("free until {day}, then {amount} a month", day=until, amount=told) + _coupon(
            charge, row, voice
        )
    if row.next_charge_at is None:
        return voice.say("paid until {day}", day=until)
    return voice.say("next charge {day}: {amount}", day=until, amount=told) + _coupon(charge, row, voice)


def _coupon(charge: ChargeRow | None, row: SubscriptionRow, voice: Voice) -> str:
    """Return what of the next charge a coupon has taken off, in brackets."""
    if charge is None or (charge.off_percent is None and charge.off_amount is None):
        return ""
    off = (
        voice.percent(charge.off_percent / 100, places=0 if charge.off_percent == int(charge.off_percent) else 1)
        if charge.off_percent is not None
        else voice.cash(charge.off_amount, row.currency)
    )
    if charge.off_until is None:
        return " (" + voice.say("{off} off by your coupon", off=off) + ")"
    return " (" + voice.say("{off} off by your coupon until {day}", off=off, day=voice.day(charge.off_until)) + ")"


def late_told(row: SubscriptionRow, voice: Voice) -> str:
    """Return what a payment that is missing or held means for copying, and until when; empty where none is."""
    if row.is_paper or row.entitled_until is None or row.state not in LIVE:
        return ""
    day = voice.day(row.access_until or row.entitled_until)
    match State(row.state):
        case State.PAST_DUE:
            return voice.say(
                "The last payment failed. Copying goes on until {day}; if it is not paid by then, nothing new is "
                "opened and only exits are followed.",
                day=day,
            )
        case State.UNPAID:
            patience = timedelta(days=settings().payment_grace_days + settings().payment_unpaid_days)
            return voice.say(
                "This month is not paid: exits are followed, nothing new is opened. Unpaid, it ends on {day}.",
                day=voice.day(row.entitled_until + patience),
            )
        case State.PAUSED:
            return voice.say("Payments are on hold: exits are followed, nothing new is opened.")
        case State.DISPUTED:
            return voice.say(
                "Your bank holds back a payment: exits are followed, nothing new is opened until that is decided."
            )
        case _:
            return ""


def price_told(row: SubscriptionRow, voice: Voice) -> str:
    """Return the price that was announced and from when it counts; empty where none was."""
    if row.next_price is None or row.next_price_from is None or row.is_ending:
        return ""
    counts = row.next_charge_at is not None and row.next_charge_at >= row.next_price_from
    day = voice.day(row.next_charge_at if counts and row.next_charge_at else row.next_price_from)
    new, old = voice.cash(row.next_price, row.currency), voice.cash(row.price, row.currency)
    return voice.say(
        "From {day} on it costs {new} a month instead of {old}. You may cancel before."
        if counts
        else "From the first payment after {day} it costs {new} a month instead of {old}. You may cancel before.",
        day=day,
        new=new,
        old=old,
    )


def stopping_told(row: SubscriptionRow, charge: ChargeRow | None, voice: Voice) -> str:
    """Return what of the money stopping at once means."""
    if row.is_paper or row.entitled_until is None or row.state not in LIVE:
        return ""
    if row.state == State.TRIALING:
        return voice.say("Nothing was charged, and nothing will be.")
    if charge is not None and charge.given_back > 0:
        return voice.say("About {amount} for the unused days goes back to your card.",
                         amount=voice.cash(charge.given_back, row.currency))  # fmt: skip
    return voice.say("What is paid until {day} is not given back.", day=voice.day(row.entitled_until))


def cancelling_told(row: SubscriptionRow, voice: Voice) -> str:
    """Return what ending with the paid time means."""
    if row.entitled_until is None:
        return ""
    ends = voice.say(ENDS[EndMode(row.end_mode)])
    return voice.say(
        "Copying goes on until {day}; nothing more is charged, and {ends}. You may take it back until then.",
        day=voice.day(row.entitled_until),
        ends=ends,
    )


def invoice_told(row: InvoiceRow, voice: Voice) -> InvoiceLine:
    """Return an invoice in words."""
    back = ""
    if row.refunded:
        back = voice.say("{amount} given back", amount=voice.cash(row.refunded, row.currency))
    if row.lost:
        back = ", ".join([*filter(None, [back]), voice.say("{amount} taken back by your bank",
                                                           amount=voice.cash(row.lost, row.currency))])  # fmt: skip
    return InvoiceLine(
        id=str(row.id),
        number=row.number,
        name=row.trader_name,
        day=voice.day(row.paid_at),
        period=voice.days(row.period_start, row.period_end),
        amount=voice.cash(row.amount, row.currency) if row.amount else voice.say("free"),
        back=back,
        page=row.page_url,
        pdf=row.pdf_url,
    )
