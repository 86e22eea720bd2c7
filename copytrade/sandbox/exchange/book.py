"""Orders of accounts that rest in the book, best price first, then oldest."""

from bisect import bisect_left, insort
from collections.abc import Iterator

from copytrade.sandbox.exchange.orders import BUY, Order


class RestingBook:
    """The resting orders of one instrument."""

    def __init__(self) -> None:
        self._sides: dict[int, list[tuple[int, int, Order]]] = {1: [], -1: []}

    def __bool__(self) -> bool:
        return bool(self._sides[1] or self._sides[-1])

    def add(self, order: Order) -> None:
        """Let an order rest."""
        insort(self._sides[order.side], (*_rank(order), order), key=lambda entry: entry[:2])

    def remove(self, order: Order) -> None:
        """Take an order out, if it rests here."""
        entries = self._sides[order.side]
        place = bisect_left(entries, _rank(order), key=lambda entry: entry[:2])
        if place < len(entries) and entries[place][2].id == order.id:
            del entries[place]

    def best(self, side: int) -> Order | None:
        """Return the first order of a side."""
        entries = self._sides[side]
        return entries[0][2] if entries else None

    def orders(self, side: int) -> Iterator[Order]:
        """Yield the orders of a side, first the one that trades first; the book may change meanwhile."""
        yield from [entry[2] for entry in self._sides[side]]


def _rank(order: Order) -> tuple[int, int]:
    return (-order.price if order.side == BUY else order.price, order.id)
