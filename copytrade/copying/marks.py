"""What symbols cost at market now: the marks of many, asked once a place, by an account whose key works."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from uuid import UUID

import structlog
from sqlmodel import Session

from copytrade.accounts import queries as accounts
from copytrade.errors import ExchangeError
from copytrade.exchanges.port import AccountRef, ClientPool

log = structlog.get_logger()

Place = tuple[str, str, str]
Marks = Mapping[Place, Mapping[str, Decimal]]
Askers = Mapping[Place, Sequence[AccountRef]]
MOST_ASKERS = 3
"""One key that the venue refuses must not leave a whole market unwatched."""


def place_of(ref: AccountRef) -> Place:
    """Return where an account trades: what has the same prices."""
    return ref.venue.value, ref.market.value, ref.mode


def askers_of(session: Session, refs: Mapping[UUID, AccountRef]) -> Askers:
    """Return for each place a few accounts by which its prices can be asked: keys that work."""
    states, found = accounts.states(session, refs.keys()), defaultdict[Place, list[AccountRef]](list)
    for ref in refs.values():
        if states.get(ref.id) == "active" and len(found[place_of(ref)]) < MOST_ASKERS:
            found[place_of(ref)].append(ref)
    return dict(found)


async def read_marks(pool: ClientPool, wanted: Mapping[Place, set[str]], *, askers: Askers) -> Marks:
    """Return the marks of these symbols at each place, as far as the venues tell them now."""
    read = await asyncio.gather(*(_read(pool, askers.get(place, ()), symbols) for place, symbols in wanted.items()))
    return dict(zip(wanted, read, strict=True))


async def _read(pool: ClientPool, askers: Sequence[AccountRef], symbols: set[str]) -> dict[str, Decimal]:
    for ref in askers:
        try:
            client = await pool.get(ref)
            rules = await client.rules()
            quotes = await client.quotes(sorted(symbols & rules.keys()))
        except ExchangeError as error:
            log.info("marks.unread", account=str(ref.id), code=error.venue_code)
        else:
            return {symbol: quote.mark for symbol, quote in quotes.items()}
    return {}
