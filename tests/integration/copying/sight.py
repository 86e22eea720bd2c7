"""What tests look at: our orders, parts and legs as their rows say, and the copy's orders at the venue."""

from sqlmodel import col, select

from copytrade.copying.models import CopyOrder, LegRow, PartRow
from copytrade.db.session import reading
from tests.stage import Pair
from tests.waiting import wait_until


def orders(stage: Pair) -> list[CopyOrder]:
    """Return our orders, oldest first."""
    with reading() as session:
        query = select(CopyOrder).where(CopyOrder.exchange_account_id == stage.copy.id)
        return list(session.exec(query.order_by(col(CopyOrder.id))))


def newest(stage: Pair) -> CopyOrder:
    """Return our newest order."""
    return orders(stage)[-1]


def waiting_for(stage: Pair, *, state: str = "", purpose: str = "") -> CopyOrder:
    """Wait until our newest order is of a state or purpose, and return it."""

    def found() -> CopyOrder | None:
        mine = orders(stage)
        fits = bool(mine) and (not state or mine[-1].state == state) and (not purpose or mine[-1].purpose == purpose)
        return mine[-1] if fits else None

    order = wait_until(found, what=f"an order {state}{purpose}")
    assert order is not None
    return order


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
    return [
        (one["side"], one["executedQty"], bool(one["reduceOnly"])) for one in mine[since:] if float(one["executedQty"])
    ]


def count(stage: Pair) -> int:
    """Return how many orders of ours the venue has."""
    return len([order for order in stage.copy_orders() if order["clientOrderId"].startswith("ct")])


def placed(stage: Pair) -> int:
    """Return how many orders of ours the venue has, whichever venue it is."""
    ours = {order.client_order_id for order in orders(stage)}
    return len([one for one in stage.copy_orders() if one["clientOrderId"] in ours])
