"""What must be true at the end of a seed, told by the exchange's books: each check returns what it found wrong."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from itertools import chain
from typing import Any

from sqlalchemy import text

from copytrade.db.session import reading
from copytrade.domain.instruments import Market
from copytrade.domain.sizing import EndMode
from tests.chaos.seeds.hands import OURS, Hand, by_hand, frozen
from tests.chaos.seeds.oracle import STOP, Told, replay
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
            _replayed(world, copy),
        )
        found += [f"{_name(copy)}: {one}" for one in checks]
    return found


def _name(copy: Copy) -> str:
    return f"copy {copy.account.key.account_id} of {copy.lead.account.key.account_id} at {'/'.join(copy.lead.place)}"


def _rows(query: str, **values: object) -> Sequence[Any]:
    with reading() as session:
        return session.connection().execute(text(query), values).all()


def _fills(world: World, lead: Lead) -> list[str]:
    """No lead change is lost, and none stored twice."""
    rows = _rows(
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
    rows = {row.client_order_id: row for row in _rows(_ORDERS, id=copy.account.id)}
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


_LEGS = """
select l.id, l.symbol, l.position_side, l.target, l.held, l.state, l.waits_for, l.price, l.last_reason,
    p.quantity as lead,
    (select coalesce(sum(case side when 'buy' then filled else -filled end), 0) from trades.copy_orders o
     where o.leg_id = l.id) as executed,
    (select coalesce(sum(found::numeric - expected::numeric), 0) from trades.copy_drifts d
     where d.leg_id = l.id and d.kind in ('less', 'liquidated')) as adopted
from trades.legs l left join trades.lead_positions p on p.exchange_account_id = l.lead_account_id
    and p.symbol = l.symbol and p.position_side = l.position_side
where l.subscription_id = :id
"""


def _legs(world: World, copy: Copy, hands: Mapping[tuple[str, str], Hand]) -> list[str]:
    """Each leg holds what the venue says it holds, but for his own, is within a step of its target, and not more."""
    found: list[str] = []
    legs = {(row.symbol, row.position_side): row for row in _rows(_LEGS, id=copy.subscription_id)}
    world.legs += len(legs)
    for symbol in copy.lead.symbols:
        for side in ("long", "short") if copy.lead.is_hedged else ("net",):
            theirs = _position(world, copy.lead, copy.lead.account.key.account_id, symbol, side)
            ours = _position(world, copy.lead, copy.account.key.account_id, symbol, side)
            hand = hands.get((symbol, side), Hand())
            row = legs.pop((_unified(symbol, copy.lead), side), None)
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


def _unified(symbol: str, lead: Lead) -> str:
    base = symbol.removesuffix("USDT")
    return f"{base}/USDT" if lead.is_spot else f"{base}/USDT:USDT"


def _position(world: World, lead: Lead, account: int, symbol: str, side: str) -> Decimal:
    if lead.is_spot:
        return Decimal(world.control.coins(account).get(symbol.removesuffix("USDT"), "0"))
    rows = [row for row in world.control.account(account)["positions"] if row["symbol"] == symbol]
    if side != "net":
        rows = [row for row in rows if row["positionSide"] == side.upper()]
    return sum((Decimal(row["positionAmt"]) for row in rows), Decimal(0))


_PARTS = """
select p.id, p.leg_id, p.fill_id, p.kind, p.asked, p.copied, p.skipped, p.netted, p.is_open, p.planned_at, p.price,
    f.quantity, f.trade_id,
    coalesce((select sum(quantity) from trades.copy_skips s where s.part_id = p.id), 0) as told,
    coalesce((select sum(quantity) from trades.copy_order_parts c where c.part_id = p.id), 0) as carried
from trades.copy_parts p left join trades.fills f on f.id = p.fill_id
where p.subscription_id = :id order by p.planned_at, p.id
"""
_CARRIED = """
select o.client_order_id, o.filled, o.reference,
    coalesce((select sum(c.quantity) from trades.copy_order_parts c where c.order_id = o.id), 0) as carried
from trades.copy_orders o where o.subscription_id = :id
"""


def _sums(world: World, copy: Copy, *, is_traded: bool) -> list[str]:
    """The receipts add up, exactly: of each part, of each leg, of each order, and to what the sizing asks for."""
    parts = _rows(_PARTS, id=copy.subscription_id)
    fills = _traded(world, copy.lead)
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
    for order in _rows(_CARRIED, id=copy.subscription_id):
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
    legs = _rows("select id, target, held, state from trades.legs where subscription_id = :id", id=copy.subscription_id)
    found: list[str] = []
    for leg in legs:
        mine = [part for part in parts if part.leg_id == leg.id]
        pending = sum((part.asked - part.copied - part.skipped - part.netted for part in mine), Decimal(0))
        if pending != leg.target - leg.held:
            found.append(f"leg {leg.id}: pending {pending}, target {leg.target}, held {leg.held}")
    return found


_SKIPS = """
select s.part_id, s.skipped_at, s.quantity from trades.copy_skips s join trades.copy_parts p on p.id = s.part_id
where p.subscription_id = :id and s.quantity > 0
"""


def _replayed(world: World, copy: Copy) -> list[str]:
    """The target is what the lead's true fills make of it, given the skips; perpetuals, where no fee changes it."""
    if copy.lead.is_spot:
        return []
    skips: dict[Any, list[tuple[Any, Decimal]]] = defaultdict(list)
    for row in _rows(_SKIPS, id=copy.subscription_id):
        skips[row.part_id].append((row.skipped_at, row.quantity))
    parts: dict[Any, list[Told]] = defaultdict(list)
    unknown: set[Any] = set()
    for row in _rows(_PARTS, id=copy.subscription_id):
        is_rebased = row.kind in ("opening", "reducing") and row.trade_id is None
        world.rebased += is_rebased
        if is_rebased or row.kind == "drift":
            unknown.add(row.leg_id)
        if row.trade_id is not None or row.kind in ("join", STOP):
            told = Told(row.id, row.trade_id or "", row.kind, row.asked, row.planned_at, tuple(skips[row.id]))
            parts[row.leg_id].append(told)
    found: list[str] = []
    for leg in _rows(_LEGS, id=copy.subscription_id):
        if leg.id not in unknown and leg.state == "following" and copy.ended_by is not EndMode.CLOSE:
            where = f"{leg.symbol} {leg.position_side}"
            found += [f"{where}: {one}" for one in _leg_replayed(world, copy, leg, parts[leg.id])]
            world.replayed += 1
    return found


def _leg_replayed(world: World, copy: Copy, leg: Any, parts: Sequence[Told]) -> list[str]:
    fills = {
        id: fill for id, fill in _traded(world, copy.lead, side=leg.position_side).items() if fill.symbol == leg.symbol
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


def _traded(world: World, lead: Lead, *, side: str = "net") -> dict[str, Traded]:
    """Return a lead's fills by id, oldest first, as the exchange has them."""
    number = lead.account.key.account_id
    ordered = {str(order["orderId"]): Fraction(order["origQty"]) for order in world.control.orders(number)}
    return {
        str(fill["id"]): Traded(
            id=str(fill["id"]),
            symbol=_unified(fill["symbol"], lead),
            signed=Fraction(fill["qty"]) * (1 if fill["side"] == "BUY" else -1),
            price=Fraction(fill["price"]),
            ordered=ordered[str(fill["orderId"])],
        )
        for fill in world.control.fills(number)
        if _is_of(fill, side)
    }


def _is_of(fill: Any, side: str) -> bool:
    return side == "net" or fill["positionSide"] == side.upper()
