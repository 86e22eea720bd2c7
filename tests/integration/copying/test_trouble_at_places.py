"""Answers that get lost, at every venue and market at once: one order at the venue, whichever way it went.

How long each venue may show an order late is data (see the unit tests of the venues' facts); here it is 3 s.
"""

from decimal import Decimal

import pytest

from copytrade.copying.models import OrderState
from copytrade.demo.keys import Place
from copytrade.domain.instruments import Market, Venue
from copytrade.exchanges import venues
from copytrade.settings import settings
from tests.integration.copying import sight
from tests.stage import Pair, ledger
from tests.waiting import wait_until

PATHS = {
    (Venue.BINANCE, Market.PERPETUAL): "/fapi/v1/order",
    (Venue.BINANCE, Market.SPOT): "/api/v3/order",
    (Venue.BYBIT, Market.PERPETUAL): "/v5/order/create",
    (Venue.BYBIT, Market.SPOT): "/v5/order/create",
    (Venue.BITGET, Market.PERPETUAL): "/api/v2/mix/order/place-order",
    (Venue.BITGET, Market.SPOT): "/api/v2/spot/trade/place-order",
}
LAG_MS = 30_000
"""Longer than the proof takes: the order is judged lost before it is seen."""


@pytest.fixture(autouse=True)
def _soon_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    quick = settings().model_copy(update={"order_lost_after_s": 3.0})
    monkeypatch.setattr(venues, "settings", lambda: quick)


def drop(stage: Pair, *, execute: str = "yes") -> None:
    place = (stage.copy.key.venue, stage.copy.key.market)
    account = stage.copy.key.account_id
    stage.control.fault(path=PATHS[place], method="POST", account=account, answer="drop", execute=execute)


def expected(stage: Pair, quantity: str) -> Decimal:
    """Return what a purchase brings: on spot the fee is taken out of it."""
    return Decimal(quantity) * (Decimal("0.999") if stage.market is Market.SPOT else 1)


@pytest.fixture
def flat(stages: dict[Place, Pair]) -> dict[Place, Pair]:
    """All of them with no position and no order under way."""
    for stage in stages.values():
        stage.control.clear_faults()
        held = stage.lead_position()
        if held:
            stage.trade("SELL" if held > 0 else "BUY", str(abs(held)))
    for stage in stages.values():
        stage.wait_for_copy("0", timeout=60)
        wait_until(lambda one=stage: ledger(one.lead.id).unended == 0, timeout=60, what="orders that have ended")
    return stages


def test_14_an_order_whose_answer_was_lost_is_found_everywhere(flat: dict[Place, Pair]) -> None:
    before = {place: sight.placed(stage) for place, stage in flat.items()}
    for stage in flat.values():
        drop(stage)
        stage.trade("BUY", "1")
    for place, stage in flat.items():
        stage.wait_for_copy(str(expected(stage, "0.1")))
        wait_until(lambda one=stage: sight.newest(one).state == OrderState.FILLED, what=f"the order at {place}")
        assert sight.placed(stage) == before[place] + 1, place
        assert sight.leg(stage).held == expected(stage, "0.1")


@pytest.mark.timeout(180)
def test_15_22_an_order_that_never_arrived_is_sent_anew_and_one_that_shows_up_late_is_taken_back(
    flat: dict[Place, Pair],
) -> None:
    never = {place: stage for place, stage in flat.items() if place[1] is Market.SPOT}
    late = {place: stage for place, stage in flat.items() if place[1] is Market.PERPETUAL}
    before = {place: sight.placed(stage) for place, stage in flat.items()}
    for stage in never.values():
        drop(stage, execute="no")
        stage.trade("BUY", "1")
    for stage in late.values():
        stage.control.read_lag(LAG_MS, account=stage.copy.key.account_id)
        drop(stage)
        stage.trade("BUY", "1")
    unknown = {place: sight.waiting_for(stage, state="unknown") for place, stage in flat.items()}
    for place, stage in never.items():
        stage.wait_for_copy(str(expected(stage, "0.1")), timeout=60)
        assert sight.placed(stage) == before[place] + 1, place
        states = {order.id: order.state for order in sight.orders(stage)}
        assert states[unknown[place].id] == OrderState.LOST, place
    for place, stage in late.items():
        wait_until(
            lambda one=stage, was=before[place]: sight.placed(one) >= was + 2, timeout=60, what=f"{place}: the second"
        )
        stage.control.read_lag(0, account=stage.copy.key.account_id)
    for place, stage in late.items():
        wait_until(
            lambda one=stage: "late" in {part.kind for part in sight.parts(one)}, timeout=30, what="the late one"
        )
        stage.wait_for_copy("0.1")
        wait_until(lambda one=stage: sight.leg(one).held == Decimal("0.1"), what=f"{place}: a leg that knows it")
