"""What a process knows of markets: rules and quotes, asked once for all legs that need them."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

import structlog

from copytrade import clock
from copytrade.copying.work import Known
from copytrade.domain.fills import Quote
from copytrade.domain.instruments import MarketRules
from copytrade.errors import ExchangeError
from copytrade.exchanges.port import AccountRef, ClientPool

log = structlog.get_logger()

QUOTE_AGE = timedelta(milliseconds=800)
Place = tuple[str, str, str]


@dataclass(slots=True)
class Terms:
    """Rules by venue, market and mode, and fresh quotes by symbol."""

    pool: ClientPool
    turnover: dict[Place, Mapping[str, Decimal]] = field(default_factory=dict[Place, Mapping[str, Decimal]])
    """What symbols turned over in 24 hours, in quote (`volumes`)."""
    _rules: dict[Place, Mapping[str, MarketRules]] = field(default_factory=dict[Place, Mapping[str, MarketRules]])
    _free: dict[UUID, tuple[datetime, Mapping[str, Decimal]]] = field(
        default_factory=dict[UUID, tuple[datetime, Mapping[str, Decimal]]]
    )
    _quotes: dict[tuple[str, str, str, str], Quote] = field(default_factory=dict[tuple[str, str, str, str], Quote])

    def known(self) -> Known:
        """Return what is known now; quotes and balances only while they are fresh."""
        oldest = clock.now() - QUOTE_AGE
        self._quotes = {place: quote for place, quote in self._quotes.items() if quote.read_at >= oldest}
        self._free = {account: read for account, read in self._free.items() if read[0] >= oldest}
        return Known(
            dict(self._rules), dict(self._quotes), {account: free for account, (_, free) in self._free.items()}
        )

    def steps(self) -> dict[str, Decimal]:
        """Return the quantity step of every symbol known; the smallest where venues differ."""
        found: dict[str, Decimal] = {}
        for rules in self._rules.values():
            for symbol, rule in rules.items():
                found[symbol] = min(rule.quantity_step, found.get(symbol, rule.quantity_step))
        return found

    def rules_at(self, account: AccountRef, *, mode: str = "") -> Mapping[str, MarketRules] | None:
        """Return the rules known of an account's market, in its own mode or another one."""
        return self._rules.get((account.venue.value, account.market.value, mode or account.mode))

    async def rules(self, account: AccountRef) -> Mapping[str, MarketRules] | None:
        """Return the rules where this account trades; None while the venue does not tell."""
        try:
            client = await self.pool.get(account)
            rules = await client.rules()
        except ExchangeError as error:
            log.info("rules.unread", account=str(account.id), code=error.venue_code, reason=error.message)
            return self._rules.get(_place(account))
        self._rules[_place(account)] = rules
        return rules

    async def quote(self, wanted: Mapping[tuple[UUID, str], AccountRef]) -> None:
        """Read the quotes that these accounts' legs lack, each symbol of a market once."""
        by_market: dict[tuple[str, str, str, str], AccountRef] = {
            (*_place(account), symbol): account for (_, symbol), account in wanted.items()
        }
        await asyncio.gather(*(self._read(place, account) for place, account in by_market.items()))

    async def balances(self, wanted: Mapping[UUID, AccountRef]) -> None:
        """Read what these accounts have free."""
        await asyncio.gather(*(self._read_free(account) for account in wanted.values()))

    async def _read_free(self, account: AccountRef) -> None:
        try:
            client = await self.pool.get(account)
            balances = await client.balances()
        except ExchangeError as error:
            log.info("balances.unread", account=str(account.id), code=error.venue_code)
        else:
            self._free[account.id] = (clock.now(), {one.asset: one.free for one in balances})

    async def _read(self, place: tuple[str, str, str, str], account: AccountRef) -> None:
        try:
            client = await self.pool.get(account)
            self._quotes[place] = await client.quote(place[3])
        except ExchangeError as error:
            log.info("quote.unread", account=str(account.id), symbol=place[3], code=error.venue_code)


def _place(account: AccountRef) -> Place:
    return account.venue.value, account.market.value, account.mode
