"""The rules that matter, each with what the engine does without it: some run then breaks an invariant."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import ROUND_UP, Decimal
from typing import Any

from copytrade.capture import ordering
from copytrade.capture import readings as lead_readings
from copytrade.copying import claims, desks, ending, readiness, records, telling
from copytrade.copying.models import LegState, OrderState
from copytrade.domain import driving, legs, limits, lots, next_orders, planning, proofs, readings
from copytrade.domain.changes import ChangeKind
from copytrade.domain.driving import HOLD_PAUSE, OPEN_GATE, Wait, WaitReason
from copytrade.domain.instruments import MarketRules, PositionSide
from copytrade.domain.quantities import ZERO
from copytrade.domain.sizing import SizingMode
from copytrade.domain.skips import SkipReason
from tests.model.capture import Capture
from tests.model.chance import Place
from tests.model.service import Service
from tests.model.world import World

Kinds = tuple[tuple[Place, SizingMode], ...]
ANYWHERE: Kinds = tuple((place, SizingMode.RATIO) for place in Place)
ON_SPOT: Kinds = ((Place.SPOT, SizingMode.RATIO),)
ONE_WAY: Kinds = ((Place.ONE_WAY, SizingMode.RATIO),)
MANY: Kinds = tuple((place, sizing) for place in Place for sizing in SizingMode)
ONE_WAY_MANY: Kinds = tuple((Place.ONE_WAY, sizing) for sizing in SizingMode)
FAR = timedelta(hours=1)
ENDLESS = Decimal(10**9)


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule by its name; `original` (or a class and a name) is replaced wherever it is used."""

    name: str
    original: Any
    without: Any
    kinds: Kinds = ANYWHERE


@contextmanager
def taken_out(rule: Rule) -> Iterator[None]:
    """Run without a rule."""
    if isinstance(rule.original, tuple):
        places = [rule.original]
    else:
        modules = [one for name, one in sys.modules.items() if name.startswith(("copytrade.", "tests.model"))]
        modules.remove(sys.modules[__name__])
        places = [(one, name) for one in modules for name, value in vars(one).items() if value is rule.original]
    kept = [getattr(owner, name) for owner, name in places]
    for owner, name in places:
        setattr(owner, name, rule.without)
    try:
        yield
    finally:
        for (owner, name), value in zip(places, kept, strict=True):
            setattr(owner, name, value)


_next_order, _take, _look_at, _step, _tell, _request_of = (
    next_orders.next_order, lots.take, claims._look_at, ending._step, telling.tell, claims.request_of,
)  # fmt: skip
_found, _live_of, _forbidden, _send, _store, _held_back, _settle, _around = (
    telling._found, records.live_of, limits.forbidden, World.send, Capture._store, readiness.held_back, Capture.settle,
    desks.around,
)  # fmt: skip


def _exits_held_back(leg: Any, *, now: Any, held_back: bool = False, **rest: Any) -> Any:
    if held_back and leg.target != leg.held:
        return Wait(WaitReason.HELD_BACK, now + HOLD_PAUSE)
    return _next_order(leg, now=now, held_back=held_back, **rest)


def _oldest_first(stack: Any, quantity: Any) -> Any:
    left, given = _take(stack[::-1], quantity)
    return left[::-1], given


def _uncut(leg: Any, *, rules: MarketRules, **rest: Any) -> Any:
    return _next_order(leg, rules=replace(rules, max_quantity=ENDLESS, max_market_quantity=ENDLESS), **rest)


def _claimed_unasked(service: Service, desk: Any, leg: Any) -> None:
    planned = leg.planned
    if planned is None:
        _look_at(desk, leg)
        return
    leg.due_at = None
    desk.confirmed.append(planned)
    claims._sending(desk, leg, planned, service.account)


def _marked_apart(service: Service, *, now: Any, price: Any) -> Any:
    if not service.capture.is_waiting():
        return None
    changes = service.capture.take_next(now=now, price=price)
    claimed = service.transaction(lambda: service.plan_changes(changes, now=now)) if changes else None
    if claimed is not None:
        service.transaction(lambda: service.mark(changes))
    return claimed


def _late_fills_dropped(order: Any, leg: Any, told: Any, **rest: Any) -> Any:
    return telling.Change(order) if order.state is OrderState.LOST else _tell(order, leg, told, **rest)


def _refusals_are_ends(order: Any, leg: Any, told: Any, **rest: Any) -> Any:
    change = _tell(order, leg, told, **rest)
    if order.state is OrderState.REFUSED:
        leg.last_order_ended_at = rest["now"]
    return change


def _booked_anew(order: Any, leg: Any, found: Any, change: Any, **rest: Any) -> None:
    order.filled = ZERO
    _found(order, leg, found, change, **rest)


def _without_unknown(orders: Any) -> Any:
    return _live_of([order for order in orders if order.state is not OrderState.UNKNOWN])


def _missed_like_fills(change: Any, **rest: Any) -> Any:
    kind = ChangeKind.FILL if change.kind is ChangeKind.MISSED else change.kind
    return _forbidden(replace(change, kind=kind), **rest)


def _stored_again(capture: Capture, fill: Any, **rest: Any) -> bool:
    known = capture.stored.pop(str(fill.number), None)
    return _store(capture, fill, **rest) or known is not None


def _ended_by_what_it_waited_for(leg: Any, mode: Any, *, now: Any) -> bool:
    was = leg.waits_for
    changed = _step(leg, mode, now=now)
    if leg.is_ending and leg.state is LegState.FOLLOWING and not leg.leg.target and not leg.orders:
        leg.waits_for = leg.waits_for or was
        if leg.waits_for == WaitReason.TOO_SMALL:
            leg.state, leg.due_at = LegState.CLOSED, None
    return changed


