"""What an order and its leg become by what is told of it: pure changes of their records, the same however often."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from copytrade.copying import refusals
from copytrade.copying.models import LIVE, OrderState, Resolution
from copytrade.copying.records import LegRecord, OrderRecord
from copytrade.db.model import new_id
from copytrade.domain.driving import ENTRY_PAUSE, WaitReason
from copytrade.domain.instruments import Market, Side
from copytrade.domain.legs import Purpose, book, net
from copytrade.domain.orders import OrderKind, Outcome, OutcomeKind, Refusal, VenueOrder, VenueOrderStatus
from copytrade.domain.proofs import LOST_IS_WATCHED_S
from copytrade.domain.quantities import ZERO
from copytrade.domain.skips import SkipReason

SOON = timedelta(milliseconds=500)
ANYTHING = Decimal("1e-18")


@dataclass(frozen=True, slots=True)
class Told:
    """What is known of an order now: how sending it came out, what the venue says of it, or that it is lost."""

    order_id: UUID
    outcome: Outcome | None = None
    found: VenueOrder | None = None
    is_lost: bool = False
    by: Resolution = Resolution.ANSWER
    """What told it, for the receipt of an order that was unknown."""


@dataclass(slots=True)
class Change:
    """What an order's row gets beside its record, and what else its refusal asks for."""

    order: OrderRecord
    acknowledged_at: datetime | None = None
    ended_at: datetime | None = None
    next_check_at: datetime | None = None
    fee: Decimal | None = None
    fee_asset: str = ""
    refusal: str = ""
    venue_code: str = ""
    message: str = ""
    unknown_at: datetime | None = None
    resolved_at: datetime | None = None
    resolution: str = ""
    conclusion: refusals.Conclusion = refusals.NOTHING_MORE


def tell(
    order: OrderRecord,
    leg: LegRecord | None,
    told: Told,
    *,
    steps: Mapping[str, Decimal],
    now: datetime,
    real_now: datetime,
    offset: timedelta = timedelta(0),
) -> Change:
    """Change an order and its leg by what is told; `offset` is how far our clock is moved from the real one."""
    change = Change(order)
    outcome, was, was_live = told.outcome, order.state, order.state in LIVE
    if outcome is not None:
        order.sent_at = outcome.sent_at or order.sent_at
        if outcome.acknowledged_at is not None:
            change.acknowledged_at = outcome.acknowledged_at + offset
        change.venue_code, change.message = outcome.venue_code, outcome.message[:300]
    found = told.found or (outcome.order if outcome else None)
    if found is not None:
        _found(order, leg, found, change, now=now, real_now=real_now)
    elif told.is_lost and order.state in LIVE:
        order.state, change.ended_at = OrderState.LOST, now
        order.checks = 0
        change.next_check_at = real_now + timedelta(seconds=LOST_IS_WATCHED_S[0])
    elif outcome is not None and order.state in (OrderState.SENDING, OrderState.UNKNOWN):
        _judged(order, leg, outcome, change, now=now, real_now=real_now)
    _resolve(order, was, change, by=told.by, now=now)
    if leg is not None:
        _look_again(leg, order, was_live=was_live, least=steps.get(order.symbol) or ANYTHING, now=now)
    return change


def _found(
    order: OrderRecord, leg: LegRecord | None, found: VenueOrder, change: Change, *, now: datetime, real_now: datetime
) -> None:
    order.venue_order_id = found.venue_order_id or order.venue_order_id
    # A market order to buy goes out in quote where a venue knows it so, and may bring a little more.
    filled = found.filled if order.kind == OrderKind.MARKET else min(found.filled, order.quantity)
    fresh, fee = max(filled - order.filled, ZERO), _fresh_base_fee(leg, order, found)
    if fresh > 0:
        order.filled, order.average_price = filled, found.average_price or order.average_price
    if found.fee is not None and (fresh > 0 or order.fee is None):
        order.fee, order.fee_asset = change.fee, change.fee_asset = found.fee, found.fee_asset
    if leg is not None and (fresh > 0 or fee > 0):
        _book(leg, order, fresh, base_fee=fee, now=now)
    if found.has_ended:
        if order.state in LIVE or fresh > 0:
            change.ended_at = now
        is_whole = found.status is VenueOrderStatus.FILLED and order.kind == OrderKind.MARKET
        is_filled = is_whole or order.filled >= order.quantity
        order.state = OrderState.FILLED if is_filled else OrderState.ENDED
        if found.status is VenueOrderStatus.REJECTED and not order.filled:
            order.state = OrderState.REFUSED
    else:
        order.state = OrderState.PLACED
        change.next_check_at = real_now + SOON


