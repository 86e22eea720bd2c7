"""Who plans sends the first orders himself, in one transaction, as a claim would; the rest is for whoever comes."""

from decimal import Decimal

from sqlmodel import Session, select

from copytrade.copying import planner
from copytrade.copying.models import CopyOrder, LegRow, OrderState, SwitchMode, SwitchScope
from copytrade.copying.planner import Planned
from copytrade.copying.work import Known, Taking
from copytrade.domain.driving import WaitReason
from copytrade.domain.instruments import Side
from tests.integration.copying.desk import Desk, desk
from tests.integration.copying.test_fair_order import subscriber
from tests.integration.copying.test_switches import operator, put


def planned_by(on: Desk, owner: str, *, most: int = 10) -> Planned:
    known = Known({on.place: {on.rules.symbol: on.rules}}, on.quotes, on.free)
    return planner.plan_lead(on.session, on.market.lead, venues=on.venues, taking=Taking(known, owner, most))


def states(session: Session) -> list[str]:
    return sorted(session.exec(select(CopyOrder.state)).all())


def test_a_planned_leg_is_sent_by_its_planner_and_by_nobody_else(session: Session) -> None:
    on = desk(session)
    on.fill("1")
    claimed = planned_by(on, "planner").claimed
    assert claimed is not None
    [sending] = claimed.sendings
    [order] = on.orders()
    assert (order.id, order.state, order.lease_owner) == (sending.order_id, OrderState.SENDING, "planner")
    assert order.lease_until is not None
    assert sending.not_after < order.lease_until
    assert order.next_check_at is not None
    assert on.claim().sendings == []
    on.filled(sending)
    assert states(session) == [OrderState.FILLED]


def test_beyond_its_room_a_planner_leaves_intentions_in_the_order_of_the_ranks(session: Session) -> None:
    on = desk(session)
    for number in range(3):
        subscriber(on, number)
    on.fill("1")
    claimed = planned_by(on, "planner", most=2).claimed
    assert claimed is not None
    assert states(session) == [OrderState.PLANNED] * 2 + [OrderState.SENDING] * 2
    ranks = {part.subscription_id: part.rank for part in on.parts()}
    legs = {leg.copy_account_id: ranks[leg.subscription_id] for leg in session.exec(select(LegRow)).all()}
    assert [legs[sending.account.id] for sending in claimed.sendings] == [1, 2]
    assert [legs[sending.account.id] for sending in on.claim().sendings] == [3, 4]


def test_a_planner_without_room_takes_nothing(session: Session) -> None:
    on = desk(session)
    on.fill("1")
    claimed = planned_by(on, "planner", most=0).claimed
    assert claimed is not None
    assert claimed.sendings == []
    assert states(session) == [OrderState.PLANNED]
    assert len(on.claim().sendings) == 1


def test_a_switch_holds_back_what_is_planned_and_sent_at_once(session: Session) -> None:
    on = desk(session)
    put(on, SwitchScope.PLATFORM, SwitchMode.ENTRIES_OFF, by=operator(session))
    on.fill("1")
    claimed = planned_by(on, "planner").claimed
    assert claimed is not None
    assert claimed.sendings == []
    assert on.skips() == [("halted", 1)]


def test_an_exit_on_the_way_is_not_sent_twice(session: Session) -> None:
    on = desk(session)
    on.lead("1")
    on.filled(on.sending())
    on.fill("-0.5")
    first = planned_by(on, "planner").claimed
    on.fill("-0.5")
    second = planned_by(on, "planner").claimed
    assert first is not None
    assert second is not None
    assert [(one.request.side, one.request.quantity) for one in first.sendings] == [(Side.SELL, Decimal("0.5"))]
    assert second.sendings == []
    assert on.leg().waits_for == WaitReason.LIVE_ORDER
    on.filled(first.sendings[0])
    [rest] = on.claim().sendings
    assert rest.request.quantity == Decimal("0.5")
