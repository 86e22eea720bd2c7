"""Holds targets against a replay of the lead's true fills, on perpetuals, where no fee changes them."""

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

from copytrade.domain.sizing import EndMode
from tests.chaos.seeds.oracle import STOP, Told, replay
from tests.chaos.seeds.reads import LEGS, PARTS, fetched, traded
from tests.chaos.seeds.world import Copy, World

_SKIPS = """
select s.part_id, s.skipped_at, s.quantity from trades.copy_skips s join trades.copy_parts p on p.id = s.part_id
where p.subscription_id = :id and s.quantity > 0
"""


def replayed(world: World, copy: Copy) -> list[str]:
    """The target is what the lead's true fills make of it, given the skips; perpetuals, where no fee changes it."""
    if copy.lead.is_spot:
        return []
    skips: dict[Any, list[tuple[Any, Decimal]]] = defaultdict(list)
    for row in fetched(_SKIPS, id=copy.subscription_id):
        skips[row.part_id].append((row.skipped_at, row.quantity))
    parts: dict[Any, list[Told]] = defaultdict(list)
    unknown: set[Any] = set()
    for row in fetched(PARTS, id=copy.subscription_id):
        is_rebased = row.kind in ("opening", "reducing") and row.trade_id is None
        world.rebased += is_rebased
        if is_rebased or row.kind == "drift":
            unknown.add(row.leg_id)
        if row.trade_id is not None or row.kind in ("join", STOP):
            told = Told(row.id, row.trade_id or "", row.kind, row.asked, row.planned_at, tuple(skips[row.id]))
            parts[row.leg_id].append(told)
    found: list[str] = []
    for leg in fetched(LEGS, id=copy.subscription_id):
        if leg.id not in unknown and leg.state == "following" and copy.ended_by is not EndMode.CLOSE:
            where = f"{leg.symbol} {leg.position_side}"
            found += [f"{where}: {one}" for one in _leg_replayed(world, copy, leg, parts[leg.id])]
            world.replayed += 1
    return found


def _leg_replayed(world: World, copy: Copy, leg: Any, parts: Sequence[Told]) -> list[str]:
    fills = {
        id: fill for id, fill in traded(world, copy.lead, side=leg.position_side).items() if fill.symbol == leg.symbol
    }
    if not parts:
        return []
    known = {part.fill for part in parts}
    first = next((index for index, id in enumerate(fills) if id in known), len(fills))
    found = [f"fill {id} has no part" for id in list(fills)[first:] if id not in known]
    if found or known - fills.keys() - {""}:
        return found
    before = sum((fill.signed for fill in list(fills.values())[:first]), Fraction(0))
    wrong = replay(before, fills, parts, rules=copy.rules, target=leg.target)
    if not wrong:
        return []
    story = [f"before {float(before)}, " + ", ".join(f"{id} {float(one.signed)}" for id, one in fills.items())]
    story += [
        f"{part.made_at:%H:%M:%S.%f} {part.fill} {part.kind} {part.asked} {_skipped(part)}"
        for part in sorted(parts, key=lambda part: part.id)
    ]
    return [*wrong, *story]


def _skipped(part: Told) -> str:
    return " ".join(f"{at:%M:%S.%f} skipped {quantity}" for at, quantity in part.skips)
