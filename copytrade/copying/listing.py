"""What each venue lists, demands and asks, written down for the pages: the web has no client of its own."""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from uuid import UUID

import structlog
from sqlmodel import Session, col, select

from copytrade import clock
from copytrade.accounts import places
from copytrade.accounts import queries as accounts
from copytrade.copying import bulk
from copytrade.copying.models import SymbolTerms
from copytrade.copying.terms import Terms
from copytrade.db.bell import ring
from copytrade.db.session import reading, transaction
from copytrade.domain.fills import Quote
from copytrade.domain.instruments import Instrument, Market, MarketRules
from copytrade.errors import ExchangeError
from copytrade.exchanges.port import AccountRef, ClientPool

log = structlog.get_logger()

OLD_AFTER = timedelta(minutes=5)
Place = tuple[str, str, str]
"""Venue, market and mode."""

_COLUMNS = (
    "venue", "market", "mode", "symbol", "base", "quote", "quantity_step", "price_tick", "min_quantity",
    "max_quantity", "min_notional", "exits_exempt", "price", "read_at",
)  # fmt: skip
_NEWER = (
    "ON CONFLICT (venue, market, mode, symbol) DO UPDATE SET quantity_step = excluded.quantity_step,"
    " price_tick = excluded.price_tick, min_quantity = excluded.min_quantity, max_quantity = excluded.max_quantity,"
    " min_notional = excluded.min_notional, exits_exempt = excluded.exits_exempt,"
    " price = coalesce(excluded.price, symbol_terms.price), read_at = excluded.read_at"
)


async def sweep(pool: ClientPool, terms: Terms) -> None:
    """Read again what is older than some minutes, each venue, market and mode once."""
    for account in await asyncio.to_thread(_due):
        rules = await terms.rules(account)
        if rules is None:
            continue
        try:
            quotes = await (await pool.get(account)).quotes(sorted(rules))
        except ExchangeError as error:
            log.info("listing.unpriced", account=str(account.id), code=error.venue_code)
            quotes = dict[str, Quote]()
        await asyncio.to_thread(_write, account, rules, quotes)


def terms_of(session: Session, account: AccountRef, *, symbols: Sequence[str]) -> dict[str, SymbolTerms]:
    """Return what is known of symbols where an account trades."""
    rows = session.exec(
        select(SymbolTerms).where(
            SymbolTerms.venue == account.venue,
            SymbolTerms.market == account.market,
            SymbolTerms.mode == account.mode,
            col(SymbolTerms.symbol).in_(symbols),
        )
    )
    return {row.symbol: row for row in rows}


def terms_at(session: Session, traded: Collection[tuple[UUID, str]]) -> dict[tuple[UUID, str], SymbolTerms]:
    """Return what is known of symbols by (account, symbol), each place asked for once."""
    refs = accounts.refs(session, {account_id for account_id, _ in traded})
    places = defaultdict[Place, list[AccountRef]](list)
    for ref in refs.values():
        places[_place(ref)].append(ref)
    found: dict[tuple[UUID, str], SymbolTerms] = {}
    for there in places.values():
        ids = {ref.id for ref in there}
        wanted = [pair for pair in traded if pair[0] in ids]
        terms = terms_of(session, there[0], symbols=sorted({symbol for _, symbol in wanted}))
        found |= {pair: terms[pair[1]] for pair in wanted if pair[1] in terms}
    return found


def listed(session: Session, account: AccountRef) -> dict[str, str]:
    """Return the symbols that can be traded where an account trades, with their bases."""
    rows = session.exec(
        select(SymbolTerms.symbol, SymbolTerms.base).where(
            SymbolTerms.venue == account.venue,
            SymbolTerms.market == account.market,
            SymbolTerms.mode == account.mode,
        )
    )
    return dict(rows.all())


def rules_of(row: SymbolTerms) -> MarketRules:
    """Return the rules that a row keeps."""
    return MarketRules(
        symbol=row.symbol,
        base=row.base,
        quote=row.quote,
        quantity_step=row.quantity_step,
        price_tick=row.price_tick,
        min_quantity=row.min_quantity,
        max_quantity=row.max_quantity,
        max_market_quantity=row.max_quantity,
        min_notional=row.min_notional,
        exits_exempt_from_minimum=row.exits_exempt,
    )


def instrument_of(row: SymbolTerms, account: AccountRef) -> Instrument:
    """Return where a row's symbol is traded."""
    return Instrument(account.venue, account.market, row.symbol)


def _due() -> list[AccountRef]:
    with reading() as session:
        known = places.one_of_each(session)
        oldest = clock.now() - OLD_AFTER
        fresh = {
            (venue, market, mode)
            for venue, market, mode in bulk.fetch(
                session,
                "SELECT DISTINCT venue, market, mode FROM trades.symbol_terms WHERE read_at >= %(oldest)s",
                oldest=oldest,
            )
        }
    return [account for account in known if _place(account) not in fresh]


def _place(account: AccountRef) -> Place:
    return account.venue.value, account.market.value, account.mode


def _write(account: AccountRef, rules: Mapping[str, MarketRules], quotes: Mapping[str, Quote]) -> None:
    now, (venue, market, mode) = clock.now(), _place(account)
    rows = [
        (
            venue, market, mode, symbol, one.base, one.quote, one.quantity_step, one.price_tick, one.min_quantity,
            one.max_quantity, one.min_notional, one.exits_exempt_from_minimum and account.market is Market.PERPETUAL,
            _middle(quotes.get(symbol)), now,
        )
        for symbol, one in sorted(rules.items())
        if one.is_active
    ]  # fmt: skip
    with transaction() as session:
        bulk.insert(session, SymbolTerms, _COLUMNS, rows, conflict=_NEWER)
        bulk.fetch(
            session,
            "DELETE FROM trades.symbol_terms WHERE venue = %(venue)s AND market = %(market)s AND mode = %(mode)s"
            " AND read_at < %(now)s",
            venue=venue,
            market=market,
            mode=mode,
            now=now - OLD_AFTER,
        )
        ring(session, "listing")


def _middle(quote: Quote | None) -> object:
    return None if quote is None or not quote.bid or not quote.ask else (quote.bid + quote.ask) / 2
