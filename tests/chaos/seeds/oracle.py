"""What a copy's target must be: reckoned anew from the lead's true fills at the exchange and the skips we told of.

A leg is a stack of (lead quantity, target); fractions, so that nothing is rounded. Written without the engine's code.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import groupby, product
from uuid import UUID

from tests.chaos.seeds.sizes import Rule, Traded, sized_for

NEAR = Fraction(1, 10**12)
"""The engine keeps 18 decimals; so far apart may a sum of many be."""
UNSURE = timedelta(seconds=8)
"""A plan tells when it had the leg, a step back when its round began: so far apart either may have been first."""
MOST_STATES = 400
"""Orders in which it may all have happened, of which the receipt tells no more."""
MOST_UNSURE = 8
STOP, JOIN = "stop", "join"


@dataclass(frozen=True, slots=True)
class Told:
    """A part of a receipt: what was asked for which fill, when, and what was skipped of it, when."""

    id: UUID
    fill: str
    kind: str
    asked: Decimal
    at: datetime
    skips: tuple[tuple[datetime, Decimal], ...]
    was_cut: bool = True
    """Whether what was skipped in the moment of the plan was cut by a limit; else it was stepped back at its end."""

    @property
    def steps(self) -> tuple[tuple[datetime, Decimal], ...]:
        """Return what was stepped back, and when."""
        return tuple((at, quantity) for at, quantity in self.skips if at > self.at or not self.was_cut)

    @property
    def made_at(self) -> datetime:
        """Return when the leg was locked, which its id tells: `at` is when the plan began, and waited for the lock."""
        return datetime.fromtimestamp((self.id.int >> 80) / 1000, UTC)

    @property
    def cut(self) -> Fraction:
        """Return what a limit cut when it was planned."""
        if not self.was_cut:
            return Fraction(0)
        return sum((Fraction(quantity) for at, quantity in self.skips if at <= self.at), Fraction(0))


@dataclass(frozen=True, slots=True)
class _Lot:
    lead: Fraction
    target: Fraction
    part: UUID | None = None
    was_taken: bool = False
    """The lead took it back before it could be sized: it may not be there in the end."""


_Lots = tuple[_Lot, ...]


@dataclass(frozen=True, slots=True)
class _State:
    """One way in which it may have been: the stack, and how many of the steps back were made."""

    lots: _Lots
    stepped: int = 0
    wrong: str = ""

    @property
    def target(self) -> Fraction:
        return sum((lot.target for lot in self.lots), Fraction(0))


@dataclass(frozen=True, slots=True)
class _Step:
    at: datetime
    part: UUID
    quantity: Fraction


def replay(
    before: Fraction,
    fills: Mapping[str, Traded],
    parts: Sequence[Told],
    *,
    rules: Sequence[Rule],
    target: Decimal,
) -> list[str]:
    """Replay a leg in the order in which it was planned; return what no order of its steps back could explain."""
    found: list[str] = []
    for told in _readings(sorted(parts, key=lambda part: part.id)):
        found = _replay(before, fills, told, rules=rules, target=target)
        if not found:
            return []
    return found


def _readings(told: Sequence[Told]) -> Iterator[list[Told]]:
    """Give the ways to read skips of the moment of a plan that planned something after them, too."""
    unsure = [
        index for index, part in enumerate(told) if part.cut and any(later.at == part.at for later in told[index + 1 :])
    ]
    for were_cut in product((False, True), repeat=min(len(unsure), MOST_UNSURE)):
        chosen = dict(zip(unsure, were_cut, strict=False))
        yield [replace(part, was_cut=chosen.get(index, True)) for index, part in enumerate(told)]


def _replay(
    before: Fraction,
    fills: Mapping[str, Traded],
    told: Sequence[Told],
    *,
    rules: Sequence[Rule],
    target: Decimal,
) -> list[str]:
    steps = sorted(
        (_Step(at, part.id, Fraction(quantity)) for part in told for at, quantity in part.steps),
        key=lambda step: (step.at, step.part),
    )
    states = [_State((_Lot(before, Fraction(0)),) if before else ())]
    for (fill, kind), group in groupby(told, key=lambda part: (part.fill, part.kind if not part.fill else "")):
        now = list(group)
        tried = [
            _after(one, kind, now, fills.get(fill), rules=rules)
            for state in states
            for one in _stepped(state, steps, before=now[0])
        ]
        states = list(dict.fromkeys(one for one in tried if not one.wrong))[:MOST_STATES]
        if not states:
            return [tried[-1].wrong]
    ends = [_step_all(state, steps) for state in states]
    if any(abs(one.target - Fraction(target)) <= NEAR and not _is_left(one) for one in ends):
        return []
    return [f"target {target}, should be {float(ends[-1].target)}, sized late too little: {_is_left(ends[-1])}"]


def _is_left(state: _State) -> bool:
    return any(lot.was_taken for lot in state.lots)


def _stepped(state: _State, steps: Sequence[_Step], *, before: Told) -> Iterator[_State]:
    """Give what a state may have become by steps back before a part, give or take what their times do not tell."""
    lots, at = state.lots, before.made_at
    for number in range(state.stepped, len(steps) + 1):
        is_later = number == len(steps) or steps[number].at >= at - UNSURE or steps[number].part >= before.id
        if is_later:
            yield _State(lots, number)
        if number == len(steps) or steps[number].at > at + UNSURE or steps[number].part >= before.id:
            return
        lots = _lowered(lots, steps[number])


def _step_all(state: _State, steps: Sequence[_Step]) -> _State:
    lots = state.lots
    for step in steps[state.stepped :]:
        lots = _lowered(lots, step)
    return _State(lots, len(steps))


def _lowered(lots: _Lots, step: _Step) -> _Lots:
    """Let a skip lower the target of a part, then of the newest: exits may have taken what stood for it."""
    left = step.quantity
    for is_of in (lambda lot: lot.part == step.part, lambda lot: True):
        for index in reversed(range(len(lots))):
            lot = lots[index]
            if not left or not lot.target or not is_of(lot):
                continue
            cut = min(left, abs(lot.target))
            share = lot.lead * cut / abs(lot.target)
            kept = lot.target - (cut if lot.target > 0 else -cut)
            split = (replace(lot, lead=lot.lead - share, target=kept), replace(lot, lead=share, target=Fraction(0)))
            lots = (*lots[:index], *(one for one in split if one.lead), *lots[index + 1 :])
            left -= cut
    return lots


def _after(state: _State, kind: str, told: Sequence[Told], fill: Traded | None, *, rules: Sequence[Rule]) -> _State:
    if kind == STOP:
        return _stop(state, told[0])
    if kind == JOIN:
        for part in told:
            state = _join(state, part)
        return state
    if fill is None:
        return replace(state, wrong=f"fill {told[0].fill} is not the venue's")
    return _fill(state, told, fill, rules=rules)


def _stop(state: _State, part: Told) -> _State:
    """Let all that is copied be closed; what the lead holds stays on the stack, for nothing."""
    wrong = "" if abs(Fraction(part.asked) + state.target) <= NEAR else f"a stop asked for {part.asked}"
    return _State(tuple(replace(lot, target=Fraction(0)) for lot in state.lots), state.stepped, wrong)


def _join(state: _State, part: Told) -> _State:
    """Let a position that the lead held at the start be joined."""
    return _State((*state.lots[:-1], *_opened(state.lots[-1].lead, part)), state.stepped)


def _fill(state: _State, told: Sequence[Told], fill: Traded, *, rules: Sequence[Rule]) -> _State:
    """Let the lead's fill happen, and hold the receipt's parts of it against what must be asked."""
    before = sum((lot.lead for lot in state.lots), Fraction(0))
    reduced = min(abs(fill.signed), abs(before)) if before * fill.signed < 0 else Fraction(0)
    opened = fill.signed - (reduced if fill.signed > 0 else -reduced)
    by_kind = {part.kind: part for part in told}
    if reduced:
        state = _reduce(state, reduced, by_kind.pop("reducing", None), fill=fill)
    if opened and not state.wrong:
        state = _open(state, opened, by_kind.pop("opening", None), fill=fill, rules=rules)
    if by_kind and not state.wrong:
        state = replace(state, wrong=f"fill {fill.id}: parts of nothing: {', '.join(by_kind)}")
    return state


def _reduce(state: _State, quantity: Fraction, part: Told | None, *, fill: Traded) -> _State:
    lots, given = list(state.lots), Fraction(0)
    while quantity and lots:
        lot = lots.pop()
        taken = min(quantity, abs(lot.lead))
        share = lot.target * taken / abs(lot.lead)
        given, quantity = given + share, quantity - taken
        rest = lot.lead - (taken if lot.lead > 0 else -taken)
        if rest:
            lots.append(replace(lot, lead=rest, target=lot.target - share))
    if part is None:
        wrong = f"fill {fill.id}: nothing was asked for its exit"
    elif abs(Fraction(part.asked) + given) > NEAR:
        wrong = f"fill {fill.id}: its exit asked for {part.asked}, should be {float(-given)}"
    else:
        wrong = ""
    return _State(tuple(lots), state.stepped, wrong)


def _open(state: _State, opened: Fraction, part: Told | None, *, fill: Traded, rules: Sequence[Rule]) -> _State:
    if part is None:
        return replace(state, wrong=f"fill {fill.id}: nothing was asked for its opening of {float(opened)}")
    left = sized_for(Fraction(part.asked), opened, fill=fill, rules=rules)
    if left is None:
        wrong = f"fill {fill.id}: {part.asked} was asked for {float(opened)} by {', '.join(map(str, rules))}"
        return replace(state, wrong=wrong)
    taken = _Lot(opened - left, Fraction(0), None, was_taken=bool(left))
    lots = (*state.lots, *_opened(left, part), *((taken,) if taken.lead else ()))
    return _State(lots, state.stepped)


def _opened(lead: Fraction, part: Told) -> _Lots:
    asked = Fraction(part.asked)
    if not asked:
        return (_Lot(lead, Fraction(0), part.id),) if lead else ()
    left = abs(asked) - part.cut
    copied = lead * left / abs(asked)
    lots = (_Lot(copied, left if asked > 0 else -left, part.id), _Lot(lead - copied, Fraction(0)))
    return tuple(lot for lot in lots if lot.lead)
