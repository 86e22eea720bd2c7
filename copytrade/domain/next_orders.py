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
SPOT_FEE = Decimal("0.002")
"""What a fee may take of a spot purchase, for the question whether the rest can be sold again."""


class WaitReason(StrEnum):
    """Why a leg whose target differs from what it holds has no next order now."""

    LIVE_ORDER = "live_order"
    TOO_SMALL = "too_small"
    NEEDS_QUOTE = "needs_quote"
    PAUSE = "pause"
    MARKET_MOVED = "market_moved"
    HELD_BACK = "held_back"
    HANDS_OFF = "hands_off"
    NOT_FREE = "not_free"
    """On spot: what should be sold is not free."""


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
    free: Decimal | None = None,
) -> Decision:
    """Return the order that moves the leg towards its target, or why there is none now.

    `free` is what a spot account can sell, where it was read; after a sale refused for funds it has to be.
    """
    delta = leg.target - leg.held
    if not delta:
        return Done()
    back = _way_back(leg)
    if back:
        return _exit(
            leg, back, rules=rules, quote=quote, now=now, real_now=real_now, market=market, settings=settings,
            held_back=held_back, free=free,
        )  # fmt: skip
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
    held_back: bool,
    free: Decimal | None,
) -> Decision:
    if (waits := _exit_waits(leg, now=now, real_now=real_now)) is not None:
        return waits
    side = Side.of(back)
    quantity = rules.round_quantity(abs(back))
    if not quantity:
        return Done() if not leg.parts else Wait(WaitReason.TOO_SMALL)
    reference = _exit_reference(leg, side=side, quote=quote, now=now)
    is_market = leg.exit_attempts >= len(EXIT_LADDER)
    if reference is None and not is_market:
        return Wait(WaitReason.NEEDS_QUOTE, now)
    reference = reference or leg.parts[-1].price
    if market is Market.SPOT:
        quantity = _spot_exit(leg, quantity, rules=rules, reference=reference)
        # What is bought back needs no coin that is free.
        most = quantity if free is None or side is Side.BUY else rules.round_quantity(max(free, ZERO))
        there = min(quantity, most)
        if there < quantity and _is_under_minimum(there, reference, rules=rules):
            # It lies in an order of his own, or is gone, which a comparison of balances finds.
            return Wait(WaitReason.NOT_FREE, now + HOLD_PAUSE)
        quantity = there
    is_exempt = rules.exits_exempt_from_minimum and market is Market.PERPETUAL
    if not is_exempt and _is_under_minimum(quantity, reference, rules=rules):
        return _over_zero(
            leg, rules=rules, settings=settings, quote=quote, now=now, market=market, held_back=held_back
        )  # fmt: skip
    reduces = market is Market.PERPETUAL
    if is_market:
        quantity = rules.round_quantity(min(quantity, rules.max_market_quantity))
        return Order(Purpose.EXIT, side, quantity, OrderKind.MARKET, None, reduces, reference)
    quantity = rules.round_quantity(min(quantity, rules.max_quantity))
    away = EXIT_LADDER[leg.exit_attempts]
    price = _limit(reference, away, side=side, rules=rules, mark=quote.mark if quote else reference)
    if not is_exempt and side is Side.SELL:
        # A minimum is reckoned at the order's own price: the limit stays above what would make it too small.
        least = rules.round_price_inward(EXACT.divide(rules.min_notional, quantity), side=side)
        price = max(price, min(least, rules.round_price_inward(reference, side=side)))
    return Order(Purpose.EXIT, side, quantity, OrderKind.LIMIT_IOC, price, reduces, reference)


def _spot_exit(leg: Leg, quantity: Decimal, *, rules: MarketRules, reference: Decimal) -> Decimal:
    """Return what to sell: a rest that could not be sold alone goes along."""
    if leg.held < 0:
        # A fee came on top when everything was sold: what is bought back is no sale.
        return quantity
    rest = rules.round_quantity(leg.held - quantity) if leg.target > 0 else ZERO
    return rules.round_quantity(leg.held) if _is_under_minimum(rest, reference, rules=rules) else quantity


def _is_under_minimum(quantity: Decimal, price: Decimal, *, rules: MarketRules) -> bool:
    return quantity < rules.min_quantity or EXACT.multiply(quantity, price) < rules.min_notional


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


def _over_zero(
    leg: Leg,
    *,
    rules: MarketRules,
    settings: CopySettings,
    quote: Quote | None,
    now: datetime,
    market: Market,
    held_back: bool,
) -> Decision:
    """One order over both parts of a flip whose first is under the minimum: it enters, so it is bounded as an entry."""
    if sign(leg.target) == sign(leg.held) or not leg.target or leg.live:
        return Wait(WaitReason.TOO_SMALL)
    across = leg.target - leg.held
    return _entry(leg, across, rules=rules, settings=settings, quote=quote, now=now, market=market, held_back=held_back)


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
    quantity = rules.round_quantity(min(abs(delta), rules.max_quantity))
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
    if not quantity or _is_under_minimum(quantity, price, rules=rules):
        return True
    if market is Market.PERPETUAL:
        return False
    left = rules.round_quantity(leg.held + EXACT.multiply(quantity, ONE - SPOT_FEE))
    return EXACT.multiply(left, price) < EXACT.multiply(rules.min_notional, SPOT_RESALE)


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
