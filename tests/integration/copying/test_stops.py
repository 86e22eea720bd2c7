"""Loss limits of a subscription on the real tables: what is reckoned, when it stops, and how it goes on."""

from collections.abc import Generator
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

import pytest
from sqlmodel import Session, col, select

from copytrade import clock
from copytrade.accounts.snapshots import put_snapshot
from copytrade.copying import earnings, guarding, outcomes, records, saving, service, standing
from copytrade.copying.earnings import Books
from copytrade.copying.models import CopyStand
from copytrade.copying.outcomes import Told
from copytrade.db.events import Event
from copytrade.db.model import new_id
from copytrade.domain.fills import Equity
from copytrade.domain.legs import adopt
from copytrade.domain.orders import Outcome, OutcomeKind
from copytrade.domain.sizing import CopySettings, LossUnit, StopMode
from copytrade.domain.skips import SkipReason
from copytrade.errors import Conflict, NotFound
from copytrade.subscriptions.models import Subscription
from tests.integration.copying.desk import BTC, Desk, desk, placed
from tests.integration.users import people

SETTINGS = CopySettings(max_leverage=Decimal(100))
LOSES_500 = replace(SETTINGS, max_daily_loss=Decimal(500))
FALLS_500 = replace(SETTINGS, max_drawdown=Decimal(500))


@pytest.fixture(autouse=True)
def noon() -> Generator[None]:
    """Let no test run over midnight."""
    now = clock.real_now()
    clock.set_offset(datetime.combine(now.date(), time(12), UTC) - now)
    yield
    clock.set_offset(timedelta(0))


def read(on: Desk, price: str) -> CopyStand:
    """Let the market go to a price, and read how Bob's copies stand."""
    on.price = Decimal(price)
    on.later(5)
    reckoning = guarding.reckon(on.session, Books(), now=clock.now())
    assert reckoning is not None
    guarding.keep(on.session, reckoning, marks={on.place: {BTC: on.price}})
    on.session.expire_all()
    return on.session.get_one(CopyStand, on.subscription_id)


def events(on: Desk) -> list[str]:
    query = select(Event.kind).where(Event.user_id == on.market.bob.id, col(Event.kind).startswith("stop."))
    return list(on.session.exec(query))


def bought_at_60000(session: Session, settings: CopySettings) -> Desk:
    on = desk(session, settings=settings)
    on.lead("1")
    sending = on.sending()
    outcome = placed(sending)
    assert outcome.order is not None
    order = replace(outcome.order, average_price=Decimal(60_000), fee=Decimal(24), fee_asset="USDT")
    on.tell(sending, replace(outcome, order=order))
    return on


def test_what_is_open_is_worth_its_mark_and_fees_are_cost(session: Session) -> None:
    on = bought_at_60000(session, SETTINGS)
    assert read(on, "60000").pnl == -24
    on.later(300)
    assert read(on, "60300").pnl == 276


def test_what_was_closed_stays_earned_and_only_copies_count(session: Session) -> None:
    on = bought_at_60000(session, LOSES_500)
    on.price = Decimal(61_000)
    on.lead("-1")
    sending = on.sending()
    outcome = placed(sending)
    assert outcome.order is not None
    on.tell(sending, replace(outcome, order=replace(outcome.order, average_price=Decimal(61_000))))
    stand = read(on, "1")
    assert (stand.pnl, stand.peak_pnl) == (976, 976)


def test_what_bob_closed_himself_counts_at_the_price_it_was_found_at(session: Session) -> None:
    on = bought_at_60000(session, LOSES_500)
    [leg] = records.lock(session, "true FOR UPDATE")
    leg.leg, skips = adopt(leg.leg, Decimal(0), drift_id=new_id(), price=Decimal(59_900), at=clock.now())
    leg.skip(skips)
    saving.save(session, [leg], now=clock.now())
    assert read(on, "1").pnl == -124


