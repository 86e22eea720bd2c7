"""Writing what was captured: many rows of many accounts in one statement each, a repeated row changes nothing."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from copytrade import clock, metrics
from copytrade.capture import trouble
from copytrade.capture.trouble import Trouble
from copytrade.db.bell import CHANNEL, ring
from copytrade.db.model import TRADES, new_id
from copytrade.db.trips import Ask, Asking, answered, array
from copytrade.domain.fills import Candle, Fill, LedgerEntry


class Source(StrEnum):
    """The way a fill came."""

    STREAM = "stream"
    POLL = "poll"
    HISTORY = "history"


@dataclass(frozen=True, slots=True)
class Captured:
    """A fill of an account, received at that time."""

    account_id: UUID
    fill: Fill
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Stored:
    """A fill that was new; `is_waiting`: it is to be planned."""

    id: UUID
    account_id: UUID
    user_id: UUID
    is_waiting: bool


_COLUMNS = {
    "id": "uuid",
    "exchange_account_id": "uuid",
    "symbol": "text",
    "position_side": "text",
    "trade_id": "text",
    "order_id": "text",
    "client_order_id": "text",
    "side": "text",
    "quantity": "numeric",
    "price": "numeric",
    "fee": "numeric",
    "fee_asset": "text",
    "venue_time": "timestamptz",
    "sequence": "bigint",
    "received_at": "timestamptz",
    "is_maker": "boolean",
    "is_liquidation": "boolean",
    "order_quantity": "numeric",
    "order_unit_is_quote": "boolean",
    "position_after": "numeric",
}

# A fill that came by both ways keeps what either knew: only the stream tells the client's order id, the order's
# quantity and the position after it. History is decided here: what is not after the baseline is never planned.
_INSERT = f"""
WITH came AS (
    SELECT * FROM unnest({", ".join(f"%({name})s::{kind}[]" for name, kind in _COLUMNS.items())})
    AS row ({", ".join(_COLUMNS)})
), written AS (
    INSERT INTO {TRADES}.fills ({", ".join(_COLUMNS)}, market, source, is_history)
    SELECT {", ".join(f"came.{name}" for name in _COLUMNS)}, state.market, %(source)s::text,
        state.role <> 'lead' OR (state.baseline_at IS NULL AND %(source)s::text = 'history')
        OR COALESCE(came.venue_time <= state.baseline_at, false)
    FROM came JOIN {TRADES}.capture_states state USING (exchange_account_id)
    ORDER BY came.exchange_account_id, came.symbol, came.trade_id
    ON CONFLICT (exchange_account_id, market, symbol, trade_id, side) DO UPDATE SET
        client_order_id = COALESCE(NULLIF(fills.client_order_id, ''), excluded.client_order_id),
        is_liquidation = fills.is_liquidation OR excluded.is_liquidation,
        sequence = COALESCE(NULLIF(fills.sequence, 0), excluded.sequence),
        order_quantity = COALESCE(fills.order_quantity, excluded.order_quantity),
        order_unit_is_quote = CASE WHEN fills.order_quantity IS NULL
            THEN excluded.order_unit_is_quote ELSE fills.order_unit_is_quote END,
        position_after = COALESCE(fills.position_after, excluded.position_after)
    WHERE (fills.order_quantity IS NULL AND excluded.order_quantity IS NOT NULL)
        OR (fills.position_after IS NULL AND excluded.position_after IS NOT NULL)
        OR (fills.sequence = 0 AND excluded.sequence <> 0)
    RETURNING id, exchange_account_id, symbol, trade_id, xmax = 0 AS is_new,
        planned_at IS NULL AND NOT is_history AS is_waiting
)
SELECT written.id, written.exchange_account_id, written.symbol, written.trade_id, state.user_id, written.is_new,
    written.is_waiting
