from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from copytrade.copying.models import OrderState
from copytrade.copying.records import LegRecord, OrderRecord
from copytrade.copying.telling import Told, tell
from copytrade.domain.instruments import Instrument, Market, Side, Venue
from copytrade.domain.legs import Leg, Purpose
from copytrade.domain.orders import Outcome, OutcomeKind, Refusal
from tests.unit.domain.copying import START, D

NOW = START + timedelta(seconds=1)
LEG = UUID(int=9)
BTC = Instrument(Venue.BINANCE, Market.PERPETUAL, "BTC/USDT:USDT")


def exiting() -> tuple[LegRecord, OrderRecord]:
    order = OrderRecord(
        id=uuid4(), leg_id=LEG, account_id=uuid4(), symbol=BTC.symbol, side=Side.SELL, purpose=Purpose.EXIT,
        kind="limit_ioc", quantity=D(1), price=D(60000), reduce_only=True, reference=D(60000), client_order_id="ct",
        state=OrderState.SENDING, filled=D(0), average_price=None, venue_order_id="", created_at=START,
        claimed_at=START, sent_at=None, lease_until=START + timedelta(seconds=20), checks=0,
    )  # fmt: skip
    leg = LegRecord(LEG, uuid4(), uuid4(), uuid4(), uuid4(), order.account_id, BTC, leg=Leg(held=D(1)), orders=[order])
    leg.refresh_live()
    return leg, order


@pytest.mark.parametrize(
    "outcome",
    [
        Outcome(OutcomeKind.REFUSED, START, refusal=Refusal.NOTHING_TO_REDUCE),
        Outcome(OutcomeKind.NOT_SENT),
    ],
)
def test_an_order_that_certainly_changed_nothing_keeps_no_reading_from_being_true(outcome: Outcome) -> None:
    """Else an exit refused every few seconds, its position being gone, would never let the leg be reconciled."""
    leg, order = exiting()
    tell(order, leg, Told(order.id, outcome=outcome), steps={}, now=NOW, real_now=NOW)
    assert not leg.leg.live
    assert leg.last_order_ended_at is None


def test_an_order_that_may_have_moved_something_makes_readings_wait() -> None:
    leg, order = exiting()
    tell(order, leg, Told(order.id, is_lost=True), steps={}, now=NOW, real_now=NOW)
    assert leg.last_order_ended_at == NOW
