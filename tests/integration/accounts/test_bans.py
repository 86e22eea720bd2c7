"""Operators hear of a ban once an hour."""

from sqlmodel import Session

from copytrade.accounts import bans
from copytrade.domain.instruments import Venue
from copytrade.exchanges.gate import Ban
from copytrade.notifications.queries import inbox
from copytrade.notifications.service import deliver_due
from copytrade.users.service import make_operator


def test_a_ban_is_told_to_operators_once(session: Session) -> None:
    operator, _ = make_operator(session, email="ops@copytrade.example")
    session.commit()
    for _ in range(3):
        bans.tell(Ban(Venue.BYBIT, "live", "proxy.example:8080", 600))
    deliver_due()
    (alarm,) = [notice for notice in inbox(session, owner=operator.id) if notice.kind == "alarm.venue_ban"]
    assert "bybit" in alarm.body
    assert "600" in alarm.body