FROM written JOIN {TRADES}.capture_states state USING (exchange_account_id)
"""  # noqa: S608 - only names of columns and the schema go in


@dataclass(frozen=True, slots=True)
class Written:
    """A fill that was new, or of which something new is known now."""

    stored: Stored
    is_new: bool
    fill: Captured


def store(session: Session, captured: Sequence[Captured], *, source: Source) -> list[Stored]:
    """Store fills of any accounts, ring "plan" and their owners' pages, and return the new ones."""
    written = answered(session, asking(fit(session, captured, source=source), source=source))
    ring(session, *sorted(topics(written)))
    tell(session, written, source=source)
    return [one.stored for one in written if one.is_new]


def fit(session: Session, captured: Sequence[Captured], *, source: Source) -> list[Captured]:
    """Return the fills that can be stored, each once; what cannot is kept as it came."""
    once: dict[tuple[UUID, str, str, str], Captured] = {}
    for one in captured:
        if trouble.is_fit(one.fill):
            # One statement must not meet the same row twice.
            once[one.account_id, one.fill.symbol, one.fill.trade_id, one.fill.side] = one
        else:
            keep_spoiled(session, [ascii(one.fill)], account_id=one.account_id, source=source, now=one.received_at)
    return list(once.values())


def asking(captured: Sequence[Captured], *, source: Source) -> Asking[list[Written]]:
    """Ask for `fit` fills to be stored, and which of them were news."""
    if not captured:
        return []
    rows = [_row(_timely(one)) for one in captured]
    values = {
        name: array(column, kind)
        for (name, kind), column in zip(_COLUMNS.items(), zip(*rows, strict=True), strict=True)
    }
    came = {(one.account_id, one.fill.symbol, one.fill.trade_id): one for one in captured}
    [found] = yield [Ask(_INSERT, {**values, "source": source.value})]
    return [
        Written(Stored(fill_id, account_id, user_id, is_waiting), is_new, came[account_id, symbol, trade_id])
        for fill_id, account_id, symbol, trade_id, user_id, is_new, is_waiting in found
    ]


def topics(written: Sequence[Written]) -> set[str]:
    """Return what is rung after fills were stored."""
    plan = {"plan"} if any(one.stored.is_waiting for one in written) else set[str]()
    return plan | {f"user:{one.stored.user_id}" for one in written if one.is_new}


_RING_OWNERS = f"""
SELECT pg_notify(%(channel)s, 'user:' || user_id) FROM {TRADES}.capture_states WHERE exchange_account_id = ANY(%(ids)s)
"""  # noqa: S608 - only the schema's name goes in


def asking_ring_owners(account_ids: Collection[UUID]) -> Asking[None]:
    """Ask for the pages of accounts' owners to be rung."""
    if account_ids:
        yield [Ask(_RING_OWNERS, {"channel": CHANNEL, "ids": list(account_ids)})]


def tell(session: Session, written: Sequence[Written], *, source: Source) -> None:
    """Mark accounts whose fills claim to be of the future, and measure how late the others came."""
    now, delay = clock.now(), metrics.fill_delay.labels(source=source.value)
    for one in written:
        if not one.is_new:
            continue
        fill, account_id = one.fill.fill, one.stored.account_id
        if trouble.is_ahead(fill, received_at=one.fill.received_at):
            said = fill.venue_time.isoformat()
            trouble.mark(session, Trouble.FUTURE, account_id=account_id, trade=fill.trade_id, said=said)
        if source is not Source.HISTORY:
            delay.observe((now - _timely(one.fill).fill.venue_time).total_seconds())


def _timely(one: Captured) -> Captured:
    # One fill of the year 2100 must not make all that come after it late.
    if not trouble.is_ahead(one.fill, received_at=one.received_at):
        return one
    return replace(one, fill=replace(one.fill, venue_time=one.received_at))


