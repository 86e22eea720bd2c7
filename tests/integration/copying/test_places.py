"""The five scenarios on each venue and market: what a trader does arrives at his subscriber, executed by the venue.

Perpetuals: long, add, partial close, flip, flat. Spot: buy, buy more, partial sale, sell out, all with fees in base.
"""

import asyncio
from datetime import timedelta
from decimal import ROUND_DOWN, Decimal

import pytest
from sqlmodel import update

from copytrade import clock
from copytrade.accounts import queries as accounts
from copytrade.accounts.vault import opener
from copytrade.copying import drifts, volumes
from copytrade.copying import service as copying
from copytrade.copying.models import CopyReading, LegRow, OrderState
from copytrade.copying.terms import Terms
from copytrade.db.session import reading, transaction
from copytrade.demo.keys import Place
from copytrade.domain.instruments import MarginMode, Market
from copytrade.exchanges.pool import Pool
from tests.integration.copying import sight
from tests.stage import PLACES, SYMBOL, Pair, ledger
from tests.waiting import wait_until

D = Decimal
BTC = "BTC/USDT:USDT"
PERPETUALS = [place for place in PLACES if place[1] is Market.PERPETUAL]
SPOTS = [place for place in PLACES if place[1] is Market.SPOT]
FEE = D("0.001")
"""What every venue takes of a purchase on spot, in base."""


def named(place: Place) -> str:
    return "-".join(place)


def test_copies_have_the_leads_margin_mode_and_leverage_up_to_the_cap(stages: dict[Place, Pair]) -> None:
    perpetuals = [stages[place] for place in PERPETUALS]
    for stage in perpetuals:
        stage.control.set_modes(stage.lead.key.account_id, isolated={SYMBOL: True}, leverage={SYMBOL: 9})
        stage.trade("BUY", "0.5")
    for stage in perpetuals:
        stage.wait_for_copy("0.05")
        stage.trade("SELL", "0.5")
        stage.wait_for_copy("0")
    assert asyncio.run(_modes(perpetuals)) == [(5, MarginMode.ISOLATED)] * len(perpetuals)


async def _modes(stages: list[Pair]) -> list[tuple[int, MarginMode]]:
    """Return leverage and margin mode of the copy accounts, as their venues tell."""
    with reading() as session:
        refs = [accounts.ref(session, stage.copy.id) for stage in stages]
    pool = Pool(opener())
    try:
        clients = [await pool.get(ref) for ref in refs]
        return [(await one.leverage(BTC), await one.margin_mode(BTC)) for one in clients]
    finally:
        await pool.close()


@pytest.mark.parametrize("place", PERPETUALS, ids=named)
def test_a_perpetual_is_copied_long_more_less_short_and_flat(stages: dict[Place, Pair], place: Place) -> None:
    stage = stages[place]
    before = len(told(stage))
    stage.trade("BUY", "0.6")
    stage.wait_for_copy("0.06")
    stage.trade("BUY", "0.4")
    stage.wait_for_copy("0.1")
    stage.trade("SELL", "0.4")
    stage.wait_for_copy("0.06")
    stage.trade("SELL", "1.6")
    stage.wait_for_copy("-0.1")
    stage.trade("BUY", "1")
    stage.wait_for_copy("0")
    rests(stage)
    assert told(stage)[before:] == [
        ("buy", D("0.06"), False),
        ("buy", D("0.04"), False),
        ("sell", D("0.04"), True),
        ("sell", D("0.06"), True),
        ("sell", D("0.1"), False),
        ("buy", D("0.1"), True),
    ]
    assert (sight.leg(stage).held, sight.leg(stage).target) == (0, 0)


@pytest.mark.parametrize("place", PERPETUALS, ids=named)
def test_9_a_fixed_amount_is_copied_by_what_the_trader_ordered(stages: dict[Place, Pair], place: Place) -> None:
    stage = stages[place]
    # Venues that do not tell with the fill how much was ordered are asked.
    stage.set_fixed("603")
    try:
        stage.trade("BUY", "0.5")
        assert_bought(stage)
        stage.trade("SELL", "0.5")
        stage.wait_for_copy("0")
    finally:
        stage.set_ratio("0.1")
    assert "order_unknown" not in {part.reason for part in sight.parts(stage)}


