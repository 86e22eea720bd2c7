"""Many accounts linked at once are captured, and their leases are kept with few writes."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import insert, text
from sqlmodel import Session, func, select

from copytrade.accounts.models import ExchangeAccount
from copytrade.capture import leases
from copytrade.capture.accounts import captured
from copytrade.capture.models import CaptureState
from copytrade.db.model import TRADES, new_id
from copytrade.domain.instruments import Market, Role, Venue

MANY = 12_000
"""With six values each, more than one statement may carry."""
NOW = datetime(2026, 1, 1, tzinfo=UTC)
VALIDITY = timedelta(seconds=6)


def linked(session: Session, *, count: int) -> set[UUID]:
    rows = [
        {
            "id": new_id(), "user_id": new_id(), "venue": Venue.BINANCE, "market": Market.PERPETUAL, "role": Role.COPY,
            "mode": "sandbox", "label": "", "fingerprint": str(number).encode(), "key_hint": "", "state": "active",
            "reason": "", "permissions": {}, "created_at": NOW, "changed_at": NOW,
        }
        for number in range(count)
    ]  # fmt: skip
    session.connection().execute(insert(ExchangeAccount), rows)
    return {row["id"] for row in rows}


def test_twelve_thousand_accounts_linked_at_once_are_captured(session: Session) -> None:
    made = linked(session, count=MANY)
    assert captured(session, roles=(Role.LEAD, Role.COPY)).keys() >= made
    assert session.exec(select(func.count()).select_from(CaptureState)).one() >= MANY


def share(session: Session, accounts: set[UUID], *, owner: UUID) -> tuple[set[UUID], list[datetime]]:
    """Let a process take its share; return it with the ends of all leases."""
    held = leases.share(session, accounts, kind="poll", owner=owner, validity=VALIDITY)
    ends = session.connection().execute(text(f"SELECT leased_until FROM {TRADES}.capture_leases ORDER BY 1"))
    return held, list(ends.scalars())


def let_pass(session: Session, seconds: int) -> None:
    """Make what is said about processes older."""
    for table, column in (("capture_leases", "leased_until"), ("capture_processes", "alive_until")):
        session.connection().execute(
            text(f"UPDATE {TRADES}.{table} SET {column} = {column} - {seconds} * interval '1s'")
        )


def test_a_lease_is_written_again_only_when_a_third_of_it_is_over(session: Session) -> None:
    made, owner = linked(session, count=3), new_id()
    held, ends = share(session, made, owner=owner)
    assert held == made
    assert share(session, made, owner=owner) == (made, ends)
    let_pass(session, 3)
    held, renewed = share(session, made, owner=owner)
    assert held == made
    assert renewed[0] >= ends[0]


def test_a_lease_that_ran_out_while_its_process_hung_is_lost_only_where_another_took_it(session: Session) -> None:
    made, slow, quick = linked(session, count=2), new_id(), new_id()
    assert share(session, made, owner=slow)[0] == made
    let_pass(session, 12)
    assert share(session, made, owner=slow)[0] == made, "nobody took them"
    let_pass(session, 12)
    assert share(session, made, owner=quick)[0] == made, "nobody else is alive"
    assert share(session, made, owner=slow)[0] == set()
    halves = [share(session, made, owner=owner)[0] for owner in (quick, slow)]
    assert halves[0] | halves[1] == made
    assert not halves[0] & halves[1]
