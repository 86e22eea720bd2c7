"""A lead who cannot be heard while copies of him are open: told, protected or closed, and what follows."""

import asyncio
from collections.abc import Generator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import cast

import pytest
from sqlmodel import Session, col, select

from copytrade import clock
from copytrade.capture import leases
from copytrade.capture.models import CaptureLease, CaptureState
from copytrade.copying import guarding, silence, standing
from copytrade.copying.earnings import Books
from copytrade.copying.silence import Protected, Watch
from copytrade.db.events import Event
from copytrade.db.model import new_id
from copytrade.domain.sizing import CopySettings, SilenceMode
from copytrade.domain.skips import SkipReason
from copytrade.exchanges.port import ClientPool
from tests.integration.copying.desk import BTC, Desk, desk

SETTINGS = CopySettings(max_leverage=Decimal(100), max_entry_age_s=600)


@pytest.fixture(autouse=True)
def still() -> Generator[None]:
    yield
    clock.set_offset(timedelta(0))


def heard(on: Desk, *, seconds_ago: float = 0) -> datetime:
    """Let the newest poll of Alice's account have been so long ago."""
    at = clock.now() - timedelta(seconds=seconds_ago)
    on.session.get_one(CaptureState, on.market.lead).last_polled_at = at
    on.session.flush()
    return at


def holding(session: Session, mode: SilenceMode, quantity: str = "1") -> Desk:
    """Let Bob hold a copy of Alice, and his stand be read."""
    on = desk(session, settings=replace(SETTINGS, silence=mode))
    heard(on)
    on.copy(quantity)
    reckoning = guarding.reckon(session, Books(), now=clock.now())
    assert reckoning is not None
    guarding.keep(session, reckoning, marks={on.place: {BTC: on.price}})
    return on


def silent(on: Desk) -> datetime:
    """Let nothing be heard of Alice for five minutes, and note it."""
    at = heard(on, seconds_ago=300)
    silence.note(on.session, {on.market.lead: at}, now=clock.now())
    return at


def told(on: Desk) -> list[str]:
    query = select(Event.kind).where(Event.user_id == on.market.bob.id, col(Event.kind).startswith("silence."))
    return list(on.session.exec(query.order_by(col(Event.id))))


def go(on: Desk, price: str) -> None:
    """Let the market go to a price, and protect what is to be protected."""
    on.price = Decimal(price)
    protected = silence.to_protect(on.session)
    prices = {one.leg_id: on.price for one in protected}
    silence.protect(on.session, protected, prices=prices, now=clock.now())


def test_hold_tells_once_and_leaves_the_copy_alone(session: Session) -> None:
    on = holding(session, SilenceMode.HOLD)
    since = silent(on)
    silence.note(session, {on.market.lead: since}, now=clock.now())
    assert told(on) == ["silence.hold"]
    assert standing.blocked(session, [on.subscription_id]) == {on.subscription_id: SkipReason.SILENT}
    assert on.claim().sendings == []
    assert on.leg().held == 1
    [shown] = standing.of(session, owner=on.market.bob.id)
    assert shown.silent_since == since


def test_flatten_closes_at_once_and_nothing_reopens_when_she_is_heard(session: Session) -> None:
    on = holding(session, SilenceMode.FLATTEN)
    silent(on)
    closing = on.sending()
    assert (closing.request.side.value, closing.request.quantity, closing.request.reduce_only) == ("sell", 1, True)
    on.filled(closing)
    heard(on)
    silence.note(session, {}, now=clock.now())
    assert told(on) == ["silence.flatten", "silence.over"]
    assert standing.blocked(session, [on.subscription_id]) == {}
    assert on.claim().sendings == []
    on.lead("-0.5")
    assert on.claim().sendings == []
    on.lead("0.2")
    assert on.sending().request.quantity == Decimal("0.2")


def test_what_she_did_while_she_was_silent_is_followed_when_it_is_known(session: Session) -> None:
    on = holding(session, SilenceMode.HOLD)
    silent(on)
    on.lead("-1")
    assert on.sending().request.reduce_only


