"""The receipt of a copy: all of its orders, every doubt and how it ended, what was skipped, and its place."""

from collections.abc import Generator
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlmodel import Session

from copytrade import clock
from copytrade.copying import outcomes, queries, resolver, service, skip_results
from copytrade.copying.models import (
    CopyDrift,
    DriftKind,
    OrderState,
    Resolution,
    SwitchMode,
    SwitchScope,
    SymbolTerms,
)
from copytrade.copying.outcomes import Told
from copytrade.copying.rows import Receipt
from copytrade.domain.orders import Outcome, OutcomeKind, Refusal
from copytrade.domain.sizing import CopySettings
from copytrade.errors import NotFound
from tests.integration.copying.desk import BTC, Desk, desk, placed
from tests.integration.users import people

UNKNOWN = Outcome(OutcomeKind.UNKNOWN, message="no answer in time")
HALF = CopySettings(max_leverage=Decimal(100), max_position_notional=Decimal(30_000))


@pytest.fixture(autouse=True)
def still() -> Generator[None]:
    yield
    clock.set_offset(timedelta(0))


def newest(on: Desk) -> Receipt:
    """Return the receipt of the newest part."""
    return queries.receipt(on.session, owner=on.market.bob.id, copy_order_id=on.parts()[-1].id)


def test_a_copy_that_two_orders_carried_shows_both_and_its_average_price(session: Session) -> None:
    on = desk(session)
    on.lead("1")
    on.filled(on.sending(), Decimal("0.6"))
    on.later(1)
    on.price = Decimal(60_100)
    on.filled(on.sending())
    receipt = newest(on)
    assert [(one.carried, one.state) for one in receipt.orders] == [
        (Decimal("0.6"), OrderState.ENDED),
        (Decimal("0.4"), OrderState.FILLED),
    ]
    paid = [one.carried * one.average_price for one in receipt.orders if one.average_price is not None]
    assert receipt.average_price == sum(paid)
    assert (receipt.asked, receipt.copied, receipt.pending) == (1, 1, 0)
    assert (receipt.rank, receipt.served) == (1, 1)


@pytest.mark.parametrize("by", [Resolution.LOOK_UP, Resolution.ORDER_LIST])
def test_an_order_that_was_unknown_says_what_told_its_outcome(session: Session, by: Resolution) -> None:
    on = desk(session)
    on.lead("1")
    sending = on.sending()
    on.tell(sending, UNKNOWN)
    [order] = newest(on).orders
    assert (order.state, order.resolution) == (OrderState.UNKNOWN, "")
    assert order.unknown_at is not None
    assert order.resolved_at is None
    on.later(3)
    outcomes.write(session, [Told(sending.order_id, found=placed(sending).order, by=by)])
    [order] = newest(on).orders
    assert (order.state, order.resolution, order.carried) == (OrderState.FILLED, by, 1)
    assert order.unknown_at is not None
    assert order.resolved_at is not None
    assert timedelta(seconds=2) < order.resolved_at - order.unknown_at < timedelta(seconds=4)


def test_a_sender_that_died_leaves_a_doubt_that_a_late_answer_ends(session: Session) -> None:
    on = desk(session)
    on.lead("1")
    sending = on.sending()
    [order] = on.orders()
    assert order.lease_until is not None
    resolver.claim(session, real_now=order.lease_until + timedelta(seconds=1))
    [shown] = newest(on).orders
    assert (shown.state, shown.resolved_at) == (OrderState.UNKNOWN, None)
    assert shown.unknown_at is not None
    on.filled(sending)
    [shown] = newest(on).orders
    assert (shown.state, shown.resolution) == (OrderState.FILLED, Resolution.ANSWER)


def test_an_order_that_never_arrived_stands_beside_the_one_that_did(session: Session) -> None:
    on = desk(session)
    on.lead("1")
    lost = on.sending()
    on.tell(lost, UNKNOWN)
    outcomes.write(session, [Told(lost.order_id, is_lost=True)])
    on.filled(on.sending())
    assert [(one.state, one.resolution, one.carried) for one in newest(on).orders] == [
        (OrderState.LOST, Resolution.ABSENCE, 0),
        (OrderState.FILLED, "", 1),
    ]
    outcomes.write(session, [Told(lost.order_id, found=placed(lost).order)])
    late = queries.receipt(session, owner=on.market.bob.id, copy_order_id=on.parts()[0].id).orders[0]
    assert (late.resolution, late.filled) == (Resolution.LATE_FILL, 1)


def test_an_order_lost_without_ever_being_called_unknown_was_unknown_all_the_same(session: Session) -> None:
    on = desk(session)
    on.lead("1")
    outcomes.write(session, [Told(on.sending().order_id, is_lost=True)])
    [order] = newest(on).orders
    assert (order.unknown_at is not None, order.resolution) == (True, Resolution.ABSENCE)


def test_an_order_whose_outcome_was_always_known_has_no_such_line(session: Session) -> None:
    on = desk(session)
    on.copy("1")
    on.lead("1")
    on.refuse(on.sending(), Refusal.FUNDS)
    assert [(order.unknown_at, order.resolution) for order in on.orders()] == [(None, "")] * 2


