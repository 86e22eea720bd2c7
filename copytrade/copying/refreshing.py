"""Keeps copy accounts ready ahead of their first entry, and notices when a lead changes leverage or margin mode."""

import asyncio
from uuid import UUID

from sqlmodel import Session

from copytrade import clock
from copytrade.accounts import queries as accounts
from copytrade.copying import bulk
from copytrade.copying.preparing import Preparer
from copytrade.copying.terms import Terms
from copytrade.copying.work import Preparing
from copytrade.db.session import reading, transaction
from copytrade.domain.fills import Position
from copytrade.domain.instruments import Market, PositionSide
from copytrade.domain.skips import SkipReason
from copytrade.exchanges.port import AccountRef
from copytrade.subscriptions import queries as subscriptions

AT_ONCE = 200


async def sweep(preparer: Preparer) -> None:
    """Prepare accounts for the symbols that their lead holds, some at a time."""
    wanted = await asyncio.to_thread(_wanted)
    if wanted:
        await preparer.prepare(wanted)


async def warm(terms: Terms) -> None:
    """Know the rules of every market that is copied before its first fill: loading a market takes a second."""
    leads = await asyncio.to_thread(_trading)
    known = terms.known().rules
    places = {(one.venue.value, one.market.value, one.mode): one for one in leads}
    await asyncio.gather(*(terms.rules(one) for place, one in places.items() if place not in known))


def _trading() -> list[AccountRef]:
    with reading() as session:
        rows = bulk.fetch(
            session,
            "SELECT DISTINCT lead_account_id FROM trades.copy_settings UNION"
            " SELECT DISTINCT copy_account_id FROM trades.copy_settings WHERE is_paper",
        )
        return list(accounts.refs(session, {row[0] for row in rows}).values())


def _wanted() -> list[Preparing]:
    with transaction() as session:
        leads = {row[0] for row in bulk.fetch(session, "SELECT DISTINCT lead_account_id FROM trades.copy_settings")}
        found = list[Preparing]()
        # On spot there is neither leverage nor margin to set.
        for lead in sorted(one.id for one in accounts.refs(session, leads).values() if one.market is not Market.SPOT):
            found += _unready(session, lead)
        return found[:AT_ONCE]


def _unready(session: Session, lead: UUID) -> list[Preparing]:
    positions = accounts.positions(session, lead)
    held = {one.symbol: one for one in positions}
    traded = _traded(session, lead)
    hedged = {symbol for symbol, side in traded.items() if side is not PositionSide.NET}
    hedged = hedged - held.keys() | {one.symbol for one in positions if one.position_side is not PositionSide.NET}
    copies = subscriptions.active_on_lead(session, lead_account_id=lead, now=clock.now())
    copy_accounts = [one.copy_account_id for one in copies if one.may_enter]
    for symbol, position in held.items():
        _forget_others(session, copy_accounts, symbol, position)
    symbols = sorted(held.keys() | traded.keys())
    if not copy_accounts or not symbols:
        return []
    ready = {
        (account, symbol)
        for account, symbol in bulk.fetch(
            session,
            "SELECT exchange_account_id, symbol FROM trades.symbols_ready WHERE exchange_account_id = ANY(%(ids)s)",
            ids=copy_accounts,
        )
    }
    states = accounts.states(session, copy_accounts)
    refs = accounts.refs(session, copy_accounts)
    return [
        Preparing(refs[account], lead, symbol, symbol in hedged)
        for account in copy_accounts
        for symbol in symbols
        if (account, symbol) not in ready and states.get(account) == "active"
    ]


def _traded(session: Session, lead: UUID) -> dict[str, PositionSide]:
    """Return the symbols that were copied of a lead, and on which side he held each the last time."""
    rows = bulk.fetch(
        session,
        "SELECT DISTINCT ON (symbol) symbol, position_side FROM trades.legs WHERE lead_account_id = %(lead)s"
        " ORDER BY symbol, changed_at DESC",
        lead=lead,
    )
    return {symbol: PositionSide(side) for symbol, side in rows}


def _forget_others(session: Session, copy_accounts: list[UUID], symbol: str, position: Position) -> None:
    """Have accounts made ready again whose lead has another leverage or margin mode now."""
    bulk.fetch(
        session,
        "DELETE FROM trades.symbols_ready WHERE exchange_account_id = ANY(%(ids)s) AND symbol = %(symbol)s"
        " AND hold <> %(by_hand)s AND (lead_leverage <> coalesce(%(leverage)s, lead_leverage)"
        " OR lead_margin_mode <> coalesce(%(margin)s, lead_margin_mode))",
        ids=copy_accounts,
        symbol=symbol,
        by_hand=SkipReason.MODES_CHANGED.value,
        leverage=position.leverage,
        margin=position.margin_mode.value if position.margin_mode else None,
    )
