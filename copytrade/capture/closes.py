"""Daily closing prices: of what captured accounts trade, of the benchmark, and of the coins that fees are paid in."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import structlog
from sqlalchemy import func
from sqlalchemy.exc import OperationalError
from sqlmodel import col, select

from copytrade import clock
from copytrade.accounts import queries as accounts
from copytrade.capture import storing, trouble
from copytrade.capture.models import DailyClose, StoredFill
from copytrade.capture.polling import wait
from copytrade.db.bell import bell
from copytrade.db.session import reading, transaction
from copytrade.domain.fills import Candle
from copytrade.domain.instruments import Market, Role
from copytrade.errors import BadCredentials, Unavailable
from copytrade.exchanges.port import AccountRef, ClientPool

log = structlog.get_logger()
EVERY_S = 900.0
"""The running day's close moves; an hour-old one would do, but a restart shall not wait for long."""
AGAIN_S = 30.0
QUIET_S = 20.0
"""Many accounts linked at once are one round."""
ALWAYS = {
    Market.PERPETUAL: ("BTC/USDT:USDT", "BNB/USDT:USDT"),
    Market.SPOT: ("BTC/USDT", "BNB/USDT"),
}
"""The benchmark, and the coin that fees may be paid in."""
LONGEST = timedelta(days=180)
"""As far back as statistics look."""


@dataclass(frozen=True, slots=True)
class Place:
    """A venue's market, with an account through which it may be asked, and the first day wanted of each symbol."""

    ref: AccountRef
    wanted: dict[str, date]


async def run(pool: ClientPool, stop: asyncio.Event) -> None:
    """Keep the closes current until `stop` is set; a new account's symbols are asked for when its past was read."""
    async for _ in bell().rings("history", every=EVERY_S):
        while not stop.is_set() and not await _refresh(pool):
            await wait(stop, AGAIN_S)
        await wait(stop, QUIET_S)
        if stop.is_set():
            return


async def _refresh(pool: ClientPool) -> bool:
    """Read what is wanted; False where some of it has to be asked for again."""
    try:
        places = await asyncio.to_thread(_places)
        read = [
            await _read(pool, place.ref, symbol, since=since)
            for place in places
            for symbol, since in place.wanted.items()
        ]
    except OperationalError as error:
        log.warning("closes.database_away", reason=type(error.orig).__name__)
        return False
    return all(read)


async def _read(pool: ClientPool, ref: AccountRef, symbol: str, *, since: date) -> bool:
    # One symbol that the venue does not know any more must not keep the others from being read.
    begins = datetime.combine(since, time.min, tzinfo=UTC)
    try:
        client = await pool.get(ref)
        candles = await client.candles(symbol, interval="1d", since=begins, until=clock.now())
    except (Unavailable, BadCredentials) as error:
        log.warning("closes.not_read", symbol=symbol, code=error.venue_code)
        return isinstance(error, Unavailable) and trouble.is_gone(error)
    await asyncio.to_thread(_store, ref, symbol, candles)
    return True


def _places() -> list[Place]:
    """Return what is asked of each venue and market: from the last day known on, else from as long ago as is shown."""
    today = clock.now().astimezone(UTC).date()
    with reading() as session:
        places: dict[tuple[str, str, str], AccountRef] = {}
        for role in Role:
            for ref in accounts.active(session, role=role):
                places.setdefault((ref.venue, ref.market, ref.mode), ref)
        found: list[Place] = []
        for ref in places.values():
            traded = session.exec(
                select(col(StoredFill.symbol)).where(StoredFill.market == ref.market.value).distinct()
            ).all()
            known = dict(
                session.exec(
                    select(col(DailyClose.symbol), func.max(DailyClose.day))
                    .where(DailyClose.venue == ref.venue.value)
                    .group_by(col(DailyClose.symbol))
                ).all()
            )
            symbols = sorted({*traded, *ALWAYS[ref.market]})
            found.append(Place(ref, {symbol: known.get(symbol, today - LONGEST) for symbol in symbols}))
        return found


def _store(ref: AccountRef, symbol: str, candles: Sequence[Candle]) -> None:
    with transaction() as session:
        storing.store_closes(session, candles, venue=ref.venue.value, symbol=symbol)