def test_orders_that_brought_nothing_are_told_in_sum(session: Session) -> None:
    on = desk(session)
    on.lead("1")
    for _ in range(3):
        on.filled(on.sending(), Decimal(0))
        on.later(1)
    on.refuse(on.sending(), Refusal.FUNDS)
    receipt = newest(on)
    assert receipt.orders == []
    assert [(one.state, one.refusal, one.count) for one in receipt.tries] == [
        (OrderState.ENDED, "", 3),
        (OrderState.REFUSED, "funds", 1),
    ]
    assert receipt.tries[0].first_at < receipt.tries[0].last_at


def test_what_was_sent_for_one_copy_is_not_shown_with_another(session: Session) -> None:
    on = desk(session)
    on.lead("1")
    on.filled(on.sending(), Decimal(0))
    on.later(1)
    on.filled(on.sending())
    on.later(1)
    on.copy("1")
    assert (len(newest(on).orders), newest(on).tries) == (1, [])


def test_a_receipt_lists_skips_with_what_they_would_have_made(session: Session) -> None:
    on = desk(session, settings=HALF)
    on.lead("1")
    assert [(one.reason, one.quantity, one.pnl, one.is_waiting) for one in newest(on).skips] == [
        ("max_position", Decimal("0.5"), None, True)
    ]
    opening = on.parts()[0].id
    on.price = Decimal(62_000)
    on.lead("-1")
    skip_results.price_lately()
    [skip] = queries.receipt(session, owner=on.market.bob.id, copy_order_id=opening).skips
    assert (skip.pnl, skip.is_waiting) == (Decimal(1000), False)
    [total] = [one for one in queries.skip_sums(session, owner=on.market.bob.id) if one.reason == "max_position"]
    assert (total.count, total.worth, total.pnl, total.waiting) == (1, Decimal(30_000), Decimal(1000), 0)
    line = next(row for row in queries.copies(session, owner=on.market.bob.id).rows if row.id == opening)
    assert line.missed == Decimal(1000)


def test_the_history_is_filtered_by_trader_state_and_any_of_its_reasons(session: Session) -> None:
    on = desk(session, settings=HALF)
    bob = on.market.bob.id
    on.lead("1")
    on.filled(on.sending())
    on.lead("1")
    [second, first] = queries.copies(session, owner=bob).rows
    assert [row.id for row in queries.copies(session, owner=bob, reason="max_position").rows] == [second.id, first.id]
    assert [row.id for row in queries.copies(session, owner=bob, reason="max_position", state="copied").rows] == [
        first.id
    ]
    assert queries.copies(session, owner=bob, reason="paused").rows == []
    here = queries.copies(session, owner=bob, profile_id=on.market.profile_id).rows
    assert [row.id for row in here] == [second.id, first.id]
    assert queries.copies(session, owner=bob, profile_id=on.market.lead).rows == []


def test_what_is_too_small_says_how_far_it_is_from_the_minimum(session: Session) -> None:
    on = desk(session, settings=CopySettings(max_leverage=Decimal(100), factor=Decimal("0.00005")))
    venue, market, mode = on.place
    session.add(
        SymbolTerms(
            venue=venue, market=market, mode=mode, symbol=BTC, base="BTC", quote="USDT", quantity_step=Decimal("0.001"),
            price_tick=Decimal("0.1"), min_quantity=Decimal("0.0001"), max_quantity=Decimal(1000),
            min_notional=Decimal(5), exits_exempt=True, price=Decimal(62_000), read_at=clock.now(),
        )
    )  # fmt: skip
    on.lead("1")
    on.claim()
    [leg] = queries.open_legs(session, owner=on.market.bob.id)
    assert (leg.waits_for, leg.missing, leg.least) == ("too_small", Decimal("3.1"), Decimal("6.2"))


def test_what_keeps_an_entry_back_is_told(session: Session) -> None:
    on = desk(session)
    on.lead("1")
    bob = on.market.bob.id
    service.set_switch(session, by=bob, scope=SwitchScope.SUBSCRIBER, scope_id=str(bob), mode=SwitchMode.HANDS_OFF)
    on.claim()
    [leg] = queries.open_legs(session, owner=bob)
    assert (leg.is_held_back, leg.reason) == (True, "halted")


def test_drifts_and_what_they_hold_are_the_owners_alone(session: Session) -> None:
    on, mallory = desk(session), people.mallory(session)
    on.copy("1")
    leg = on.leg()
    leg.is_halted = True
    session.add(leg)
    session.add(
        CopyDrift(
            leg_id=leg.id, subscription_id=leg.subscription_id, subscriber_id=leg.subscriber_id, symbol=leg.symbol,
            position_side="net", kind=DriftKind.LESS, policy="halt", expected="1", found="0.4", at=clock.now(),
        )
    )  # fmt: skip
    session.flush()
    [drift] = queries.drifts(session, owner=on.market.bob.id)
    assert (drift.kind, drift.policy, drift.expected, drift.found, drift.trader_name) == (
        "less", "halt", "1", "0.4", "Nordwind",
    )  # fmt: skip
    [held] = queries.halted(session, owner=on.market.bob.id)
    assert (held.subscription_id, held.symbols) == (on.subscription_id, ["BTC/USDT:USDT"])
    for ask in (queries.drifts, queries.halted, queries.skip_sums):
        assert ask(session, owner=mallory.id) == []
    with pytest.raises(NotFound):
        queries.receipt(session, owner=mallory.id, copy_order_id=on.parts()[0].id)
