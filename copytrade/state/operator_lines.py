"""What the operators' page shows of rooms, orders and work that was given up."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session

from copytrade import clock, queues
from copytrade.copying import operating
from copytrade.i18n.names import symbol_name
from copytrade.i18n.voice import Moment, Voice
from copytrade.notifications import queries as notices
from copytrade.payments import queries as payments

FIGURES = {
    "accounts": "accounts",
    "late": "accounts polled late",
    "unstreamed": "leads never heard by stream",
    "waiting": "fills not planned yet",
    "oldest_waiting_s": "age of the oldest, seconds",
    "spoiled": "rows nobody could read",
    "legs_due": "positions to look at now",
    "oldest_due_at": "the oldest since",
    "orders_on_their_way": "orders on their way",
    "orders_unknown": "orders with an unknown outcome",
    "oldest_unknown_at": "the oldest of them",
    "parts_pending": "parts that wait",
    "pending": "waiting to be worked on",
    "failed": "given up",
    "oldest_pending_at": "the oldest since",
}
ORDERS = {
    "planned": "intended",
    "sending": "being sent",
    "unknown": "outcome unknown",
    "placed": "at the exchange",
    "buy": "buy",
    "sell": "sell",
}


@dataclass(frozen=True, slots=True)
class Number:
    """One figure of a room."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Room:
    """The figures of one part of the service."""

    name: str
    numbers: list[Number]


@dataclass(frozen=True, slots=True)
class OrderLine:
    """An order that has not ended."""

    id: str
    place: str
    symbol: str
    told: str
    state: str
    client_order_id: str
    at: Moment


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """Work that was tried in vain and given up until somebody asks for it again."""

    id: str
    kind: str
    queue: str
    what: str
    why: str
    at: Moment


def room(name: str, row: Any, voice: Voice) -> Room:
    """Return the figures of a part of the service under their names."""
    return Room(
        voice.say(name),
        [Number(voice.say(FIGURES[key]), _shown(value, voice)) for key, value in asdict(row).items()],
    )


def _shown(value: object, voice: Voice) -> str:
    match value:
        case None:
            return "—"
        case datetime():
            return voice.ago(value, now=clock.now())
        case int():
            return voice.number(value, places=0)
        case float():
            return voice.number(value, places=1)
        case _:
            return str(value)


def order(row: operating.LiveOrderRow, voice: Voice, now: datetime) -> OrderLine:
    """Return an order in words."""
    return OrderLine(
        id=str(row.order_id),
        place=f"{row.venue} {row.market}",
        symbol=symbol_name(row.symbol),
        told=voice.say(
            "{side} {filled} of {quantity}",
            side=voice.say(ORDERS[row.side]),
            filled=voice.quantity(row.filled),
            quantity=voice.quantity(row.quantity),
        ),
        state=voice.say(ORDERS[row.state]),
        client_order_id=row.client_order_id,
        at=voice.moment(row.created_at, now=now),
    )


def letters(session: Session, *, jobs: list[queues.DeadJob], voice: Voice) -> list[DeadLetter]:
    """Return jobs, webhooks and mails that were given up, newest first."""
    now = clock.now()
    found = [
        (job.failed_at, DeadLetter(job.id, "job", job.queue, job.job, job.error, voice.moment(job.failed_at, now=now)))
        for job in jobs
    ]
    found += [
        (row.received_at, DeadLetter(row.id, "event", "", row.type, row.error, voice.moment(row.received_at, now=now)))
        for row in payments.failed_events(session)
    ]
    found += [
        (
            row.created_at,
            DeadLetter(str(row.id), "mail", "", row.kind, row.error, voice.moment(row.created_at, now=now)),
        )
        for row in notices.failed_mails(session)
    ]
    return [letter for _, letter in sorted(found, key=lambda one: one[0], reverse=True)]
