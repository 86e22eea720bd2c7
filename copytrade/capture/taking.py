"""Taking a lead's waiting fills to be planned, and marking them: one trip for reading, one for writing."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlmodel import Session

from copytrade.capture.models import CaptureState, LeadPosition
from copytrade.capture.order_sizes import share
from copytrade.capture.ordering import Waiting
from copytrade.capture.storing import Source
from copytrade.db.model import TRADES
from copytrade.db.trips import Ask, Asking, Row, fetch
from copytrade.domain.changes import LeadChange
from copytrade.domain.instruments import Side

Place = tuple[str, str]
"""Symbol and position side."""
Trade = tuple[str, int]
"""A trade's id and its sequence."""

_STATE_COLUMNS = (
    "exchange_account_id", "user_id", "venue", "market", "role", "created_at", "baseline_at", "polled_until",
    "poll_began_at", "stream_connected_at", "stream_deaf_at",
)  # fmt: skip
_POSITION_COLUMNS = (
    "exchange_account_id", "symbol", "position_side", "quantity", "changes", "planned_until", "marked_at",
    "marked_before", "marked_sequence", "seen_quantity", "seen_at", "odd_quantity", "odd_since", "rebase_to",
    "rebase_price",
)  # fmt: skip
_STATE = (
    f"SELECT {', '.join(_STATE_COLUMNS)} FROM {TRADES}.capture_states WHERE exchange_account_id = %(lead)s FOR UPDATE"  # noqa: S608 - names of ours
)
_POSITIONS = f"SELECT {', '.join(_POSITION_COLUMNS)} FROM {TRADES}.lead_positions WHERE exchange_account_id = %(lead)s"  # noqa: S608 - names of ours
_FILLS = f"""
SELECT id, trade_id, side, quantity, price, venue_time, received_at, position_after, order_id, order_quantity,
    order_unit_is_quote, sequence, symbol, fee, fee_asset, source, position_side
FROM {TRADES}.fills WHERE exchange_account_id = %(lead)s AND planned_at IS NULL AND NOT is_history
"""  # noqa: S608 - only the schema's name goes in


@dataclass(slots=True)
class Found:
    """What there is of a lead to plan: his state, locked until the commit, P and the fills that wait."""

    account_id: UUID
    state: CaptureState | None
    known: dict[Place, LeadPosition]
    waiting: dict[Place, list[Waiting]]


@dataclass(frozen=True, slots=True)
class Taken:
    """Changes that may be planned now, in the venue's order, and what marking them as planned needs."""

    lead_account_id: UUID
    changes: list[LeadChange] = field(default_factory=list[LeadChange])
    contained: list[UUID] = field(default_factory=list[UUID])
    """Fills that P contains already."""
    known: dict[Place, LeadPosition] = field(default_factory=dict[Place, LeadPosition])
    trades: dict[UUID, Trade] = field(default_factory=dict[UUID, Trade])
    is_unproven: bool = False
    """Whether fills were left that something may be missing before: a poll tells."""


def unproven(lead_account_id: UUID) -> str:
    """Return the topic that is rung where a poll has to prove a lead's fills."""
    return f"prove:{lead_account_id}"


def asking(lead_account_id: UUID, *, waits: bool = True) -> Asking[Found]:
    """Ask for what there is to plan; if not `waits`, a lead who is in somebody else's hands has nothing."""
    lead = {"lead": lead_account_id}
    locked = _STATE if waits else f"{_STATE} SKIP LOCKED"
    states, positions, fills = yield [Ask(locked, lead), Ask(_POSITIONS, lead), Ask(_FILLS, lead)]
    # Rows of no session: they are written by `marking`, column by column.
    state = CaptureState(**dict(zip(_STATE_COLUMNS, states[0], strict=True))) if states else None
    rows = [LeadPosition(**dict(zip(_POSITION_COLUMNS, row, strict=True))) for row in positions]
    return Found(lead_account_id, state, {(row.symbol, row.position_side): row for row in rows}, _by_place(fills))


def waiting_fills(session: Session, account_id: UUID) -> dict[Place, list[Waiting]]:
    """Return an account's fills that are to be planned, by instrument."""
    return _by_place(fetch(session, _FILLS, lead=account_id))


def _by_place(fills: Sequence[Row]) -> dict[Place, list[Waiting]]:
    waiting: dict[Place, list[Waiting]] = defaultdict(list)
    for row in fills:
        waiting[row[12], row[16]].append(_waiting(row))
    return waiting


