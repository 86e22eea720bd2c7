"""What checks read: the exchange's own books, and our rows beside them."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

from sqlalchemy import text

from copytrade.db.session import reading
from tests.chaos.seeds.sizes import Traded
from tests.chaos.seeds.world import Lead, World

LEGS = """
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
PARTS = """
select p.id, p.leg_id, p.fill_id, p.kind, p.asked, p.copied, p.skipped, p.netted, p.is_open, p.planned_at, p.price,
    f.quantity, f.trade_id,
    coalesce((select sum(quantity) from trades.copy_skips s where s.part_id = p.id), 0) as told,
    coalesce((select sum(quantity) from trades.copy_order_parts c where c.part_id = p.id), 0) as carried
from trades.copy_parts p left join trades.fills f on f.id = p.fill_id
where p.subscription_id = :id order by p.planned_at, p.id
"""


def fetched(query: str, **values: object) -> Sequence[Any]:
    """Return the rows of a query."""
    with reading() as session:
        return session.connection().execute(text(query), values).all()


def unified(symbol: str, lead: Lead) -> str:
    """Return how we call a symbol of a venue."""
    base = symbol.removesuffix("USDT")
    return f"{base}/USDT" if lead.is_spot else f"{base}/USDT:USDT"


def position(world: World, lead: Lead, account: int, symbol: str, side: str) -> Decimal:
    """Return what an account holds at the venue; 'net', or one side of a hedge."""
    if lead.is_spot:
        return Decimal(world.control.coins(account).get(symbol.removesuffix("USDT"), "0"))
    rows = [row for row in world.control.account(account)["positions"] if row["symbol"] == symbol]
    if side != "net":
        rows = [row for row in rows if row["positionSide"] == side.upper()]
    return sum((Decimal(row["positionAmt"]) for row in rows), Decimal(0))


def traded(world: World, lead: Lead, *, side: str = "net") -> dict[str, Traded]:
    """Return a lead's fills by id, oldest first, as the exchange has them."""
    number = lead.account.key.account_id
    ordered = {str(order["orderId"]): Fraction(order["origQty"]) for order in world.control.orders(number)}
    return {
        str(fill["id"]): Traded(
            id=str(fill["id"]),
            symbol=unified(fill["symbol"], lead),
            signed=Fraction(fill["qty"]) * (1 if fill["side"] == "BUY" else -1),
            price=Fraction(fill["price"]),
            ordered=ordered[str(fill["orderId"])],
        )
        for fill in world.control.fills(number)
        if _is_of(fill, side)
    }


def _is_of(fill: Any, side: str) -> bool:
    return side == "net" or fill["positionSide"] == side.upper()
