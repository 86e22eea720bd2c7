"""A trader with many subscribers is planned some at a time: everybody once, in his order, and nothing newer before."""

from collections.abc import Generator
from decimal import Decimal
from uuid import UUID

import pytest
from sqlmodel import Session, select

from copytrade import clock
from copytrade.capture import queries as capture
from copytrade.capture import service
from copytrade.copying import ending, rests
from copytrade.copying.models import CopySetting, PlanRest
from copytrade.db.model import new_id
from copytrade.db.trips import answered
from copytrade.domain.instruments import Market, PositionSide, Venue
from copytrade.settings import settings
from copytrade.subscriptions.rows import EndedSubscription
from copytrade.subscriptions.states import EndMode
from tests.integration.copying.desk import BTC, RULES, Desk, desk
from tests.integration.copying.test_fair_order import subscriber

MORE = 4


@pytest.fixture
def on(session: Session, monkeypatch: pytest.MonkeyPatch) -> Generator[Desk]:
    """Alice with five subscribers, of whom one transaction plans two."""
    monkeypatch.setenv("COPYTRADE_PLAN_BATCH", "2")
    settings.cache_clear()
    on = desk(session)
    for number in range(MORE):
        subscriber(on, number)
    yield on
    monkeypatch.undo()
    settings.cache_clear()


def left(on: Desk) -> int:
    row = on.session.exec(select(PlanRest).execution_options(populate_existing=True)).first()
    return len(row.waiting) if row else 0


def position(on: Desk) -> Decimal:
    return sum((one.quantity for one in capture.lead_positions(on.session, account_id=on.market.lead)), Decimal(0))


def test_everybody_is_planned_once_and_in_his_order(on: Desk) -> None:
    on.fill("1")
    planned = [(on.plan().legs, left(on)) for _ in range(4)]
    assert planned == [(2, 3), (2, 1), (1, 0), (0, 0)]
    parts = on.parts()
    assert [(part.rank, part.served) for part in sorted(parts, key=lambda part: part.id)] == [
        (rank, MORE + 1) for rank in range(1, MORE + 2)
    ]
    assert len({part.subscription_id for part in parts}) == MORE + 1
    assert {part.asked for part in parts} == {Decimal(1)}


def test_the_position_moves_with_the_first_of_them_and_nothing_newer_is_planned_before_the_last(on: Desk) -> None:
    on.fill("1")
    on.plan()
    assert position(on) == 1
    on.fill("-1")
    assert [on.plan().legs for _ in range(2)] == [2, 1]
    assert (position(on), len(on.parts())) == (1, MORE + 1)
    assert [on.plan().legs for _ in range(4)] == [2, 2, 1, 0]
    assert position(on) == 0
    assert sum(part.asked - part.netted for part in on.parts()) == 0


def test_a_lead_with_something_left_is_looked_at_though_he_did_nothing_new(on: Desk) -> None:
    on.fill("1")
    on.plan()
    assert answered(on.session, service.asking_waiting_leads()) == []
    assert answered(on.session, rests.asking_leads()) == [on.market.lead]


def test_who_left_meanwhile_is_not_planned(on: Desk) -> None:
    on.fill("1")
    on.plan()
    waiting = on.session.exec(select(PlanRest)).one().waiting
    gone = on.session.get_one(CopySetting, waiting[0])
    on.session.delete(gone)
    on.session.flush()
    assert [on.plan().legs for _ in range(3)] == [1, 1, 0]


def test_the_cap_of_all_together_goes_on_where_the_first_left_it(on: Desk) -> None:
    share = settings().fill_volume_share
    on.turnover = {BTC: Decimal(3) * on.price / share}
    assert on.turnover[BTC] >= settings().symbol_min_day_volume
    on.fill("1")
    for _ in range(3):
        on.plan()
    assert [part.asked + part.skipped * -1 for part in on.parts()] == [1, 1, 1, 0, 0]


def test_nobody_is_finished_while_something_of_the_plan_is_left(on: Desk) -> None:
    on.fill("1")
    on.plan()
    last = UUID(on.session.exec(select(PlanRest)).one().waiting[-1])
    ended = EndedSubscription(last, new_id(), new_id(), EndMode.CLOSE, clock.now())
    assert not ending._any_following(on.session, ended)
    assert not ending._is_settled(on.session, ended), "his leg may still be made"
    on.session.delete(on.session.exec(select(PlanRest)).one())
    on.session.flush()
    assert ending._is_settled(on.session, ended)


def test_what_is_kept_of_a_change_is_what_was_taken(on: Desk) -> None:
    on.fill("1.5", of="3")
    on.plan()
    kept = answered(on.session, rests.asking(on.market.lead))
    assert kept is not None
    [change] = kept.changes
    at = change.instrument
    assert (at.venue, at.market, at.symbol, at.position_side) == (
        Venue.BINANCE, Market.PERPETUAL, RULES.symbol, PositionSide.NET,
    )  # fmt: skip
    assert (change.before, change.after, change.price) == (0, Decimal("1.5"), on.price)
    assert (change.order_id, change.order_share) == ("order-1", Decimal("0.5"))
    assert change.venue_time <= change.received_at <= clock.now()
    assert change.fill_id is not None
