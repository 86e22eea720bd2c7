"""An order over zero opens a side too: what he holds of his own on the other side is looked at before it."""

from dataclasses import replace
from decimal import Decimal

from sqlmodel import Session, select

from copytrade.copying.models import SymbolReady
from tests.integration.copying.desk import desk

D = Decimal


def test_a_flip_from_a_rest_that_cannot_be_closed_alone_meets_nothing_of_his(session: Session) -> None:
    on = desk(session)
    on.rules = replace(on.rules, exits_exempt_from_minimum=False, min_notional=D(100))
    on.copy("1")
    on.copy("-0.999")
    assert on.leg().held == D("0.001")
    session.exec(select(SymbolReady)).one().own = D("1.4")
    session.flush()
    on.lead("-0.5")
    assert on.claim().sendings == []
    assert on.leg().waits_for == "held_back"
