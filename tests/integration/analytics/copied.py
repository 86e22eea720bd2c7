"""What copying leaves behind of a subscription: its setting, a leg, parts and executed orders."""

from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from sqlmodel import Session, select

from copytrade.copying import settings_rows
from copytrade.copying.models import CopyOrder, CopySetting, LegRow, OrderPart, OrderState, PartRow
from copytrade.db.model import new_id
from copytrade.domain.instruments import Side
from copytrade.domain.sizing import CopySettings, SizingMode
from tests.integration.analytics.account import BTC
from tests.integration.subscriptions.market import Market


def setting(session: Session, market: Market, subscription_id: UUID, *, at: datetime) -> None:
    session.add(
        CopySetting(
            subscription_id=subscription_id,
            subscriber_id=market.bob.id,
            profile_id=market.profile_id,
            lead_account_id=market.lead,
            copy_account_id=market.copy,
            created_at=at,
            changed_at=at,
            **settings_rows.values(CopySettings(mode=SizingMode.RATIO, factor=Decimal("0.1"))),
        )
    )
    session.add(
        LegRow(
            subscription_id=subscription_id,
            subscriber_id=market.bob.id,
            profile_id=market.profile_id,
            lead_account_id=market.lead,
            copy_account_id=market.copy,
            venue="binance",
            market="perpetual",
            symbol=BTC,
            position_side="net",
            lots=[],
            changed_at=at,
        )
    )
    session.commit()


def copied(
    session: Session, subscription_id: UUID, *, at: datetime, quantity: str, price: str, lead_price: str, delay_ms: int
) -> None:
    """Store an executed copy order and the lead's fill it answered, so many milliseconds before its acceptance."""
    leg = session.exec(select(LegRow).where(LegRow.subscription_id == subscription_id)).one()
    signed = Decimal(quantity)
    order = CopyOrder(
        leg_id=leg.id,
        subscription_id=subscription_id,
        subscriber_id=leg.subscriber_id,
        exchange_account_id=leg.copy_account_id,
        symbol=BTC,
        position_side="net",
        side=Side.of(signed),
        purpose="entry",
        kind="limit",
        quantity=abs(signed),
        reduce_only=False,
        reference=Decimal(lead_price),
        client_order_id=f"ct{new_id().hex[-26:]}",
        state=OrderState.FILLED,
        filled=abs(signed),
        average_price=Decimal(price),
        fee=Decimal("0.5"),
        fee_asset="USDT",
        created_at=at,
        acknowledged_at=at,
        ended_at=at,
    )
    part = PartRow(
        leg_id=leg.id,
        subscription_id=subscription_id,
        subscriber_id=leg.subscriber_id,
        lead_account_id=leg.lead_account_id,
        fill_id=new_id(),
        kind="fill",
        opens=True,
        symbol=BTC,
        asked=signed,
        copied=signed,
        is_open=False,
        price=Decimal(lead_price),
        venue_time=at - timedelta(milliseconds=delay_ms),
        received_at=at,
        planned_at=at,
        changed_at=at,
    )
    session.add_all([order, part])
    session.flush()
    session.add(OrderPart(order_id=order.id, part_id=part.id, quantity=abs(signed)))
    session.commit()
