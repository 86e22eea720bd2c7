"""The life of an order row by row: intentions, claims, outcomes, refusals, switches, the end; crashes at each step."""

from collections.abc import Generator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlmodel import Session, select

from copytrade import clock
from copytrade.accounts import queries as accounts
from copytrade.capture.models import LeadPosition
from copytrade.copying import claims, ending, outcomes, queries, resolver, service, starting
from copytrade.copying.models import CopyNotice, LegState, OrderState, SwitchMode, SwitchScope, SymbolReady
from copytrade.copying.outcomes import Told
from copytrade.copying.service import EndMode
from copytrade.copying.work import Known
from copytrade.db.events import Event
from copytrade.domain.fills import Position, Quote
from copytrade.domain.orders import Outcome, OutcomeKind, Refusal
from copytrade.domain.sizing import CopySettings, StartMode
from copytrade.errors import Conflict, NotAllowed, NotFound
from copytrade.settings import settings
from copytrade.subscriptions import queries as subscriptions
from copytrade.users import service as users
from tests.integration.copying.desk import BTC, Desk, desk, placed
from tests.integration.users import people

UNKNOWN = Outcome(OutcomeKind.UNKNOWN, message="no answer in time")


@pytest.fixture(autouse=True)
def still() -> Generator[None]:
    yield
    clock.set_offset(timedelta(0))


def test_a_plan_leaves_an_intention_and_a_claim_commits_it_as_sending_with_a_lease(session: Session) -> None:
    on = desk(session)
    on.lead("1")
    [intention] = on.orders()
    assert (intention.state, intention.quantity, intention.side) == (OrderState.PLANNED, 1, "buy")
    sending = on.sending()
    [order] = on.orders()
    assert (order.id, order.state) == (intention.id, OrderState.SENDING)
    assert order.lease_until is not None
    window = timedelta(milliseconds=settings().order_receive_window_ms)
    assert sending.not_after == order.lease_until - window
    assert on.claim().sendings == []


def test_20_an_intention_whose_planner_died_is_dropped_when_the_lead_is_out(session: Session) -> None:
    on = desk(session)
    on.lead("1")
    on.lead("-1")
    assert on.claim().sendings == []
    assert [order.state for order in on.orders()] == [OrderState.DROPPED]
    assert [(part.netted, part.is_open) for part in on.parts()] == [(1, False), (-1, False)]


def test_a_sender_that_died_leaves_an_order_that_is_looked_up_and_never_sent_again(session: Session) -> None:
    on = desk(session)
    on.lead("1")
    sending = on.sending()
    assert resolver.claim(session, real_now=clock.real_now()) == []
    [search] = resolver.claim(session, real_now=clock.real_now() + timedelta(seconds=2.1))
    assert search.order.id == sending.order_id
    [order] = on.orders()
    assert order.lease_until is not None
    assert search.until == order.lease_until + timedelta(seconds=15)
    assert on.claim().sendings == []


def test_an_answer_after_the_recovery_books_nothing_twice(session: Session) -> None:
    on = desk(session)
    on.lead("1")
    sending = on.sending()
    answer = placed(sending)
    outcomes.write(session, [Told(sending.order_id, found=answer.order)])
    on.tell(sending, answer)
    outcomes.write(session, [Told(sending.order_id, found=answer.order)])
    assert (on.leg().held, on.leg().target) == (1, 1)
    assert [part.copied for part in on.parts()] == [1]


def test_an_unknown_order_holds_back_entries_and_lets_exits_through(session: Session) -> None:
    on = desk(session)
    on.copy("1")
    on.lead("1")
    unknown = on.sending()
    on.tell(unknown, UNKNOWN)
    on.lead("1")
    assert on.claim().sendings == []
    on.lead("-3")
    exit_order = on.sending()
    assert (exit_order.request.quantity, exit_order.request.reduce_only) == (1, True)


def test_22_a_fill_of_a_lost_order_is_booked_and_driven_back(session: Session) -> None:
    on = desk(session)
    on.lead("1")
    lost = on.sending()
    on.tell(lost, UNKNOWN)
    outcomes.write(session, [Told(lost.order_id, is_lost=True)])
    on.filled(on.sending())
    outcomes.write(session, [Told(lost.order_id, found=placed(lost).order)])
    assert on.leg().held == 2
    back = on.sending()
    assert (back.request.side.value, back.request.quantity, back.request.reduce_only) == ("sell", 1, True)
    on.filled(back)
    assert (on.leg().held, on.leg().target) == (1, 1)


