"""Plans a lead's changes: all legs of a change in one transaction with the mark on the fill (copy-engine, Step 2)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

import structlog
from sqlmodel import Session

from copytrade import clock
from copytrade.accounts import queries as accounts
from copytrade.capture import service as capture
from copytrade.copying import bulk, intentions, notices, records, saving, settings_rows
from copytrade.copying.models import LegState
from copytrade.copying.records import NOWHERE, Birth, LegRecord, Place
from copytrade.copying.validation import LARGEST_LEVERAGE
from copytrade.db.bell import ring
from copytrade.db.model import new_id
from copytrade.domain.changes import ChangeKind, LeadChange
from copytrade.domain.driving import Order, Wait, turn
from copytrade.domain.fairness import rotated
from copytrade.domain.fills import Equity
from copytrade.domain.instruments import Instrument, Market, MarketRules
from copytrade.domain.legs import Part, net
from copytrade.domain.limits import Around
from copytrade.domain.lots import lead_total
from copytrade.domain.missed import stretch
from copytrade.domain.planning import Ask, PartKind, PlanIds, plan
from copytrade.domain.quantities import EXACT, ONE, ZERO, sign
from copytrade.domain.sizing import CopySettings, Equities, SizingMode
from copytrade.domain.skips import SkipReason
from copytrade.failpoints import Label, reach
from copytrade.settings import settings
from copytrade.subscriptions import queries as subscriptions
from copytrade.subscriptions.rows import ActiveSubscription

log = structlog.get_logger()

Rules = Mapping[str, MarketRules]

EXPLAINED = Decimal("1.02")
"""How much more than his equity a lead may have traded for: fees, and the price since it was read."""


@dataclass(frozen=True, slots=True)
class Planned:
    """What planning a lead did; `stale` names accounts whose equity has to be read first (nothing was planned then)."""

    changes: int = 0
    legs: int = 0
    stale: frozenset[UUID] = frozenset()


@dataclass(slots=True)
class _Desk:
    """All that is known of the subscribers of one lead while its changes are planned."""

    now: datetime
    rules: Rules
    copies: Sequence[ActiveSubscription]
    settings: dict[UUID, CopySettings]
    equities: dict[UUID, Equity]
    states: dict[UUID, str]
    lead_equity: Decimal | None
    legs: dict[tuple[UUID, Instrument], LegRecord]
    instruments: frozenset[Instrument]
    others: dict[UUID, tuple[Decimal, int]]
    """Notional and count of each subscription's legs in instruments that are not being planned."""
    touched: dict[UUID, LegRecord] = field(default_factory=dict[UUID, LegRecord])


def plan_lead(
    session: Session, lead_account_id: UUID, *, rules: Rules, settled: frozenset[UUID] = frozenset()
) -> Planned:
    """Plan what may be planned of a lead now; the caller commits.

    Accounts whose equity is too old are returned instead, before anything is planned, unless they are `settled`.
    """
    now = clock.now()
    changes = capture.take_next(session, lead_account_id=lead_account_id, now=now)
    if not changes:
        return Planned()
    desk = _desk(session, lead_account_id, changes, rules=rules, now=now)
    stale = _stale(desk, lead_account_id) - settled
    if stale:
        return Planned(stale=stale)
    for change in changes:
        market_rules = rules.get(change.instrument.symbol)
        if market_rules is None:
            log.warning("plan.symbol_unknown", lead=str(lead_account_id), symbol=change.instrument.symbol)
            continue
        for copy, place in _served(desk, change, lead_account_id):
            _plan_one(desk, copy, change, rules=market_rules, lead_account_id=lead_account_id, place=place)
    reach(Label.PLAN_LOCKED)
    _write(session, desk)
    capture.mark_planned(session, lead_account_id=lead_account_id, changes=changes, now=now)
    return Planned(len(changes), len(desk.touched))


def join(
    session: Session, lead_account_id: UUID, subscription_id: UUID, changes: Sequence[LeadChange], *, rules: Rules
) -> Planned:
    """Plan, for one subscription, positions that the lead held when it started; the caller holds the lead's lock."""
    desk = _desk(session, lead_account_id, changes, rules=rules, now=clock.now())
    known = {instrument for subscription, instrument in desk.legs if subscription == subscription_id}
    for copy in desk.copies:
        for change in changes:
            if copy.id == subscription_id and change.instrument not in known and change.instrument.symbol in rules:
                market_rules = rules[change.instrument.symbol]
                _plan_one(desk, copy, change, rules=market_rules, lead_account_id=lead_account_id)
    _write(session, desk)
    return Planned(len(changes), len(desk.touched))