def test_a_fee_in_another_coin_is_valued_at_its_own_price(session: Session) -> None:
    on = desk(session, settings=LOSES_500)
    on.lead("1")
    sending = on.sending()
    outcome = placed(sending)
    assert outcome.order is not None
    order = replace(outcome.order, average_price=Decimal(60_000), fee=Decimal("0.1"), fee_asset="BNB")
    on.tell(sending, replace(outcome, order=order))
    reckoning = guarding.reckon(session, Books(), now=clock.now())
    assert reckoning is not None
    [[leg]] = reckoning.legs.values()
    assert leg.wanted() == {BTC, "BNB/USDT:USDT"}
    guarding.keep(session, reckoning, marks={on.place: {BTC: Decimal(60_000), "BNB/USDT:USDT": Decimal(600)}})
    assert session.get_one(CopyStand, on.subscription_id).pnl == -60


def test_without_a_price_nothing_is_judged(session: Session) -> None:
    on = bought_at_60000(session, LOSES_500)
    reckoning = guarding.reckon(session, Books(), now=clock.now())
    assert reckoning is not None
    guarding.keep(session, reckoning, marks={})
    assert session.get(CopyStand, on.subscription_id) is None


@pytest.mark.parametrize("mode", list(StopMode))
@pytest.mark.parametrize(("limit", "reason"), [(LOSES_500, SkipReason.DAILY_LOSS), (FALLS_500, SkipReason.DRAWDOWN)])
def test_a_loss_that_is_reached_closes_or_keeps_and_holds_entries(
    session: Session, limit: CopySettings, reason: SkipReason, mode: StopMode
) -> None:
    on = bought_at_60000(session, replace(limit, stop_mode=mode))
    read(on, "59600")
    assert standing.blocked(session, [on.subscription_id]) == {}
    on.lead("1")
    read(on, "59524")
    assert standing.blocked(session, [on.subscription_id]) == {on.subscription_id: reason}
    sendings = on.claim().sendings
    assert on.skips()[0] == (reason.value, 1)
    does = "closed" if mode is StopMode.CLOSE else "kept"
    assert events(on) == [f"stop.{'daily' if reason is SkipReason.DAILY_LOSS else 'drawdown'}_{does}"]
    if mode is StopMode.CLOSE:
        [sending] = sendings
        assert (sending.request.side.value, sending.request.quantity, sending.request.reduce_only) == ("sell", 1, True)
        on.filled(sending)
        assert (on.leg().target, on.leg().held) == (0, 0)
        assert [part.reason for part in on.parts() if part.kind == "stop"] == [reason.value]
    else:
        assert sendings == []
        on.lead("-2")
        assert on.sending().request.reduce_only
    read(on, "59000")
    assert len(events(on)) == 1


def test_an_entry_that_fills_after_the_stop_is_closed_too(session: Session) -> None:
    on = bought_at_60000(session, replace(LOSES_500, stop_mode=StopMode.CLOSE))
    read(on, "60000")
    on.lead("1")
    entry = on.sending()
    on.tell(entry, Outcome(OutcomeKind.UNKNOWN, message="no answer in time"))
    read(on, "59000")
    closing = on.sending()
    assert (closing.request.quantity, closing.request.reduce_only) == (1, True)
    on.filled(closing)
    outcomes.write(session, [Told(entry.order_id, found=placed(entry).order)])
    rest = on.sending()
    assert (rest.request.side.value, rest.request.quantity) == ("sell", 1)
    on.filled(rest)
    assert (on.leg().target, on.leg().held) == (0, 0)


def test_the_daily_stop_ends_at_midnight_and_the_lead_is_copied_again(session: Session) -> None:
    on = bought_at_60000(session, LOSES_500)
    read(on, "59000")
    [shown] = standing.of(session, owner=on.market.bob.id)
    midnight = datetime.combine(clock.now().date() + timedelta(days=1), time(), UTC)
    assert (shown.loss_today, shown.daily_stopped_until) == (1024, midnight)
    on.later(13 * 3600)
    assert standing.blocked(session, [on.subscription_id]) == {}
    [shown] = standing.of(session, owner=on.market.bob.id)
    assert (shown.loss_today, shown.daily_stopped_until) == (0, None)
    stand = read(on, "59000")
    assert stand.daily_stopped_at is None
    assert stand.day == clock.now().date()


