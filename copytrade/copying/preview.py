"""What copy settings would make of a trader's usual order now: real equities, the venue's rules, his own symbols."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from statistics import median
from uuid import UUID

from sqlmodel import Session

from copytrade import clock
from copytrade.accounts import queries as accounts
from copytrade.capture import queries as capture
from copytrade.copying import listing
from copytrade.domain.examples import Example, Occasion, example
from copytrade.domain.instruments import Market, Side
from copytrade.domain.quantities import ratio
from copytrade.domain.sizing import CopySettings, Direction, Equities
from copytrade.errors import InvalidInput
from copytrade.exchanges.port import AccountRef
from copytrade.subscriptions import queries as subscriptions

LATELY = timedelta(days=90)
LATEST_FILLS = 400
MOST_SYMBOLS = 8
MAJOR = "BTC"
USUAL_WORTH = Decimal(1_000)
"""USDT of an order of somebody who has not traded yet."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What an example of copying a trader to an account stands on."""

    market: Market
    equities: Equities
    usual: tuple[Occasion, ...]
    """His usual order in the symbols that he trades most; one of the venue's where he has not traded yet."""
    listed: Mapping[str, str]
    """Every symbol of the venue with its coin; empty while it was never read."""
    holds: int
    """How many positions he has open."""
    holds_better: int
    """How many of them can be entered at a better price than his now."""


def ground(session: Session, *, owner: UUID, profile_id: UUID, copy_account_id: UUID) -> Ground:
    """Return what examples of copying a profile to an account of this owner stand on; NotFound for another's."""
    copy = accounts.account(session, owner=owner, account_id=copy_account_id)
    lead_id = subscriptions.profile(session, profile_id).lead_account_id
    lead = accounts.ref(session, lead_id)
    known = accounts.equities(session, [lead_id])
    listed = listing.listed(session, lead)
    held = capture.lead_positions(session, account_id=lead_id)
    return Ground(
        market=lead.market,
        equities=Equities(copy=copy.equity, lead=known[lead_id].total if lead_id in known else None),
        usual=_usual(session, lead, listed),
        listed=listed,
        holds=len(held),
        holds_better=_better(session, lead_id, {one.instrument.symbol for one in held}),
    )


def of(
    ground: Ground, settings: CopySettings, *, symbol: str = "", quantity: Decimal | None = None
) -> tuple[Occasion, Example] | None:
    """Return his order in a symbol, of `quantity` where given, and what becomes of it; None while nothing was read."""
    asked = next((one for one in ground.usual if one.rules.symbol == symbol), next(iter(ground.usual), None))
    if asked is None:
        return None
    if quantity is not None:
        asked = _sized(asked, quantity)
    asked = replace(asked, sells=settings.directions is Direction.SHORT)
    return asked, example(asked, settings=settings, equities=ground.equities, now=clock.now())


def _sized(occasion: Occasion, quantity: Decimal) -> Occasion:
    rules = occasion.rules
    if not rules.quantity_step <= quantity <= rules.max_quantity:
        raise InvalidInput(
            f"example quantity was {quantity}",
            user="An order of the example is between {least} and {most} {base}.",
            field="example_quantity",
            least=f"{rules.quantity_step.normalize():f}",
            most=f"{rules.max_quantity.normalize():f}",
            base=rules.base,
        )
    return replace(occasion, quantity=rules.round_quantity(quantity))


def _usual(session: Session, lead: AccountRef, listed: Mapping[str, str]) -> tuple[Occasion, ...]:
    fills = capture.fills_page(session, account_ids=[lead.id], since=clock.now() - LATELY, limit=LATEST_FILLS).rows
    counts = Counter(fill.symbol for fill in fills if fill.symbol in listed)
    symbols = [symbol for symbol, _ in counts.most_common(MOST_SYMBOLS)] or _majors(listed)
    terms = listing.terms_of(session, lead, symbols=symbols)
    prices = {fill.symbol: fill.price for fill in reversed(fills)}
    found = list[Occasion]()
    for symbol in symbols:
        row = terms[symbol]
        price = row.price or prices.get(symbol)
        if price is None or price <= 0:
            continue
        rules = listing.rules_of(row)
        price = rules.round_price_inward(price, side=Side.BUY) or price
        quantity = _usual_quantity(fill for fill in fills if fill.symbol == symbol) or ratio(USUAL_WORTH, price)
        quantity = max(rules.round_quantity(quantity), rules.quantity_step)
        found.append(Occasion(listing.instrument_of(row, lead), rules, quantity, price))
    return tuple(found)


def _majors(listed: Mapping[str, str]) -> list[str]:
    ranked = sorted(listed, key=lambda symbol: (listed[symbol] != MAJOR, symbol))
    return ranked[:1]


def _usual_quantity(fills: Iterable[capture.FillRow]) -> Decimal:
    """Return the median of what his orders in a symbol came to, 0 where there are none."""
    orders = defaultdict[str, Decimal](Decimal)
    for fill in fills:
        orders[fill.order_id or fill.trade_id] += fill.quantity
    return median(orders.values()) if orders else Decimal(0)


def _better(session: Session, lead_id: UUID, symbols: set[str]) -> int:
    positions = accounts.positions(session, lead_id)
    return sum(
        1
        for one in positions
        if one.symbol in symbols and one.entry_price and (one.mark_price - one.entry_price) * one.quantity < 0
    )
