"""Orders that a service asks for (contract 9): no leg, else the life of every order of ours, switches included."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from copytrade import clock
from copytrade.accounts import queries as accounts
from copytrade.copying import switches
from copytrade.copying.claims import FIRST_LOOK_UP
from copytrade.copying.intentions import client_order_id
from copytrade.copying.models import CopyOrder, OrderState, SwitchMode
from copytrade.copying.work import Sending
from copytrade.db.bell import ring
from copytrade.db.model import new_id
from copytrade.domain.instruments import Market, PositionSide, Side
from copytrade.domain.legs import Purpose
from copytrade.domain.orders import OrderKind, OrderRequest
from copytrade.errors import Conflict, InvalidInput, NotFound
from copytrade.exchanges.port import AccountRef
from copytrade.settings import settings

BATCH = 100
SENT_WITHIN = timedelta(seconds=30)
"""An order that no worker took by then is dropped: its caller has long been told that nothing is known of it."""
HALTED, NOT_ACTIVE, TOO_LATE = "halted", "account_not_active", "too_late"


@dataclass(frozen=True, slots=True)
class ServiceOrder:
    """An order as the service that asked for it sees it; `key` is the service's own id of it."""

    id: UUID
    key: str
    exchange_account_id: UUID
    symbol: str
    side: str
    kind: str
    quantity: Decimal
    price: Decimal | None
    reduce_only: bool
    client_order_id: str
    venue_order_id: str
    state: str
    filled: Decimal
    average_price: Decimal | None
    fee: Decimal | None
    fee_asset: str
    refusal: str
    venue_code: str
    created_at: datetime


def place_order(session: Session, *, exchange_account_id: UUID, wish: OrderRequest, service: str) -> tuple[UUID, bool]:
    """Take an order for sending and return its id, and whether it is new: the same id of the caller is one order.

    `wish.client_order_id` is the caller's own; the venue gets one of ours. Raise Conflict where the same id stands
    for another order, or the account is not active; InvalidInput for what its market does not know.
    """
    _check(wish, market=accounts.ref(session, exchange_account_id).market)
    owner = accounts.owner_of(session, exchange_account_id)
    if accounts.states(session, [exchange_account_id])[exchange_account_id] != "active":
        raise Conflict("account was not active", user="This exchange account is not active.")
    order_id = new_id()
    row = CopyOrder(
        id=order_id,
        subscriber_id=owner,
        exchange_account_id=exchange_account_id,
        service_key=f"{service}:{wish.client_order_id}",
        symbol=wish.symbol,
        position_side=wish.position_side,
        side=wish.side,
        purpose=Purpose.EXIT if wish.reduce_only else Purpose.ENTRY,
        kind=wish.kind,
        quantity=wish.quantity,
        price=wish.price,
        reduce_only=wish.reduce_only,
        reference=wish.price or Decimal(0),
        client_order_id=client_order_id(order_id),
        state=OrderState.PLANNED,
        created_at=clock.now(),
    )
    of_key = (CopyOrder.exchange_account_id == exchange_account_id, CopyOrder.service_key == row.service_key)
    made = session.exec(
        insert(CopyOrder).values(row.model_dump()).on_conflict_do_nothing().returning(col(CopyOrder.id))
    ).first()
    if made is None:
        known = session.exec(select(CopyOrder).where(*of_key)).one()
        if _facts(known) != _facts(row):
            raise Conflict(
                "client_order_id stood for another order",
                user="This client_order_id stands for another order already.",
                field="client_order_id",
            )
        return known.id, False
    ring(session, "drive")
    return order_id, True


def order(session: Session, *, order_id: UUID) -> ServiceOrder:
    """Return how an order stands; raise NotFound for one that no service asked for."""
    row = session.get(CopyOrder, order_id)
    if row is None or row.service_key is None:
        raise NotFound(f"order {order_id} was not found", user="There is no such order.")
    return ServiceOrder(
        id=row.id,
        key=row.service_key.partition(":")[2],
        exchange_account_id=row.exchange_account_id,
        symbol=row.symbol,
        side=row.side,
        kind=row.kind,
        quantity=row.quantity,
        price=row.price,
        reduce_only=row.reduce_only,
        client_order_id=row.client_order_id,
        venue_order_id=row.venue_order_id,
        state=row.state,
        filled=row.filled,
        average_price=row.average_price,
        fee=row.fee,
        fee_asset=row.fee_asset,
        refusal=row.refusal or row.message if row.state == OrderState.DROPPED else row.refusal,
        venue_code=row.venue_code,
        created_at=row.created_at,
    )