def test_a_copy_that_the_venue_liquidates_pauses_its_subscription(stages: dict[Place, Pair]) -> None:
    perpetuals = [stages[place] for place in PERPETUALS]
    for stage in perpetuals:
        stage.trade("BUY", "0.5")
    for stage in perpetuals:
        stage.wait_for_copy("0.05")
        wait_until(lambda one=stage: ledger(one.lead.id).unended == 0, what="orders that have ended")
        stage.control.liquidate(stage.copy.key.account_id)
    _have_accounts_read()
    for stage in perpetuals:
        wait_until(lambda one=stage: sight.leg(one).held == 0, timeout=40, what="the liquidation taken over")
        with transaction() as session:
            [drift] = drifts.drifts(session, owner=stage.copy.owner, limit=1)
            assert (drift.kind, drift.policy, drift.found) == ("liquidated", "pause", "0")
            copying.resume(session, owner=stage.copy.owner, subscription_id=stage.subscription_id)
        assert sight.leg(stage).target == 0
        orders = len(sight.orders(stage))
        stage.trade("SELL", "0.5")
        wait_until(lambda one=stage: ledger(one.lead.id).fills == ledger(one.lead.id).planned, what="all planned")
        assert len(sight.orders(stage)) == orders


def _have_accounts_read() -> None:
    """Have accounts read now, as if the ten quiet seconds after an order were over."""
    with transaction() as session:
        session.exec(update(LegRow).values(last_order_ended_at=clock.now() - timedelta(seconds=11)))
        session.exec(update(CopyReading).values(due_at=clock.now()))


@pytest.mark.parametrize("place", PERPETUALS, ids=named)
def test_a_lead_in_hedge_mode_is_copied_on_both_sides(stages: dict[Place, Pair], place: Place) -> None:
    stage = stages[place]
    wait_until(lambda: stage.copy_position() == stage.lead_position() == 0, what="both flat")
    stage.control.set_modes(stage.lead.key.account_id, hedge=True)
    stage.trade("BUY", "1", position_side="LONG")
    wait_until(lambda: held(stage) == (D("0.1"), 0), timeout=30, what=f"the long side (it is {held(stage)})")
    stage.trade("SELL", "0.6", position_side="SHORT")
    wait_until(lambda: held(stage) == (D("0.1"), D("0.06")), timeout=30, what=f"the short side (it is {held(stage)})")
    stage.trade("SELL", "1", position_side="LONG")
    wait_until(lambda: held(stage) == (0, D("0.06")), timeout=30, what="a closed long side")
    stage.trade("BUY", "0.6", position_side="SHORT")
    wait_until(lambda: held(stage) == (0, 0), timeout=30, what="a closed short side")
    rests(stage)
    sides = [(order.side, order.position_side, order.filled) for order in sight.orders(stage)[-4:]]
    assert sides == [
        ("buy", "long", D("0.1")),
        ("sell", "short", D("0.06")),
        ("sell", "long", D("0.1")),
        ("buy", "short", D("0.06")),
    ]


def held(stage: Pair) -> tuple[Decimal, Decimal]:
    """Return what the copy holds long and short."""
    found = stage.hedged(stage.copy)
    return found.get("LONG", D(0)), found.get("SHORT", D(0))


@pytest.mark.parametrize("place", SPOTS, ids=named)
def test_a_coin_is_copied_bought_partly_sold_and_sold_out_with_fees_in_base(
    stages: dict[Place, Pair], place: Place
) -> None:
    stage = stages[place]
    stage.trade("BUY", "0.6")
    stage.wait_for_copy(str(D("0.06") * (1 - FEE)))
    stage.trade("BUY", "0.4")
    stage.wait_for_copy(str(D("0.1") * (1 - FEE)))
    rests(stage)
    assert sight.leg(stage).held == sight.leg(stage).target == D("0.0999")
    stage.trade("SELL", str(D("0.4") * (1 - FEE)))
    stage.wait_for_copy(str(D("0.06") * (1 - FEE)))
    stage.trade("SELL", str(stage.lead_position()))
    stage.wait_for_copy("0")
    rests(stage)
    assert told(stage) == [
        ("buy", D("0.06"), False),
        ("buy", D("0.04"), False),
        ("sell", D("0.03996"), False),
        ("sell", D("0.05994"), False),
    ]
    assert (sight.leg(stage).held, sight.leg(stage).target) == (0, 0)
    bought = [order for order in sight.orders(stage) if order.side == "buy"]
    assert [(order.fee, order.fee_asset) for order in bought] == [(D("0.00006"), "BTC"), (D("0.00004"), "BTC")]


