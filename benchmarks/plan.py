"""The pure part of planning: lots, target, limits and parts of one leg after one change of the lead."""

import statistics
import time
from datetime import UTC, datetime
from decimal import Decimal
from uuid import uuid4

from copytrade.domain.changes import LeadChange
from copytrade.domain.instruments import Instrument, Market, MarketRules, Venue
from copytrade.domain.limits import Around
from copytrade.domain.lots import Lot
from copytrade.domain.planning import OrderSoFar, PlanIds, plan
from copytrade.domain.sizing import CopySettings, Equities

LEGS = 10_000
ROUNDS = 7


def measure() -> dict[str, float]:
    """Return `plan.us_per_leg`: the median over the rounds, in microseconds of CPU."""
    return {"plan.us_per_leg": statistics.median(_round() for _ in range(ROUNDS))}


def _round() -> float:
    symbol = "BTC/USDT:USDT"
    rules = MarketRules(
        symbol=symbol,
        base="BTC",
        quote="USDT",
        quantity_step=Decimal("0.001"),
        price_tick=Decimal("0.1"),
        min_quantity=Decimal("0.001"),
        max_quantity=Decimal(1000),
        max_market_quantity=Decimal(120),
        min_notional=Decimal(5),
    )
    now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    change = LeadChange(
        fill_id=uuid4(),
        instrument=Instrument(Venue.BINANCE, Market.PERPETUAL, symbol),
        before=Decimal(2),
        after=Decimal(3),
        price=Decimal(60_000),
        venue_time=now,
        received_at=now,
        order_id="1",
    )
    lots = (Lot(Decimal(1), Decimal(0)), Lot(Decimal(1), Decimal("0.01")))
    settings = CopySettings(factor=Decimal("0.01"), max_order_notional=Decimal(50_000))
    equities = Equities(copy=Decimal(10_000), lead=Decimal(1_000_000))
    around, so_far, ids = Around(copy_equity=Decimal(10_000)), OrderSoFar(), PlanIds(uuid4(), uuid4())
    began = time.process_time()
    for _ in range(LEGS):
        plan(
            change, lots=lots, order=so_far, settings=settings, equities=equities, around=around, rules=rules, ids=ids,
            now=now,
        )  # fmt: skip
    return (time.process_time() - began) / LEGS * 1e6
