"""Openings that wait to be sized: for the lead's order, or for an equity; and what is never copied, with its reason."""

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlmodel import Session, col, delete

from copytrade import clock
from copytrade.accounts.models import AccountEquity
from copytrade.capture import order_sizes
from copytrade.capture.order_sizes import OrderSize
from copytrade.copying import service
from copytrade.copying.models import LegRow
from copytrade.domain.sizing import CopySettings, EndMode, SizingMode
from copytrade.subscriptions.models import Subscription
from tests.integration.copying.desk import Desk, desk

D = Decimal
FIXED = CopySettings(mode=SizingMode.FIXED_QUOTE, factor=D(6_000), max_position_notional=D(60_000))


def learn(on: Desk, session: Session, order: str, quantity: str) -> None:
    order_sizes.note(session, {(on.market.lead, order): OrderSize(D(quantity))})


def test_an_opening_of_fixed_size_waits_for_its_order_and_is_sized_then(session: Session) -> None:
    on = desk(session, settings=FIXED)
    on.fill("0.25", order="a")
    assert on.plan().changes == 1
    assert (on.claim().sendings, on.skips(), on.leg().target) == ([], [], 0)
    [part] = on.parts()
    assert (part.asked, part.unsized, part.is_open) == (0, D("0.25"), True)
    assert on.resume() == 1
    learn(on, session, "a", "1")
    assert on.resume() == 0
    [part] = on.parts()
    assert (part.asked, part.unsized, part.is_open) == (D("0.025"), None, True)
    sending = on.sending()
    assert sending.request.quantity == D("0.025")
    on.filled(sending)
    assert [(part.asked, part.copied, part.is_open) for part in on.parts()] == [(D("0.025"), D("0.025"), False)]


def test_exits_of_what_waits_are_not_held_up(session: Session) -> None:
    on = desk(session, settings=FIXED)
    on.fill("1", order="a", of="1")
    on.plan()
    on.filled(on.sending())
    assert on.leg().held == D("0.1")
    on.fill("1", order="b")
    on.fill("-2", order="c", of="2")
    on.plan()
    assert (on.sending().request.side.value, on.leg().target) == ("sell", 0)
    learn(on, session, "b", "1")
    assert on.resume() == 0
    assert on.leg().target == 0
    assert [part.is_open for part in on.parts() if part.unsized is not None] == []


def test_what_is_never_known_is_skipped_after_the_age_of_entries(session: Session) -> None:
    on = desk(session, settings=FIXED)
    on.fill("0.25", order="a")
    on.plan()
    on.later(61)
    assert on.resume() == 0
    assert on.skips() == [("order_unknown", 0)]
    assert [(part.is_open, part.reason) for part in on.parts()] == [(False, "order_unknown")]


def test_the_pause_and_the_end_of_a_subscription_reach_what_waits(session: Session) -> None:
    on = desk(session, settings=FIXED)
    bob = on.market.bob.id
    on.fill("0.25", order="a")
    on.plan()
    service.pause(session, owner=bob, subscription_id=on.subscription_id)
    learn(on, session, "a", "0.25")
    assert on.resume() == 0
    assert on.skips() == [("paused", D("0.1"))]
    service.resume(session, owner=bob, subscription_id=on.subscription_id)
    on.fill("0.25", order="b")
    on.plan()
    service.stop(session, owner=bob, subscription_id=on.subscription_id, mode=EndMode.CLOSE)
    learn(on, session, "b", "0.25")
    assert on.resume() == 0
    assert (on.skips()[-1], on.leg().target) == (("stopped", 0), 0)
    assert not any(part.is_open for part in on.parts())


def test_a_missing_equity_holds_up_only_who_lacks_it(session: Session) -> None:
    on = desk(session)
    on.copy("1")
    session.exec(delete(AccountEquity).where(col(AccountEquity.exchange_account_id) == on.market.copy))
    on.lead("1")
    on.lead("-0.5")
    assert on.leg().target == 1
    assert on.resume() == 1
    on.asked = frozenset({on.market.copy})
    assert on.resume() == 0
    assert on.skips()[-1] == ("equity_unknown", D("0.5"))
    assert on.leg().target == 1
    on.lead("-1.5")
    assert (on.leg().target, on.sending().request.quantity) == (0, 1)


def test_a_symbol_that_the_venue_does_not_list_is_skipped_with_a_reason(session: Session) -> None:
    on = desk(session)
    on.fill("5", symbol="NEW/USDT:USDT")
    assert on.plan().changes == 1
    assert on.skips() == [("unlisted", 5)]
    assert on.claim().sendings == []
    on.fill("-5", symbol="NEW/USDT:USDT")
    assert on.plan().changes == 1
    assert on.skips() == [("unlisted", 5), ("nothing_to_reduce", 0)]


@pytest.mark.parametrize(("turnover", "copied", "cut"), [(D(100_000_000), "1", "1"), (D(1_000_000), "0", "2")])
def test_thin_markets_are_copied_in_part_or_not_at_all(
    session: Session, turnover: Decimal, copied: str, cut: str
) -> None:
    on = desk(session)
    on.turnover = {on.rules.symbol: turnover * D("0.6")}
    on.lead("2")
    assert (on.leg().target, on.skips()) == (D(copied), [("illiquid", D(cut))])
    on.lead("-2")
    assert on.leg().target == 0


def test_a_venue_that_told_of_no_turnover_yet_cuts_nothing(session: Session) -> None:
    on = desk(session)
    on.lead("2")
    assert (on.leg().target, on.skips()) == (2, [])


def test_a_leg_that_follows_nobody_any_more_ends_what_waited(session: Session) -> None:
    on = desk(session, settings=FIXED)
    on.fill("0.25", order="a")
    on.plan()
    leg = on.leg()
    leg.state = "kept"
    session.add(leg)
    session.get_one(Subscription, on.subscription_id).finished_at = clock.now() - timedelta(seconds=1)
    session.flush()
    assert on.resume() == 0
    assert (on.skips(), on.parts()[0].is_open) == ([("stopped", 0)], False)
    assert session.get_one(LegRow, leg.id).target == 0