def test_what_fills_of_one_lead_order_asked_for_is_one_order(session: Session) -> None:
    on = desk(session)
    for quantity in ("0.2", "0.5", "0.3"):
        on.lead(quantity)
    sending = on.sending()
    assert sending.request.quantity == 1
    on.filled(sending, Decimal("0.6"))
    assert [(part.copied, part.is_open) for part in on.parts()] == [
        (Decimal("0.2"), False),
        (Decimal("0.4"), True),
        (0, True),
    ]


def test_a_refusal_is_tried_again_later_and_steps_back_in_the_end_with_its_reason(session: Session) -> None:
    on = desk(session)
    on.lead("1")
    on.refuse(on.sending(), Refusal.FUNDS)
    assert on.claim().sendings == []
    on.later(1.1)
    on.refuse(on.sending(), Refusal.FUNDS)
    on.later(60)
    assert on.claim().sendings == []
    assert on.skips() == [("funds", 1)]
    assert (on.leg().target, on.leg().held) == (0, 0)
    told = session.exec(select(Event).where(Event.kind == "copy.failed")).all()
    assert [(event.user_id, event.facts["reason"]) for event in told] == [(on.market.bob.id, "funds")]


def test_a_key_that_the_venue_refuses_pauses_the_account(session: Session) -> None:
    on = desk(session)
    on.lead("1")
    on.refuse(on.sending(), Refusal.CREDENTIALS)
    on.later(2)
    assert on.claim().sendings == []
    assert on.skips() == [("credentials", 1)]
    on.lead("1")
    assert on.skips()[-1] == ("credentials", 1)


def test_a_thousand_skips_are_told_once(session: Session) -> None:
    on = desk(session, settings=CopySettings(is_paused=True))
    for _ in range(5):
        on.lead("1")
    assert len(session.exec(select(Event).where(Event.kind == "copy.skipped")).all()) == 1
    assert len(session.exec(select(CopyNotice)).all()) == 1
    assert on.skips() == [("paused", 1)] * 5


def test_switches_are_read_when_an_order_is_sent(session: Session) -> None:
    on = desk(session)
    _switch(on, SwitchMode.HANDS_OFF)
    on.lead("1")
    assert on.claim().sendings == []
    assert on.skips() == []
    _switch(on, SwitchMode.ENTRIES_OFF)
    assert on.claim().sendings == []
    assert on.skips() == [("halted", 1)]
    _switch(on, SwitchMode.ON)
    on.lead("1")
    assert on.sending().request.quantity == 1


def test_an_exit_goes_on_while_entries_are_off(session: Session) -> None:
    on = desk(session)
    on.copy("1")
    _switch(on, SwitchMode.ENTRIES_OFF)
    on.lead("-1")
    assert on.sending().request.reduce_only


def test_mallory_switches_nothing_and_bob_only_what_he_copies(session: Session) -> None:
    on, mallory = desk(session), people.mallory(session)
    for who, scope, scope_id in (
        (mallory.id, SwitchScope.PLATFORM, "all"),
        (mallory.id, SwitchScope.SUBSCRIBER, str(on.market.bob.id)),
        (on.market.bob.id, SwitchScope.TRADER, str(on.market.profile_id)),
    ):
        with pytest.raises(NotAllowed):
            service.set_switch(session, by=who, scope=scope, scope_id=scope_id, mode=SwitchMode.HANDS_OFF)


def test_mallory_changes_and_sees_nothing_of_bobs(session: Session) -> None:
    on, mallory = desk(session), people.mallory(session)
    on.copy("1")
    [row] = queries.copies(session, owner=on.market.bob.id).rows
    for act in (
        lambda: service.pause(session, owner=mallory.id, subscription_id=on.subscription_id),
        lambda: service.stop(session, owner=mallory.id, subscription_id=on.subscription_id, mode=EndMode.CLOSE),
        lambda: queries.receipt(session, owner=mallory.id, copy_order_id=row.id),
    ):
        with pytest.raises(NotFound):
            act()
    assert queries.copies(session, owner=mallory.id).rows == []
    assert queries.open_legs(session, owner=mallory.id) == []


