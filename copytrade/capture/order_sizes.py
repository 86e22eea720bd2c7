"""How much a lead ordered: venues whose fills do not tell it tell it with the order, before or after the fill."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select as sql_select
from sqlmodel import Session, col

from copytrade import clock
from copytrade.capture.arrays import among_ids
from copytrade.capture.models import StoredFill
from copytrade.db.bell import ring
from copytrade.db.model import TRADES
from copytrade.db.trips import Ask, Asking, answered
from copytrade.domain.fills import Fill
from copytrade.domain.orders import VenueOrder

_REMEMBERED = 100
"""Orders of one account that a stream remembers."""


@dataclass(frozen=True, slots=True)
class OrderSize:
    """The full quantity of an order, in the unit it was given in."""

    quantity: Decimal
    is_quote: bool = False


def size_of(order: VenueOrder) -> OrderSize:
    """Return what an order asks for in all."""
    if order.quote_quantity is not None:
        return OrderSize(order.quote_quantity, is_quote=True)
    return OrderSize(order.quantity)


def with_size(fill: Fill, size: OrderSize | None) -> Fill:
    """Return a fill that says how much its order asked for, where it did not and that is known."""
    if size is None or fill.order_quantity is not None or size.quantity <= 0:
        return fill
    return replace(fill, order_quantity=size.quantity, order_unit_is_quote=size.is_quote)


@dataclass(slots=True)
class Told:
    """What one account's stream has told of its newest orders."""

    _sizes: dict[str, OrderSize] = field(default_factory=dict[str, OrderSize])
    _lacking: dict[str, None] = field(default_factory=dict[str, None])

    def fill(self, fill: Fill) -> Fill:
        """Return a fill with its order's size, which may have been told before it."""
        sized = with_size(fill, self._sizes.get(fill.order_id))
        if sized.order_quantity is None:
            self._lacking[fill.order_id] = None
            _forget_oldest(self._lacking)
        return sized

    def order(self, order: VenueOrder) -> bool:
        """Remember an order's size; tell whether fills were told before it that lack it."""
        self._sizes[order.venue_order_id] = size_of(order)
        _forget_oldest(self._sizes)
        if order.venue_order_id not in self._lacking:
            return False
        del self._lacking[order.venue_order_id]
        return True


def _forget_oldest(told: dict[str, OrderSize] | dict[str, None]) -> None:
    if len(told) > _REMEMBERED:
        del told[next(iter(told))]


_NOTE = f"""
WITH told AS (
    SELECT * FROM unnest(%(accounts)s::uuid[], %(orders)s::text[], %(quantities)s::numeric[],
        %(quotes)s::boolean[]) AS row (account, order_id, quantity, is_quote)
), lacking AS (
    SELECT fills.id, told.quantity, told.is_quote FROM {TRADES}.fills JOIN told
        ON fills.exchange_account_id = told.account AND fills.order_id = told.order_id
    WHERE fills.order_quantity IS NULL AND fills.venue_time > %(since)s
    ORDER BY fills.exchange_account_id, fills.symbol, fills.trade_id FOR UPDATE OF fills
)
UPDATE {TRADES}.fills SET order_quantity = lacking.quantity, order_unit_is_quote = lacking.is_quote
FROM lacking WHERE fills.id = lacking.id
"""  # noqa: S608 - only the schema's name goes in
LOOKS_BACK = timedelta(hours=1)
"""Older fills are in nobody's way any more."""


def note(session: Session, sizes: Mapping[tuple[UUID, str], OrderSize]) -> None:
    """Store how much orders, by account and the venue's id, asked for with those of their fills that do not say it.

    Who waits for it is rung.
    """
    if answered(session, asking_note(sizes)):
        ring(session, "resume")


def asking_note(sizes: Mapping[tuple[UUID, str], OrderSize]) -> Asking[bool]:
    """Ask for what `note` stores; tell whether "resume" is to be rung."""
    known = {place: size for place, size in sizes.items() if size.quantity > 0}
    if known:
        values = {
            "accounts": [account for account, _ in known],
            "orders": [order_id for _, order_id in known],
            "quantities": [size.quantity for size in known.values()],
            "quotes": [size.is_quote for size in known.values()],
            "since": clock.now() - LOOKS_BACK,
        }
        yield [Ask(_NOTE, values)]
    return bool(known)


@dataclass(frozen=True, slots=True)
class LeadOrder:
    """The order of a stored fill, and the fill's share of it (0..1) in its own unit; None until that is known."""

    account_id: UUID
    symbol: str
    order_id: str
    share: Decimal | None


def orders_of(session: Session, fill_ids: Sequence[UUID]) -> dict[UUID, LeadOrder]:
    """Return the orders of these fills."""
    if not fill_ids:
        return {}
    row = StoredFill
    rows = session.connection().execute(
        sql_select(
            col(row.id),
            col(row.exchange_account_id),
            col(row.symbol),
            col(row.order_id),
            col(row.quantity),
            col(row.price),
            col(row.order_quantity),
            col(row.order_unit_is_quote),
        ).where(among_ids(col(row.id), fill_ids))
    )
    return {
        fill_id: LeadOrder(account, symbol, order_id, share(quantity, price, of=ordered, is_quote=is_quote))
        for fill_id, account, symbol, order_id, quantity, price, ordered, is_quote in rows
    }


def share(quantity: Decimal, price: Decimal, *, of: Decimal | None, is_quote: bool) -> Decimal | None:
    """Return a fill's part of its order, both in the unit in which the order was given; None where it is not known."""
    return (quantity * price if is_quote else quantity) / of if of else None
