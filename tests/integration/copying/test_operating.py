"""What operators look at: the orders that have not ended."""

from datetime import timedelta

from sqlmodel import Session

from copytrade.copying import operating
from copytrade.copying.models import CopyOrder, OrderState
from copytrade.domain.orders import Outcome, OutcomeKind
from tests.integration.copying.desk import Desk, desk

UNKNOWN = Outcome(OutcomeKind.UNKNOWN, message="no answer in time")


def _another(on: Desk, *, like: CopyOrder, state: OrderState, seconds: int) -> None:
    """Put an order without a leg beside another, some seconds older or younger."""
    on.session.add(
        CopyOrder(
            subscriber_id=like.subscriber_id, exchange_account_id=like.exchange_account_id, symbol=like.symbol,
            position_side=like.position_side, side=like.side, purpose=like.purpose, kind=like.kind,
            quantity=like.quantity, reduce_only=False, reference=like.reference, client_order_id=f"{state}{seconds}",
            state=state, created_at=like.created_at + timedelta(seconds=seconds),
        )
    )  # fmt: skip


def test_an_unknown_order_stands_before_all_others_however_many(session: Session) -> None:
    on = desk(session)
    on.lead("1")
    on.tell(on.sending(), UNKNOWN)
    [unknown] = on.orders()
    _another(on, like=unknown, state=OrderState.PLACED, seconds=-60)
    _another(on, like=unknown, state=OrderState.PLANNED, seconds=-120)
    _another(on, like=unknown, state=OrderState.UNKNOWN, seconds=5)
    _another(on, like=unknown, state=OrderState.FILLED, seconds=-300)
    session.flush()
    found = [one.client_order_id for one in operating.live_orders(session)]
    assert found == [unknown.client_order_id, "unknown5", "planned-120", "placed-60"]
    assert [one.state for one in operating.live_orders(session, limit=2)] == ["unknown", "unknown"]
    assert [one.client_order_id for one in operating.live_orders(session, limit=1)] == [unknown.client_order_id]
