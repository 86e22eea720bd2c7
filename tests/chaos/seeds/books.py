"""What must be true at the end of a seed, told by the exchange's books: each check returns what it found wrong."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from itertools import chain
from typing import Any

from copytrade.domain.instruments import Market
from copytrade.domain.sizing import EndMode
from tests.chaos.seeds.hands import OURS, Hand, by_hand, frozen
from tests.chaos.seeds.reads import LEGS, PARTS, fetched, position, traded, unified
from tests.chaos.seeds.replays import replayed
from tests.chaos.seeds.sizes import Traded, most_for, sized_for
from tests.chaos.seeds.world import Copy, Lead, World

STEPS = {
    ("BTCUSDT", Market.PERPETUAL): Decimal("0.001"),
    ("ETHUSDT", Market.PERPETUAL): Decimal("0.001"),
    ("BTCUSDT", Market.SPOT): Decimal("0.00001"),
    ("ETHUSDT", Market.SPOT): Decimal("0.0001"),
}
LEAST = Decimal(5)
"""USDT under which a venue takes no order; on spot an entry has to be worth 1.2 of them."""
RESALE = Decimal("1.3")
"""A little more than that."""


def wrong(world: World) -> list[str]:
    """Return everything that is not as it must be."""
    found: list[str] = []
    for lead in world.leads:
        found += _fills(world, lead)
    for copy in world.copies:
        hands = by_hand(world, copy)
        checks = chain(
            _orders(world, copy),
            frozen(world, copy),
            _legs(world, copy, hands),
            _sums(world, copy, is_traded=bool(hands)),
            replayed(world, copy),
        )
        found += [f"{name_of(copy)}: {one}" for one in checks]
    return found


def name_of(copy: Copy) -> str:
    return f"copy {copy.account.key.account_id} of {copy.lead.account.key.account_id} at {'/'.join(copy.lead.place)}"


def _fills(world: World, lead: Lead) -> list[str]:
    """No lead change is lost, and none stored twice."""
    rows = fetched(
        "select trade_id, planned_at from trades.fills where exchange_account_id = :id and not is_history",
        id=lead.account.id,
    )
    stored = Counter(str(row.trade_id) for row in rows)
    there = Counter(str(fill["id"]) for fill in world.control.fills(lead.account.key.account_id))
    name = f"lead {lead.account.key.account_id}"
    found = [f"{name}: fill {id} is not known" for id in there - stored]
    found += [f"{name}: fill {id} is not the venue's" for id in stored - there]
    return found + [f"{name}: fill {row.trade_id} is not planned" for row in rows if row.planned_at is None]


_ORDERS = """
select o.client_order_id, o.state, o.filled, o.sent_at from trades.copy_orders o
where o.exchange_account_id = :id
"""


def _orders(world: World, copy: Copy) -> list[str]:
    """No order without a row, no row without an end, and both say the same."""
    rows = {row.client_order_id: row for row in fetched(_ORDERS, id=copy.account.id)}
    there = world.control.orders(copy.account.key.account_id)
    ours = Counter(order["clientOrderId"] for order in there if order["clientOrderId"].startswith(OURS))
    executed: dict[str, Decimal] = defaultdict(Decimal)
    for order in there:
        executed[order["clientOrderId"]] += Decimal(order["executedQty"])
    found = [f"order {id} is {count} times at the venue" for id, count in ours.items() if count > 1]
    found += [f"order {id} has no row" for id in ours if id not in rows]
    for id, row in rows.items():
        if row.state in ("planned", "sending", "unknown", "placed"):
            found.append(f"order {id} is {row.state}")
        if row.filled != executed.get(id, Decimal(0)):
            found.append(f"order {id}, {row.state}: filled {row.filled}, at the venue {executed.get(id, 0)}")
        if id in ours and row.state in ("lost", "dropped"):
            found.append(f"order {id} is {row.state} and at the venue")
    return found


def _legs(world: World, copy: Copy, hands: Mapping[tuple[str, str], Hand]) -> list[str]:
    """Each leg holds what the venue says it holds, but for his own, is within a step of its target, and not more."""
    found: list[str] = []
    legs = {(row.symbol, row.position_side): row for row in fetched(LEGS, id=copy.subscription_id)}
    world.legs += len(legs)
    for symbol in copy.lead.symbols:
        for side in ("long", "short") if copy.lead.is_hedged else ("net",):
            theirs = position(world, copy.lead, copy.lead.account.key.account_id, symbol, side)
            ours = position(world, copy.lead, copy.account.key.account_id, symbol, side)
            hand = hands.get((symbol, side), Hand())
            row = legs.pop((unified(symbol, copy.lead), side), None)
            where = f"{symbol} {side}"
            if row is None:
                found += [f"{where}: holds {ours} without a leg, by hand {hand}"] if not hand.explains(ours) else []
                continue
            step = STEPS[symbol, copy.lead.place[1]]
            if not hand.explains(ours - row.held, near=step / 1000 if copy.lead.is_spot else Decimal(0)):
                found.append(f"{where}: held {row.held}, at the venue {ours}, by hand {hand}")
            if not copy.lead.is_spot and row.executed + row.adopted != row.held:
                found.append(f"{where}: held {row.held}, executed {row.executed}, adopted {row.adopted}")
            found += [f"{where}: {one}" for one in _target(copy, row, theirs, step=step)]
    return found + [f"leg of {place} that nobody traded" for place in legs]


def _target(copy: Copy, row: Any, theirs: Decimal, *, step: Decimal) -> list[str]:
    gap = abs(row.target - row.held)
    least = LEAST * RESALE / row.price if row.price else Decimal(0)
    found: list[str] = []
    if gap >= max(step, least):
        found.append(f"target {row.target}, held {row.held} ({row.waits_for or row.state} {row.last_reason})")
    if copy.ended_by is EndMode.KEEP:
        return found
    if copy.ended_by is EndMode.CLOSE:
        return [*found, f"ended, and the target is {row.target}"] if row.target else found
    if row.lead is not None and row.lead != theirs and not copy.lead.is_spot:
        found.append(f"P is {row.lead}, the lead holds {theirs}")
    if abs(theirs) < step and row.target:
        found.append(f"the lead is flat, the target is {row.target}")
    most = most_for(theirs, copy.rules, price=row.price) + step
    if row.target * theirs < 0 or abs(row.target) > most:
        found.append(f"target {row.target} for the lead's {theirs} by {', '.join(map(str, copy.rules))}")
    return found


_CARRIED = """
select o.client_order_id, o.filled, o.reference,
    coalesce((select sum(c.quantity) from trades.copy_order_parts c where c.order_id = o.id), 0) as carried