@pytest.mark.parametrize("place", SPOTS, ids=named)
def test_12_23_a_fee_in_base_is_a_cost_and_all_of_the_rest_is_sold(stages: dict[Place, Pair], place: Place) -> None:
    stage = stages[place]
    wait_until(lambda: stage.copy_position() == stage.lead_position() == 0, what="both flat")
    before = len(told(stage))
    stage.set_ratio("1")
    try:
        stage.trade("BUY", "0.01")
        stage.wait_for_copy("0.00999")
        rests(stage)
        assert (sight.leg(stage).held, sight.leg(stage).target) == (D("0.00999"), D("0.00999"))
        stage.trade("SELL", "0.00999")
        stage.wait_for_copy("0")
        rests(stage)
    finally:
        stage.set_ratio("0.1")
    assert told(stage)[before:] == [("buy", D("0.01"), False), ("sell", D("0.00999"), False)]


@pytest.mark.parametrize("place", SPOTS, ids=named)
def test_9_what_was_ordered_on_spot_may_be_told_in_quote(stages: dict[Place, Pair], place: Place) -> None:
    stage = stages[place]
    stage.set_fixed("603")
    try:
        stage.trade("BUY", "0.5")
        assert_bought(stage)
        before = len(told(stage))
        stage.control.place(stage.lead.key.account_id, SYMBOL, "BUY", market="spot", quote_quantity=12_000)
        wait_until(lambda: len(told(stage)) > before, timeout=30, what="the copy of what was paid in USDT")
        assert_bought(stage)
        stage.trade("SELL", str(stage.lead_position().quantize(D("0.00001"), rounding=ROUND_DOWN)))
        wait_until(lambda: stage.copy_position() < D("0.0001"), timeout=30, what="a copy that was sold but for dust")
    finally:
        stage.set_ratio("0.1")
    assert "order_unknown" not in {part.reason for part in sight.parts(stage)}


def assert_bought(stage: Pair) -> None:
    """Hold that the newest copy was of 603 USDT, to the venue's step."""
    wait_until(lambda: stage.copy_position() > D("0.001"), timeout=30, what="the copy")
    wait_until(lambda: ledger(stage.lead.id).unended == 0, what="orders that have ended")
    [side, quantity, _] = told(stage)[-1]
    assert side == "buy"
    assert abs(quantity - D("0.01005")) <= D("0.00005")


def rests(stage: Pair) -> None:
    """Wait until no order is under way and all parts add up."""
    wait_until(lambda: ledger(stage.lead.id).unended == 0, what="orders that have ended")
    for part in sight.parts(stage):
        assert part.copied + part.skipped + part.netted == part.asked


def told(stage: Pair) -> list[tuple[str, Decimal, bool]]:
    """Return side, executed quantity and reduce-only of our orders that were executed."""
    rows = [order for order in sight.orders(stage) if order.state == OrderState.FILLED]
    return [(order.side, order.filled, order.reduce_only) for order in rows]


def test_what_symbols_turn_over_is_known_of_every_place(stages: dict[Place, Pair]) -> None:
    async def swept() -> Terms:
        pool = Pool(opener())
        try:
            terms = Terms(pool)
            await volumes.sweep(pool, terms)
            return terms
        finally:
            await pool.close()

    turnover = asyncio.run(swept()).turnover
    for venue, market in stages:
        symbol = "BTC/USDT" if market is Market.SPOT else "BTC/USDT:USDT"
        assert turnover[venue.value, market.value, "sandbox"][symbol] > 10_000_000
