"""Placing and cancelling orders."""

from copytrade.sandbox.exchange import matching, spot
from copytrade.sandbox.exchange.accounts import Account
from copytrade.sandbox.exchange.checks import check
from copytrade.sandbox.exchange.engine import Exchange, OrderRequest
from copytrade.sandbox.exchange.instruments import FIRST_SPOT, INSTRUMENTS
from copytrade.sandbox.exchange.orders import (
    OPEN,
    Order,
    OrderType,
    PositionSide,
    Reason,
    Refused,
    Status,
    TimeInForce,
)


def place(exchange: Exchange, account: Account, request: OrderRequest) -> Order:
    """Place an order and trade what can be traded at once; raise Refused when a rule forbids it."""
    with exchange.clock.one_moment():
        return _place(exchange, account, request)


def _place(exchange: Exchange, account: Account, request: OrderRequest) -> Order:
    steps, margin = check(exchange, account, request)
    stillborn = _is_stillborn(exchange, account, request, steps)
    now = exchange.clock.now()
    number = exchange.new_id()
    order = Order(
        *(number, account.id, request.instrument, request.client_id or f"auto{number}", request.side, request.type),
        *(request.time_in_force, request.price, steps, request.reduce_only, request.position_side, now),
        updated=now,
        budget=request.budget,
        purse=spot.purse(exchange, account, request),
    )
    account.add_order(order)
    matching.tell(exchange, account, order, "NEW", None)
    if not stillborn:
        matching.match(exchange, account, order)
    if order.status in OPEN:
        if order.budget:
            order.steps = order.executed
        if stillborn or order.type is OrderType.MARKET or order.time_in_force is TimeInForce.IOC:
            matching.end(exchange, account, order, Status.EXPIRED)
        else:
            order.margin = margin * order.remaining // steps
            exchange.resting[order.instrument].add(order)
            spot.tell_held(exchange, account, order)
    exchange.store.put(order.record())
    exchange.commit()
    return order


def cancel(exchange: Exchange, account: Account, order: Order) -> Order:
    """Take an open order out of the book; raise Refused when it is not open."""
    if order.status not in OPEN:
        raise Refused(Reason.UNKNOWN_ORDER)
    exchange.resting[order.instrument].remove(order)
    matching.end(exchange, account, order, Status.CANCELED)
    exchange.store.put(order.record())
    exchange.commit()
    return order


def close_by_venue(
    exchange: Exchange,
    account: Account,
    *,
    instrument: int,
    side: PositionSide,
    price: int,
    adl_steps: int = 0,
) -> Order:
    """Close a position against its holder's will in one execution at `price`: a liquidation, or of `adl_steps`."""
    position = account.position(instrument, side)
    now = exchange.clock.now()
    number = exchange.new_id()
    kind = OrderType.ADL if adl_steps else OrderType.LIQUIDATION
    steps = adl_steps or abs(position.steps)
    name = f"{'adl_autoclose' if adl_steps else 'autoclose-'}{now}{number % 1000:03}"
    order = Order(
        *(number, account.id, instrument, name, -1 if position.steps > 0 else 1),
        *(kind, TimeInForce.IOC, price, steps, False, side, now),
        updated=now,
    )
    account.add_order(order)
    matching.tell(exchange, account, order, "NEW", None)
    matching.execute(exchange, account, order, price=price, steps=order.steps, maker=False, trade=exchange.new_id())
    exchange.store.put(order.record())
    return order


_DIES = frozenset((Reason.WOULD_NOT_FILL, Reason.BOOK_TOO_FAR))


def _is_stillborn(exchange: Exchange, account: Account, request: OrderRequest, steps: int) -> bool:
    """Tell whether the order is taken and ends at once, where Binance's perpetuals would refuse it."""
    try:
        _check_takes(exchange, account, request, steps)
    except Refused as refusal:
        dies = account.venue != "binance" or (request.instrument >= FIRST_SPOT and refusal.reason in _DIES)
        if not dies:
            raise
        return True
    return False


def _check_takes(exchange: Exchange, account: Account, request: OrderRequest, steps: int) -> None:
    """Refuse what must not take, what must fill whole, and a market order on an empty or far book."""
    if request.type is OrderType.LIMIT and request.time_in_force in (TimeInForce.GTC, TimeInForce.IOC):
        return
    resting = exchange.resting[request.instrument].best(-request.side)
    first = next(iter(exchange.market.levels(request.instrument, request.side)), None)
    offers = [price for price in (first[0] if first else None, resting.price if resting else None) if price is not None]
    best = min((price * request.side for price in offers), default=None)
    if request.type is OrderType.MARKET:
        mark = exchange.market.price(request.instrument)
        band = INSTRUMENTS[request.instrument].band_ppm
        if best is None or best > (mark + request.side * mark * band // 1_000_000) * request.side:
            raise Refused(Reason.BOOK_TOO_FAR)
        return
    if request.time_in_force is TimeInForce.GTX and best is not None and best <= request.price * request.side:
        raise Refused(Reason.WOULD_TAKE)
    if request.time_in_force is TimeInForce.FOK and _room(exchange, account, request) < steps:
        raise Refused(Reason.WOULD_NOT_FILL)


def _room(exchange: Exchange, account: Account, request: OrderRequest) -> int:
    def reaches(price: int) -> bool:
        return (price - request.price) * request.side <= 0

    levels = exchange.market.levels(request.instrument, request.side)
    others = exchange.resting[request.instrument].orders(-request.side)
    return sum(steps for price, steps in levels if reaches(price)) + sum(
        other.remaining for other in others if reaches(other.price) and other.account != account.id
    )