def _on_one_reading(doubt: Any, really: Any, **_: Any) -> Any:
    return None, really is not None


def _whatever_its_modes(ready: Any, *_: Any) -> Any:
    return _held_back(replace(ready, hold=None), *_)


def _alone(*at: Any, **rest: Any) -> Any:
    return replace(_around(*at, **rest), other_notional=ZERO, other_positions=0)


def _transfers_are_changes(capture: Capture, reading: Any, *, began: Any, price: Any) -> None:
    _settle(capture, reading, began=began, price=price)
    if capture.lead.place is Place.SPOT and not capture.unplanned:
        for (symbol, side), row in capture.rows.items():
            row.quantity = reading.positions.get((symbol, PositionSide(side)), ZERO)


def _re_based_on_one(row: Any, *, held: Any, waiting: Any, reading: Any, has_moved: Any) -> bool:
    row.odd_quantity, row.odd_since = held, reading.answered_at
    return held != row.quantity + sum((fill.signed for fill in waiting), ZERO)


def _too_small_ages_too(leg: Any, rules: Any, settings: Any, now: Any) -> Any:
    skips = []
    for part in leg.parts:
        if part.opens and part.pending and (now - part.at).total_seconds() > settings.max_entry_age_s:
            leg, skip = legs.step_back(leg, part, amount=abs(part.pending), reason=leg.last_reason)
            skips += [skip] if skip else []
    return leg, tuple(skips)


def _rounded_up(rules: MarketRules, quantity: Decimal) -> Decimal:
    return (quantity / rules.quantity_step).to_integral_value(rounding=ROUND_UP) * rules.quantity_step


def _sent_whenever(world: World, sending: Any) -> None:
    _send(world, replace(sending, not_after=sending.not_after + FAR))


def _everything(size: Any, **rest: Any) -> Any:
    return size, ()


def _whatever_is_held(leg: Any, reading: Any, *, drift_id: Any, price: Any, at: Any) -> Any:
    lots_ = lots.scale(leg.lots, reading)
    return legs._fit(replace(leg, held=reading, target=lots.target_total(lots_), lots=lots_), SkipReason.OWN_TRADE)


RULES = (
    Rule("what the lead took back is set off", legs.net, lambda leg: leg),
    Rule("a pause holds back no exit", next_orders.next_order, _exits_held_back),
    Rule("orders are cut to the venue's largest", next_orders.next_order, _uncut),
    Rule("quantities are rounded towards zero", (MarketRules, "round_quantity"), _rounded_up),
    Rule("the newest lots are sold first", lots.take, _oldest_first),
    Rule("less than a step is flat", planning._flat_or, lambda change, rules: change.after, ON_SPOT),
    Rule("what is too small alone does not age", driving._expire, _too_small_ages_too),
    Rule("a spot entry can be sold again", next_orders._is_too_small, lambda *_, **__: False, ON_SPOT),
    Rule("limits cut an increase", limits.allowed, _everything),
    Rule("limits reckon with all positions", desks.around, _alone, MANY),
    Rule("a difference further away opens nothing", limits.forbidden, _missed_like_fills),
    Rule("no entry while switched off, paused or ending", claims._gate, lambda desk, leg: OPEN_GATE),
    Rule(
        "before an entry his own position is looked at",
        claims._entering,
        lambda desk, leg, turned, **_: turned,
        ONE_WAY,
    ),
    Rule(
        "an order over zero relies on a reading just made", readiness.is_enough, lambda ready, *_, **__: ready.is_fresh
    ),
    Rule("exits only reduce", claims.request_of, lambda *_: replace(_request_of(*_), reduce_only=False), ONE_WAY),
    Rule("who claims asks for the next order again", (Service, "look_at"), _claimed_unasked),
    Rule("plan and mark are one transaction", (Service, "plan"), _marked_apart),
    Rule("a fill is stored once", (Capture, "_store"), _stored_again),
    Rule("a fill is planned when nothing is missing", ordering._proven, lambda queue, **_: len(queue)),
    Rule("a lead is re-based on two readings", lead_readings.compare, _re_based_on_one, ANYWHERE[1:]),
    Rule("nothing else is entered while an order is unknown", records.live_of, _without_unknown),
    Rule(
        "absence is a proof only when nothing can arrive", proofs.is_proof, lambda *, until, real_now: until is not None
    ),
    Rule("no order leaves when its lease would not outlive it", (World, "send"), _sent_whenever),
    Rule("late fills of lost orders are booked", telling.tell, _late_fills_dropped),
    Rule("what is filled is cumulative", telling._found, _booked_anew),
    Rule("a fee in base lowers what is held", telling._fresh_base_fee, lambda *_: ZERO, ON_SPOT),
    Rule("a refusal changed nothing", telling.tell, _refusals_are_ends),
    Rule("a drift needs two readings", readings.judge, _on_one_reading),
    Rule("a reading needs a quiet leg", readings.is_quiet, lambda *, is_live, ended_at, at: not is_live),
    Rule("a lost order may be what a reading lacks", readings.may_be_ours, lambda *_, **__: False, MANY),
    Rule("an entry needs the lead's modes", readiness.held_back, _whatever_its_modes, ANYWHERE[1:]),
    Rule("a balance that moves without a fill is no change", (Capture, "settle"), _transfers_are_changes, ON_SPOT),
    Rule(
        "an equity that explains no fill sizes none",
        desks._explains,
        lambda *_: True,
        ((Place.SPOT, SizingMode.EQUITY),),
    ),
    Rule("a drift is taken over towards zero only", legs.adopt, _whatever_is_held),
    Rule("what an entry waited for closes no leg", ending._step, _ended_by_what_it_waited_for),
)
