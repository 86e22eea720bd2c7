"""A trader's money in words: months, what is paid next, payouts with their lines, payments, his audience."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal

from copytrade.analytics.charts.earnings import month_text
from copytrade.i18n.voice import NOTHING, Moment, Voice
from copytrade.payments.earning_rows import PayoutLineRow, PayoutRow, UpcomingPayout
from copytrade.payments.rows import PayoutStanding
from copytrade.payments.trader_payments import PaidRow
from copytrade.subscriptions.audience import Audience
from copytrade.subscriptions.churn import SubscriberMonth

KINDS = {
    "paid": "a payment",
    "fee": "Stripe's fee",
    "refund": "a refund",
    "refund_failed": "a refund that failed",
    "dispute_won": "a dispute was won",
    "dispute_lost": "a dispute was lost",
    "payout": "a payout",
    "payout_canceled": "a payout that was canceled",
    "reversal": "taken back from an earlier payout",
}
TEXTS = {
    "trying": "{n} in the free trial",
    "late": "{n} with a late payment",
    "leaving": "{n} will not renew",
}
STATES = {"planned": "on its way", "sent": "paid", "canceled": "canceled"}
TONES = {"planned": "amber", "sent": "jade", "canceled": "gray"}


@dataclass(frozen=True, slots=True)
class Upcoming:
    """What a trader is paid next in one currency, in words."""

    currency: str = ""
    owed: str = ""
    next: str = ""
    told: str = ""
    """When it goes out, or why nothing does."""
    held: str = ""
    held_told: str = ""
    held_parts: tuple[str, ...] = ()
    frozen: str = ""
    """Empty: nothing is frozen."""
    debt: str = ""
    """What the trader owes, explained; empty: nothing."""


@dataclass(frozen=True, slots=True)
class PayoutLine:
    """A payout in words."""

    id: str
    day: str
    at: Moment
    amount: str
    state: str
    tone: str
    note: str


@dataclass(frozen=True, slots=True)
class PartLine:
    """What a payout is made of."""

    day: str
    what: str
    period: str
    amount: str


@dataclass(frozen=True, slots=True)
class PaidLine:
    """A payment of a subscriber's."""

    day: str
    subscriber: str
    amount: str
    platform: str
    mine: str
    note: str


@dataclass(frozen=True, slots=True)
class AudienceLine:
    """A month of coming and leaving."""

    month: str
    before: str
    """Who subscribed at its beginning."""
    came: str
    left: str
    churn: str


