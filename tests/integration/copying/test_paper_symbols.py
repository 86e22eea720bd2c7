"""Symbols that the paper exchange lacks are skipped with the reason; what is only not loaded yet is waited for."""

from dataclasses import replace
from decimal import Decimal

from sqlmodel import Session

from copytrade.accounts.models import ExchangeAccount
from copytrade.copying import claims
from copytrade.copying.work import Known
from tests.integration.copying.desk import Desk
from tests.integration.copying.desk import desk as desk_of


def test_a_symbol_that_the_paper_exchange_lacks_is_skipped_at_once_with_the_reason(session: Session) -> None:
    desk = on_paper(desk_of(session))
    desk.fill("0.5")
    desk.plan()
    listed = Known({desk.place: {"ETH/USDT:USDT": replace(desk.rules, symbol="ETH/USDT:USDT")}}, {})
    assert claims.claim(session, known=listed, owner="test").sendings == []
    leg = desk.leg()
    assert (leg.target, leg.held, leg.due_at) == (0, 0, None)
    assert desk.skips() == [("unlisted", Decimal("0.5"))]
    assert [order.state for order in desk.orders() if order.state != "dropped"] == []


def test_what_is_not_loaded_yet_is_waited_for(session: Session) -> None:
    desk = on_paper(desk_of(session))
    desk.fill("0.5")
    desk.plan()
    assert claims.claim(session, known=Known({}, {}), owner="test").sendings == []
    assert desk.skips() == []
    desk.later(1)
    assert desk.sending().account.mode == "paper"


def on_paper(desk: Desk) -> Desk:
    """Let Bob's copy account be one on paper."""
    desk.session.get_one(ExchangeAccount, desk.market.copy).mode = "paper"
    desk.session.flush()
    return replace(desk, place=(desk.place[0], desk.place[1], "paper"))