def test_the_drawdown_stop_ends_when_bob_says_so_and_not_when_mallory_does(session: Session) -> None:
    on, mallory = bought_at_60000(session, FALLS_500), people.mallory(session)
    bob = on.market.bob.id
    with pytest.raises(Conflict):
        service.resume_after_stop(session, owner=bob, subscription_id=on.subscription_id)
    read(on, "59000")
    on.later(48 * 3600)
    assert standing.blocked(session, [on.subscription_id]) == {on.subscription_id: SkipReason.DRAWDOWN}
    with pytest.raises(NotFound):
        service.resume_after_stop(session, owner=mallory.id, subscription_id=on.subscription_id)
    service.resume_after_stop(session, owner=bob, subscription_id=on.subscription_id)
    assert standing.blocked(session, [on.subscription_id]) == {}
    read(on, "58525")
    assert standing.blocked(session, [on.subscription_id]) == {}
    read(on, "58499")
    assert standing.blocked(session, [on.subscription_id]) == {on.subscription_id: SkipReason.DRAWDOWN}
    assert standing.of(session, owner=mallory.id) == []


def test_a_share_is_of_the_copy_accounts_equity(session: Session) -> None:
    share = replace(SETTINGS, max_daily_loss=Decimal("0.05"), daily_loss_unit=LossUnit.SHARE)
    on = bought_at_60000(session, share)
    total = Decimal(10_000)
    worth = Equity(total=total, wallet=total, unrealized_pnl=Decimal(0), available=total, read_at=clock.now())
    put_snapshot(session, account_id=on.market.copy, equity=worth, positions=[])
    read(on, "60000")
    read(on, "59530")
    assert standing.blocked(session, [on.subscription_id]) == {}
    read(on, "59500")
    assert standing.blocked(session, [on.subscription_id]) == {on.subscription_id: SkipReason.DAILY_LOSS}


def test_what_was_lost_before_today_is_not_todays_loss(session: Session) -> None:
    on = bought_at_60000(session, LOSES_500)
    session.get_one(Subscription, on.subscription_id).started_at = clock.now() - timedelta(days=3)
    stand = read(on, "58000")
    assert (stand.day_pnl, stand.peak_pnl) == (-2024, 0)
    assert standing.blocked(session, [on.subscription_id]) == {}


def test_a_stand_is_read_once_by_however_many_processes(session: Session) -> None:
    on = bought_at_60000(session, LOSES_500)
    read(on, "60000")
    assert guarding.reckon(session, Books(), now=clock.now()) is None
    on.later(5)
    assert guarding.reckon(session, Books(), now=clock.now()) is not None


def worth(books: Books, on: Desk) -> Decimal | None:
    [leg] = books.of(on.session, [on.subscription_id])
    return leg.worth({BTC: on.price})


def test_what_is_kept_of_old_orders_is_what_all_of_them_made(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    on = bought_at_60000(session, LOSES_500)
    monkeypatch.setattr(earnings, "SETTLED_AFTER_S", 0.0)
    books = Books()
    assert worth(books, on) == -24
    on.copy("1")
    on.price = Decimal(61_000)
    on.copy("-0.5")
    assert worth(books, on) == worth(Books(), on)
    asked = list[object]()
    real = earnings.bulk.fetch

    def counted(session: Session, query: str, **values: object) -> list[tuple[object, ...]]:
        asked.append(values["since"])
        return real(session, query, **values)

    monkeypatch.setattr(earnings.bulk, "fetch", counted)
    assert worth(books, on) is not None
    assert [since == earnings.UUID(int=0) for since in asked] == [False], "old orders are not read again"


def test_an_old_order_that_fills_late_is_found_behind_what_was_kept(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    on = bought_at_60000(session, LOSES_500)
    on.lead("1")
    lost = on.sending()
    on.tell(lost, Outcome(OutcomeKind.UNKNOWN, message="no answer in time"))
    outcomes.write(session, [Told(lost.order_id, is_lost=True)])
    monkeypatch.setattr(earnings, "SETTLED_AFTER_S", -60.0)
    books = Books()
    assert worth(books, on) == -24
    outcomes.write(session, [Told(lost.order_id, found=placed(lost).order)])
    on.price = Decimal(59_000)
    assert worth(books, on) == worth(Books(), on)
    [leg] = books.of(session, [on.subscription_id])
    assert leg.held == 2