def _row(one: Captured) -> tuple[object, ...]:
    fill = one.fill
    return (
        new_id(),
        one.account_id,
        fill.symbol,
        fill.position_side.value,
        fill.trade_id,
        fill.order_id,
        fill.client_order_id,
        fill.side.value,
        fill.quantity,
        fill.price,
        fill.fee,
        fill.fee_asset,
        fill.venue_time,
        fill.sequence,
        one.received_at,
        fill.is_maker,
        fill.is_liquidation,
        fill.order_quantity,
        fill.order_unit_is_quote,
        fill.position_after,
    )


_ENTRIES = text(f"""
INSERT INTO {TRADES}.account_entries (exchange_account_id, entry_id, kind, asset, amount, symbol, venue_time)
SELECT CAST(:account AS uuid), * FROM unnest(CAST(:ids AS text[]), CAST(:kinds AS text[]), CAST(:assets AS text[]),
    CAST(:amounts AS numeric[]), CAST(:symbols AS text[]), CAST(:times AS timestamptz[]))
ON CONFLICT DO NOTHING RETURNING kind
""")  # noqa: S608


def store_entries(session: Session, entries: Sequence[LedgerEntry], *, account_id: UUID) -> list[str]:
    """Store ledger entries and return the kinds of the new ones."""
    unfit = [ascii(entry) for entry in entries if not trouble.is_fit(entry)]
    keep_spoiled(session, unfit, account_id=account_id, source=Source.POLL, now=clock.now())
    entries = [entry for entry in entries if trouble.is_fit(entry)]
    if not entries:
        return []
    parameters = {
        "account": account_id,
        "ids": [entry.entry_id for entry in entries],
        "kinds": [entry.kind.value for entry in entries],
        "assets": [entry.asset for entry in entries],
        "amounts": [entry.amount for entry in entries],
        "symbols": [entry.symbol for entry in entries],
        "times": [entry.venue_time for entry in entries],
    }
    return [row.kind for row in session.connection().execute(_ENTRIES, parameters)]


_CLOSES = text(f"""
INSERT INTO {TRADES}.daily_closes (venue, symbol, day, close)
SELECT CAST(:venue AS text), CAST(:symbol AS text), * FROM unnest(CAST(:days AS date[]), CAST(:closes AS numeric[]))
ON CONFLICT (venue, symbol, day) DO UPDATE SET close = excluded.close
""")  # noqa: S608


def store_closes(session: Session, candles: Sequence[Candle], *, venue: str, symbol: str) -> None:
    """Store the closes of daily candles; that of the running day changes until it is over."""
    if candles:
        days = {candle.opened_at.date(): candle.close for candle in candles}
        parameters = {"venue": venue, "symbol": symbol, "days": list(days), "closes": list(days.values())}
        session.connection().execute(_CLOSES, parameters)


MOST_SPOILED = 1000
"""Rows kept of one account: a venue that sends nothing but garbage must not fill the disk."""
_SPOILED = text(f"""
INSERT INTO {TRADES}.spoiled_rows (id, exchange_account_id, source, content, received_at)
SELECT CAST(:id AS uuid), CAST(:account AS uuid), CAST(:source AS text), CAST(:content AS text),
    CAST(:now AS timestamptz)
WHERE NOT EXISTS (
    SELECT 1 FROM {TRADES}.spoiled_rows
    WHERE exchange_account_id = CAST(:account AS uuid) AND content = CAST(:content AS text)
) AND (SELECT count(*) FROM {TRADES}.spoiled_rows WHERE exchange_account_id = CAST(:account AS uuid)) < :most
""")  # noqa: S608


def keep_spoiled(session: Session, contents: Sequence[str], *, account_id: UUID, source: Source, now: datetime) -> int:
    """Keep what could not be read, each once, say so and mark the account; return how many were new."""
    kept, common = 0, {"account": account_id, "source": source.value, "now": now, "most": MOST_SPOILED}
    for content in contents:
        parameters = {**common, "id": new_id(), "content": content}
        kept += session.connection().execute(_SPOILED, parameters).rowcount
    if kept:
        trouble.mark(session, Trouble.UNREADABLE, account_id=account_id, rows=kept, source=source.value)
    return kept
