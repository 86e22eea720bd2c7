"""The webhooks' inbox: verified, stored once, worked off in batches, each event with an outcome of its own.

Since an event only says what to read again, all events of a subscription in a batch are one reading; the readings of a
batch go to Stripe side by side, and then some subscriptions are brought up to date in one transaction; where that
fails, each in one of its own.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import structlog
from sqlalchemy import update
from sqlmodel import Session, col, select

from copytrade import clock
from copytrade.db.bell import ring
from copytrade.db.events import record
from copytrade.db.session import transaction
from copytrade.errors import CopyTradeError, NotFound
from copytrade.payments import connect, facts, sync
from copytrade.payments.events import Target, TargetKind, target_of
from copytrade.payments.facts import SubscriptionTold
from copytrade.payments.gateway import PaymentsRefused, PaymentsUnavailable
from copytrade.payments.models import InboxState, WebhookEvent
from copytrade.payments.sync import Asked, NotYetKnown

log = structlog.get_logger()
MOST_ATTEMPTS = 12
MOST_UNKNOWN = 6
"""So often we look for what an event speaks of, here and at Stripe; then it was never ours."""
BATCH = 200
MOST_MORE = 1000
"""Events of the same targets that a batch takes along."""
AT_ONCE = 8
"""Readings side by side; each waits for the network most of the time."""
LONGEST_S = 30
_LONGEST_PAUSE_S = 3600
_LEASE_S = 90
TOGETHER = 20
"""Subscriptions brought up to date in one transaction: few enough that nobody waits long for their locks."""
_HANDLERS: Mapping[TargetKind, Callable[[Target, Session], bool]] = {
    TargetKind.CHECKOUT: lambda it, session: sync.checkout(session, stripe_session_id=it.id),
    TargetKind.CHARGE: lambda it, session: sync.refund(session, charge_id=it.id),
    TargetKind.DISPUTE: lambda it, session: sync.dispute(session, dispute_id=it.id, charge_id=it.of),
    TargetKind.ACCOUNT: lambda it, session: connect.refresh(session, stripe_account_id=it.id),
}


@dataclass(frozen=True, slots=True)
class Claimed:
    """An event of a batch."""

    id: str
    attempts: int


Work = tuple[Sequence[Claimed], Callable[[Session], bool]]
"""Events, and what they ask for."""


@dataclass(slots=True)
class Batch:
    """Events claimed together, by what they make us read."""

    targets: dict[Target, list[Claimed]]
    foreign: list[str]
    """Events that tell nothing that concerns us."""
    asked: dict[str, Asked]

    @property
    def size(self) -> int:
        """How many events it has."""
        return len(self.foreign) + sum(len(events) for events in self.targets.values())


def work_off() -> int:
    """Handle the webhooks that are due; return how many. What is a bug is raised when the rest is done.

    After `LONGEST_S` the bell is rung for the rest: whoever works here has to end in time, and has more to do.
    """
    done, bugs, until = 0, list[Exception](), time.monotonic() + LONGEST_S
    pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="stripe")
    try:
        while (batch := _claimed()).size:
            done += batch.size
            bugs += _work(batch, pool, until=until)
            if time.monotonic() > until:
                with transaction() as session:
                    ring(session, "billing")
                break
    finally:
        pool.shutdown(wait=False, cancel_futures=True)  # a reading that hangs changes nothing: nobody waits for it
    if bugs:
        raise bugs[0]
    return done


def replay(session: Session, *, event_id: str) -> None:
    """Let a webhook that was given up be tried again from the start."""
    row = session.get(WebhookEvent, event_id, with_for_update=True)
    if row is None or row.state != InboxState.FAILED:
        raise NotFound(f"webhook {event_id} had not failed", user="There is no such failed message any more.")
    row.state, row.attempts, row.try_at = InboxState.PENDING, 0, clock.real_now()
    session.add(row)
    ring(session, "billing")


def _claimed() -> Batch:
    """Claim events: their tries are counted and they are hidden for a while, so that a crash blocks no others."""
    batch = Batch({}, [], {})
    now = clock.real_now()
    with transaction() as session:
        due = (
            select(WebhookEvent)
            .where(WebhookEvent.state == InboxState.PENDING, col(WebhookEvent.try_at) <= now)
            .order_by(col(WebhookEvent.try_at), col(WebhookEvent.id))
            .with_for_update(skip_locked=True)
        )
        rows = list(session.exec(due.limit(BATCH)).all())
        # One reading serves every event of its target, also those that came later.
        targets = {row.target for row in rows if row.target}
        if len(rows) == BATCH:
            first = [row.id for row in rows]
            more = due.where(col(WebhookEvent.target).in_(targets), col(WebhookEvent.id).not_in(first))
            rows += session.exec(more.limit(MOST_MORE)).all()
        for row in rows:
            _sort(session, row, batch)
        claimed = [row for row in rows if row.state == InboxState.PENDING]
        _hide(session, [row.id for row in claimed])
        _ignore(session, batch.foreign)
        wanted = [target.id for target in batch.targets if target.kind is TargetKind.SUBSCRIPTION]
        batch.asked = {one.stripe_subscription_id: one for one in sync.asked(session, wanted)} if wanted else {}
    return batch


def _sort(session: Session, row: WebhookEvent, batch: Batch) -> None:
    if row.attempts >= MOST_ATTEMPTS:
        _give_up(session, row)
        return
    try:
        target = target_of(row.type, row.body)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        row.error = f"it could not be read: {type(error).__name__}"
        _give_up(session, row)
        return
    if target is None:
        batch.foreign.append(row.id)
    else:
        batch.targets.setdefault(target, []).append(Claimed(row.id, row.attempts + 1))


def _give_up(session: Session, row: WebhookEvent) -> None:
    row.state = InboxState.FAILED
    session.add(row)
    record(session, "alarm.webhook_failed", cause=row.id, event=row.id, type=row.type, error=row.error)


def _hide(session: Session, ids: Sequence[str]) -> None:
    session.connection().execute(
        update(WebhookEvent)
        .where(col(WebhookEvent.id).in_(ids))
        .values(attempts=WebhookEvent.attempts + 1, try_at=clock.real_now() + timedelta(seconds=_LEASE_S))
    )


def _ignore(session: Session, ids: Sequence[str]) -> None:
    session.connection().execute(
        update(WebhookEvent)
        .where(col(WebhookEvent.id).in_(ids))
        .values(state=InboxState.IGNORED, handled_at=clock.real_now(), error="")
    )


def _work(batch: Batch, pool: ThreadPoolExecutor, *, until: float) -> list[Exception]:
    bugs = list[Exception]()
    waiting: list[Work] = []
    for target, act in _acts(batch, pool, until=until):
        waiting.append((batch.targets[target], act))
        # What asks Stripe while it works holds no other's locks.
        if target.kind is not TargetKind.SUBSCRIPTION or len(waiting) == TOGETHER:
            bugs += _some(waiting)
            waiting = []
    return bugs + _some(waiting)


def _some(works: Sequence[Work]) -> list[Exception]:
    """Do several things in one transaction, which costs a fraction of one each; where one fails, each by itself."""
    if len(works) > 1:
        try:
            with transaction() as session:
                for events, act in works:
                    _do(session, events, act)
        except Exception as error:  # noqa: BLE001 - comes again where it is tried by itself
            log.info("inbox.one_by_one", reason=type(error).__name__)
        else:
            return []
    bugs = list[Exception]()
    for events, act in works:
        try:
            _one(events, act)
        except Exception as bug:  # noqa: BLE001 - raised by the caller, once what has nothing to do with it is done
            bugs.append(bug)
    return bugs


def _acts(
    batch: Batch, pool: ThreadPoolExecutor, *, until: float
) -> Iterator[tuple[Target, Callable[[Session], bool]]]:
    """Yield what to do for each target; subscriptions come as their readings arrive.

    What has not begun at `until`, or has not been read, is left for another time: Stripe may hang.
    """
    # In one order in every process: they are locked one after another.
    asked = sorted(batch.asked.values(), key=lambda one: (str(one.ours), one.stripe_subscription_id))
    readings = [(one, pool.submit(facts.subscription, one.stripe_subscription_id, known=one.known)) for one in asked]
    for target in batch.targets:
        if target.kind is not TargetKind.SUBSCRIPTION:
            yield target, partial(_HANDLERS[target.kind], target) if time.monotonic() < until else _too_late
    for asking, reading in readings:
        wait([reading], timeout=max(until - time.monotonic(), 0))
        target = Target(TargetKind.SUBSCRIPTION, asking.stripe_subscription_id)
        yield target, partial(_take_in, asking, reading) if reading.done() else _too_late


def _too_late(_: Session) -> bool:
    raise PaymentsUnavailable("Stripe did not answer in time")


def _take_in(asking: Asked, reading: "Future[SubscriptionTold]", session: Session) -> bool:
    return sync.take_in(session, asking, reading.result())


def _one(events: Sequence[Claimed], act: Callable[[Session], bool]) -> None:
    """Do what some events ask for, and write what became of each, in one transaction; what fails, in the next."""
    try:
        with transaction() as session:
            _do(session, events, act)
    except CopyTradeError as error:
        with transaction() as session:
            _again(session, events, error)


def _do(session: Session, events: Sequence[Claimed], act: Callable[[Session], bool]) -> None:
    state = InboxState.DONE if act(session) else InboxState.IGNORED
    _settle(session, [one.id for one in events], state)


def _again(session: Session, events: Sequence[Claimed], error: CopyTradeError) -> None:
    """Let events be tried again, each after a pause by its own tries; what is unknown for long was never ours."""
    is_unknown = isinstance(error, NotYetKnown) or (
        isinstance(error, PaymentsRefused) and error.reason == "resource_missing"
    )
    lost = [one.id for one in events if is_unknown and one.attempts >= MOST_UNKNOWN]
    _settle(session, lost, InboxState.IGNORED)
    for one in events:
        if one.id not in lost:
            pause = timedelta(seconds=min(2**one.attempts, _LONGEST_PAUSE_S))
            session.connection().execute(
                update(WebhookEvent)
                .where(col(WebhookEvent.id) == one.id)
                .values(error=error.message, try_at=clock.real_now() + pause)
            )


def _settle(session: Session, ids: Sequence[str], state: InboxState) -> None:
    session.connection().execute(
        update(WebhookEvent)
        .where(col(WebhookEvent.id).in_(ids))
        .values(state=state, handled_at=clock.real_now(), error="")
    )
