"""Kill switches: each scope and mode, who may set them, what they reach, and the trail that they leave."""

from collections.abc import Callable
from decimal import Decimal
from uuid import UUID

import pytest
from sqlmodel import Session, col, select

from copytrade.copying import service, switching
from copytrade.copying.models import CopySetting, SwitchMode, SwitchScope
from copytrade.copying.switches import PLATFORM
from copytrade.copying.switching import Reach
from copytrade.db.events import Event
from copytrade.errors import InvalidInput, NotAllowed, NotFound
from copytrade.notifications.texts import TEXTS
from copytrade.users import service as users
from tests.integration.copying.desk import Desk, desk
from tests.integration.users import people

HERE: dict[SwitchScope, Callable[[Desk], str]] = {
    SwitchScope.PLATFORM: lambda _: PLATFORM,
    SwitchScope.VENUE: lambda _: "binance",
    SwitchScope.TRADER: lambda on: str(on.market.profile_id),
    SwitchScope.SUBSCRIBER: lambda on: str(on.market.bob.id),
}
NOWHERE = {
    SwitchScope.PLATFORM: "some",
    SwitchScope.VENUE: "kraken",
    SwitchScope.TRADER: "x",
    SwitchScope.SUBSCRIBER: "",
}


def operator(session: Session) -> UUID:
    person, _ = users.make_operator(session, email="operator@copytrade.example")
    session.flush()
    return person.id


def put(on: Desk, scope: SwitchScope, mode: SwitchMode, *, by: UUID) -> None:
    service.set_switch(on.session, by=by, scope=scope, scope_id=HERE[scope](on), mode=mode, reason="a venue misbehaves")


@pytest.mark.parametrize("scope", list(SwitchScope))
def test_no_new_entries_skips_openings_and_lets_exits_go(session: Session, scope: SwitchScope) -> None:
    on, by = desk(session), operator(session)
    on.copy("1")
    put(on, scope, SwitchMode.ENTRIES_OFF, by=by)
    on.lead("1")
    assert on.claim().sendings == []
    assert on.skips() == [("halted", 1)]
    on.lead("-1")
    on.lead("-1")
    assert on.sending().request.reduce_only


@pytest.mark.parametrize("scope", list(SwitchScope))
def test_a_freeze_sends_nothing_and_lets_exits_go_when_it_is_lifted(session: Session, scope: SwitchScope) -> None:
    on, by = desk(session), operator(session)
    on.copy("1")
    put(on, scope, SwitchMode.HANDS_OFF, by=by)
    on.lead("-0.4")
    assert on.claim().sendings == []
    assert on.leg().target == Decimal("0.6")
    on.later(600)
    put(on, scope, SwitchMode.ON, by=by)
    assert on.sending().request.quantity == Decimal("0.4")


def test_an_entry_that_waited_too_long_under_a_freeze_is_too_old_and_a_young_one_goes(session: Session) -> None:
    on, by = desk(session), operator(session)
    put(on, SwitchScope.VENUE, SwitchMode.HANDS_OFF, by=by)
    on.lead("1")
    on.later(70)
    on.lead("2")
    put(on, SwitchScope.VENUE, SwitchMode.ON, by=by)
    assert on.sending().request.quantity == 2
    assert on.skips() == [("too_old", 1)]


@pytest.mark.parametrize("scope", list(SwitchScope))
def test_flatten_closes_what_is_copied_and_opens_nothing(session: Session, scope: SwitchScope) -> None:
    on, by = desk(session), operator(session)
    on.copy("1")
    on.lead("1")
    put(on, scope, SwitchMode.FLATTEN, by=by)
    sending = on.sending()
    assert (sending.request.side.value, sending.request.quantity, sending.request.reduce_only) == ("sell", 1, True)
    assert on.skips() == [("halted", 1), ("halted", 0)]
    on.filled(sending)
    skipped = session.exec(select(Event).where(Event.kind == "copy.skipped")).all()
    assert [row.facts["quantity"] for row in skipped] == ["1"]
    on.lead("1")
    assert on.claim().sendings == []
    assert (on.leg().target, on.leg().held) == (0, 0)
    put(on, scope, SwitchMode.ON, by=by)
    on.lead("-1")
    assert on.claim().sendings == []
    on.lead("1")
    assert on.sending().request.quantity == 1


def test_an_exit_that_did_not_fill_is_tried_on_while_all_is_closed(session: Session) -> None:
    on, by = desk(session), operator(session)
    on.copy("1")
    put(on, SwitchScope.PLATFORM, SwitchMode.FLATTEN, by=by)
    on.filled(on.sending(), Decimal("0.3"))
    assert on.sending().request.quantity == Decimal("0.7")


@pytest.mark.parametrize(
    ("modes", "sent"),
    [
        ((SwitchMode.ENTRIES_OFF, SwitchMode.FLATTEN), True),
        ((SwitchMode.FLATTEN, SwitchMode.HANDS_OFF), False),
        ((SwitchMode.HANDS_OFF, SwitchMode.ON), False),
        ((SwitchMode.ENTRIES_OFF, SwitchMode.ON), False),
    ],
)
def test_the_strictest_of_several_wins(session: Session, modes: tuple[SwitchMode, SwitchMode], sent: bool) -> None:
    on, by = desk(session), operator(session)
    on.copy("1")
    put(on, SwitchScope.VENUE, modes[0], by=by)
    put(on, SwitchScope.SUBSCRIBER, modes[1], by=by)
    assert bool(on.claim().sendings) is sent


