"""Which position an execution belongs to: the venue tells it of orders, not of executions."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from copytrade.domain.instruments import PositionSide
from copytrade.exchanges.bybit import paging, shapes
from copytrade.exchanges.rows import read_rows
from copytrade.exchanges.values import moment, text
from copytrade.exchanges.wire import Wire

_KEPT = 1000
_BEFORE = timedelta(hours=1)
"""Most orders are placed within so much of their execution; older ones are asked for one by one."""


class Sides:
    """What is known of the position sides of one account's orders; asks for what is not."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._known: OrderedDict[str, PositionSide] = OrderedDict()

    def of(self, order_id: str) -> PositionSide | None:
        """Return the side of an order, None where it is not known."""
        return self._known.get(order_id)

    def learn(self, order_id: str, side: PositionSide) -> None:
        """Remember the side of an order; the oldest are forgotten."""
        self._known[order_id] = side
        while len(self._known) > _KEPT:
            self._known.popitem(last=False)

    async def find(self, rows: list[Any], *, asked: dict[str, Any]) -> Mapping[str, PositionSide]:
        """Return the sides of the orders of some executions of one symbol; `asked` names it.

        Where the symbol is in one-way mode now all of them are taken for one-way: its mode can be changed only while
        nothing is held, and the stream has told the fills of before.
        """
        orders = set(read_rows(rows, lambda row: text(row["orderId"]))[0])
        found = {order_id: self._known[order_id] for order_id in orders & self._known.keys()}
        if len(found) < len(orders):
            found |= await self._ask(rows, orders - found.keys(), asked=asked)
            for order_id, side in found.items():
                self.learn(order_id, side)
        return found

    async def _ask(self, rows: list[Any], orders: set[str], *, asked: dict[str, Any]) -> dict[str, PositionSide]:
        positions = shapes.listed(await self._wire.ask("privateGetV5PositionList", asked))
        if all(self._wire.read(lambda row: row["positionIdx"], one) == 0 for one in positions):
            return dict.fromkeys(orders, PositionSide.NET)
        found = await self._join(rows, asked=asked)
        for order_id in orders - found.keys():
            found |= await self._one(order_id, asked=asked)
        return found

    async def _join(self, rows: list[Any], *, asked: dict[str, Any]) -> dict[str, PositionSide]:
        times, _ = read_rows(rows, lambda row: moment(row["execTime"]))
        if not times:
            return {}
        span = {"since": min(times) - _BEFORE, "until": max(times) + timedelta(seconds=1)}
        page = asked | {"limit": 50}
        return _told(await paging.rows_between(self._wire, "privateGetV5OrderHistory", page, **span))

    async def _one(self, order_id: str, *, asked: dict[str, Any]) -> dict[str, PositionSide]:
        for method in ("privateGetV5OrderRealtime", "privateGetV5OrderHistory"):
            found = _told(shapes.listed(await self._wire.ask(method, asked | {"orderId": order_id})))
            if found:
                return found
        return {}


def _told(rows: Iterable[Any]) -> dict[str, PositionSide]:
    return dict(read_rows(rows, side_of)[0])


def side_of(row: Any) -> tuple[str, PositionSide]:
    """Return an order's id and the side of its position."""
    return text(row["orderId"]), shapes.POSITION_SIDES[row["positionIdx"]]
