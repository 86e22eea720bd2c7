"""Which order, if any, brings a leg nearer to its target (copy-engine, Step 3). Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from copytrade.domain.fills import Quote
from copytrade.domain.instruments import Market, MarketRules, Side
from copytrade.domain.legs import Leg, Part, Purpose
from copytrade.domain.orders import OrderKind
from copytrade.domain.quantities import EXACT, ONE, ZERO, sign
from copytrade.domain.sizing import CopySettings

ENTRY_PAUSE = timedelta(milliseconds=500)
"""Between two tries of an entry that the book did not fill."""
SENDING_IS_SLOW = timedelta(seconds=2)
"""An exit waits this long for an entry that is being sent, then closes what is known to be held."""
LEAD_PRICE_IS_FRESH = timedelta(seconds=3)
HOLD_PAUSE = timedelta(seconds=5)
EXIT_LADDER = (Decimal("0.02"), Decimal("0.05"))
"""How far an exit may be from the market; a market order after that."""
SPOT_RESALE = Decimal("1.2")
"""On spot an entry must leave so many minimum notionals that it can be sold again."""


class WaitReason(StrEnum):
    """Why a leg whose target differs from what it holds has no next order now."""

    LIVE_ORDER = "live_order"
    TOO_SMALL = "too_small"
    NEEDS_QUOTE = "needs_quote"
    PAUSE = "pause"
    MARKET_MOVED = "market_moved"
    HELD_BACK = "held_back"
    HANDS_OFF = "hands_off"


@dataclass(frozen=True, slots=True)
class Order:
    """The next order of a leg; `reference` is the lead's price that its slippage is measured against."""

    purpose: Purpose
    side: Side
    quantity: Decimal
    kind: OrderKind
    price: Decimal | None
    reduce_only: bool
    reference: Decimal

    @property
    def signed(self) -> Decimal:
        """Return the signed quantity."""
        return self.quantity * self.side.sign


@dataclass(frozen=True, slots=True)
class Wait:
    """No order now; look again at `until`, or (None) when something happens."""

    reason: WaitReason
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """The leg holds what it should, to the step."""


Decision = Order | Wait | Done


def next_order(
    leg: Leg,
    *,
    rules: MarketRules,
    settings: CopySettings,
    quote: Quote | None,
    now: datetime,
    real_now: datetime,
    market: Market = Market.PERPETUAL,
    held_back: bool = False,
) -> Decision:
    """Return the order that moves the leg towards its target, or why there is none now."""
    delta = leg.target - leg.held
    if not delta:
        return Done()
    back = _way_back(leg)
    if back:
        return _exit(leg, back, rules=rules, quote=quote, now=now, real_now=real_now, market=market, settings=settings)
    if leg.live:
        return Wait(WaitReason.LIVE_ORDER)
    return _entry(
        leg, delta, rules=rules, settings=settings, quote=quote, now=now, market=market, held_back=held_back
    )  # fmt: skip


def _way_back(leg: Leg) -> Decimal:
    """Return the signed quantity that brings what is held towards zero, as far as the target wants it."""
    if not leg.held:
        return ZERO
    if sign(leg.target) != sign(leg.held):
        return -leg.held
    return leg.target - leg.held if abs(leg.target) < abs(leg.held) else ZERO


def _exit(
    leg: Leg,
    back: Decimal,
    *,
    rules: MarketRules,
    settings: CopySettings,
    quote: Quote | None,
    now: datetime,
    real_now: datetime,
    market: Market,
) -> Decision:
    if (waits := _exit_waits(leg, now=now, real_now=real_now)) is not None:
        return waits
    side = Side.of(back)
    quantity = rules.round_quantity(abs(back))
    if market is Market.SPOT and not leg.target:
        quantity = rules.round_quantity(abs(leg.held))
    if not quantity:
        return Done() if abs(back) < rules.quantity_step and not leg.parts else Wait(WaitReason.TOO_SMALL)
    reference = _exit_reference(leg, side=side, quote=quote, now=now)
    is_market = leg.exit_attempts >= len(EXIT_LADDER)
    if reference is None and not is_market:
        return Wait(WaitReason.NEEDS_QUOTE, now)
    reference = reference or leg.parts[-1].price
    if not rules.exits_exempt_from_minimum and EXACT.multiply(quantity, reference) < rules.min_notional:
        return _over_zero(leg, rules=rules, settings=settings, reference=reference)
    if is_market:
        most = rules.max_market_quantity
        return Order(
            Purpose.EXIT, side, min(quantity, most), OrderKind.MARKET, None, market is Market.PERPETUAL, reference
        )  # fmt: skip
    away = EXIT_LADDER[leg.exit_attempts]
    price = _limit(reference, away, side=side, rules=rules, mark=quote.mark if quote else reference)
    return Order(
        Purpose.EXIT, side, min(quantity, rules.max_quantity), OrderKind.LIMIT_IOC, price,
        market is Market.PERPETUAL, reference,
    )  # fmt: skip