def test_an_unprepared_account_is_prepared_before_its_first_entry(session: Session) -> None:
    on = desk(session)
    session.delete(session.exec(select(SymbolReady)).one())
    on.lead("1")
    claimed = on.claim()
    assert claimed.sendings == []
    assert [(one.account.id, one.symbol) for one in claimed.preparing] == [(on.market.copy, "BTC/USDT:USDT")]


def test_his_own_position_on_the_other_side_holds_entries(session: Session) -> None:
    on = desk(session)
    session.exec(select(SymbolReady)).one().own = Decimal(-2)
    on.lead("1")
    assert on.claim().sendings == []
    on.later(61)
    assert on.claim().sendings == []
    assert on.skips() == [("own_position", 1)]


def test_a_subscription_that_is_stopped_and_closed_sells_what_it_holds_and_is_finished(session: Session) -> None:
    on = desk(session)
    on.copy("1")
    service.stop(session, owner=on.market.bob.id, subscription_id=on.subscription_id, mode=EndMode.CLOSE)
    _settle(session)
    sending = on.sending()
    assert (sending.request.side.value, sending.request.quantity, sending.request.reduce_only) == ("sell", 1, True)
    on.filled(sending)
    _settle(session)
    assert on.leg().state == LegState.CLOSED
    assert subscriptions.ended_unsettled(session) == []


def test_a_subscription_that_keeps_leaves_its_position_alone(session: Session) -> None:
    on = desk(session)
    on.copy("1")
    on.lead("-0.4")
    on.claim()
    on.lead("-0.1")
    service.stop(session, owner=on.market.bob.id, subscription_id=on.subscription_id, mode=EndMode.KEEP)
    _settle(session)
    assert on.leg().state == LegState.FOLLOWING
    [live] = [order for order in on.orders() if order.state == OrderState.SENDING]
    outcomes.write(session, [Told(live.id, is_lost=True)])
    _settle(session)
    assert (on.leg().state, on.leg().held, on.leg().target) == (LegState.KEPT, 1, 1)
    assert on.claim().sendings == []
    assert subscriptions.ended_unsettled(session) == []


def test_a_subscription_that_follows_exits_opens_nothing_more(session: Session) -> None:
    on = desk(session)
    on.copy("1")
    service.stop(session, owner=on.market.bob.id, subscription_id=on.subscription_id, mode=EndMode.FOLLOW_EXITS)
    _settle(session)
    on.lead("1")
    assert on.claim().sendings == []
    on.lead("-2")
    on.filled(on.sending())
    assert (on.leg().held, on.leg().target) == (0, 0)
    _settle(session)
    assert on.leg().state == LegState.CLOSED


def test_an_operator_decides_only_what_was_unknown_for_an_hour(session: Session) -> None:
    on = desk(session)
    on.lead("1")
    sending = on.sending()
    on.tell(sending, UNKNOWN)
    with pytest.raises(NotAllowed):
        service.decide_unknown(session, by=on.market.bob.id, order_id=sending.order_id, filled=Decimal(1))
    operator, _ = users.make_operator(session, email="operator@copytrade.example")
    with pytest.raises(Conflict):
        service.decide_unknown(session, by=operator.id, order_id=sending.order_id, filled=Decimal(1))
    [order] = on.orders()
    order.claimed_at = order.sent_at = clock.real_now() - timedelta(hours=2)
    session.add(order)
    service.decide_unknown(session, by=operator.id, order_id=sending.order_id, filled=Decimal(1))
    assert (on.leg().held, on.orders()[0].state) == (1, OrderState.FILLED)


def test_an_order_unknown_for_a_minute_raises_one_alarm(session: Session) -> None:
    on = desk(session)
    on.lead("1")
    on.tell(on.sending(), UNKNOWN)
    for seconds in (61, 90, 200):
        resolver.claim(session, real_now=clock.real_now() + timedelta(seconds=seconds))
    alarms = session.exec(select(Event).where(Event.kind == "alarm.unknown_order")).all()
    assert [alarm.user_id for alarm in alarms] == [None]


def test_an_order_is_looked_up_again_as_soon_as_its_absence_proves_something(session: Session) -> None:
    on = desk(session)
    on.lead("1")
    sent = clock.real_now()
    on.tell(on.sending(), replace(UNKNOWN, sent_at=sent))
    for seconds in (1, 3, 6, 11):
        resolver.claim(session, real_now=sent + timedelta(seconds=seconds))
    [order] = on.orders()
    assert order.next_check_at is not None
    proof = sent + timedelta(milliseconds=settings().order_receive_window_ms, seconds=10)
    assert proof < order.next_check_at < proof + timedelta(seconds=1)


