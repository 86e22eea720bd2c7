"""What the venues' JSON says in the same way, read into our types. Pure; ODD errors where a body is odd."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from copytrade.domain.fills import Candle
from copytrade.domain.orders import OrderRequest, VenueOrder, VenueOrderStatus
from copytrade.exchanges.rows import read_rows
from copytrade.exchanges.values import moment, number, text


def candle(row: Any) -> Candle:
    """Return a candle, which is a list that begins with its time, its prices and its volume."""
    if not isinstance(row, list):
        raise ValueError("a candle was no list")
    opening, high, low, close, volume = (number(value) for value in row[1:6])  # pyright: ignore[reportUnknownVariableType] - JSON
    return Candle(opened_at=moment(row[0]), open=opening, high=high, low=low, close=close, volume=volume)


def acknowledged(request: OrderRequest, *, client_order_id: Any, venue_order_id: Any, at: datetime) -> VenueOrder:
    """Return an order that the venue took and told nothing more of; ValueError where the answer is of another one."""
    if client_order_id != request.client_order_id:
        raise ValueError("the answer speaks of another order")
    return VenueOrder(
        venue_order_id=text(venue_order_id),
        client_order_id=request.client_order_id,
        symbol=request.symbol,
        side=request.side,
        quantity=request.quantity,
        filled=Decimal(0),
        average_price=None,
        status=VenueOrderStatus.OPEN,
        venue_time=at,
    )


def turnovers(rows: Any, *, symbol: str, amount: str) -> list[tuple[str, Decimal]]:
    """Return name and turnover of a day's tickers, by the fields that bear them; odd rows are left out."""
    found, _ = read_rows(rows, lambda row: (text(row[symbol]), number(row[amount])))
    return found
