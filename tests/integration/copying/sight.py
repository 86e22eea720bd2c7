"""What tests look at: our orders, parts and legs as their rows say, and the copy's orders at the venue."""

from sqlmodel import col, select

from copytrade.copying.models import CopyOrder, LegRow, PartRow
from copytrade.db.session import reading
from tests.stage import Pair


def orders(stage: Pair) -> list[CopyOrder]:
    """Return our orders, oldest first."""
    with reading() as session:
        query = select(CopyOrder).where(CopyOrder.exchange_account_id == stage.copy.id)
        return list(session.exec(query.order_by(col(CopyOrder.id))))


def newest(stage: Pair) -> CopyOrder:
    """Return our newest order."""
    return orders(stage)[-1]


def leg(stage: Pair) -> LegRow:
    """Return the leg."""
    with reading() as session:
        return session.exec(select(LegRow).where(LegRow.copy_account_id == stage.copy.id)).one()


def parts(stage: Pair) -> list[PartRow]:
    """Return all parts, oldest first."""
    with reading() as session:
        query = select(PartRow).where(PartRow.subscription_id == stage.subscription_id)
        return list(session.exec(query.order_by(col(PartRow.id))))


def at_venue(stage: Pair, *, since: int = 0) -> list[tuple[str, str, bool]]:
    """Return side, executed quantity and reduce-only of the copy's own orders that executed, from the `since`th on."""
    mine = [order for order in stage.copy_orders() if order["clientOrderId"].startswith("ct")]
    return [(one["side"], one["executedQty"], one["reduceOnly"]) for one in mine[since:] if float(one["executedQty"])]


def count(stage: Pair) -> int:
    """Return how many orders of ours the venue has."""
    return len([order for order in stage.copy_orders() if order["clientOrderId"].startswith("ct")])
