"""What is promised of each decision, whatever may come of it."""

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from copytrade.copying.models import SwitchMode
from copytrade.copying.records import LegRecord, OrderRecord
from copytrade.domain.driving import WaitReason
from copytrade.domain.instruments import Market
from copytrade.domain.legs import Purpose
from copytrade.domain.quantities import sign
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
        mode = service.switches.of(leg)
        if mode is SwitchMode.HANDS_OFF:
            hold(not sent, "something was sent although hands are off", sent)
        if mode is not SwitchMode.ON or service.held or service.settings.is_paused or leg.is_halted or leg.is_ending:
            mine = [order for order in entries if order.leg_id == leg.id]
            hold(not mine, "something was entered although entries are off", mine)
        ready = service.ready.get((leg.copy_account_id, leg.instrument.symbol))
        if ready is not None and ready.hold is not None:
            mine = [order for order in entries if order.leg_id == leg.id]
            hold(not mine, "something was entered although its modes are not the lead's", mine)


def planned(service: "Service", leg: LegRecord | None, *, price: Decimal, before: Decimal) -> None:
    """Hold that no limit was exceeded by what a plan added, nor what the lead's worth explains."""
    settings = service.settings
    if leg is None or abs(leg.leg.target) <= abs(before):
        return
    most = settings.max_position_notional
    if most is not None:
        hold(abs(leg.leg.target) * price <= most * ROUNDING, "a position grew beyond its limit", leg.leg, most)
    if settings.mode is SizingMode.EQUITY and leg.instrument.market is Market.SPOT:
        whole = service.equities.copy * settings.factor * EXPLAINED
        grown = (abs(leg.leg.target) - abs(before)) * price
        hold(grown <= whole, "a copy was sized by what the lead was not worth any more", leg.leg, grown, whole)