def _desk(
    session: Session, lead_account_id: UUID, changes: Sequence[LeadChange], *, rules: Rules, now: datetime
) -> _Desk:
    copies = subscriptions.active_on_lead(session, lead_account_id=lead_account_id, now=now)
    by_id = settings_rows.of(session, [copy.id for copy in copies], locking=True)
    copies = sorted((copy for copy in copies if copy.id in by_id), key=lambda copy: copy.id)
    copy_accounts = [copy.copy_account_id for copy in copies]
    equities = accounts.equities(session, [lead_account_id, *copy_accounts])
    instruments = {change.instrument for change in changes}
    legs = _locked_legs(session, lead_account_id, instruments)
    lead_age = timedelta(seconds=settings().lead_equity_max_age_s)
    lead = equities.get(lead_account_id)
    return _Desk(
        now=now,
        rules=rules,
        copies=copies,
        settings=by_id,
        equities=equities,
        states=accounts.states(session, copy_accounts),
        lead_equity=lead.total if lead and now - lead.read_at <= lead_age and _explains(lead, changes) else None,
        legs=legs,
        instruments=frozenset(instruments),
        others=_others(session, [copy.id for copy in copies], {leg.id for leg in legs.values()}),
    )


def _explains(lead: Equity, changes: Sequence[LeadChange]) -> bool:
    """Tell whether an account of this worth can have opened these: else it was paid in since it was read."""
    most = EXACT.multiply(max(lead.total, ZERO), EXPLAINED)
    for change in changes:
        leverage = ONE if change.instrument.market is Market.SPOT else LARGEST_LEVERAGE
        crosses = sign(change.after) != sign(change.before)
        opened = abs(change.after) if crosses else abs(change.after) - abs(change.before)
        if change.kind is ChangeKind.FILL and EXACT.multiply(opened, change.price) > EXACT.multiply(most, leverage):
            return False
    return True


def _locked_legs(
    session: Session, lead_account_id: UUID, instruments: set[Instrument]
) -> dict[tuple[UUID, Instrument], LegRecord]:
    found = records.lock(
        session,
        "lead_account_id = %(lead)s AND symbol = ANY(%(symbols)s) AND state = 'following' ORDER BY id FOR UPDATE",
        lead=lead_account_id,
        symbols=sorted({instrument.symbol for instrument in instruments}),
    )
    return {(leg.subscription_id, leg.instrument): leg for leg in found if leg.instrument in instruments}


def _others(session: Session, subscription_ids: list[UUID], planned: set[UUID]) -> dict[UUID, tuple[Decimal, int]]:
    rows = bulk.fetch(
        session,
        "SELECT subscription_id, sum(abs(target) * price), count(*) FROM trades.legs WHERE target <> 0"
        " AND subscription_id = ANY(%(ids)s) AND NOT id = ANY(%(planned)s) GROUP BY subscription_id",
        ids=subscription_ids,
        planned=list(planned),
    )
    return {subscription: (notional, count) for subscription, notional, count in rows}


def _stale(desk: _Desk, lead_account_id: UUID) -> frozenset[UUID]:
    oldest = desk.now - timedelta(seconds=settings().copy_equity_max_age_s)
    stale = {
        copy.copy_account_id
        for copy in desk.copies
        if desk.states.get(copy.copy_account_id) == "active"
        and ((equity := desk.equities.get(copy.copy_account_id)) is None or equity.read_at < oldest)
    }
    if desk.lead_equity is None and any(one.mode is SizingMode.EQUITY for one in desk.settings.values()):
        stale.add(lead_account_id)
    return frozenset(stale)


def _served(desk: _Desk, change: LeadChange, lead_account_id: UUID) -> Sequence[tuple[ActiveSubscription, Place]]:
    """Return whom a change concerns, in the order in which they are served this time: paper after money."""
    concerned = [copy for copy in desk.copies if _concerns(desk, copy, change)]
    at, left = change.instrument, len(concerned)
    served = list[tuple[ActiveSubscription, Place]]()
    for is_paper in (False, True):
        group = [copy for copy in concerned if copy.is_paper is is_paper]
        in_turn = rotated(group, turn=change.turn, seed=f"{lead_account_id}:{at.symbol}:{at.position_side}")
        for rank, copy in enumerate(in_turn, start=1):
            left -= 1
            served.append((copy, Place(rank, len(group), left)))
    return served


def _concerns(desk: _Desk, copy: ActiveSubscription, change: LeadChange) -> bool:
    if (copy.id, change.instrument) in desk.legs:
        return True
    return change.venue_time > copy.started_at and copy.may_enter


