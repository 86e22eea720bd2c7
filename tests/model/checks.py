"""What must be true after each step, and in the end."""

from decimal import Decimal

from copytrade.copying.models import LIVE, LegState, OrderState
from copytrade.copying.records import LegRecord
from copytrade.domain.instruments import PositionSide
from copytrade.domain.legs import pending_total
from copytrade.domain.lots import lead_total, target_total
from copytrade.domain.planning import PartKind
from copytrade.domain.quantities import ONE, ZERO, sign
from copytrade.domain.readings import SPOT_DUST
from copytrade.domain.sizing import CopySettings, SizingMode, StartMode
from copytrade.domain.skips import SkipReason
from tests.model.broken import hold
from tests.model.chance import Place, Trouble
from tests.model.lead import Lead
from tests.model.oracle import known_of, target_of
from tests.model.people import People
from tests.model.world import World

HARMLESS = {SkipReason.NOTHING_TO_REDUCE, SkipReason.OWN_TRADE, SkipReason.STOPPED, SkipReason.TOO_SMALL}
"""Why an exit may be written off: there is nothing to exit from any more."""
RESALE = Decimal("1.3")
"""On spot nothing below 1.2 minimums is bought; prices move a little."""
DUST = Decimal("1e-12")
GRAIN = Decimal("1e-10")
"""What rounding may add up to in a run."""


def step(leg: LegRecord) -> None:
    """Hold what is true of a leg at all times."""
    state = leg.leg
    hold(pending_total(state) == state.target - state.held, "what is pending is not T − H", state)
    if leg.state is LegState.KEPT:
        return
    hold(target_total(state.lots) == state.target, "the lots do not sum to T", state)
    hold(state.target * lead_total(state.lots) >= 0, "T stands against the lead", state)
    if leg.instrument.position_side is PositionSide.LONG:
        hold(state.target >= 0, "a long leg's target is short", state)
    if leg.instrument.position_side is PositionSide.SHORT:
        hold(state.target <= 0, "a short leg's target is long", state)
    for part in state.parts:
        for piece in (part.copied, part.skipped, part.netted, part.pending):
            hold(piece * part.asked >= 0, "a part's pieces pull apart", part)


def end(world: World, people: People) -> None:
    """Hold what is true when all is known, the venue deep and time gone by."""
    store, venue = world.service.store, world.venue
    orders(world)
    for leg in store.legs.values():
        step(leg)
        sums(world, leg)
        side = leg.instrument.position_side
        ours = venue.ours(side)
        is_his = leg.state is LegState.KEPT or (leg.state is LegState.CLOSED and people.has_own_hand)
        pulls = {sign(part.pending) for part in leg.leg.parts} - {0}
        hold(len(pulls) < 2, "what pulls in two directions was not set off", leg.leg)
        if not is_his:
            # A kept position is his own from the end on, and so is the dust of a closed one, whatever he does to it.
            is_dust = world.venue.place is Place.SPOT and venue.has_promise_broken
            off = abs(leg.leg.held - ours) * venue.price
            is_known = leg.leg.held == ours or (is_dust and off < venue.rules.min_notional) or is_his_gone(world, leg)
            if venue.is_meddled:
                is_known = is_covered(world, leg)
            hold(is_known, "we do not hold what we think", leg.leg, ours, venue.held, venue.own)
            rest(world, leg)
        if leg.state is LegState.FOLLOWING and not people.has_moved_unseen:
            follows(world, people, leg)


def is_covered(world: World, leg: LegRecord) -> bool:
    """Tell whether the account has what the leg is thought to hold, whoever's it was."""
    held, there = leg.leg.held, world.venue.held.get(leg.instrument.position_side, ZERO)
    least = abs(held) * (ONE - SPOT_DUST) if world.venue.place is Place.SPOT else abs(held)
    return held < 0 if world.venue.place is Place.SPOT and held < 0 else there * sign(held) >= least


def is_his_gone(world: World, leg: LegRecord) -> bool:
    """Tell whether an exit that showed up later than the venue promises was done twice, the second time of his.

    What only reduces cannot give back what it took of a position of his own.
    """
    side = leg.instrument.position_side
    ours, own = world.venue.ours(side), world.venue.own.get(side, ZERO)
    is_twice = world.venue.place is Place.ONE_WAY and world.venue.has_promise_broken and not leg.leg.held
    return is_twice and sign(ours) == -sign(own) and abs(ours) <= abs(own)


def orders(world: World) -> None:
    """No order without a row, no row without an end, nothing filled that was not booked."""
    store, venue = world.service.store, world.venue
    for order in store.orders.values():
        hold(order.state not in LIVE, "an order never came to an end", order)
        execution = venue.executions.get(order.id)
        filled = abs(execution.signed) if execution is not None else ZERO
        hold(order.filled == filled, "an order was booked wrongly", order, execution)
        if order.state is OrderState.DROPPED:
            hold(execution is None, "a dropped order was executed", order)
    for order_id in venue.executions:
        hold(order_id in store.orders, "an order without a row was executed", order_id)


