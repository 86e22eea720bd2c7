"""Orders that rest may be amended: another price, another quantity, the same id."""

from typing import TYPE_CHECKING

from copytrade.sandbox.bybit import errors, trade
from copytrade.sandbox.bybit.history import named
from copytrade.sandbox.bybit.request import Access, Request, Route
from copytrade.sandbox.exchange import matching, risk, spot
from copytrade.sandbox.exchange.accounts import Account
from copytrade.sandbox.exchange.engine import Exchange
from copytrade.sandbox.exchange.instruments import INSTRUMENTS
from copytrade.sandbox.exchange.orders import BUY, OPEN, Order, Reason, Refused, TimeInForce

if TYPE_CHECKING:
    from copytrade.sandbox.bybit.rest import Bybit


def _amend(venue: "Bybit", request: Request) -> dict[str, str]:
    one, order = request.instrument(), named(request)
    if order is None or order.status not in OPEN or order.instrument != one.index:
        raise Refused(Reason.UNKNOWN_ORDER)
    if not (request.text("price") or request.text("qty")):
        raise errors.ApiError(10001, "The order remains unchanged as the parameters entered match the existing ones.")
    price = trade.price_of(request, one) if request.text("price") else order.price
    steps = trade.steps_of(request, one) if request.text("qty") else order.steps
    if price <= 0 or steps <= order.executed:
        raise errors.ApiError(110064, "The modified contract quantity cannot be less than or equal to the filled one.")
    _change(venue.exchange, request.account, order, price=price, steps=steps)
    return trade.acknowledged(request, order)


def _change(exchange: Exchange, account: Account, order: Order, *, price: int, steps: int) -> None:
    held = _held(order, price=price, left=steps - order.executed)
    if held - order.margin > _free(exchange, account, order):
        raise Refused(Reason.BALANCE if INSTRUMENTS[order.instrument].is_spot else Reason.MARGIN)
    book = exchange.resting[order.instrument]
    book.remove(order)
    order.price, order.steps, order.margin, order.updated = price, steps, held, exchange.clock.now()
    matching.tell(exchange, account, order, "NEW", None)
    if order.time_in_force is not TimeInForce.GTX:
        matching.match(exchange, account, order)
    if order.status in OPEN:
        book.add(order)
    spot.tell_held(exchange, account, order)
    exchange.store.put(order.record())
    exchange.commit()


def _held(order: Order, *, price: int, left: int) -> int:
    """Return what is held back for the amended order: of a sold coin so many, of money in proportion."""
    one = INSTRUMENTS[order.instrument]
    if one.is_spot:
        return left * (price * one.unit if order.side == BUY else one.lot)
    return -(-order.margin * left * price // (order.remaining * order.price))


def _free(exchange: Exchange, account: Account, order: Order) -> int:
    asset = spot.pays_with(order)
    return spot.free(exchange, account, asset) if asset else risk.available(exchange.market, account)


def routes() -> dict[tuple[str, str], Route]:
    """Return the paths of this part."""
    return {("POST", "/v5/order/amend"): Route(_amend, Access.TRADE)}
