"""What a leg stands for: a stack of (lead quantity, target quantity), newest last, signed like the lead's position."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from uuid import UUID

from copytrade.domain.quantities import EXACT, ZERO, proportion, sign

Lots = tuple["Lot", ...]


@dataclass(frozen=True, slots=True)
class Lot:
    """A piece of the lead's position and what we want to hold for it; `part` opened it and may still be open."""

    lead: Decimal
    target: Decimal
    part: UUID | None = None


def lead_total(lots: Lots) -> Decimal:
    """Return the lead's position that the lots stand for."""
    total = ZERO
    for lot in lots:
        total += lot.lead
    return total


def target_total(lots: Lots) -> Decimal:
    """Return the target that the lots stand for."""
    total = ZERO
    for lot in lots:
        total += lot.target
    return total


def take(lots: Lots, quantity: Decimal) -> tuple[Lots, Decimal]:
    """Take `quantity` ≥ 0 of the lead's position from the newest lots; return the rest and the target they gave up."""
    left, given = list(lots), ZERO
    while left and quantity > 0:
        lot = left.pop()
        if abs(lot.lead) <= quantity:
            quantity -= abs(lot.lead)
            given += lot.target
            continue
        share = proportion(lot.target, quantity, abs(lot.lead))
        left.append(replace(lot, lead=lot.lead - sign(lot.lead) * quantity, target=lot.target - share))
        given += share
        quantity = ZERO
    return tuple(left), given


def put(lots: Lots, lot: Lot, *, open_parts: Collection[UUID] = ()) -> Lots:
    """Put a lot on top; a neighbour of the same rate, whose part is no longer open, becomes one with it."""
    if not lot.lead:
        return lots
    if lots and _may_merge(lots[-1], lot, open_parts):
        below = lots[-1]
        part = lot.part if lot.target else None
        return (*lots[:-1], Lot(below.lead + lot.lead, below.target + lot.target, part))
    return (*lots, lot)


def align(lots: Lots, lead: Decimal, *, open_parts: Collection[UUID] = ()) -> tuple[Lots, Decimal]:
    """Make the lots stand for `lead`, whatever was not planned for this leg; return them and the target given up."""
    known = lead_total(lots)
    if known == lead:
        return lots, ZERO
    if sign(known) == sign(lead) and abs(lead) > abs(known):
        return put(lots, Lot(lead - known, ZERO), open_parts=open_parts), ZERO
    given = target_total(lots) if sign(known) != sign(lead) else None
    if given is not None:
        return put((), Lot(lead, ZERO)), given
    return take(lots, abs(known) - abs(lead))


def lower(lots: Lots, amount: Decimal, *, part: UUID | None) -> Lots:
    """Turn `amount` ≥ 0 of target into a lot with target 0 on top of what was copied, first in the lots of `part`."""
    for only in (part, None) if part is not None else (None,):
        for index in reversed(range(len(lots))):
            if amount <= 0:
                return lots
            lot = lots[index]
            if not lot.target or (only is not None and lot.part != only):
                continue
            cut = min(amount, abs(lot.target))
            lots = (*lots[:index], *_split(lot, cut), *lots[index + 1 :])
            amount -= cut
    return lots


def fill_in(lots: Lots, part: UUID, *, lead: Decimal, target: Decimal) -> Lots:
    """Give the lot of a part whose size was not known its target for `lead` of it; the rest was not copied."""
    filled = list[Lot]()
    for lot in lots:
        if lot.part != part:
            filled.append(lot)
            continue
        pieces = (Lot(lead, target, part), Lot(lot.lead - lead, ZERO))
        filled += [piece for piece in pieces if piece.lead]
    return tuple(filled)


def charge(lots: Lots, target: Decimal, *, carried: Mapping[UUID, Decimal]) -> Lots:
    """Lower the targets to sum to `target` for a cost: the lots of the parts that were `carried` out bear it."""
    cost, whole = target_total(lots) - target, sum(carried.values(), ZERO)
    if cost > 0 and whole:
        left = {part: proportion(cost, quantity, whole) for part, quantity in carried.items()}
        charged = list[Lot]()
        for lot in lots:
            cut = min(left.get(lot.part, ZERO), lot.target) if lot.part is not None and lot.target > 0 else ZERO
            if cut and lot.part is not None:
                left[lot.part] -= cut
            charged.append(replace(lot, target=lot.target - cut) if cut else lot)
        lots = tuple(charged)
    return scale(lots, target)


def scale(lots: Lots, target: Decimal) -> Lots:
    """Scale all targets so that they sum to `target`; the newest takes the rounding."""
    known = target_total(lots)
    if known == target:
        return lots
    if not known or not target:
        return tuple(replace(lot, target=ZERO) for lot in lots)
    scaled = [replace(lot, target=proportion(target, lot.target, known)) for lot in lots]
    rest = target - sum((lot.target for lot in scaled), ZERO)
    newest = max(index for index, lot in enumerate(scaled) if lot.target)
    scaled[newest] = replace(scaled[newest], target=scaled[newest].target + rest)
    return tuple(scaled)


def _split(lot: Lot, cut: Decimal) -> Sequence[Lot]:
    if cut >= abs(lot.target):
        return (Lot(lot.lead, ZERO),)
    uncopied = proportion(lot.lead, cut, abs(lot.target))
    return (
        Lot(lot.lead - uncopied, lot.target - sign(lot.target) * cut, lot.part),
        Lot(uncopied, ZERO),
    )


def _may_merge(below: Lot, above: Lot, open_parts: Collection[UUID]) -> bool:
    if below.part in open_parts or above.part in open_parts:
        return False
    if not below.target and not above.target:
        return True
    return EXACT.multiply(below.target, above.lead) == EXACT.multiply(above.target, below.lead)
