"""Contract 9: a service places an order on an exchange account, the same for every venue. Off unless configured."""

import asyncio
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from fastapi import Response
from pydantic import BaseModel, Field

from copytrade.api.callers import service
from copytrade.api.routing import contract
from copytrade.api.waiting import until
from copytrade.copying import service_orders
from copytrade.copying.service_orders import ServiceOrder
from copytrade.db.session import reading, transaction
from copytrade.domain.instruments import PositionSide, Side
from copytrade.domain.orders import OrderKind, OrderRequest
from copytrade.errors import NotFound
from copytrade.settings import settings
from copytrade.users.service_tokens import Scope, ServiceCaller

router = contract("9 · orders and trades")

ANSWER_TIMEOUT_S = 10.0
_ON_ITS_WAY = ("planned", "sending")


class OrderType(StrEnum):
    """Market, a limit that rests, or a limit that takes what it can at once."""

    MARKET = "market"
    LIMIT = "limit"
    LIMIT_IOC = "limit_ioc"


class OrderWish(BaseModel):
    """What to place; the same `client_order_id` twice is one order."""

    exchange_account: UUID
    symbol: str = Field(min_length=3, max_length=60, examples=["BTC/USDT:USDT"])
    side: Side = Field(examples=["buy"])
    type: OrderType = Field(examples=["limit_ioc"])
    quantity: Decimal = Field(
        gt=0, max_digits=40, examples=["0.020"], description="in base units, on the market's step"
    )
    price: Decimal | None = Field(default=None, gt=0, max_digits=40, examples=["60014.2"])
    reduce_only: bool = False
    client_order_id: str = Field(min_length=1, max_length=60, pattern=r"^[A-Za-z0-9_.:-]+$", examples=["rebalance-17"])


class OrderAnswer(BaseModel):
    """How the order stands."""

    id: UUID
    client_order_id: str
    exchange_account: UUID
    symbol: str
    side: str
    type: str
    quantity: Decimal
    price: Decimal | None
    reduce_only: bool
    state: str = Field(
        description="`planned`, `sending`: on its way · `placed`: rests at the venue · `filled` · `ended`: over, "
        "`filled` says how far · `refused` by the venue · `unknown`: being looked up, never repeated · `lost`: proven "
        "not to have arrived · `dropped`: never sent, `refusal` says why"
    )
    filled: Decimal
    average_price: Decimal | None
    fee: Decimal | None
    fee_asset: str
    refusal: str
    venue_code: str
    venue_order_id: str
    venue_client_order_id: str
    created_at: datetime

    @classmethod
    def of(cls, order: ServiceOrder) -> "OrderAnswer":
        """Return the answer for an order."""
        renamed = {
            "client_order_id": order.key,
            "exchange_account": order.exchange_account_id,
            "type": order.kind,
            "venue_client_order_id": order.client_order_id,
        }
        return cls.model_validate(asdict(order) | renamed)


@router.post("/orders", status_code=201, responses={200: {"model": OrderAnswer}})
async def place(
    wish: OrderWish, caller: Annotated[ServiceCaller, service(Scope.ORDERS_PLACE)], answer: Response
) -> OrderAnswer:
    """Place an order: 201 with how it stands after at most ten seconds; 200 for one that was placed before."""
    if not settings().api_orders_enabled:
        raise NotFound("orders for services are off", user="This is not enabled in this installation.")
    request = OrderRequest(
        symbol=wish.symbol,
        side=wish.side,
        quantity=wish.quantity,
        kind=OrderKind(wish.type.value),
        client_order_id=wish.client_order_id,
        price=wish.price,
        reduce_only=wish.reduce_only,
        position_side=PositionSide.NET,
    )

    def take() -> tuple[UUID, bool]:
        with transaction() as session:
            return service_orders.place_order(
                session, exchange_account_id=wish.exchange_account, wish=request, service=caller.name
            )

    order_id, is_new = await asyncio.to_thread(take)

    def stands() -> ServiceOrder:
        with reading() as session:
            return service_orders.order(session, order_id=order_id)

    def decided() -> ServiceOrder | None:
        order = stands()
        return None if order.state in _ON_ITS_WAY else order

    if not is_new:
        answer.status_code = 200
    order = await until(f"order:{order_id}", decided, timeout=ANSWER_TIMEOUT_S, every=0.1)
    return OrderAnswer.of(order or await asyncio.to_thread(stands))
