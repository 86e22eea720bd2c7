"""An order over zero opens a side too: what he holds of his own on the other side is looked at before it."""

from dataclasses import replace
from decimal import Decimal

from sqlmodel import Session, select

from copytrade import clock
from copytrade.copying.models import SymbolReady
from copytrade.domain.readings import JUST_READ, QUIET
from copytrade.domain.skips import SkipReason
from tests.integration.copying.desk import Desk, desk

D = Decimal


def on_its_way_over_zero(session: Session) -> Desk:
    """A rest under the minimum, bought some time ago, and a lead who turns round."""
    on = desk(session)
    on.rules = replace(on.rules, exits_exempt_from_minimum=False, min_notional=D(100))
    on.copy("1")
    on.copy("-0.999")
    assert on.leg().held == D("0.001")
    on.later(QUIET.total_seconds())
    return on


def read(session: Session, own: str) -> None:
    """Let the account be read: beside the copy it holds `own`."""
    ready = session.exec(select(SymbolReady)).one()
    ready.own, ready.read_at = D(own), clock.now()
    session.flush()


def test_a_flip_from_a_rest_that_cannot_be_closed_alone_meets_nothing_of_his(session: Session) -> None:
    on = on_its_way_over_zero(session)
    read(session, "1.4")
    on.lead("-0.5")
    assert on.claim().sendings == []
    assert on.leg().waits_for == "held_back"


def test_an_order_over_zero_waits_until_its_leg_is_reconciled(session: Session) -> None:
    """Found by the model (one_way/ratio/22736): after a liquidation nobody had seen yet it entered too much."""
    on = on_its_way_over_zero(session)
    on.lead("-0.5")
    assert [one.symbol for one in on.claim().preparing] == [on.rules.symbol]
    read(session, "-0.001")
    on.later(3)
    assert on.claim().sendings == []
    on.later(5)
    read(session, "0")
    assert on.sending().request.quantity == D("0.500")


def test_no_order_over_zero_leaves_a_leg_that_still_moves(session: Session) -> None:
    on = desk(session)
    on.rules = replace(on.rules, exits_exempt_from_minimum=False, min_notional=D(100))
    on.copy("1")
    on.copy("-0.999")
    on.lead("-0.5")
    read(session, "0")
    claimed = on.claim()
    assert (claimed.sendings, claimed.preparing) == ([], [])
    ended_at = on.leg().last_order_ended_at
    assert ended_at is not None
    assert on.leg().due_at == ended_at + QUIET


def test_no_order_over_zero_leaves_a_leg_of_which_a_reading_lacked_something(session: Session) -> None:
    """Found by the model (one_way/ratio/5156): of two readings one had told of the liquidation, and hid it here."""
    on = on_its_way_over_zero(session)
    on.lead("-0.5")
    leg = on.leg()
    leg.drift_reading, leg.drift_read_at = D(0), clock.now()
    read(session, "0")
    claimed = on.claim()
    assert (claimed.sendings, claimed.preparing) == ([], [])
    assert on.leg().waits_for == "held_back"


def test_an_order_over_zero_changes_no_modes_that_were_set_by_hand(session: Session) -> None:
    on = on_its_way_over_zero(session)
    read(session, "0")
    session.exec(select(SymbolReady)).one().hold = SkipReason.MODES_CHANGED.value
    session.flush()
    on.later(JUST_READ.total_seconds())
    on.lead("-0.5")
    claimed = on.claim()
    assert (claimed.sendings, claimed.preparing) == ([], [])
