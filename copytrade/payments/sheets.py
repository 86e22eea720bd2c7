"""All that moved, row after row, for spreadsheets: read some at a time, so that a table may be as long as it is."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from copytrade.db.session import reading
from copytrade.domain.bookings import trader_account
from copytrade.domain.money import major
from copytrade.errors import NotAllowed, NotFound
from copytrade.users import queries as users

AT_ONCE = 2000
_FIRST = UUID(int=0)


class Sheet(StrEnum):
    """Which table."""

    PAYMENTS = "payments"
    """What the asker paid."""
    EARNINGS = "earnings"
    """What his subscribers paid, and what of it is his."""
    ENTRIES = "entries"
    """Every entry of his account: shares, refunds, payouts."""
    PAYOUTS = "payouts"
    LEDGER = "ledger"
    """Of operators: every entry of every account."""
    PERIODS = "periods"
    DISPUTES = "disputes"
    DIFFERENCES = "differences"


OF_OPERATORS = frozenset({Sheet.LEDGER, Sheet.PERIODS, Sheet.DISPUTES, Sheet.DIFFERENCES})


@dataclass(frozen=True, slots=True)
class _Table:
    """Columns and rows of a table; each row begins with what the next page goes on after, amounts are `minor`."""

    columns: tuple[str, ...]
    select: str
    after: str = "id"
    begin: object = _FIRST


_PERIODS = """
select id, paid_at, stripe_invoice_id as invoice, period_start, period_end, currency, minor as paid_minor,
  refunded_minor, lost_minor{more} from people.paid_periods where id > :after {of_asker} order by id limit :limit
"""
_ENTRIES = """
select id, booked_at, happened_at, booking, kind, account, currency, {sign}minor as minor, available_at
from people.ledger_entries where id > :after {of_asker} order by id limit :limit
"""
_PERIOD = ("paid_at_utc", "invoice", "period_start_utc", "period_end_utc", "currency", "paid", "refunded", "lost")
_ENTRY = ("booked_at_utc", "happened_at_utc", "booking", "kind", "account", "currency", "amount", "free_from_utc")
_TABLES: Mapping[Sheet, _Table] = {
    Sheet.PAYMENTS: _Table(_PERIOD, _PERIODS.format(more="", of_asker="and subscriber_id = :asker")),
    Sheet.EARNINGS: _Table(
        (*_PERIOD, "platform", "share"),
        _PERIODS.format(more=", platform_minor, trader_minor", of_asker="and trader_id = :asker"),
    ),
    Sheet.PERIODS: _Table(
        (*_PERIOD, "platform", "share", "trader", "subscriber", "subscription"),
        _PERIODS.format(more=", platform_minor, trader_minor, trader_id, subscriber_id, subscription_id", of_asker=""),
    ),
    # What we owe is negative in the books, and positive for him whom it is owed to.
    Sheet.ENTRIES: _Table(_ENTRY, _ENTRIES.format(sign="-", of_asker="and account = :account")),
    Sheet.LEDGER: _Table(_ENTRY, _ENTRIES.format(sign="", of_asker="")),
    Sheet.PAYOUTS: _Table(
        ("created_at_utc", "sent_at_utc", "state", "currency", "amount", "transfer"),
        """
        select id, created_at, sent_at, state, currency, minor, stripe_transfer_id
        from people.payouts where id > :after and trader_id = :asker order by id limit :limit
        """,
    ),
    Sheet.DISPUTES: _Table(
        ("dispute", "opened_at_utc", "closed_at_utc", "answer_by_utc", "status", "reason", "currency", "amount"),
        """
        select stripe_dispute_id as id, stripe_dispute_id, opened_at, closed_at, evidence_due_at, status, reason,
          currency, minor from people.disputes where stripe_dispute_id > :after order by 1 limit :limit
        """,
        begin="",
    ),
    Sheet.DIFFERENCES: _Table(
        ("found_at_utc", "resolved_at_utc", "kind", "stripe_id", "ours", "theirs"),
        """
        select id, found_at, resolved_at, kind, stripe_id, ours, theirs
        from people.money_differences where id > :after order by id limit :limit
        """,
    ),
}


def rows_of(sheet: Sheet, *, asker: UUID) -> Iterator[Sequence[object]]:
    """Yield the columns and then the rows of a table, oldest first, only of what the asker may see.

    NotAllowed, before the first row, where it is the operators' and he is none.
    """
    with reading() as session:
        if sheet in OF_OPERATORS and not users.person(session, asker).is_operator:
            raise NotAllowed(f"user {asker} is no operator", user="Only operators may do this.")
    table = _TABLES[sheet]
    return _rows(table, asker)


def sheet_named(name: str) -> Sheet:
    """Return the table of a name; NotFound where there is none."""
    try:
        return Sheet(name)
    except ValueError:
        raise NotFound(f"sheet {name!r} was not found", user="There is no such table.") from None


def _rows(table: _Table, asker: UUID) -> Iterator[Sequence[object]]:
    yield table.columns
    after: Any = table.begin
    while True:
        # A reader may be slow: nothing of the database is held while he takes what was read.
        with reading() as session:
            page = _page(session, table, after=after, asker=asker)
        for row in page:
            yield row[1:]
        if len(page) < AT_ONCE:
            return
        after = page[-1][0]


def _page(session: Session, table: _Table, *, after: object, asker: UUID) -> list[list[object]]:
    values = {"after": after, "asker": asker, "account": trader_account(asker), "limit": AT_ONCE}
    used = {name: value for name, value in values.items() if f":{name}" in table.select}
    found = session.connection().execute(text(table.select), used).mappings()
    return [
        [
            major(int(value), currency=row["currency"]) if name.endswith("minor") else value
            for name, value in row.items()
        ]
        for row in found
    ]
