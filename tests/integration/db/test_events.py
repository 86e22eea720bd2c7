from datetime import timedelta

import pytest
from sqlmodel import Session, select

from copytrade import clock
from copytrade.db import clock as moved
from copytrade.db.events import Event, record
from copytrade.db.model import new_id


def test_an_event_lies_in_the_writers_transaction(session: Session) -> None:
    alice = new_id()
    record(session, "account.linked", user_id=alice, venue="binance")
    session.flush()
    event = session.exec(select(Event).where(Event.user_id == alice)).one()
    assert event.facts == {"venue": "binance"}
    assert event.happened_at.utcoffset() == timedelta(0)
    assert event.handled_at is None


def test_the_clock_of_an_installation_moves_together(session: Session) -> None:
    try:
        before = clock.now()
        moved.advance(session, timedelta(days=31))
        moved.follow(session)
        assert timedelta(days=31) <= clock.now() - before < timedelta(days=31, seconds=5)
        assert clock.real_now() - before < timedelta(seconds=5)
    finally:
        clock.set_offset(timedelta(0))


def test_the_clock_of_production_does_not_move(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    from copytrade.settings import Settings

    monkeypatch.setattr(moved, "settings", lambda: Settings(environment="production"))
    with pytest.raises(RuntimeError, match="does not move"):
        moved.advance(session, timedelta(days=1))