def test_other_places_are_left_alone(session: Session) -> None:
    on, by = desk(session), operator(session)
    service.set_switch(
        session, by=by, scope=SwitchScope.VENUE, scope_id="bybit", mode=SwitchMode.FLATTEN, reason="bybit is down"
    )
    on.copy("1")
    assert on.leg().held == 1
    assert on.claim().sendings == []


def test_bob_stops_his_own_copying_with_a_button_and_nobody_elses(session: Session) -> None:
    on, mallory = desk(session), people.mallory(session)
    bob = on.market.bob.id
    on.copy("1")
    service.set_switch(session, by=bob, scope=SwitchScope.SUBSCRIBER, scope_id=str(bob), mode=SwitchMode.FLATTEN)
    on.filled(on.sending())
    for scope in SwitchScope:
        for mode in SwitchMode:
            with pytest.raises(NotAllowed):
                put(on, scope, mode, by=mallory.id)
            if scope is not SwitchScope.SUBSCRIBER:
                with pytest.raises(NotAllowed):
                    put(on, scope, mode, by=bob)
    service.set_switch(
        session, by=mallory.id, scope=SwitchScope.SUBSCRIBER, scope_id=str(mallory.id), mode=SwitchMode.HANDS_OFF
    )
    service.set_switch(session, by=bob, scope=SwitchScope.SUBSCRIBER, scope_id=str(bob), mode=SwitchMode.ON)
    on.lead("1")
    assert on.sending().request.quantity == 1


def test_what_support_has_frozen_only_support_thaws(session: Session) -> None:
    on, by = desk(session), operator(session)
    put(on, SwitchScope.SUBSCRIBER, SwitchMode.HANDS_OFF, by=by)
    with pytest.raises(NotAllowed):
        put(on, SwitchScope.SUBSCRIBER, SwitchMode.ON, by=on.market.bob.id)
    put(on, SwitchScope.SUBSCRIBER, SwitchMode.ON, by=by)
    put(on, SwitchScope.SUBSCRIBER, SwitchMode.ENTRIES_OFF, by=on.market.bob.id)


@pytest.mark.parametrize("reason", ["", "   "])
def test_an_operator_says_why(session: Session, reason: str) -> None:
    by = operator(session)
    with pytest.raises(InvalidInput):
        service.set_switch(
            session, by=by, scope=SwitchScope.PLATFORM, scope_id=PLATFORM, mode=SwitchMode.HANDS_OFF, reason=reason
        )


@pytest.mark.parametrize("scope", list(SwitchScope))
def test_a_switch_is_for_something_that_is_there(session: Session, scope: SwitchScope) -> None:
    by = operator(session)
    with pytest.raises(NotFound):
        service.set_switch(
            session, by=by, scope=scope, scope_id=NOWHERE[scope], mode=SwitchMode.HANDS_OFF, reason="why not"
        )
    with pytest.raises(NotFound):
        service.reach(session, scope=scope, scope_id=NOWHERE[scope])


@pytest.mark.parametrize("scope", list(SwitchScope))
def test_what_a_switch_reaches_is_known_before_it_is_set(session: Session, scope: SwitchScope) -> None:
    on = desk(session)
    assert service.reach(session, scope=scope, scope_id=HERE[scope](on)) == Reach(0, Decimal(0), 0)
    on.copy("0.5")
    assert service.reach(session, scope=scope, scope_id=HERE[scope](on)) == Reach(1, Decimal(30_000), 1)


def test_what_a_switch_reaches_on_paper_is_told_apart(session: Session) -> None:
    on = desk(session)
    on.copy("0.5")
    session.get_one(CopySetting, on.subscription_id).is_paper = True
    session.flush()
    found = service.reach(session, scope=SwitchScope.PLATFORM, scope_id=PLATFORM)
    assert found == Reach(0, Decimal(0), 0, on_paper=1)


def test_every_switch_leaves_who_when_and_why(session: Session) -> None:
    on, by = desk(session), operator(session)
    bob = on.market.bob.id
    put(on, SwitchScope.VENUE, SwitchMode.FLATTEN, by=by)
    put(on, SwitchScope.SUBSCRIBER, SwitchMode.HANDS_OFF, by=by)
    put(on, SwitchScope.SUBSCRIBER, SwitchMode.ON, by=by)
    put(on, SwitchScope.SUBSCRIBER, SwitchMode.ENTRIES_OFF, by=bob)
    found = [(one.scope, one.mode, one.set_by, one.reason) for one in switching.history(session)]
    why = "a venue misbehaves"
    assert found == [
        ("subscriber", "entries_off", bob, why),
        ("subscriber", "on", by, why),
        ("subscriber", "hands_off", by, why),
        ("venue", "flatten", by, why),
    ]
    assert len(switching.history(session, limit=2)) == 2
    told = session.exec(select(Event).where(Event.user_id == bob).order_by(col(Event.id))).all()
    kinds = [row.kind for row in told if row.kind.partition(".")[0] in ("support", "halt")]
    assert kinds == ["support.hands_off", "support.on", "halt.entries_off"]
    assert not any("operator@" in str(row.facts) for row in told), "Bob is not told who of support it was"


@pytest.mark.parametrize("mode", list(SwitchMode))
def test_every_mode_has_its_words(mode: SwitchMode) -> None:
    assert {f"{room}.{mode}" for room in ("switch", "halt", "support")} <= TEXTS.keys()
