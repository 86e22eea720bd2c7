"""What is promised of each decision, whatever may come of it."""

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from copytrade.copying.desks import Desk
from copytrade.copying.models import SwitchMode
from copytrade.copying.records import LegRecord, OrderRecord
from copytrade.domain.driving import WaitReason
from copytrade.domain.instruments import Market
from copytrade.domain.legs import Purpose
from copytrade.domain.quantities import ZERO, sign
from copytrade.domain.sizing import SizingMode
from tests.model.broken import hold

if TYPE_CHECKING:
    from tests.model.service import Service

ROUNDING = Decimal("1.000001")
EXPLAINED = Decimal("1.03")
"""A lead on spot buys for what he is worth at most; fees and rounding come on top."""


def decided(service: "Service", legs: Sequence[LegRecord], sent: Sequence[OrderRecord]) -> None:
    """Hold what is promised of orders that leave, and of legs that have none to send."""
    entries = [order for order in sent if order.purpose is Purpose.ENTRY]
    for leg in legs:
        is_leaving = leg.leg.held and (
            sign(leg.leg.target) != sign(leg.leg.held) or abs(leg.leg.target) < abs(leg.leg.held)
        )
        # A rest under the minimum leaves only with an order over zero, which is an entry.
        alone = (
            service.rules.exits_exempt_from_minimum or abs(leg.leg.held) * leg.price > service.rules.min_notional * 2
        )
        is_held_back = alone and leg.waits_for == WaitReason.HELD_BACK
        hold(not (is_leaving and is_held_back), "an exit was held back", leg)
        shared = service.shared
        mode = shared.switches.of(leg)
        if mode is SwitchMode.HANDS_OFF:
            hold(not sent, "something was sent although hands are off", sent)
        if mode is not SwitchMode.ON or shared.held or service.settings.is_paused or leg.is_halted or leg.is_ending:
            mine = [order for order in entries if order.leg_id == leg.id]
            hold(not mine, "something was entered although entries are off", mine)
        ready = service.ready.get((leg.copy_account_id, leg.instrument.symbol))
        if ready is not None and ready.hold is not None:
            mine = [order for order in entries if order.leg_id == leg.id]
            hold(not mine, "something was entered although its modes are not the lead's", mine)


def planned(service: "Service", desk: Desk, leg: LegRecord | None, *, price: Decimal, before: Decimal) -> None:
    """Hold that no limit was exceeded by what a plan added, nor what the lead's worth explains."""
    settings = service.settings
    if leg is None or abs(leg.leg.target) <= abs(before):
        return
    most = settings.max_position_notional
    if most is not None:
        hold(abs(leg.leg.target) * price <= most * ROUNDING, "a position grew beyond its limit", leg.leg, most)
    _in_all(service, desk, leg, price=price, is_new=not before)
    if settings.mode is SizingMode.EQUITY and leg.instrument.market is Market.SPOT:
        whole = service.equities.copy * settings.factor * EXPLAINED
        grown = (abs(leg.leg.target) - abs(before)) * price
        hold(grown <= whole, "a copy was sized by what the lead was not worth any more", leg.leg, grown, whole)


def _in_all(service: "Service", desk: Desk, leg: LegRecord, *, price: Decimal, is_new: bool) -> None:
    """Hold that all legs of the subscription together are within its limits when one of them grew."""
    settings = service.settings
    stored = [one for other in service.shared.services for one in other.store.legs.values()]
    others = {one.id: one for one in (*stored, *desk.legs.values()) if one.id != leg.id and one.leg.target}.values()
    total = abs(leg.leg.target) * price + sum((abs(one.leg.target) * one.price for one in others), ZERO)
    most = settings.max_total_notional
    if most is not None:
        hold(total <= most * ROUNDING, "all positions together grew beyond their limit", leg.leg, total, most)
    if settings.max_open_positions is not None and is_new:
        hold(len(others) < settings.max_open_positions, "more positions were opened than are allowed", leg.leg)
    worth = service.equities.copy * settings.max_leverage
    hold(total <= worth * ROUNDING, "more was opened than the leverage allows", leg.leg, total, worth)
