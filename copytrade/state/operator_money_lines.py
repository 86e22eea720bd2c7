"""The operators' money in words: revenue, books, disputes, differences, what does not move."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from copytrade.analytics.charts.earnings import month_text
from copytrade.i18n.voice import NOTHING, Moment, Voice
from copytrade.payments import operator_queries, stuck
from copytrade.payments.earning_rows import BookRow, DifferenceRow, DisputeRow, RevenueMonth, WaitingPayout
from copytrade.payments.rows import FailedEvent
from copytrade.payments.stuck import ShareRow, StuckRow
from copytrade.state.sheets import sheet_of
from copytrade.users import queries as users

KINDS = {"payout": "payout", "reversal": "taken back from a trader", "refund": "refund to a subscriber"}
STATES = {"planned": "waits", "refused": "refused by Stripe"}


@dataclass(frozen=True, slots=True)
class RevenueLine:
    """A month of one currency."""

    month: str
    payments: str
    gross: str
    traders: str
    platform: str
    back: str
    fees: str
    net: str


@dataclass(frozen=True, slots=True)
class BookLine:
    """What stands in the books of a currency."""

    currency: str
    stripe: str
    disputed: str
    fees: str
    platform: str
    traders: str
    off: str
    """What the books are off; empty: they balance."""


@dataclass(frozen=True, slots=True)
class DisputeLine:
    """A dispute in words."""

    id: str
    trader: str
    amount: str
    reason: str
    status: str
    is_open: bool
    due: Moment
    is_soon: bool


@dataclass(frozen=True, slots=True)
class DifferenceLine:
    """Where Stripe's lists and ours differ."""

    kind: str
    stripe_id: str
    ours: str
    theirs: str
    found: Moment
    is_open: bool


@dataclass(frozen=True, slots=True)
class StuckLine:
    """Money that does not move."""

    id: str
    kind: str
    person: str
    amount: str
    state: str
    is_refused: bool
    error: str
    tries: str
    at: Moment


@dataclass(frozen=True, slots=True)
class EventLine:
    """A webhook that was given up."""

    id: str
    type: str
    error: str
    at: Moment


@dataclass(frozen=True, slots=True)
class ShareLine:
    """A share that was agreed."""

    trader: str
    share: str
    by: str
    at: Moment


def revenue_line(row: RevenueMonth, voice: Voice) -> RevenueLine:
    """Return a month in words."""
    amounts = (row.gross, row.traders, row.platform, row.taken_back, row.fees, row.net)
    gross, traders, platform, back, fees, net = (voice.cash(amount, row.currency) for amount in amounts)
    return RevenueLine(
        month=f"{month_text(row.month, voice)} · {row.currency.upper()}",
        payments=voice.number(row.payments, places=0),
        gross=gross,
        traders=traders,
        platform=platform,
        back=back,
        fees=fees,
        net=net,
    )


def book_line(row: BookRow, voice: Voice) -> BookLine:
    """Return what stands in the books; what we earned and owe is told as a positive number."""
    return BookLine(
        currency=row.currency.upper(),
        stripe=voice.cash(row.stripe, row.currency),
        disputed=voice.cash(row.disputed, row.currency),
        fees=voice.cash(row.fees, row.currency),
        platform=voice.cash(-row.platform, row.currency),
        traders=voice.cash(-row.traders, row.currency),
        off=voice.cash(row.imbalance, row.currency) if row.imbalance else "",
    )


def dispute_line(row: DisputeRow, voice: Voice, *, now: datetime) -> DisputeLine:
    """Return a dispute in words."""
    return DisputeLine(
        id=row.id,
        trader=row.trader_name or NOTHING,
        amount=voice.cash(row.amount, row.currency),
        reason=row.reason.replace("_", " "),
        status=row.status.replace("_", " "),
        is_open=row.is_open,
        due=voice.moment(row.answer_by, now=now),
        is_soon=row.answer_by is not None and (row.answer_by - now).days < 3,
    )


def difference_line(row: DifferenceRow, voice: Voice, *, now: datetime) -> DifferenceLine:
    """Return a difference in words."""
    return DifferenceLine(
        kind=row.kind.replace("_", " "),
        stripe_id=row.stripe_id,
        ours=row.ours or NOTHING,
        theirs=row.theirs or NOTHING,
        found=voice.moment(row.found_at, now=now),
        is_open=row.resolved_at is None,
    )


def stuck_lines(session: Session, voice: Voice, *, now: datetime) -> list[StuckLine]:
    """Return the payouts, reversals and refunds that wait or were refused, in words."""
    payouts = operator_queries.waiting_payouts(session)
    people = users.people(session, {row.trader_id for row in payouts})
    lines = [_payout(row, people[row.trader_id].email if row.trader_id in people else NOTHING, voice, now)
             for row in payouts]  # fmt: skip
    return lines + [_stuck(row, voice, now) for row in stuck.going_back(session)]


def _payout(row: WaitingPayout, person: str, voice: Voice, now: datetime) -> StuckLine:
    return StuckLine(
        id=str(row.id),
        kind=voice.say(KINDS["payout"]),
        person=person,
        amount=voice.cash(row.amount, row.currency),
        state=voice.say(STATES["planned"]),
        is_refused=False,
        error=row.error,
        tries=voice.count(row.attempts, "{n} try", "{n} tries"),
        at=voice.moment(row.created_at, now=now),
    )


def _stuck(row: StuckRow, voice: Voice, now: datetime) -> StuckLine:
    return StuckLine(
        id=str(row.id),
        kind=voice.say(KINDS[row.kind]),
        person="",
        amount=voice.cash(row.amount, row.currency),
        state=voice.say(STATES[row.state]),
        is_refused=row.state == "refused",
        error=row.error,
        tries=voice.count(row.attempts, "{n} try", "{n} tries"),
        at=voice.moment(row.created_at, now=now),
    )


def event_line(row: FailedEvent, voice: Voice, *, now: datetime) -> EventLine:
    """Return a webhook that was given up, in words."""
    return EventLine(row.id, row.type, row.error, voice.moment(row.received_at, now=now))


def share_line(row: ShareRow, voice: Voice, *, now: datetime) -> ShareLine:
    """Return an agreed share in words."""
    places = 0 if row.share * 100 == int(row.share * 100) else 2
    return ShareLine(row.trader, voice.percent(row.share, places=places), row.set_by, voice.moment(row.set_at, now=now))


def revenue_sheet(session: Session) -> str:
    """Return the revenue by month and currency as CSV, oldest first."""
    columns = ("month", "currency", "payments", "paid", "traders", "platform", "taken_back", "fees", "net")
    return sheet_of(
        columns,
        (
            (f"{row.month:%Y-%m}", row.currency.upper(), row.payments, row.gross, row.traders, row.platform,
             row.taken_back, row.fees, row.net)
            for row in operator_queries.revenue_by_month(session, months=120)
        ),
    )  # fmt: skip