def _fresh_base_fee(leg: LegRecord | None, order: OrderRecord, found: VenueOrder) -> Decimal:
    """Return what a purchase on spot paid in base since it was last told: it never came in."""
    if leg is None or leg.instrument.market is not Market.SPOT or order.side is not Side.BUY:
        return ZERO
    base = order.symbol.partition("/")[0]
    known = order.fee if order.fee is not None and order.fee_asset == base else ZERO
    told = found.fee if found.fee is not None and found.fee_asset == base else ZERO
    return max(told - known, ZERO)


def _book(leg: LegRecord, order: OrderRecord, fresh: Decimal, *, base_fee: Decimal, now: datetime) -> None:
    leg.refresh_live()
    leg.leg, covered, skips = book(
        leg.leg,
        fresh * order.side.sign,
        purpose=order.purpose,
        price=order.average_price or order.reference,
        at=now,
        late_id=new_id(),
        base_fee=base_fee,
    )
    leg.covered += [(order.id, one) for one in covered]
    leg.skip(skips)


def _judged(
    order: OrderRecord,
    leg: LegRecord | None,
    outcome: Outcome,
    change: Change,
    *,
    now: datetime,
    real_now: datetime,
) -> None:
    match outcome.kind:
        case OutcomeKind.REFUSED:
            order.state, change.ended_at = OrderState.REFUSED, now
            change.refusal = (outcome.refusal or Refusal.OTHER).value
            if leg is not None:
                change.conclusion = refusals.conclude(leg, order, outcome.refusal or Refusal.OTHER, now=now)
        case OutcomeKind.NOT_SENT:
            order.state, change.ended_at = OrderState.DROPPED, now
            if leg is not None:
                refusals.pause(leg, order, timedelta(seconds=outcome.retry_after or 0.5), now=now)
        case _:
            # Placed without a body, a taken id, or nothing known: the venue is asked.
            order.state = OrderState.UNKNOWN
            change.next_check_at = real_now + SOON


def _resolve(order: OrderRecord, was: OrderState, change: Change, *, by: Resolution, now: datetime) -> None:
    """Note since when nobody knew an order's outcome, and what told it in the end."""
    if order.state is was:
        return
    if order.state is OrderState.UNKNOWN:
        change.unknown_at = now
    elif order.state is OrderState.LOST:
        change.unknown_at = None if was is OrderState.UNKNOWN else now
        change.resolved_at, change.resolution = now, Resolution.ABSENCE.value
    elif was is OrderState.UNKNOWN:
        change.resolved_at, change.resolution = now, by.value
    elif was is OrderState.LOST:
        change.resolved_at, change.resolution = now, (Resolution.LATE_FILL if order.filled else by).value


def _look_again(leg: LegRecord, order: OrderRecord, *, was_live: bool, least: Decimal, now: datetime) -> None:
    has_ended = order.state not in LIVE
    if has_ended and was_live:
        leg.orders = [one for one in leg.orders if one.id != order.id]
        if order.filled or order.state not in (OrderState.REFUSED, OrderState.DROPPED):
            # What certainly changed nothing at the venue keeps no reading from being true: an exit that is refused
            # every few seconds, since the position is gone, would never let the leg be reconciled.
            leg.last_order_ended_at = now
        _attempted(leg, order, now=now)
    leg.refresh_live()
    leg.leg = net(leg.leg)
    delta = abs(leg.leg.target - leg.leg.held)
    leg.due_at = now if delta >= least else None
    leg.waits_for = WaitReason.TOO_SMALL.value if delta and leg.due_at is None else ""


def _attempted(leg: LegRecord, order: OrderRecord, *, now: datetime) -> None:
    if order.state in (OrderState.FILLED, OrderState.ENDED):
        leg.refusals = 0
    if order.state is OrderState.FILLED:
        is_entry = order.purpose is Purpose.ENTRY
        leg.leg = replace(
            leg.leg,
            entry_attempts=0 if is_entry else leg.leg.entry_attempts,
            exit_attempts=leg.leg.exit_attempts if is_entry else 0,
            enter_after=None,
            exit_after=None,
            last_reason=None if is_entry else leg.leg.last_reason,
        )
    elif order.state is OrderState.ENDED and order.purpose is Purpose.ENTRY:
        leg.leg = replace(
            leg.leg,
            entry_attempts=leg.leg.entry_attempts + 1,
            enter_after=now + ENTRY_PAUSE,
            last_reason=SkipReason.SLIPPAGE,
        )
    elif order.state is OrderState.ENDED:
        leg.leg = replace(leg.leg, exit_attempts=leg.leg.exit_attempts + 1)
    elif order.state is OrderState.DROPPED:
        leg.leg = replace(leg.leg, last_reason=leg.leg.last_reason or SkipReason.UNREACHABLE)
