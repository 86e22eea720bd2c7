"""What a copy's target must be: reckoned anew from the lead's true fills at the exchange and the skips we told of.

A leg is a stack of (lead quantity, target); fractions, so that nothing is rounded. Written without the engine's code.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

NEAR = Fraction(1, 10**12)
"""The engine keeps 18 decimals; so far apart may a sum of many be."""


@dataclass(frozen=True, slots=True)
class Told:
    """A part of a receipt: what was asked for which fill, when, and what was skipped of it, when."""

    id: UUID
    fill: str
    kind: str
    asked: Decimal
    at: datetime
    skips: tuple[tuple[datetime, Decimal], ...]

    @property
    def made_at(self) -> datetime:
        """Return when the leg was locked, which its id tells: `at` is when the plan began, and waited for the lock."""
        return datetime.fromtimestamp((self.id.int >> 80) / 1000, UTC)


@dataclass(slots=True)
class _Lot:
    lead: Fraction
    target: Fraction
    part: UUID | None


@dataclass(slots=True)
class Replay:
    """One leg, from flat or from what the lead held before it was followed."""

    lots: list[_Lot]
    wrong: list[str] = field(default_factory=list[str])

    @property
    def position(self) -> Fraction:
        """Return the lead's position."""
        return sum((lot.lead for lot in self.lots), Fraction(0))

    @property
    def target(self) -> Fraction:
        """Return what the copy should hold."""
        return sum((lot.target for lot in self.lots), Fraction(0))

    def fill(self, signed: Fraction, parts: Sequence[Told], *, ratios: Sequence[Decimal]) -> None:
        """Let the lead's fill happen, and hold the receipt's parts of it against what must be asked."""
        before = self.position
        reduced = min(abs(signed), abs(before)) if before * signed < 0 else Fraction(0)
        opened = signed - (reduced if signed > 0 else -reduced)
        by_kind = {part.kind: part for part in parts}
        if reduced:
            self._reduce(reduced, by_kind.pop("reducing", None), fill=parts[0].fill)
        if opened:
            self._open(opened, by_kind.pop("opening", None), fill=parts[0].fill, ratios=ratios)
        self.wrong += [f"fill {parts[0].fill}: a part {kind} of nothing" for kind in by_kind]

    def join(self, parts: Sequence[Told]) -> None:
        """Let a position that the lead held at the start be joined."""
        for part in parts:
            whole = self.lots.pop()
            asked = Fraction(part.asked)
            cut = sum((Fraction(quantity) for at, quantity in part.skips if at <= part.at), Fraction(0))
            left = abs(asked) - cut
            copied = whole.lead * left / abs(asked)
            joined = [_Lot(copied, left if asked > 0 else -left, part.id), _Lot(whole.lead - copied, Fraction(0), None)]
            self.lots += [lot for lot in joined if lot.lead]

    def step_back(self, part: UUID, quantity: Decimal) -> None:
        """Let a later skip lower the target of one part."""
        left = Fraction(quantity)
        for index, lot in reversed(list(enumerate(self.lots))):
            if lot.part != part or not left:
                continue
            cut = min(left, abs(lot.target))
            share = lot.lead * cut / abs(lot.target)
            kept = lot.target - (cut if lot.target > 0 else -cut)
            self.lots[index : index + 1] = [_Lot(lot.lead - share, kept, part), _Lot(share, Fraction(0), None)]
            left -= cut

    def _reduce(self, quantity: Fraction, part: Told | None, *, fill: str) -> None:
        given = Fraction(0)
        while quantity and self.lots:
            lot = self.lots[-1]
            taken = min(quantity, abs(lot.lead))
            share = lot.target * taken / abs(lot.lead)
            given, quantity = given + share, quantity - taken
            lot.target -= share
            lot.lead -= taken if lot.lead > 0 else -taken
            if not lot.lead:
                self.lots.pop()
        if part is None:
            self.wrong.append(f"fill {fill}: nothing was asked for its exit of {float(quantity)}")
        elif abs(Fraction(part.asked) + given) > NEAR:
            self.wrong.append(f"fill {fill}: its exit asked for {part.asked}, should be {float(-given)}")

    def _open(self, opened: Fraction, part: Told | None, *, fill: str, ratios: Sequence[Decimal]) -> None:
        if part is None:
            self.wrong.append(f"fill {fill}: nothing was asked for its opening of {float(opened)}")
            self.lots.append(_Lot(opened, Fraction(0), None))
            return
        asked = Fraction(part.asked)
        if all(asked != opened * Fraction(ratio) for ratio in ratios):
            self.wrong.append(f"fill {fill}: {part.asked} was asked for {float(opened)} by {ratios}")
        cut = sum((Fraction(quantity) for at, quantity in part.skips if at <= part.at), Fraction(0))
        left = abs(asked) - cut
        copied = opened * left / abs(asked)
        self.lots += [_Lot(copied, left if asked > 0 else -left, part.id), _Lot(opened - copied, Fraction(0), None)]
        self.lots = [lot for lot in self.lots if lot.lead]


def replay(
    before: Decimal, fills: dict[str, Decimal], parts: Sequence[Told], *, ratios: Sequence[Decimal], eager: bool
) -> Replay:
    """Replay a leg in the order in which it was planned; `eager`: what stepped back did so as soon as it was planned.

    Plans and steps back tell when they began, not when they had the leg: of two at the same moment either was first.
    """
    leg = Replay([_Lot(Fraction(before), Fraction(0), None)] if before else [])
    by_fill: dict[str, list[Told]] = {}
    for part in sorted(parts, key=lambda part: part.id):
        by_fill.setdefault(part.fill, []).append(part)
    leg.join(by_fill.pop("", []))
    later = [(at, part.id, quantity) for part in parts for at, quantity in part.skips if at > part.at]
    for fill, told in by_fill.items():
        if not eager:
            for _, id, quantity in sorted(one for one in later if one[0] <= told[0].made_at):
                leg.step_back(id, quantity)
            later = [one for one in later if one[0] > told[0].made_at]
        leg.fill(Fraction(fills[fill]), told, ratios=ratios)
        if eager:
            for part in told:
                for at, quantity in part.skips:
                    if at > part.at:
                        leg.step_back(part.id, quantity)
    for _, id, quantity in sorted(later) if not eager else ():
        leg.step_back(id, quantity)
    return leg
