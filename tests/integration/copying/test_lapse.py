"""What becomes of copies when a subscription is not paid any more: grace, then no entries, then the chosen end."""

from collections.abc import Generator
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from sqlmodel import Session, select

from copytrade import clock
from copytrade.accounts.snapshots import put_snapshot
from copytrade.capture.models import CaptureState
from copytrade.copying import ending, service
from copytrade.copying.models import CopySetting, LegRow, LegState, SymbolReady
from copytrade.domain.fills import Equity
from copytrade.domain.sizing import CopySettings, EndMode
from copytrade.errors import NotFound
from copytrade.settings import settings
from copytrade.subscriptions import queries as subscriptions
from copytrade.subscriptions import service as subscription_service
from copytrade.subscriptions.models import Subscription
from tests import paid
from tests.integration.copying.desk import BTC, Desk, desk
from tests.integration.users import people

SETTINGS = CopySettings(max_leverage=Decimal(100))


@pytest.fixture(autouse=True)
def still() -> Generator[None]:
    yield
    clock.set_offset(timedelta(0))


def days(on: Desk, count: float) -> None:
    """Let days go by; both accounts are polled and read on the way."""
    on.later(count * 86_400)
    total, now = Decimal(1_000_000), clock.now()
    for account in (on.market.lead, on.market.copy):
        worth = Equity(total=total, wallet=total, unrealized_pnl=Decimal(0), available=total, read_at=now)
        put_snapshot(on.session, account_id=account, equity=worth, positions=[])
    on.session.get_one(CaptureState, on.market.lead).polled_until = now + timedelta(hours=1)
    ready = on.session.get(SymbolReady, (on.market.copy, BTC))
    if ready is not None:
        ready.read_at = now
    on.session.flush()


def choose(on: Desk, mode: EndMode) -> None:
    service.save_settings(
        on.session,
        owner=on.market.bob.id,
        subscription_id=on.subscription_id,
        settings=CopySettings(max_leverage=Decimal(100), end_mode=mode),
    )


def lapse(on: Desk) -> None:
    """Let the paid month, the days of grace and our patience be over, and the billing clock come by."""
    days(on, 30 + settings().payment_grace_days + settings().payment_unpaid_days)
    assert subscription_service.expire_due(on.session, clock.now()) == 1
    settle(on)


def settle(on: Desk) -> None:
    on.session.flush()
    for ended in subscriptions.ended_unsettled(on.session):
        ending.settle(on.session, ended, now=clock.now())


def state(on: Desk) -> Subscription:
    return on.session.get_one(Subscription, on.subscription_id, populate_existing=True)


def test_through_the_days_of_grace_everything_is_copied(session: Session) -> None:
    on = desk(session)
    on.copy("1")
    days(on, 30.5)
    paid.mark_past_due(session, subscription_id=on.subscription_id)
    assert subscription_service.expire_due(session, clock.now()) == 0
    on.copy("1")
    assert (on.leg().target, on.leg().held) == (2, 2)


def test_when_the_grace_is_over_nothing_is_opened_before_anybody_has_ended_it(session: Session) -> None:
    on = desk(session)
    on.copy("1")
    days(on, 30 + settings().payment_grace_days)
    on.lead("1")
    assert on.claim().sendings == []
    assert on.skips() == [("not_entitled", 1)]
    on.lead("-1.5")
    closing = on.sending()
    assert (closing.request.quantity, closing.request.reduce_only) == (Decimal("0.5"), True)


def test_a_payment_in_the_days_of_grace_lets_it_go_on(session: Session) -> None:
    on = desk(session)
    days(on, 31)
    paid.mark_past_due(session, subscription_id=on.subscription_id)
    paid.entitle(session, subscription_id=on.subscription_id, until=clock.now() + timedelta(days=30))
    days(on, settings().payment_grace_days)
    assert subscription_service.expire_due(session, clock.now()) == 0
    on.copy("1")
    assert on.leg().held == 1


def test_who_chose_nothing_has_his_exits_followed_and_nothing_dumped(session: Session) -> None:
    on = desk(session)
    on.copy("1")
    lapse(on)
    assert state(on).end_mode == "follow_exits"
    assert on.claim().sendings == []
    assert on.leg().state == LegState.FOLLOWING


