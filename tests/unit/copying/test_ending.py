from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

from copytrade.copying.ending import _step
from copytrade.copying.models import LegState
from copytrade.copying.records import LegRecord
from copytrade.domain.driving import WaitReason
from copytrade.domain.instruments import Instrument, Market, Venue
from copytrade.domain.legs import Leg, Part
from copytrade.domain.lots import Lot
from copytrade.domain.planning import PartKind
from copytrade.domain.sizing import EndMode
from tests.unit.domain.copying import PRICE, START, D

BTC = Instrument(Venue.BINANCE, Market.SPOT, "BTC/USDT")


def waiting() -> LegRecord:
    """A leg that holds 1 and waits for more of the lead, since what it should buy besides is too small."""
    rest = Part(UUID(int=3), PartKind.OPENING, D("0.00001"), PRICE, START, opens=True)
    leg = Leg(target=D("1.00001"), held=D(1), lots=(Lot(D("1.00001"), D("1.00001")),), parts=(rest,))
    return LegRecord(
        uuid4(), uuid4(), uuid4(), uuid4(), uuid4(), uuid4(), BTC,
        leg=leg, price=PRICE, waits_for=WaitReason.TOO_SMALL.value,
    )  # fmt: skip


def test_what_an_entry_waited_for_closes_no_leg_that_still_holds_something() -> None:
    """The driver may come later than the second sweep: it was killed, or has its hands full."""
    leg = waiting()
    for _ in range(3):
        _step(leg, EndMode.CLOSE, now=START)
        assert leg.state is LegState.FOLLOWING
    assert (leg.leg.target, leg.leg.held, leg.due_at) == (0, 1, START)


def test_a_leg_is_closed_when_the_driver_found_its_rest_too_small_to_be_sold() -> None:
    leg = waiting()
    _step(leg, EndMode.CLOSE, now=START)
    leg.leg = replace(leg.leg, held=D("0.00001"), parts=())
    leg.waits_for, leg.due_at = WaitReason.TOO_SMALL.value, None
    assert _step(leg, EndMode.CLOSE, now=START + timedelta(seconds=1))
    assert leg.state is LegState.CLOSED
