"""Intentions: the order rows `planned` that say what a leg's next order would be. Who sends asks again."""

import base64
import hashlib
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlmodel import Session

from copytrade.copying import bulk
from copytrade.copying.models import CopyOrder, OrderState
from copytrade.copying.records import LegRecord, OrderRecord
from copytrade.db.model import new_id
from copytrade.domain.driving import Order
from copytrade.domain.quantities import ZERO
from copytrade.settings import settings

_COLUMNS = (
    "id", "leg_id", "subscription_id", "subscriber_id", "exchange_account_id", "symbol", "position_side", "side",
    "purpose", "kind", "quantity", "price", "reduce_only", "reference", "client_order_id", "venue_order_id", "state",
    "filled", "fee_asset", "refusal", "venue_code", "message", "lease_owner", "lease_until", "created_at",
    "claimed_at", "next_check_at", "checks",
)  # fmt: skip


def client_order_id(order_id: UUID) -> str:
    """Return the id under which a venue knows an order: 28 characters [a-z2-7], which fit every venue's rules."""
    digest = hashlib.blake2b(order_id.bytes + settings().installation_nonce.encode(), digest_size=16).digest()
    return "ct" + base64.b32encode(digest).decode().rstrip("=").lower()


def is_ours(client_id: str) -> bool:
    """Tell whether an order's id at a venue is one that we give."""
    return len(client_id) == 28 and client_id.startswith("ct")


def of(record: LegRecord, order: Order, *, now: datetime) -> OrderRecord:
    """Return the row of a new intention."""
    order_id = new_id()
    return OrderRecord(
        id=order_id,
        leg_id=record.id,
        account_id=record.copy_account_id,
        symbol=record.instrument.symbol,
        side=order.side,
        purpose=order.purpose,
        kind=order.kind.value,
        quantity=order.quantity,
        price=order.price,
        reduce_only=order.reduce_only,
        reference=order.reference,
        client_order_id=client_order_id(order_id),
        state=OrderState.PLANNED,
        filled=ZERO,
        average_price=None,
        venue_order_id="",
        created_at=now,
        claimed_at=None,
        sent_at=None,
        lease_until=None,
        checks=0,
    )


def is_still(row: OrderRecord, order: Order) -> bool:
    """Tell whether an intention is what the leg wants now."""
    return (row.side, row.purpose, row.kind, row.quantity, row.price, row.reduce_only) == (
        order.side, order.purpose, order.kind.value, order.quantity, order.price, order.reduce_only,
    )  # fmt: skip


def insert(
    session: Session,
    rows: Sequence[tuple[LegRecord, OrderRecord]],
    *,
    lease_owner: str = "",
    next_check_at: datetime | None = None,
) -> None:
    """Insert orders in the state that they bear."""
    bulk.insert(
        session,
        CopyOrder,
        _COLUMNS,
        [
            (
                order.id, leg.id, leg.subscription_id, leg.subscriber_id, order.account_id, order.symbol,
                leg.instrument.position_side.value, order.side.value, order.purpose.value, order.kind, order.quantity,
                order.price, order.reduce_only, order.reference, order.client_order_id, "", order.state.value, ZERO,
                "", "", "", "", lease_owner, order.lease_until, order.created_at, order.claimed_at, next_check_at, 0,
            )
            for leg, order in rows
        ],
    )  # fmt: skip