def _plan_one(
    desk: _Desk,
    copy: ActiveSubscription,
    change: LeadChange,
    *,
    rules: MarketRules,
    lead_account_id: UUID,
    place: Place = NOWHERE,
) -> None:
    at = (copy.id, change.instrument)
    record = desk.legs.get(at)
    if record is None:
        if not _concerns(desk, copy, change):
            return
        record = desk.legs[at] = LegRecord(
            new_id(), copy.id, copy.subscriber_id, copy.profile_id, lead_account_id, copy.copy_account_id,
            change.instrument, is_new=True,
        )  # fmt: skip
    copy_equity = _copy_equity(desk, copy)
    planned = plan(
        change,
        lots=record.leg.lots,
        order=record.so_far(change.order_id),
        settings=desk.settings[copy.id],
        equities=Equities(copy=copy_equity, lead=desk.lead_equity),
        around=_around(desk, copy, record, copy_equity),
        rules=rules,
        ids=PlanIds(new_id(), new_id()),
        now=desk.now,
        open_parts={part.id for part in record.leg.parts if part.pending},
    )
    record.remember(change.order_id, planned.order)
    record.price = change.price
    record.ahead = place.ahead
    after = lead_total(planned.lots)
    parts = tuple(_part(record, ask, change, place, after) for ask in planned.asks)
    attempts = 0 if any(part.opens and part.pending for part in parts) else record.leg.entry_attempts
    record.leg = net(
        replace(
            record.leg,
            lots=planned.lots,
            target=planned.target,
            parts=(*record.leg.parts, *parts),
            entry_attempts=attempts,
        )
    )
    desk.touched[record.id] = record


def _copy_equity(desk: _Desk, copy: ActiveSubscription) -> Decimal | None:
    equity = desk.equities.get(copy.copy_account_id)
    oldest = desk.now - timedelta(seconds=settings().copy_equity_max_age_s)
    return equity.total if equity is not None and equity.read_at >= oldest else None


def _around(desk: _Desk, copy: ActiveSubscription, record: LegRecord, copy_equity: Decimal | None) -> Around:
    notional, count = desk.others.get(copy.id, (ZERO, 0))
    for instrument in desk.instruments:
        other = desk.legs.get((copy.id, instrument))
        if other is not None and other is not record and other.leg.target:
            notional += EXACT.multiply(abs(other.leg.target), other.price)
            count += 1
    blocked = None
    if not copy.may_enter:
        blocked = SkipReason.NOT_ENTITLED
    elif desk.states.get(copy.copy_account_id) != "active":
        blocked = SkipReason.CREDENTIALS
    return Around(other_notional=notional, other_positions=count, copy_equity=copy_equity, blocked=blocked)


def _part(record: LegRecord, ask: Ask, change: LeadChange, place: Place, after: Decimal) -> Part:
    cut = sum((skip.quantity for skip in ask.skips), ZERO)
    opens = ask.kind in (PartKind.OPENING, PartKind.JOIN)
    part = Part(
        ask.part, ask.kind, ask.asked, change.price, change.venue_time, opens,
        skipped=cut if ask.asked >= 0 else -cut,
    )  # fmt: skip
    lead_quantity = change.lead_fill_quantity or abs(change.moved)
    record.births[part.id] = Birth(
        change.received_at, change.fill_id, lead_quantity, place, *stretch(change.before, after, opens=opens)
    )
    record.skip(notices.skipped(part, ask.skips))
    return part


def _write(session: Session, desk: _Desk) -> None:
    touched = list(desk.touched.values())
    dropped, intended = intend(touched, rules=desk.rules, chosen=desk.settings, now=desk.now, real_now=clock.real_now())
    with bulk.pipelined(session):
        saving.drop(session, dropped, now=desk.now)
        saving.save(session, touched, now=desk.now)
        intentions.insert(session, intended)
    notices.tell(session, touched, now=desk.now)
    if touched:
        ring(session, "drive", *{f"user:{record.subscriber_id}" for record in touched})


def intend(
    touched: Sequence[LegRecord],
    *,
    rules: Rules,
    chosen: Mapping[UUID, CopySettings],
    now: datetime,
    real_now: datetime,
) -> tuple[list[records.OrderRecord], list[tuple[LegRecord, records.OrderRecord]]]:
    """Look at legs that were planned; return the intentions that do not hold any more and the new ones."""
    dropped, intended = list[records.OrderRecord](), list[tuple[LegRecord, records.OrderRecord]]()
    for record in touched:
        if record.state is not LegState.FOLLOWING:
            continue
        turned = turn(
            record.leg,
            rules=rules[record.instrument.symbol],
            settings=chosen[record.subscription_id],
            quote=None,
            now=now,
            real_now=real_now,
            market=record.instrument.market,
        )
        record.leg = turned.leg
        record.skip(turned.skips)
        decision, was = turned.decision, record.planned
        record.waits_for = decision.reason.value if isinstance(decision, Wait) else ""
        # Drivers take what is due longest first: so they serve in the order of the ranks.
        record.due_at = decision.until if isinstance(decision, Wait) else now - timedelta(microseconds=record.ahead)
        if was is not None and not (isinstance(decision, Order) and intentions.is_still(was, decision)):
            dropped.append(was)
            was = None
        if was is None and isinstance(decision, Order):
            intended.append((record, intentions.of(record, decision, now=now)))
    return dropped, intended
