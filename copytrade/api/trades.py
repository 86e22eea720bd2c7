"""Contracts 8 and 9: what was executed, in one form for every venue, newest first, page by page."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from pydantic import AwareDatetime, BaseModel, Field

from copytrade.accounts import queries as accounts
from copytrade.api.callers import person_or, service
from copytrade.api.routing import contract
from copytrade.capture import queries
from copytrade.capture.queries import FillRow, FillRows
from copytrade.db.session import reading
from copytrade.errors import NotFound
from copytrade.users.queries import Person
from copytrade.users.service_tokens import Scope, ServiceCaller

router = contract("8 · a user's trades")
everybody = contract("9 · orders and trades")

MOST = 500
Cursor = Annotated[str, Query(max_length=100, description="`cursor` of the page before; empty: the newest")]
Limit = Annotated[int, Query(ge=1, le=MOST)]
_FIELDS = (
    *("id", "exchange_account_id", "market", "symbol", "position_side", "trade_id", "order_id", "client_order_id"),
    *("side", "quantity", "price", "fee", "fee_asset", "venue_time", "received_at", "is_maker", "is_liquidation"),
)


class TradeAnswer(BaseModel):
    """One execution; quantity in base units, price in quote, times of the venue and of our receipt."""

    id: UUID
    exchange_account_id: UUID
    venue: str = Field(examples=["binance"])
    market: str = Field(examples=["perpetual"])
    symbol: str = Field(examples=["BTC/USDT:USDT"])
    position_side: str = Field(examples=["net"])
    trade_id: str = Field(examples=["4211"])
    order_id: str = Field(examples=["8812"])
    client_order_id: str
    side: str = Field(examples=["buy"])
    quantity: Decimal = Field(examples=["0.020"])
    price: Decimal = Field(examples=["60014.2"])
    fee: Decimal = Field(examples=["0.48"])
    fee_asset: str = Field(examples=["USDT"])
    venue_time: datetime
    received_at: datetime
    is_maker: bool
    is_liquidation: bool


class TradesAnswer(BaseModel):
    """A page of executions; `cursor` gives the next one and is empty at the end."""

    trades: list[TradeAnswer]
    cursor: str


def _page(found: FillRows, venues: dict[UUID, str]) -> TradesAnswer:
    return TradesAnswer(trades=[_trade(row, venues) for row in found.rows], cursor=found.cursor)


def _trade(row: FillRow, venues: dict[UUID, str]) -> TradeAnswer:
    told: dict[str, Any] = {name: getattr(row, name) for name in _FIELDS}
    return TradeAnswer(venue=venues[row.exchange_account_id], **told)


@router.get("/trades/{user_id}")
def of_user(
    user_id: UUID,
    caller: Annotated[Person | ServiceCaller, person_or(Scope.TRADES_READ)],
    cursor: Cursor = "",
    limit: Limit = 50,
) -> TradesAnswer:
    """Return what was executed on a user's accounts; people see their own only."""
    if isinstance(caller, Person) and caller.id != user_id:
        raise NotFound(f"user {user_id} is not the caller", user="There is no such person.")
    with reading() as session:
        mine = accounts.ids_of(session, owner=user_id)
        found = queries.fills_page(session, account_ids=mine, cursor=cursor, limit=limit)
        return _page(found, {ref.id: ref.venue for ref in accounts.refs(session, mine).values()})


@everybody.get("/trades")
def of_account(
    _caller: Annotated[ServiceCaller, service(Scope.TRADES_READ)],
    exchange_account: UUID,
    symbol: Annotated[str, Query(max_length=60, examples=["BTC/USDT:USDT"])] = "",
    since: AwareDatetime | None = None,
    cursor: Cursor = "",
    limit: Limit = 100,
) -> TradesAnswer:
    """Return what was executed on an account, in one form for every venue."""
    with reading() as session:
        ref = accounts.ref(session, exchange_account)
        found = queries.fills_page(
            session,
            account_ids=[exchange_account],
            symbol=symbol,
            since=since.astimezone(UTC) if since else None,
            cursor=cursor,
            limit=limit,
        )
        return _page(found, {ref.id: ref.venue})
