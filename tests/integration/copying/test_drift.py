"""What is done where an account is not what its legs say, by the subscriber's policy, and what his history tells."""

from collections.abc import Collection
from dataclasses import replace
from decimal import Decimal

import pytest
from sqlalchemy.orm import make_transient
from sqlmodel import Session, col, select

from copytrade import clock
from copytrade.accounts import queries as accounts
from copytrade.copying import drifts, mode_drifts, reconciling, service
from copytrade.copying.mode_drifts import Modes
from copytrade.copying.models import CopySetting, SymbolReady
from copytrade.copying.reconciling import Reading
from copytrade.db.events import Event
from copytrade.db.model import new_id
from copytrade.domain.fills import AccountState, Equity
from copytrade.domain.instruments import MarginMode, Market, PositionSide
from copytrade.domain.sizing import CopySettings, DriftLess, DriftLiquidated, DriftModes, DriftMore
from copytrade.errors import NotFound
from tests.integration.copying.desk import BTC, Desk, desk

D = Decimal
NOTHING = Equity(D(0), D(0), D(0), D(0), clock.now())


def choosing(**policies: object) -> CopySettings:
    return CopySettings(max_leverage=D(100), **policies)  # type: ignore[arg-type]


def read(on: Desk, held: str, *, liquidated: Collection[str] = ()) -> list[str]:
    """Compare one reading of Bob's account with his leg."""
    now = clock.now()
    positions = {(BTC, PositionSide.NET): D(held)} if D(held) else {}
    state = AccountState(NOTHING, positions, "", now, now)
    return reconciling.look(
        on.session, Reading(accounts.ref(on.session, on.market.copy), state, now), liquidated=liquidated
    )


def read_twice(on: Desk, held: str, *, liquidated: Collection[str] = ()) -> None:
    on.later(11)
    read(on, held, liquidated=liquidated)
    on.later(6)
    read(on, held, liquidated=liquidated)


def history(on: Desk) -> list[tuple[str, str, str, str, bool]]:
    rows = drifts.drifts(on.session, owner=on.market.bob.id)
    return [(row.kind, row.policy, row.expected, row.found, row.resolved_at is not None) for row in rows[::-1]]


def told(session: Session) -> list[str]:
    return [kind for kind in session.exec(select(Event.kind).order_by(col(Event.id))) if kind.startswith("leg.")]


def test_24_what_he_sold_himself_is_adopted_and_entries_go_on(session: Session) -> None:
    on = desk(session)
    on.copy("1")
    read_twice(on, "0.4")
    assert (on.leg().held, on.leg().target, on.leg().is_halted) == (D("0.4"), D("0.4"), False)
    assert history(on) == [("less", "adopt", "1", "0.4", True)]
    assert told(session) == ["leg.drift"]
    on.copy("1")
    assert on.leg().held == D("1.4")


def test_one_reading_or_two_that_differ_change_nothing(session: Session) -> None:
    on = desk(session)
    on.copy("1")
    on.later(11)
    read(on, "0.4")
    on.later(6)
    read(on, "0.5")
    on.later(4)
    read(on, "0.5")
    assert (on.leg().held, history(on)) == (1, [])
    read(on, "1")
    on.later(6)
    read(on, "0.5")
    assert (on.leg().held, history(on)) == (1, [])


def test_a_halt_adopts_what_is_gone_and_holds_entries_not_exits_until_he_releases(session: Session) -> None:
    on = desk(session, settings=choosing(drift_less=DriftLess.HALT))
    on.copy("1")
    read_twice(on, "0.4")
    assert (on.leg().held, on.leg().target, on.leg().is_halted) == (D("0.4"), D("0.4"), True)
    assert history(on) == [("less", "halt", "1", "0.4", False)]
    on.lead("1")
    assert on.claim().sendings == []
    on.lead("-2")
    sending = on.sending()
    assert (sending.request.side.value, sending.request.quantity) == ("sell", D("0.4"))
    on.filled(sending)
    with pytest.raises(NotFound):
        service.release(session, owner=on.market.alice.id, subscription_id=on.subscription_id)
    service.release(session, owner=on.market.bob.id, subscription_id=on.subscription_id)
    assert history(on) == [("less", "halt", "1", "0.4", True)]
    on.copy("1")
    assert on.leg().held == 1
    assert told(session) == ["leg.halted"]


def test_more_than_copied_is_his_own_and_noted_once(session: Session) -> None:
    on = desk(session)
    on.copy("1")
    for _ in range(3):
        read_twice(on, "3")
    assert history(on) == [("more", "ignore", "1", "3", False)]
    assert (on.leg().held, on.leg().target, on.leg().is_halted, told(session)) == (1, 1, False, [])
    on.copy("1")
    read_twice(on, "4")
    assert len(history(on)) == 1
    read_twice(on, "2")
    assert history(on) == [("more", "ignore", "1", "3", True)]