def test_a_leg_whose_market_is_not_known_waits_for_its_rules(session: Session) -> None:
    on = desk(session)
    on.lead("1")
    claimed = claims.claim(session, known=Known({}, {}), owner="test")
    assert (claimed.sendings, [account.id for account in claimed.rules]) == ([], [on.market.copy])
    on.later(1)
    assert len(on.claim().sendings) == 1


def test_a_fill_from_before_the_subscription_is_not_copied(session: Session) -> None:
    on = desk(session)
    on.fill("1", at=clock.now() - timedelta(minutes=2))
    on.fill("1", at=clock.now())
    on.plan()
    assert on.leg().target == 1
    assert [part.asked for part in on.parts()] == [1]


@pytest.mark.parametrize(
    ("mode", "market", "joined"),
    [
        (StartMode.ALL, 61_000, 1),
        (StartMode.BETTER_PRICE, 61_000, 0),
        (StartMode.BETTER_PRICE, 59_000, 1),
    ],
)
def test_positions_that_were_open_at_the_start_are_joined_as_the_settings_say(
    session: Session, mode: StartMode, market: int, joined: int
) -> None:
    on = desk(session, settings=CopySettings(max_leverage=Decimal(100), start_mode=mode))
    session.add(LeadPosition(exchange_account_id=on.market.lead, symbol=BTC, position_side="net", quantity=Decimal(1)))
    price = Decimal(market)
    quote = Quote(BTC, price, price, price, clock.now())
    position = Position(BTC, Decimal(1), Decimal(60_000), price, Decimal(0))
    waiting = starting.Starting(on.subscription_id, accounts.ref(session, on.market.lead), mode, (BTC,))
    for _ in range(2):
        starting.judge(session, waiting, venues=on.venues, quotes={BTC: quote}, positions={BTC: position})
    assert [(part.kind, part.asked) for part in on.parts()] == [("join", 1)] * joined
    on.trades = 5
    on.lead("-1")
    assert on.leg().target == 0
    assert on.claim().sendings == []


def test_a_planner_killed_before_its_commit_leaves_the_fill_to_be_planned_once(session: Session) -> None:
    on = desk(session)
    on.fill("1")
    with session.begin_nested() as killed:
        assert on.plan().legs == 1
        killed.rollback()
    assert on.orders() == []
    assert on.plan().changes == 1
    assert on.plan().changes == 0
    assert [part.asked for part in on.parts()] == [1]


def test_a_driver_killed_before_its_commit_leaves_an_intention(session: Session) -> None:
    on = desk(session)
    on.lead("1")
    with session.begin_nested() as killed:
        assert len(on.claim().sendings) == 1
        killed.rollback()
    assert [order.state for order in on.orders()] == [OrderState.PLANNED]
    assert len(on.claim().sendings) == 1


def test_a_driver_killed_before_it_wrote_the_answer_leaves_an_order_to_look_up(session: Session) -> None:
    on = desk(session)
    on.lead("1")
    sending = on.sending()
    with session.begin_nested() as killed:
        on.filled(sending)
        killed.rollback()
    assert (on.orders()[0].state, on.leg().held) == (OrderState.SENDING, 0)
    outcomes.write(session, [Told(sending.order_id, found=placed(sending).order)])
    assert (on.orders()[0].state, on.leg().held) == (OrderState.FILLED, 1)


def test_a_driver_that_was_frozen_beyond_its_lease_changes_nothing(session: Session) -> None:
    on = desk(session)
    on.lead("1")
    frozen = on.sending()
    outcomes.write(session, [Told(frozen.order_id, is_lost=True)])
    on.filled(on.sending())
    on.tell(frozen, Outcome(OutcomeKind.NOT_SENT, message="its time was over before it was sent"))
    assert [order.state for order in on.orders()] == [OrderState.LOST, OrderState.FILLED]
    assert (on.leg().held, on.leg().target) == (1, 1)
    assert on.claim().sendings == []


def _switch(on: Desk, mode: SwitchMode) -> None:
    bob = on.market.bob.id
    service.set_switch(on.session, by=bob, scope=SwitchScope.SUBSCRIBER, scope_id=str(bob), mode=mode)


def _settle(session: Session) -> None:
    for ended in subscriptions.ended_unsettled(session):
        ending.settle(session, ended, now=clock.now())
