"""The switches are looked at once more before a request leaves: cheaply, and never by what is too old."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

import pytest
from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from copytrade.copying import last_look, service, switches
from copytrade.copying.last_look import Board
from copytrade.copying.models import OrderState, SwitchMode, SwitchScope
from copytrade.copying.work import Sending
from copytrade.domain.orders import Outcome, OutcomeKind
from tests.integration.copying.desk import Desk, desk

T = TypeVar("T")


def run(work: Awaitable[T]) -> T:
    async def main() -> T:
        return await work

    return asyncio.run(main())


def put(on: Desk, mode: SwitchMode) -> None:
    bob = on.market.bob.id
    service.set_switch(on.session, by=bob, scope=SwitchScope.SUBSCRIBER, scope_id=str(bob), mode=mode)
    on.session.commit()


def entry_and_exit(session: Session) -> tuple[Desk, Sending, Sending]:
    on = desk(session)
    on.lead("1")
    entry = on.sending()
    on.filled(entry)
    on.lead("-1")
    return on, entry, on.sending()


@pytest.mark.parametrize(
    ("mode", "enters", "leaves"),
    [
        (SwitchMode.ON, True, True),
        (SwitchMode.ENTRIES_OFF, False, True),
        (SwitchMode.FLATTEN, False, True),
        (SwitchMode.HANDS_OFF, False, False),
    ],
)
def test_an_order_leaves_only_as_the_switches_of_this_moment_allow(
    session: Session, mode: SwitchMode, enters: bool, leaves: bool
) -> None:
    on, entry, closing = entry_and_exit(session)
    put(on, mode)
    assert run(Board().may_leave(entry)) is enters
    assert run(Board().may_leave(closing)) is leaves


def test_what_a_claim_has_just_read_is_not_read_again(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    on = desk(session)
    on.lead("1")
    claimed = on.claim()
    [entry] = claimed.sendings
    assert claimed.switches is not None
    moment = [claimed.switches.read_at + last_look.AHEAD_S]
    monkeypatch.setattr(last_look.time, "monotonic", lambda: moment[0])
    put(on, SwitchMode.HANDS_OFF)
    board = Board()
    board.learn(claimed.switches)
    assert run(board.may_leave(entry))
    moment[0] = claimed.switches.read_at + last_look.OLDEST_S + 0.001
    assert not run(board.may_leave(entry))


def test_older_news_do_not_replace_newer(session: Session) -> None:
    on, entry, _ = entry_and_exit(session)
    old = switches.load(session)
    put(on, SwitchMode.HANDS_OFF)
    board = Board()
    board.learn(switches.load(session))
    board.learn(old)
    assert not run(board.may_leave(entry))


def test_many_orders_that_leave_at_once_share_one_reading(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    _, entry, _ = entry_and_exit(session)
    session.commit()
    readings, load = list[float](), switches.load

    def counted(session: Session) -> switches.Switches:
        readings.append(1)
        return load(session)

    monkeypatch.setattr(last_look.switches, "load", counted)
    board = Board()

    async def leave() -> list[bool]:
        return await asyncio.gather(*(board.may_leave(entry) for _ in range(300)))

    assert all(run(leave()))
    assert len(readings) == 1


def test_nothing_leaves_while_nobody_can_read_the_switches(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    _, entry, closing = entry_and_exit(session)

    def away(_: Session) -> switches.Switches:
        raise OperationalError("select", {}, Exception("the database is away"))

    monkeypatch.setattr(last_look.switches, "load", away)
    assert not run(Board().may_leave(entry))
    assert not run(Board().may_leave(closing))


def test_an_order_that_was_held_back_is_dropped_and_its_part_skipped(session: Session) -> None:
    on = desk(session)
    on.lead("1")
    entry = on.sending()
    put(on, SwitchMode.ENTRIES_OFF)
    on.tell(entry, Outcome(OutcomeKind.NOT_SENT, message="it was held back before it left"))
    on.later(2)
    assert on.claim().sendings == []
    assert [order.state for order in on.orders()] == [OrderState.DROPPED]
    assert on.skips() == [("halted", 1)]