def test_what_is_captured_of_her_proves_that_she_is_heard_before_any_sweep(session: Session) -> None:
    on = holding(session, SilenceMode.FLATTEN)
    silent(on)
    heard(on)
    assert standing.blocked(session, [on.subscription_id]) == {}
    on.lead("1")
    assert on.sending().request.side.value == "buy"


@pytest.mark.parametrize(
    ("quantity", "small", "hit", "side"), [("1", "57001", "57000", "sell"), ("-1", "62999", "63000", "buy")]
)
def test_protect_closes_when_the_market_moves_against_the_copy(
    session: Session, quantity: str, small: str, hit: str, side: str
) -> None:
    on = holding(session, SilenceMode.PROTECT, quantity)
    silent(on)
    go(on, "60000")
    assert on.leg().silence_price == 60_000
    go(on, small)
    assert on.claim().sendings == []
    go(on, hit)
    closing = on.sending()
    assert (closing.request.side.value, closing.request.quantity, closing.request.reduce_only) == (side, 1, True)
    go(on, hit)
    assert told(on) == ["silence.protect", "silence.protected"]
    on.filled(closing)
    assert (on.leg().target, on.leg().held) == (0, 0)


def test_the_price_of_a_silence_is_forgotten_with_it(session: Session) -> None:
    on = holding(session, SilenceMode.PROTECT)
    silent(on)
    go(on, "60000")
    heard(on)
    silence.note(session, {}, now=clock.now())
    assert on.leg().silence_price is None
    go(on, "50000")
    assert on.leg().target == 1
    on.later(400)
    silent(on)
    go(on, "50000")
    assert on.leg().silence_price == 50_000
    assert on.leg().target == 1


def test_without_a_price_nothing_is_closed() -> None:
    leg = Protected(new_id(), new_id(), BTC, Decimal(1), None, Decimal("0.05"))
    assert not silence.is_against(leg, Decimal(1))


def test_entries_that_waited_are_skipped_while_she_is_silent(session: Session) -> None:
    on = holding(session, SilenceMode.HOLD)
    on.lead("1")
    silent(on)
    assert on.claim().sendings == []
    assert on.skips() == [("silent", 1)]


def test_nobody_without_an_open_copy_is_told(session: Session) -> None:
    on = holding(session, SilenceMode.FLATTEN)
    on.lead("-1")
    on.filled(on.sending())
    silent(on)
    assert told(on) == []
    assert standing.blocked(session, [on.subscription_id]) == {}


def test_a_stream_that_stands_is_heard_though_polls_fail(session: Session) -> None:
    on = holding(session, SilenceMode.FLATTEN)
    since = silent(on)
    lead, owner = on.market.lead, new_id()
    later = clock.real_now() + timedelta(minutes=1)
    session.add(CaptureLease(kind="stream", exchange_account_id=lead, owner=owner, leased_until=later))
    session.flush()
    leases.note_heard(session, {lead: since + timedelta(seconds=250)}, kind="stream", owner=owner)
    leases.note_heard(session, {lead: since + timedelta(seconds=9)}, kind="stream", owner=owner)
    assert session.get_one(CaptureLease, ("stream", lead)).heard_at == since + timedelta(seconds=250)
    silence.note(session, {}, now=clock.now())
    assert told(on)[-1] == "silence.over"


def test_a_process_that_was_away_itself_watches_before_it_says_so(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    on = holding(session, SilenceMode.FLATTEN)
    heard(on, seconds_ago=300)
    session.commit()
    moment = [1000.0]
    monkeypatch.setattr(silence.time, "monotonic", lambda: moment[0])
    watch = Watch(cast("ClientPool", None))  # nobody's venue is asked: nothing is to be protected
    asyncio.run(watch.sweep())
    moment[0] += silence.LONGEST_WATCH_S - 1
    asyncio.run(watch.sweep())
    assert told(on) == []
    moment[0] += 1
    asyncio.run(watch.sweep())
    assert told(on) == ["silence.flatten"]
    heard(on)
    session.commit()
    asyncio.run(watch.sweep())
    assert told(on) == ["silence.flatten", "silence.over"]