def claim(session: Session, *, owner: str) -> list[Sending]:
    """Turn orders that wait, nobody else's, into `sending` and return them; the caller commits, then sends."""
    rows = session.exec(
        select(CopyOrder)
        .where(CopyOrder.state == OrderState.PLANNED, col(CopyOrder.leg_id).is_(None))
        .order_by(col(CopyOrder.id))
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    ).all()
    if not rows:
        return []
    account_ids = {row.exchange_account_id for row in rows}
    refs, states = accounts.refs(session, account_ids), accounts.states(session, account_ids)
    held_back = switches.load(session)
    sendings = list[Sending]()
    for row in rows:
        account = refs[row.exchange_account_id]
        if why := _hindrance(row, account, state=states[account.id], held_back=held_back):
            row.state, row.message, row.ended_at = OrderState.DROPPED, why, clock.now()
        else:
            sendings.append(_sending(row, account, owner=owner))
    return sendings


def _hindrance(row: CopyOrder, account: AccountRef, *, state: str, held_back: switches.Switches) -> str:
    mode = held_back.strictest(account.venue.value, person_id=row.subscriber_id)
    if mode is SwitchMode.HANDS_OFF or (mode is not SwitchMode.ON and not row.reduce_only):
        return HALTED
    if state != "active":
        return NOT_ACTIVE
    return TOO_LATE if clock.now() - row.created_at > SENT_WITHIN else ""


def _sending(row: CopyOrder, account: AccountRef, *, owner: str) -> Sending:
    real_now = clock.real_now()
    window = timedelta(milliseconds=settings().order_receive_window_ms)
    not_after = real_now + timedelta(seconds=settings().order_lease_margin_s)
    row.state, row.claimed_at, row.lease_owner = OrderState.SENDING, real_now, owner
    row.lease_until, row.next_check_at = not_after + window, real_now + FIRST_LOOK_UP
    request = OrderRequest(
        symbol=row.symbol,
        side=Side(row.side),
        quantity=row.quantity,
        kind=OrderKind(row.kind),
        client_order_id=row.client_order_id,
        price=row.price,
        reduce_only=row.reduce_only,
        position_side=PositionSide(row.position_side),
    )
    return Sending(row.id, account, request, not_after, person_id=row.subscriber_id, is_exit=row.reduce_only)


def _check(wish: OrderRequest, *, market: Market) -> None:
    if (":" in wish.symbol) != (market is Market.PERPETUAL):
        raise InvalidInput(
            f"symbol {wish.symbol} is not of {market.value}",
            user="This account does not trade {symbol}: spot is written BTC/USDT, perpetuals BTC/USDT:USDT.",
            field="symbol",
            symbol=wish.symbol,
        )
    if wish.reduce_only and market is Market.SPOT:
        raise InvalidInput("reduce_only on spot", user="Spot knows no reduce-only orders.", field="reduce_only")
    if not wish.quantity.is_finite() or wish.quantity <= 0:
        raise InvalidInput("quantity was not above 0", user="Enter a number above 0.", field="quantity")
    has_price = wish.price is not None
    if wish.price is not None and (not wish.price.is_finite() or wish.price <= 0):
        raise InvalidInput("price was not above 0", user="Enter a number above 0.", field="price")
    if has_price == (wish.kind is OrderKind.MARKET):
        raise InvalidInput("price did not fit", user="Limit orders have a price, market orders none.", field="price")


def _facts(row: CopyOrder) -> tuple[object, ...]:
    return (row.symbol, str(row.side), str(row.kind), row.quantity, row.price, row.reduce_only, str(row.position_side))
