"""What stands beside an account's row: its worth, a new key under check, its newest examination."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Uuid, any_, bindparam
from sqlalchemy import select as sql_select
from sqlmodel import Session, col, select

from copytrade.accounts.models import AccountEquity, Examination, KeyReplacement
from copytrade.accounts.rows import AccountRow, ExaminationRow, FindingRow, ReplacementRow
from copytrade.domain.fills import Equity


def completed(session: Session, rows: Sequence[AccountRow]) -> list[AccountRow]:
    """Return the rows with equity, new key and examination, in one query each."""
    ids = [row.id for row in rows]
    worth, coming, examined = equities(session, ids), _replacements(session, ids), _examinations(session, ids)
    return [
        replace(
            row,
            equity=worth[row.id].total if row.id in worth else None,
            equity_at=worth[row.id].read_at if row.id in worth else None,
            replacing=coming.get(row.id),
            examination=examined.get(row.id),
        )
        for row in rows
    ]


def equities(session: Session, account_ids: Collection[UUID]) -> dict[UUID, Equity]:
    """Return the newest equity of each account that was ever read, in one query."""
    session.flush()
    # Columns, not rows: a fill of a trader with a thousand subscribers asks for a thousand.
    row = AccountEquity
    rows = session.connection().execute(
        sql_select(
            col(row.exchange_account_id),
            col(row.total),
            col(row.wallet),
            col(row.unrealized_pnl),
            col(row.available),
            col(row.read_at),
        ).where(among(row.exchange_account_id, account_ids))
    )
    return {
        account_id: Equity(total, wallet, unrealized_pnl, available, read_at)
        for account_id, total, wallet, unrealized_pnl, available, read_at in rows
    }


def among(column: Any, ids: Collection[UUID]) -> ColumnElement[bool]:
    """Return the condition that a column is one of many ids, as one array parameter."""
    return col(column) == any_(bindparam(None, list(ids), type_=ARRAY(Uuid)))


def _replacements(session: Session, ids: Collection[UUID]) -> dict[UUID, ReplacementRow]:
    rows = session.exec(select(KeyReplacement).where(among(KeyReplacement.exchange_account_id, ids)))
    return {
        row.exchange_account_id: ReplacementRow(
            state="refused" if row.reason else "checking",
            key_hint=row.key_hint,
            reason=row.reason,
            asked_at=row.asked_at,
        )
        for row in rows
    }


def _examinations(session: Session, ids: Collection[UUID]) -> dict[UUID, ExaminationRow]:
    rows = session.exec(select(Examination).where(among(Examination.exchange_account_id, ids)))
    return {
        row.exchange_account_id: ExaminationRow(
            state="done" if row.finished_at else "running",
            asked_at=row.asked_at,
            finished_at=row.finished_at,
            findings=tuple(FindingRow(**finding) for finding in row.findings),
        )
        for row in rows
    }