def test_more_than_copied_halts_entries_where_he_chose_so(session: Session) -> None:
    on = desk(session, settings=choosing(drift_more=DriftMore.HALT))
    on.copy("1")
    read_twice(on, "3")
    assert (history(on), on.leg().is_halted) == ([("more", "halt", "1", "3", False)], True)
    service.release(session, owner=on.market.bob.id, subscription_id=on.subscription_id)
    read_twice(on, "3")
    assert (history(on), on.leg().is_halted) == ([("more", "ignore", "1", "3", False)], False)
    on.lead("-1")
    assert on.sending().request.quantity == 1


@pytest.mark.parametrize(("policy", "is_paused"), [(DriftLiquidated.PAUSE, True), (DriftLiquidated.HALT, False)])
def test_a_liquidated_copy_is_adopted_and_pauses_or_halts(
    session: Session, policy: DriftLiquidated, is_paused: bool
) -> None:
    on = desk(session, settings=choosing(drift_liquidated=policy))
    on.copy("1")
    read_twice(on, "0", liquidated={BTC})
    assert (on.leg().held, on.leg().target, on.leg().is_halted) == (0, 0, not is_paused)
    settings = session.get_one(CopySetting, on.subscription_id, populate_existing=True)
    assert settings.is_paused is is_paused
    assert history(on) == [("liquidated", policy.value, "1", "0", False)]
    on.lead("1")
    assert on.claim().sendings == []
    owner = on.market.bob.id
    (service.resume if is_paused else service.release)(session, owner=owner, subscription_id=on.subscription_id)
    assert history(on) == [("liquidated", policy.value, "1", "0", True)]


def test_18_nothing_is_opened_against_the_lead_by_a_reading(session: Session) -> None:
    on = desk(session)
    on.copy("1")
    read_twice(on, "-2")
    assert (on.leg().held, on.leg().target) == (0, 0)
    assert on.claim().sendings == []


FIVE = Modes(5, MarginMode.CROSS, is_hedged=False)
BY_HAND = Modes(20, MarginMode.ISOLATED, is_hedged=False)


def note(on: Desk, found: Modes) -> None:
    """Compare the modes of Bob's account with what was set."""
    mode_drifts.note(on.session, on.market.copy, {BTC: FIVE}, {BTC: found}, now=clock.now())


def ready(on: Desk) -> SymbolReady | None:
    return on.session.get(SymbolReady, (on.market.copy, BTC), populate_existing=True)


def test_modes_changed_by_hand_hold_entries_until_they_are_back(session: Session) -> None:
    on = desk(session)
    on.copy("1")
    for _ in range(2):
        note(on, BY_HAND)
    assert history(on) == [("modes", "hold", "5x cross one-way", "20x isolated one-way", False)]
    on.lead("1")
    assert on.claim().sendings == []
    on.lead("-1.5")
    assert on.sending().request.side.value == "sell"
    note(on, FIVE)
    assert history(on) == [("modes", "hold", "5x cross one-way", "20x isolated one-way", True)]
    held = ready(on)
    assert held is not None
    assert held.hold == ""
    assert told(session) == ["leg.modes"]


def test_a_release_after_changed_modes_has_the_account_made_ready_again(session: Session) -> None:
    on = desk(session)
    on.copy("1")
    note(on, BY_HAND)
    service.release(session, owner=on.market.bob.id, subscription_id=on.subscription_id)
    assert ready(on) is None
    assert history(on)[0][4] is True


def test_modes_changed_by_hand_are_set_back_where_he_chose_so(session: Session) -> None:
    on = desk(session, settings=choosing(drift_modes=DriftModes.RESET))
    on.copy("1")
    note(on, BY_HAND)
    assert ready(on) is None
    assert history(on) == [("modes", "reset", "5x cross one-way", "20x isolated one-way", False)]
    on.copy("-1")
    on.lead("1")
    assert [(one.symbol, one.is_hedged) for one in on.claim().preparing] == [(BTC, False)]


@pytest.mark.parametrize(("left", "is_cost"), [("9.995", True), ("9.9", False)])
def test_a_fee_taken_in_another_copied_coin_is_cost_and_no_drift(session: Session, left: str, is_cost: bool) -> None:
    on = desk(session, settings=replace(choosing(drift_less=DriftLess.HALT), max_leverage=D(1)), kind=Market.SPOT)
    on.copy("10")
    other = on.orders()[0]
    make_transient(other)
    other.id, other.client_order_id, other.symbol = new_id(), "ctother", "ETH/USDT"
    on.later(1)
    other.fee, other.fee_asset, other.ended_at = D("0.005"), "BTC", clock.now()
    session.add(other)
    session.flush()
    on.later(11)
    for _ in range(2):
        on.later(6)
        now = clock.now()
        state = AccountState(NOTHING, {("BTC/USDT", PositionSide.NET): D(left)}, "", now, now)
        reconciling.look(session, Reading(accounts.ref(session, on.market.copy), state, now))
    assert (on.leg().held, on.leg().is_halted) == (D(left), not is_cost)
    assert told(session) == ([] if is_cost else ["leg.halted"])
