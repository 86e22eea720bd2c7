"""Notices when leverage, margin or position mode of a copy account were changed by hand (copy-engine, Drift)."""

import asyncio
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import Session

from copytrade import clock
from copytrade.copying import bulk, drifting, records, settings_rows
from copytrade.copying.models import DriftKind
from copytrade.db.bell import ring
from copytrade.db.session import reading, transaction
from copytrade.domain.instruments import MarginMode, Market
from copytrade.domain.sizing import DriftModes
from copytrade.domain.skips import SkipReason
from copytrade.exchanges.port import AccountRef, ExchangeClient

EVERY_MINUTES = 5


@dataclass(frozen=True, slots=True)
class Modes:
    """How an account stands in one symbol."""

    leverage: int
    margin: MarginMode
    is_hedged: bool

    def __str__(self) -> str:
        return f"{self.leverage}x {self.margin.value} {'hedge' if self.is_hedged else 'one-way'}"


def is_due(account_id: UUID, *, at: datetime) -> bool:
    """Tell whether this reading of an account, one a minute, is the one that looks at its modes too."""
    return at.minute % EVERY_MINUTES == account_id.int % EVERY_MINUTES


async def check(client: ExchangeClient, ref: AccountRef) -> None:
    """Compare the modes of the symbols that an account copies with what was set; the venue's errors go through."""
    if ref.market is Market.SPOT:
        return
    expected = await asyncio.to_thread(_expected, ref.id)
    if not expected:
        return
    is_hedged = await client.is_hedged()
    found = {
        symbol: Modes(await client.leverage(symbol), await client.margin_mode(symbol), is_hedged)
        for symbol in sorted(expected)
    }
    await asyncio.to_thread(_note, ref.id, expected, found)


def _expected(account_id: UUID) -> dict[str, Modes]:
    """Return what was set for the symbols in which something is copied now."""
    with reading() as session:
        rows = bulk.fetch(
            session,
            "SELECT ready.symbol, ready.leverage, ready.margin_mode, bool_or(leg.position_side <> 'net')"
            " FROM trades.symbols_ready ready JOIN trades.legs leg ON leg.copy_account_id = ready.exchange_account_id"
            " AND leg.symbol = ready.symbol WHERE ready.exchange_account_id = %(id)s AND leg.state = 'following'"
            " AND (leg.target <> 0 OR leg.held <> 0 OR ready.hold = %(by_hand)s)"
            " AND ready.margin_mode <> '' AND ready.hold IN ('', %(by_hand)s) GROUP BY 1, 2, 3",
            id=account_id,
            by_hand=SkipReason.MODES_CHANGED.value,
        )
    return {symbol: Modes(leverage, MarginMode(margin), hedged) for symbol, leverage, margin, hedged in rows}


def _note(account_id: UUID, expected: dict[str, Modes], found: dict[str, Modes]) -> None:
    with transaction() as session:
        note(session, account_id, expected, found, now=clock.now())


def note(
    session: Session, account_id: UUID, expected: dict[str, Modes], found: dict[str, Modes], *, now: datetime
) -> None:
    """Write what differs, and hold or set back by the subscribers' policies; what is as it should be lets go again."""
    legs = records.lock(
        session,
        "copy_account_id = %(id)s AND state = 'following' AND symbol = ANY(%(symbols)s) ORDER BY id FOR UPDATE",
        id=account_id,
        symbols=sorted(found),
    )
    chosen = settings_rows.of(session, sorted({leg.subscription_id for leg in legs}))
    known = drifting.with_modes(session, [leg.id for leg in legs])
    by_symbol = defaultdict[str, list[records.LegRecord]](list)
    for leg in legs:
        by_symbol[leg.instrument.symbol].append(leg)
    for symbol, group in by_symbol.items():
        if found[symbol] == expected[symbol]:
            drifting.resolve(session, leg_ids=[leg.id for leg in group], kind=DriftKind.MODES, at=now)
            _hold(session, account_id, symbol, hold="")
            continue
        holds = any(chosen[leg.subscription_id].drift_modes is DriftModes.HOLD for leg in group)
        for leg in group:
            if leg.id not in known:
                told = (str(expected[symbol]), str(found[symbol]))
                drifting.modes(session, leg, *told, settings=chosen[leg.subscription_id], at=now)
        if holds:
            _hold(session, account_id, symbol, hold=SkipReason.MODES_CHANGED.value)
        else:
            # It is made ready again before the next entry, as soon as nothing stands in the way.
            drifting.forget_ready(session, account_id, symbol)
    ring(session, "drive")


def _hold(session: Session, account_id: UUID, symbol: str, *, hold: str) -> None:
    bulk.fetch(
        session,
        "UPDATE trades.symbols_ready SET hold = %(hold)s, retry_at = NULL WHERE exchange_account_id = %(id)s"
        " AND symbol = %(symbol)s AND hold <> %(hold)s AND hold IN ('', %(by_hand)s)",
        id=account_id,
        symbol=symbol,
        hold=hold,
        by_hand=SkipReason.MODES_CHANGED.value,
    )
