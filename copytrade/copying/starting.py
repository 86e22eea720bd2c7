"""What happens to positions that a lead holds when a subscription starts: judged once, at the market's price."""

import asyncio
from dataclasses import dataclass, replace
from decimal import Decimal
from uuid import UUID

import structlog
from sqlmodel import Session, col, select

from copytrade import clock
from copytrade.accounts import queries as accounts
from copytrade.capture import queries as capture
from copytrade.capture import service as capture_service
from copytrade.copying import planner, rests
from copytrade.copying.desks import Venues
from copytrade.copying.models import CopySetting
from copytrade.copying.planning_rounds import venues_of
from copytrade.copying.terms import Terms
from copytrade.db.session import reading, transaction
from copytrade.domain.changes import ChangeKind, LeadChange
from copytrade.domain.fills import Position, Quote
from copytrade.domain.instruments import Market, Side
from copytrade.domain.quantities import EXACT, ONE, ZERO
from copytrade.domain.sizing import StartMode
from copytrade.domain.trip_book import TripBook
from copytrade.domain.trips import Execution
from copytrade.errors import ExchangeError
from copytrade.exchanges.port import AccountRef, ClientPool
from copytrade.failpoints import Label, reach
from copytrade.subscriptions import queries as subscriptions

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Starting:
    """A subscription whose start is to be judged, and what its lead holds."""

    subscription_id: UUID
    lead: AccountRef
    mode: StartMode
    symbols: tuple[str, ...]


async def sweep(pool: ClientPool, terms: Terms) -> None:
    """Judge the starts that wait; one whose prices cannot be read waits on."""
    for starting in await asyncio.to_thread(_waiting):
        try:
            client = await pool.get(starting.lead)
            rules = await terms.rules(starting.lead)
            quotes = await client.quotes(list(starting.symbols)) if starting.symbols else {}
            positions = {one.symbol: one for one in await client.positions()} if starting.symbols else {}
            if starting.lead.market is Market.SPOT:
                positions = await asyncio.to_thread(with_costs, starting.lead, positions)
        except ExchangeError as error:
            log.info("start.unread", subscription=str(starting.subscription_id), code=error.venue_code)
            continue
        if rules is not None:
            await asyncio.to_thread(_judge, starting, venues_of(terms, starting.lead), quotes, positions)


def with_costs(lead: AccountRef, positions: dict[str, Position]) -> dict[str, Position]:
    """Return what a spot lead holds with the average he paid, as far as his fills tell: the venue does not know it."""
    with reading() as session:
        fills = capture.executions(session, account_id=lead.id, after=None, until=clock.now())
        held = {one.instrument.symbol: one.quantity for one in capture.lead_positions(session, account_id=lead.id)}
    book = TripBook()
    for fill in fills:
        base = fill.symbol.partition("/")[0]
        book.apply(
            Execution(
                symbol=fill.symbol,
                quantity=fill.signed,
                price=fill.price,
                at=fill.venue_time,
                base_fee=fill.fee if fill.fee_asset == base else ZERO,
                only_closes=fill.side == Side.SELL,
            )
        )
    trips = {trip.symbol: trip for trip in book.trips.values() if trip.quantity == held.get(trip.symbol)}
    costs = {symbol: EXACT.divide(trip.cost, trip.quantity) for symbol, trip in trips.items()}
    return {
        symbol: replace(position, entry_price=costs.get(symbol, position.entry_price))
        for symbol, position in positions.items()
    }


def _waiting() -> list[Starting]:
    with reading() as session:
        rows = session.exec(
            select(CopySetting).where(
                col(CopySetting.started_legs_at).is_(None), CopySetting.start_mode != StartMode.NEW_ONLY
            )
        ).all()
        found = list[Starting]()
        for row in rows:
            active = subscriptions.active_on_lead(session, lead_account_id=row.lead_account_id, now=clock.now())
            if any(one.id == row.subscription_id and one.may_enter for one in active):
                held = capture.lead_positions(session, account_id=row.lead_account_id)
                symbols = tuple(sorted({one.instrument.symbol for one in held}))
                lead = accounts.ref(session, row.lead_account_id)
                found.append(Starting(row.subscription_id, lead, StartMode(row.start_mode), symbols))
        return found


def _judge(starting: Starting, venues: Venues, quotes: dict[str, Quote], positions: dict[str, Position]) -> None:
    with transaction() as session:
        judge(session, starting, venues=venues, quotes=quotes, positions=positions)
        reach(Label.START_JUDGED)


def judge(
    session: Session,
    starting: Starting,
    *,
    venues: Venues,
    quotes: dict[str, Quote],
    positions: dict[str, Position],
) -> None:
    """Join what the start mode says, once; the caller commits."""
    capture_service.lock_state(session, starting.lead.id)
    row = session.get(CopySetting, starting.subscription_id, with_for_update=True, populate_existing=True)
    if row is None or row.started_legs_at is not None:
        return
    if rests.is_left(session, starting.lead.id):
        return  # P has moved already, and its leg will have: the next round joins.
    now = row.started_legs_at = clock.now()
    session.add(row)
    session.flush()
    changes = list[LeadChange]()
    for held in capture.lead_positions(session, account_id=starting.lead.id):
        symbol = held.instrument.symbol
        quote, position = quotes.get(symbol), positions.get(symbol)
        if quote is None:
            continue
        price = quote.ask if held.quantity > 0 else quote.bid
        if starting.mode is StartMode.BETTER_PRICE and not _is_better(price, position, is_long=held.quantity > 0):
            continue
        changes.append(
            LeadChange(
                fill_id=None,
                instrument=held.instrument,
                before=ZERO,
                after=held.quantity,
                price=price,
                venue_time=now,
                received_at=now,
                kind=ChangeKind.JOIN,
                order_share=ONE,
                lead_fill_quantity=abs(held.quantity),
            )
        )
    if changes:
        planner.join(session, starting.lead.id, starting.subscription_id, changes, venues=venues)


def _is_better(price: Decimal, position: Position | None, *, is_long: bool) -> bool:
    """Tell whether the market is better now than where the lead got in; unknown is no."""
    if position is None or not position.entry_price:
        return False
    return price < position.entry_price if is_long else price > position.entry_price
