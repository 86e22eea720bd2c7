"""What symbols turn over in 24 hours, by which the platform caps what all subscribers together copy of a lead fill."""

import asyncio
from collections import defaultdict
from datetime import timedelta
from decimal import Decimal

import structlog

from copytrade import clock
from copytrade.accounts import queries as accounts
from copytrade.copying import bulk
from copytrade.copying.models import SymbolVolume
from copytrade.copying.terms import Place, Terms
from copytrade.db.session import reading, transaction
from copytrade.errors import ExchangeError
from copytrade.exchanges.port import AccountRef, ClientPool

log = structlog.get_logger()

EVERY = timedelta(minutes=10)
KEPT = timedelta(hours=2)
"""What is older says nothing any more: then nothing is cut."""


async def sweep(pool: ClientPool, terms: Terms) -> None:
    """Know what every copied market turns over, and ask its venue when that is older than ten minutes."""
    leads = await asyncio.to_thread(_places)
    fresh = await asyncio.to_thread(_load, terms)
    await asyncio.gather(*(_read(pool, lead) for place, lead in leads.items() if place not in fresh))
    if leads.keys() - fresh:
        await asyncio.to_thread(_load, terms)


def _places() -> dict[Place, AccountRef]:
    """Return an account to ask with for each market that is copied."""
    with reading() as session:
        leads = {row[0] for row in bulk.fetch(session, "SELECT DISTINCT lead_account_id FROM trades.copy_settings")}
        states = accounts.states(session, leads)
        return {
            (ref.venue.value, ref.market.value, ref.mode): ref
            for ref in accounts.refs(session, leads).values()
            if states.get(ref.id) == "active"
        }


def _load(terms: Terms) -> set[Place]:
    """Take over what any process read; return the markets whose reading is young."""
    now = clock.now()
    found = defaultdict[Place, dict[str, Decimal]](dict)
    fresh = set[Place]()
    with reading() as session:
        rows = bulk.fetch(
            session,
            "SELECT venue, market, mode, symbol, quote_volume, read_at FROM trades.symbol_volumes"
            " WHERE read_at > %(at)s",
            at=now - KEPT,
        )
    for venue, market, mode, symbol, turnover, read_at in rows:
        found[venue, market, mode][symbol] = turnover
        if read_at > now - EVERY:
            fresh.add((venue, market, mode))
    terms.turnover = dict(found)
    return fresh


async def _read(pool: ClientPool, lead: AccountRef) -> None:
    try:
        turnover = await (await pool.get(lead)).day_volumes()
    except ExchangeError as error:
        log.info("turnover.unread", account=str(lead.id), code=error.venue_code)
        return
    await asyncio.to_thread(_store, lead, turnover)


def _store(lead: AccountRef, turnover: dict[str, Decimal]) -> None:
    now, columns = clock.now(), ("venue", "market", "mode", "symbol", "quote_volume", "read_at")
    with transaction() as session:
        bulk.insert(
            session,
            SymbolVolume,
            columns,
            [
                (lead.venue.value, lead.market.value, lead.mode, symbol, amount, now)
                for symbol, amount in sorted(turnover.items())
            ],
            conflict="ON CONFLICT (venue, market, mode, symbol) DO UPDATE"
            " SET quote_volume = excluded.quote_volume, read_at = excluded.read_at",
        )