def _exit_waits(leg: Leg, *, now: datetime, real_now: datetime) -> Wait | None:
    for order in leg.live:
        if order.purpose is Purpose.EXIT:
            return Wait(WaitReason.LIVE_ORDER)
        waited = real_now - order.since
        if not order.is_unknown and waited <= SENDING_IS_SLOW:
            return Wait(WaitReason.LIVE_ORDER, now + (SENDING_IS_SLOW - waited))
    if leg.exit_after is not None and now < leg.exit_after:
        return Wait(WaitReason.PAUSE, leg.exit_after)
    return None


def _exit_reference(leg: Leg, *, side: Side, quote: Quote | None, now: datetime) -> Decimal | None:
    if quote is not None:
        return quote.bid if side is Side.SELL else quote.ask
    newest = next((part for part in reversed(leg.parts) if not part.opens and part.pending), None)
    if newest is not None and not leg.exit_attempts and now - newest.at <= LEAD_PRICE_IS_FRESH:
        return newest.price
    return None


def _over_zero(leg: Leg, *, rules: MarketRules, settings: CopySettings, reference: Decimal) -> Decision:
    """One order over both parts of a flip whose first is under the minimum."""
    across = rules.round_quantity(leg.target - leg.held)
    if sign(leg.target) == sign(leg.held) or not leg.target or leg.live:
        return Wait(WaitReason.TOO_SMALL)
    if EXACT.multiply(abs(across), reference) < rules.min_notional:
        return Wait(WaitReason.TOO_SMALL)
    side = Side.of(across)
    price = _limit(reference, settings.slippage(rules.base), side=side, rules=rules, mark=reference)
    quantity = min(abs(across), rules.max_quantity)
    return Order(Purpose.ENTRY, side, quantity, OrderKind.LIMIT_IOC, price, reduce_only=False, reference=reference)


def _entry(
    leg: Leg,
    delta: Decimal,
    *,
    rules: MarketRules,
    settings: CopySettings,
    quote: Quote | None,
    now: datetime,
    market: Market,
    held_back: bool,
) -> Decision:
    oldest = now - timedelta(seconds=settings.max_entry_age_s)
    young = [part for part in leg.parts if part.opens and part.at >= oldest and sign(part.pending) == sign(delta)]
    if not young:
        return Wait(WaitReason.TOO_SMALL)
    expires = min(part.at for part in young) + timedelta(seconds=settings.max_entry_age_s, milliseconds=1)
    side = Side.of(delta)
    vwap = _vwap(young)
    price = _limit(vwap, settings.slippage(rules.base), side=side, rules=rules, mark=quote.mark if quote else vwap)
    quantity = min(rules.round_quantity(abs(delta)), rules.max_quantity)
    if _is_too_small(quantity, leg, price=price, rules=rules, market=market):
        return Wait(WaitReason.TOO_SMALL)
    if held_back:
        return Wait(WaitReason.HELD_BACK, min(expires, now + HOLD_PAUSE))
    if leg.enter_after is not None and now < leg.enter_after:
        return Wait(WaitReason.PAUSE, min(expires, leg.enter_after))
    if leg.entry_attempts:
        if quote is None:
            return Wait(WaitReason.NEEDS_QUOTE, now)
        if (side is Side.BUY and quote.ask > price) or (side is Side.SELL and quote.bid < price):
            return Wait(WaitReason.MARKET_MOVED, min(expires, now + ENTRY_PAUSE))
    return Order(Purpose.ENTRY, side, quantity, OrderKind.LIMIT_IOC, price, reduce_only=False, reference=vwap)


def _is_too_small(quantity: Decimal, leg: Leg, *, price: Decimal, rules: MarketRules, market: Market) -> bool:
    if not quantity or quantity < rules.min_quantity:
        return True
    if market is Market.SPOT:
        return EXACT.multiply(leg.held + quantity, price) < EXACT.multiply(rules.min_notional, SPOT_RESALE)
    return EXACT.multiply(quantity, price) < rules.min_notional


def _vwap(parts: list[Part]) -> Decimal:
    if len(parts) == 1:
        return parts[0].price
    cost = sum((EXACT.multiply(abs(part.pending), part.price) for part in parts), ZERO)
    return EXACT.divide(cost, sum((abs(part.pending) for part in parts), ZERO))


def _limit(reference: Decimal, away: Decimal, *, side: Side, rules: MarketRules, mark: Decimal) -> Decimal:
    """Return the limit `away` from the reference, on the tick inward, drawn into the venue's price band."""
    if side is Side.BUY:
        price = min(EXACT.multiply(reference, ONE + away), EXACT.multiply(mark, rules.price_band_up))
    else:
        price = max(EXACT.multiply(reference, ONE - away), EXACT.multiply(mark, rules.price_band_down))
    return rules.round_price_inward(price, side=side)