@dataclass(frozen=True, slots=True)
class AudienceTold:
    """Who subscribes, and the months behind."""

    running: str = ""
    note: str = ""
    came: str = ""
    left: str = ""
    churn: str = ""
    months: list[AudienceLine] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the trader stands with being paid: `none`, `begun`, `held_back` or `ready`."""

    step: str = ""
    needs: tuple[str, ...] = ()


def standing_told(row: PayoutStanding, voice: Voice) -> Standing:
    """Return where a trader stands and what Stripe still wants, in his language."""
    step = (
        "none" if not row.has_account else "ready" if row.may_be_paid else "held_back" if row.is_held_back else "begun"
    )
    return Standing(step, tuple(voice.say(need) for need in row.needs))


def upcoming_told(row: UpcomingPayout, voice: Voice, *, may_be_paid: bool) -> Upcoming:
    """Return what is paid next, in words."""
    currency = row.currency
    held = sum((part.amount for part in row.held), Decimal(0))
    return Upcoming(
        currency=currency.upper(),
        owed=voice.cash(row.owed, currency),
        next=voice.cash(row.amount, currency),
        told=_when(row, voice, may_be_paid=may_be_paid),
        held=voice.cash(held, currency),
        held_told=voice.say("the first of it free on {day}", day=day_of(row.held[0].available_on, voice))
        if row.held
        else "",
        held_parts=tuple(
            voice.say(
                "{amount} on {day}", amount=voice.cash(part.amount, currency), day=day_of(part.available_on, voice)
            )
            for part in row.held[:14]
        ),
        frozen=voice.cash(row.frozen, currency) if row.frozen else "",
        debt=voice.say(
            "You owe {amount}: payments whose share you had received already went back to their payers. The next "
            "payouts settle it; you need not do anything.",
            amount=voice.cash(row.debt, currency),
        )
        if row.debt
        else "",
    )


def _when(row: UpcomingPayout, voice: Voice, *, may_be_paid: bool) -> str:
    day = day_of(row.on, voice)
    if not may_be_paid:
        return voice.say("once your payouts are set up")
    if row.amount:
        return voice.say("on {day}", day=day)
    return voice.say(
        "nothing on {day}: at least {minimum} has to be free", day=day, minimum=voice.cash(row.minimum, row.currency)
    )


def payout_told(row: PayoutRow, voice: Voice, *, now: datetime) -> PayoutLine:
    """Return a payout in words."""
    note = voice.count(row.lines, "{n} line", "{n} lines")
    if row.taken_back:
        taken = voice.say("{amount} taken back since", amount=voice.cash(row.taken_back, row.currency))
        note = f"{note} · {taken}"
    return PayoutLine(
        id=str(row.id),
        day=voice.day(row.sent_at or row.created_at),
        at=voice.moment(row.sent_at or row.created_at, now=now),
        amount=voice.cash(row.amount, row.currency),
        state=voice.say(STATES[row.state]),
        tone=TONES[row.state],
        note=note,
    )


def part_told(row: PayoutLineRow, voice: Voice) -> PartLine:
    """Return what a payout is made of, in words."""
    return PartLine(
        day=voice.day(row.happened_at),
        what=voice.say(KINDS[row.kind]),
        period=voice.days(row.period_start, row.period_end) if row.period_start and row.period_end else NOTHING,
        amount=voice.cash(row.amount, row.currency, signed=True),
    )


def paid_told(row: PaidRow, voice: Voice, *, now: datetime) -> PaidLine:
    """Return a payment in words."""
    if row.taken_back:
        note = voice.say("{amount} went back", amount=voice.cash(row.taken_back, row.currency))
    elif row.is_frozen:
        note = voice.say("disputed: frozen until it is decided")
    elif row.available_at <= now:
        note = voice.say("free since {day}", day=voice.day(row.available_at))
    else:
        note = voice.say("held until {day}", day=voice.day(row.available_at))
    return PaidLine(
        day=voice.day(row.paid_at),
        subscriber=row.subscriber or voice.say("without a name"),
        amount=voice.cash(row.amount, row.currency),
        platform=voice.cash(row.platform, row.currency),
        mine=voice.cash(row.mine, row.currency),
        note=note,
    )


def audience_told(row: Audience, months: Sequence[SubscriberMonth], voice: Voice) -> AudienceTold:
    """Return who subscribes, and who came and left, in words; `months` are oldest first."""
    notes = [
        voice.say(TEXTS[name], n=voice.number(count, places=0))
        for name, count in (("trying", row.trying), ("late", row.late), ("leaving", row.leaving))
        if count
    ]
    this = months[-1] if months else None
    return AudienceTold(
        running=voice.number(row.running, places=0),
        note=" · ".join(notes),
        came=voice.number(this.joined if this else 0, places=0),
        left=voice.number(this.left if this else 0, places=0),
        churn=voice.percent(this.churn if this else None),
        months=[
            AudienceLine(
                month=month_text(one.month, voice),
                before=voice.number(one.at_start, places=0),
                came=voice.number(one.joined, places=0),
                left=voice.number(one.left, places=0),
                churn=voice.percent(one.churn),
            )
            for one in reversed(months)
            if one.at_start or one.joined or one.left
        ],
    )


def chosen(currency: str, rows: Sequence[UpcomingPayout]) -> str:
    """Return the currency that is shown: the chosen one where there is one, else that in which most is owed."""
    known = [row.currency for row in rows]
    if currency in known:
        return currency
    return max(rows, key=lambda row: (row.owed + row.on_its_way, row.currency)).currency


def day_of(day: date, voice: Voice) -> str:
    """Return a day (UTC) in the person's language."""
    return Voice(voice.locale, UTC).day(datetime.combine(day, time.min, tzinfo=UTC))