def _waiting(row: Row) -> Waiting:
    (
        fill_id, trade_id, side, quantity, price, venue_time, received_at, position_after, order_id, order_quantity,
        unit_is_quote, sequence, symbol, fee, fee_asset, source, _,
    ) = row  # fmt: skip
    return Waiting(
        id=fill_id,
        trade_id=trade_id,
        signed=quantity * Side(side).sign,
        price=price,
        venue_time=venue_time,
        received_at=received_at,
        position_after=position_after,
        order_id=order_id,
        # The shares of one order never exceed 1, amended or not: who sums them up caps them.
        order_share=share(quantity, price, of=order_quantity, is_quote=unit_is_quote),
        sequence=sequence,
        symbol=symbol,
        fee=fee,
        fee_asset=fee_asset,
        is_streamed=source == Source.STREAM,
    )


# In the order in which a repeated capture touches them, so that the two never wait for each other.
_MARK_FILLS = f"""
WITH mine AS (SELECT id FROM {TRADES}.fills WHERE id = ANY(%(ids)s) ORDER BY symbol, trade_id FOR UPDATE)
UPDATE {TRADES}.fills SET planned_at = %(now)s FROM mine WHERE fills.id = mine.id
"""  # noqa: S608 - only the schema's name goes in
_MOVED: dict[str, str] = {
    "symbol": "text",
    "position_side": "text",
    "quantity": "numeric",
    "changes": "bigint",
    "planned_until": "timestamptz",
    "marked_at": "timestamptz",
    "marked_before": "text",
    "marked_sequence": "bigint",
}
_MOVE = f"""
INSERT INTO {TRADES}.lead_positions (exchange_account_id, {", ".join(_MOVED)})
SELECT %(lead)s, * FROM unnest({", ".join(f"%({name})s::{kind}[]" for name, kind in _MOVED.items())})
ON CONFLICT (exchange_account_id, symbol, position_side) DO UPDATE SET
    {", ".join(f"{name} = excluded.{name}" for name in list(_MOVED)[2:])},
    rebase_to = NULL, rebase_price = NULL, odd_quantity = NULL, odd_since = NULL
"""  # noqa: S608 - names of ours


def marking(taken: Taken, *, now: datetime) -> Sequence[Ask]:
    """Return the statements that set P to where the changes left it and mark their fills planned."""
    asks: list[Ask] = []
    ids = [*taken.contained, *(change.fill_id for change in taken.changes if change.fill_id is not None)]
    if ids:
        asks.append(Ask(_MARK_FILLS, {"ids": ids, "now": now}))
    if rows := _moved(taken):
        columns: dict[str, Any] = {name: [getattr(row, name) for row in rows] for name in _MOVED}
        asks.append(Ask(_MOVE, {"lead": taken.lead_account_id, **columns}))
    return asks


def _moved(taken: Taken) -> list[LeadPosition]:
    by_place: dict[Place, list[LeadChange]] = defaultdict(list)
    for change in taken.changes:
        by_place[change.instrument.symbol, change.instrument.position_side.value].append(change)
    rows: list[LeadPosition] = []
    for (symbol, side), group in sorted(by_place.items()):
        row = taken.known.get((symbol, side))
        row = row or LeadPosition(
            exchange_account_id=taken.lead_account_id,
            symbol=symbol,
            position_side=side,
            quantity=Decimal(0),
            changes=0,
            marked_before="",
            marked_sequence=0,
        )
        advance(row, group, trades=taken.trades)
        rows.append(row)
    return rows


def advance(row: LeadPosition, changes: Sequence[LeadChange], *, trades: Mapping[UUID, Trade]) -> None:
    """Set P to where the changes of one instrument left it; `trades` are those of their fills."""
    is_read, is_forced = row.rebase_to is not None, False
    row.changes += len(changes)
    for change in changes:
        row.quantity = change.after
        if change.fill_id is not None:
            row.planned_until = max(row.planned_until or change.venue_time, change.venue_time)
            if is_forced:
                row.marked_at = change.venue_time
                row.marked_before, row.marked_sequence = trades[change.fill_id]
                is_forced = False
        elif is_read:
            # its mark was set when the second reading agreed; a change of side takes two steps
            is_read = change.after != row.rebase_to
        else:
            is_forced = True
    row.rebase_to = row.rebase_price = row.odd_quantity = row.odd_since = None
