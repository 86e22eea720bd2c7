"""What a copy by ratio should hold, worked out from the lead's true fills alone and in another way than the engine."""

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

from copytrade.domain.instruments import PositionSide
from tests.model.lead import Lead

ZERO = Decimal(0)
DUST = Decimal(1)
PLANNED_WITHIN = timedelta(seconds=90)
"""So long at most after a fill it is planned, and the balance may have been read until then."""


def known_of(lead: Lead, side: PositionSide) -> set[Decimal]:
    """Return what P may be on spot by the lead's fills alone, where coins come and go without one.

    A sale beyond P leaves nothing; whether one that emptied the account was known to do so depends on when it was read.
    """
    known = {lead.held_before.get(side, ZERO)}
    moves = sorted({fill.at for fill in lead.fills} | {at for at, _, _ in lead.transfers})
    for fill in lead.fills:
        if fill.side is not side:
            continue
        known = {max(one + fill.moved, ZERO) for one in known}
        if fill.signed < 0:
            times = [fill.at, *(at for at in moves if fill.at < at <= fill.at + PLANNED_WITHIN)]
            if any(lead.held_at(side, at) * fill.price < DUST for at in times):
                known.add(ZERO)
    return known


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