def sums(world: World, leg: LegRecord) -> None:
    """Copied, skipped, netted and pending are what was asked, for each part, and what is held came from them."""
    parts = world.service.store.parts_of(leg)
    skips = dict.fromkeys((part.id for part in parts), ZERO)
    for part_id, _, quantity in world.service.store.skips:
        if part_id in skips:
            skips[part_id] += quantity
    held = ZERO
    for part in parts:
        hold(part.asked == part.copied + part.skipped + part.netted + part.pending, "a part does not add up", part)
        if part.kind is PartKind.LATE:
            held -= part.asked
        held += part.copied
        if part.kind is not PartKind.DRIFT:
            covered = world.service.store.covered.get(part.id, ZERO)
            hold(covered == abs(part.copied), "orders did not carry out what a part says", part, covered)
        if not part.opens and part.kind is not PartKind.DRIFT:
            reasons = {why for part_id, why, quantity in world.service.store.skips if part_id == part.id and quantity}
            hold(reasons <= HARMLESS, "an exit was refused", part, reasons)
    hold(sum((part.netted for part in parts), ZERO) == 0, "what was netted does not cancel", parts)
    fees = sum((one.fee for one in world.venue.executions.values()), ZERO)
    # The fee of a purchase back is not counted as brought by its part: between the two lies no more than that.
    is_sum = leg.leg.held == held - fees
    is_within = world.venue.has_promise_broken and held - fees <= leg.leg.held <= held
    hold(is_sum or is_within, "what is held is not the sum of what was done", leg.leg, held, fees)


def rest(world: World, leg: LegRecord) -> None:
    """T and H are equal, but for what no order can carry."""
    rules, price = world.venue.rules, world.venue.price
    delta = leg.leg.target - leg.leg.held
    left = rules.round_quantity(abs(delta))
    if not left:
        return
    reduces = sign(leg.leg.held) == -sign(delta)
    if reduces and abs(delta) > abs(leg.leg.held) and world.venue.place is Place.ONE_WAY:
        left = rules.round_quantity(abs(leg.leg.held))
    is_exempt = reduces and rules.exits_exempt_from_minimum
    least = rules.min_notional * Decimal("1.2") * Decimal("1.1")
    if not reduces:
        # What is too small alone waits, with others like it, for a younger part.
        tradeable = (rules.round_quantity(abs(part.pending)) for part in leg.leg.parts if part.opens)
        left = max((quantity for quantity in tradeable if quantity >= rules.min_quantity), default=ZERO)
    hold(
        not left or (not is_exempt and left * price < least),
        "a copy did not come to its target", leg.leg, left, price, leg.due_at,
    )  # fmt: skip


def follows(world: World, people: People, leg: LegRecord) -> None:
    """The target is what the lead's true position makes of it."""
    side, rules, lead = leg.instrument.position_side, world.venue.rules, world.lead
    truth = lead.held.get(side, ZERO)
    truths = known_of(lead, side) if lead.transfers else {truth}
    state, settings = leg.leg, world.service.settings
    # Where a spot stream loses a fill and nobody notices, a sale is planned before its purchase: P may then stay
    # above what he holds, and what was bought since may stay copied. The rule reckons with a stream that breaks.
    is_sure = world.lead.place is not Place.SPOT or Trouble.LOST not in world.chance.troubles
    if is_sure and max(map(abs, truths)) < rules.quantity_step:
        hold(not state.target, "the lead is flat and the target is not", state, truth)
    if is_sure:
        known = lead_total(state.lots)
        least = max(rules.quantity_step, DUST)
        hold(any(abs(known - one) < least for one in truths), "P is not what the lead holds", known, truths)
    changed = Trouble.SETTINGS in world.chance.troubles or settings.mode is not SizingMode.RATIO
    if changed or not is_sure:
        return
    most = max(map(abs, truths)) * settings.factor * Decimal("1.002") + DUST
    hold(abs(state.target) <= most, "T is more than the ratio", state)
    is_large = rules.max_quantity > rules.quantity_step * 10**5
    if world.chance.is_fair and is_large and not limits_of(settings):
        least = rules.min_notional * RESALE / world.venue.price if world.venue.place is Place.SPOT else ZERO
        excused = {SkipReason.TOO_SMALL} | ({SkipReason.OUT_OF_ORDER} if has_twins(lead) else set())
        given_up = [one for one in world.service.store.skips if one[2] > least and one[1] not in excused]
        hold(not given_up, "something was given up without a reason", given_up)
        if not truth and world.venue.place is Place.SPOT:
            hold(state.held < 2 * rules.quantity_step, "something was left that could have been sold", state)
    skipped = any(quantity for _, _, quantity in world.service.store.skips)
    skipped |= any(part.kind is PartKind.STOP for part in world.service.store.parts_of(leg))
    if not people.has_own_hand and not skipped and world.service.shared.may_enter and not lead.transfers:
        joins = settings.start_mode is not StartMode.NEW_ONLY
        wanted = target_of(world.lead, side, factor=settings.factor, step=rules.quantity_step, joins=joins)
        cost = sum((one.fee for one in world.venue.executions.values()), ZERO)
        hold(-cost - GRAIN <= state.target - wanted <= GRAIN, "T is not what an oracle says", wanted, state)


def has_twins(lead: Lead) -> bool:
    """Tell whether there are two fills of one moment where no fill tells the position after it.

    A position read between the two may be explained by both of them with an older one missing, which then comes late.
    """
    moments = {(fill.at, fill.side) for fill in lead.fills}
    return not lead.tells_position and len(moments) < len(lead.fills)


def limits_of(settings: CopySettings) -> bool:
    """Tell whether anything limits how much is copied."""
    most = (settings.max_order_notional, settings.max_position_notional, settings.max_total_notional)
    most_open = settings.max_open_positions
    return most_open is not None or any(one is not None for one in most) or settings.max_leverage < FREE


FREE = Decimal(1000)