from trades.copy_orders o where o.subscription_id = :id
"""


def _sums(world: World, copy: Copy, *, is_traded: bool) -> list[str]:
    """The receipts add up, exactly: of each part, of each leg, of each order, and to what the sizing asks for."""
    parts = fetched(PARTS, id=copy.subscription_id)
    fills = traded(world, copy.lead)
    found: list[str] = []
    for (leg, fill, kind), count in Counter((part.leg_id, part.fill_id, part.kind) for part in parts).items():
        if fill is not None and count > 1:
            found.append(f"fill {fill} has {count} parts {kind} in leg {leg}")
    for part in parts:
        pending = part.asked - part.copied - part.skipped - part.netted
        if bool(pending) != part.is_open or pending * part.asked < 0:
            found.append(f"part {part.id} {part.kind}: pending {pending} of {part.asked}, open {part.is_open}")
        if part.told != abs(part.skipped):
            found.append(f"part {part.id} {part.kind}: skipped {part.skipped}, told {part.told}")
        if part.kind != "drift" and part.carried != abs(part.copied):
            found.append(f"part {part.id} {part.kind}: copied {part.copied}, carried {part.carried}")
        is_odd = part.kind == "drift" or (part.kind == "late" and not _is_rest(copy, part.asked, part.price))
        if is_odd and not is_traded:
            found.append(f"part {part.id}: a {part.kind} of {part.asked}, though nobody but us traded here")
        if part.kind == "opening" and part.fill_id is not None:
            found += _asked(copy, part, fills.get(part.trade_id))
    for order in fetched(_CARRIED, id=copy.subscription_id):
        if order.carried != order.filled and not _is_rest(copy, order.filled - order.carried, order.reference):
            found.append(f"order {order.client_order_id}: filled {order.filled}, carried {order.carried}")
    return found + _totals(copy, parts)


def _is_rest(copy: Copy, quantity: Decimal, price: Decimal) -> bool:
    """On spot an exit takes along what could not be sold alone: more than was asked for, and told as such."""
    return copy.lead.is_spot and abs(quantity) * price <= LEAST * RESALE


def _asked(copy: Copy, part: Any, fill: Traded | None) -> list[str]:
    """On spot an opening asks for what the sizing makes of what the lead bought."""
    if not copy.lead.is_spot or (fill and sized_for(Fraction(part.asked), fill.signed, fill=fill, rules=copy.rules)):
        return []
    if not part.asked:
        return []
    return [f"part {part.id}: asked {part.asked} for {part.quantity} by {', '.join(map(str, copy.rules))}"]


def _totals(copy: Copy, parts: Sequence[Any]) -> list[str]:
    legs = fetched(
        "select id, target, held, state from trades.legs where subscription_id = :id", id=copy.subscription_id
    )
    found: list[str] = []
    for leg in legs:
        mine = [part for part in parts if part.leg_id == leg.id]
        pending = sum((part.asked - part.copied - part.skipped - part.netted for part in mine), Decimal(0))
        if pending != leg.target - leg.held:
            found.append(f"leg {leg.id}: pending {pending}, target {leg.target}, held {leg.held}")
    return found


_STORY = """
select p.planned_at as at, l.symbol || ' part ' || p.kind || ' asked ' || p.asked || ' copied ' || p.copied
    || ' skipped ' || p.skipped || ' netted ' || p.netted || ' ' || p.reason as told
from trades.copy_parts p join trades.legs l on l.id = p.leg_id where p.subscription_id = :id
union all select o.created_at, o.symbol || ' ' || o.purpose || ' ' || o.side || ' ' || o.quantity || ' ' || o.state
    || ' filled ' || o.filled || ' ' || o.refusal from trades.copy_orders o where o.subscription_id = :id
union all select d.at, d.symbol || ' drift ' || d.kind || ' ' || d.policy || ' expected ' || d.expected
    || ' found ' || d.found from trades.copy_drifts d where d.subscription_id = :id
union all select now(), l.symbol || ' ' || l.position_side || ' ' || l.state || ' target ' || l.target || ' held '
    || l.held || ' ' || l.waits_for || ' ' || l.last_reason || ' halted ' || l.is_halted || ' lots ' || l.lots::text
from trades.legs l where l.subscription_id = :id
order by 1
"""


def story(copy: Copy) -> list[str]:
    """Return what happened to a copy, for whoever looks for what went wrong."""
    rows = fetched(_STORY, id=copy.subscription_id)
    return [f"{name_of(copy)}", *(f"  {row.at:%H:%M:%S.%f} {row.told}" for row in rows)]
