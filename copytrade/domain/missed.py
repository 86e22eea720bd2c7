"""What a quantity that was not copied would have made: priced by the lead's own exits, last in, first out. Pure.

On the axis of the lead's position an opening is the stretch from where he was to where it brought him. Last in, first
out means that he leaves each height of it at the first change that brings him below that height.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from copytrade.domain.quantities import EXACT, ZERO, proportion, sign


@dataclass(frozen=True, slots=True)
class Opening:
    """An opening part: the lead's signed position before and after it, what it asked for (unsigned), his price."""

    before: Decimal
    after: Decimal
    asked: Decimal
    price: Decimal
    at: datetime


@dataclass(frozen=True, slots=True)
class Missed:
    """A quantity ≥ 0 of an opening that was skipped, and when."""

    quantity: Decimal
    at: datetime


@dataclass(frozen=True, slots=True)
class Later:
    """Where a later change, or the end of copying, brought the lead's signed position, and at what price."""

    after: Decimal
    price: Decimal
    at: datetime


@dataclass(slots=True)
class _Piece:
    low: Decimal
    high: Decimal
    left: Decimal
    pnl: Decimal = ZERO


def stretch(before: Decimal, after: Decimal, *, opens: bool) -> tuple[Decimal, Decimal]:
    """Return the lead's position before and after the opening or the reducing part of a change; a flip has both."""
    crosses = sign(before) * sign(after) < 0
    if opens:
        return (ZERO if crosses else before), after
    if crosses:
        return before, ZERO
    return before, after if abs(after) < abs(before) else before


def missed_pnl(opening: Opening, skips: Sequence[Missed], later: Sequence[Later]) -> list[Decimal | None]:
    """Return what each skip would have made in quote, before fees; None while the lead has not left all of it.

    Skips are given in the order in which they were made, later changes in the order in which they were planned. What
    is skipped lies on top of what was copied of the same opening, as in the leg's lots.
    """
    side, floor = sign(opening.after), abs(opening.before)
    height = abs(opening.after) - floor
    low = top = abs(opening.after)
    last, waiting, pieces = opening.price, list(skips), list[_Piece]()
    if not side or height <= 0 or opening.asked <= 0:
        return [None for _ in skips]

    def cut(until: datetime | None) -> None:
        nonlocal top
        while waiting and (until is None or waiting[0].at < until or waiting[0].at <= opening.at):
            skip = waiting.pop(0)
            high = min(top, low)
            top = max(high - proportion(height, skip.quantity, opening.asked), floor)
            pieces.append(_Piece(top, high, skip.quantity))
            if top == high:
                # He had left it before it was skipped: it would have gone with what he left last.
                _leave(pieces[-1], skip.quantity, side=side, entry=opening.price, price=last)

    for change in later:
        cut(change.at)
        reached = max(side * change.after, floor)
        if reached < low:
            for piece in pieces:
                _take(piece, down_from=low, to=reached, side=side, entry=opening.price, price=change.price)
            low, last = reached, change.price
    cut(None)
    return [piece.pnl if not piece.left else None for piece in pieces]


def _take(piece: _Piece, *, down_from: Decimal, to: Decimal, side: int, entry: Decimal, price: Decimal) -> None:
    high, low = min(piece.high, down_from), max(piece.low, to)
    if not piece.left or low >= high:
        return
    share = piece.left if low == piece.low else proportion(piece.left, high - low, high - piece.low)
    _leave(piece, share, side=side, entry=entry, price=price)


def _leave(piece: _Piece, quantity: Decimal, *, side: int, entry: Decimal, price: Decimal) -> None:
    piece.pnl += EXACT.multiply(EXACT.multiply(quantity, price - entry), Decimal(side))
    piece.left -= quantity