def test_who_chose_to_close_is_closed(session: Session) -> None:
    on = desk(session)
    on.copy("1")
    choose(on, EndMode.CLOSE)
    lapse(on)
    closing = on.sending()
    assert (closing.request.side.value, closing.request.quantity, closing.request.reduce_only) == ("sell", 1, True)
    assert state(on).finished_at is None
    on.filled(closing)
    settle(on)
    assert on.leg().state == LegState.CLOSED
    assert state(on).finished_at is not None


def test_who_chose_to_keep_is_left_alone_for_good(session: Session) -> None:
    on = desk(session)
    on.copy("1")
    choose(on, EndMode.KEEP)
    lapse(on)
    assert (on.leg().state, on.leg().held) == (LegState.KEPT, 1)
    assert state(on).finished_at is not None
    assert session.get(SymbolReady, (on.market.copy, BTC)) is None, "what is his own now is read again"
    on.lead("-1")
    assert on.claim().sendings == []
    assert on.leg().held == 1


def test_who_chose_to_follow_exits_is_led_out(session: Session) -> None:
    on = desk(session)
    on.copy("1")
    on.lead("0.5")
    choose(on, EndMode.FOLLOW_EXITS)
    lapse(on)
    assert on.claim().sendings == []
    assert [reason for reason, _ in on.skips()] == ["stopped"]
    on.lead("0.5")
    assert on.claim().sendings == []
    on.lead("-1.2")
    closing = on.sending()
    assert (closing.request.quantity, closing.request.reduce_only) == (Decimal("0.2"), True)
    on.filled(closing)
    settle(on)
    assert state(on).finished_at is None
    on.lead("-0.8")
    on.filled(on.sending())
    settle(on)
    assert on.leg().state == LegState.CLOSED
    assert state(on).finished_at is not None


def test_a_pause_goes_over_into_the_end(session: Session) -> None:
    on = desk(session)
    on.copy("1")
    service.pause(session, owner=on.market.bob.id, subscription_id=on.subscription_id)
    choose_paused = session.get_one(CopySetting, on.subscription_id)
    assert choose_paused.is_paused
    lapse(on)
    on.lead("-1")
    on.filled(on.sending())
    settle(on)
    assert state(on).finished_at is not None


def test_mallory_chooses_no_end_for_bob(session: Session) -> None:
    on, mallory = desk(session), people.mallory(session)
    with pytest.raises(NotFound):
        subscription_service.choose_end(
            session, owner=mallory.id, subscription_id=on.subscription_id, mode=subscription_service.EndMode.CLOSE
        )
    assert state(on).end_mode == "follow_exits"


def test_who_subscribes_again_keeps_what_he_kept(session: Session) -> None:
    on = desk(session)
    on.copy("1")
    choose(on, EndMode.KEEP)
    lapse(on)
    on.lead("-1")
    again = _subscribe_again(on)
    on.copy("2")
    legs = {leg.subscription_id: leg for leg in session.exec(select(LegRow).execution_options(populate_existing=True))}
    assert (legs[on.subscription_id].held, legs[again].held) == (1, 2)
    on.lead("-2")
    closing = on.sending()
    assert closing.request.quantity == 2
    on.filled(closing)
    session.expire_all()
    legs = {leg.subscription_id: leg for leg in session.exec(select(LegRow))}
    assert (legs[on.subscription_id].state, legs[on.subscription_id].held, legs[again].held) == (LegState.KEPT, 1, 0)


def _subscribe_again(on: Desk) -> UUID:
    again = service.subscribe(
        on.session,
        owner=on.market.bob.id,
        profile_id=on.market.profile_id,
        copy_account_id=on.market.copy,
        settings=SETTINGS,
    )
    now = clock.now()
    paid.entitle(on.session, subscription_id=again, until=now + timedelta(days=30))
    on.session.get_one(Subscription, again).started_at = now - timedelta(seconds=1)
    on.session.add(
        SymbolReady(exchange_account_id=on.market.copy, symbol=BTC, leverage=5, lead_leverage=5, read_at=now)
    )
    on.session.flush()
    return again
