"""What a copy by ratio should hold, worked out from the lead's true fills alone and in another way than the engine."""

from decimal import Decimal
from fractions import Fraction

from copytrade.domain.instruments import PositionSide
from tests.model.lead import Lead

ZERO = Decimal(0)


def target_of(lead: Lead, side: PositionSide, *, factor: Decimal, step: Decimal, joins: bool) -> Decimal:
    """Return k × P on perpetuals; on spot each purchase counts with its fee, and a sale takes the newest first.

    Less than a step is flat: what the lead still has of it is not copied any more.
    """
    position = Fraction(lead.held_before.get(side, ZERO))
    pieces = [(position, position * Fraction(factor) if joins else Fraction(0))] if position else []
    for fill in lead.fills:
        if fill.side is not side:
            continue
        gross, net, ratio = Fraction(fill.signed), Fraction(fill.moved), Fraction(factor)
        after = position + net
        if position * net < 0:
            left = min(abs(net), abs(position))
            while left and pieces:
                had, wants = pieces.pop()
                gone = min(left, abs(had))
                left -= gone
                rest = 1 - gone / abs(had)
                if rest:
                    pieces.append((had * rest, wants * rest))
            if position * after < 0:
                pieces = [(after, after * ratio)]
        else:
            pieces.append((net, gross * ratio))
        if abs(after) < step:
            pieces = [(after, Fraction(0))] if after else []
        position = after
    total = sum((wants for _, wants in pieces), Fraction(0))
    return Decimal(total.numerator) / Decimal(total.denominator)
