"""Orders of perpetuals: placing, looking up, cancelling; and the trades they made."""

import re
from collections.abc import Iterable, Iterator, Reversible
from typing import TYPE_CHECKING, Any

from copytrade.sandbox.bitget import errors, wire
from copytrade.sandbox.bitget.call import Access, Asked, Route, number
from copytrade.sandbox.exchange import modes, trading
from copytrade.sandbox.exchange.accounts import Account
from copytrade.sandbox.exchange.engine import OrderRequest
from copytrade.sandbox.exchange.instruments import INSTRUMENTS, Instrument
from copytrade.sandbox.exchange.orders import BUY, SELL, Fill, Order, OrderType, PositionSide, TimeInForce
from copytrade.sandbox.exchange.path import DAY_MS

if TYPE_CHECKING:
    from copytrade.sandbox.bitget.rest import Bitget

CLIENT_ID = re.compile(r"[A-Za-z0-9_-]{1,40}")
KEPT_MS = 90 * DAY_MS
_HISTORY_MS = 7 * DAY_MS
SIDES = {"buy": BUY, "sell": SELL}
TYPES = {"limit": OrderType.LIMIT, "market": OrderType.MARKET}
FORCES = {name: force for force, name in wire.FORCES.items()}
_ISOLATED = {"crossed": False, "isolated": True}


def client_id(asked: Asked) -> str:
    """Return the id that the client gave an order, empty where he gave none."""
    given = asked.params.get("clientOid", "")
    if given and not CLIENT_ID.fullmatch(given):
        raise errors.ApiError("43011", "The parameter does not meet the specification clientOid")
    return given


def choice(asked: Asked, name: str, allowed: dict[str, Any]) -> Any:
    """Return what one of the allowed words means."""
    word = asked.need(name).lower()
    if word not in allowed:
        raise errors.wrong(name)
    return allowed[word]


def force_of(asked: Asked, kind: OrderType) -> TimeInForce:
    """Return how long an order holds; of a market order it is not heard."""
    if kind is OrderType.MARKET or not asked.params.get("force"):
        return TimeInForce.GTC
    return choice(asked, "force", FORCES)


def _request(venue: "Bitget", asked: Asked) -> OrderRequest:
    instrument = asked.contract()
    asked.need("marginCoin")
    kind: OrderType = choice(asked, "orderType", TYPES)
    size = number(asked, "size", instrument.quantity_decimals, is_price=False)
    is_limit = kind is OrderType.LIMIT
    price = number(asked, "price", instrument.price_decimals, is_price=True) if is_limit else 0
    side, position_side = _direction(asked)
    _agree_on_margin(venue, asked, instrument)
    reduce_only = not asked.account.hedge and asked.params.get("reduceOnly", "NO").upper() == "YES"
    return OrderRequest(
        *(instrument.index, side, kind, size, price, force_of(asked, kind), reduce_only, position_side),
        client_id(asked),
    )


def _direction(asked: Asked) -> tuple[int, PositionSide]:
    """Return side and position side; hedged accounts name the position's direction, closing it reverses the side."""
    named: int = choice(asked, "side", SIDES)
    if not asked.account.hedge:
        return named, PositionSide.BOTH
    word = asked.params.get("tradeSide", "").lower()
    if word not in ("open", "close"):
        text = "The order type for unilateral position must also be the unilateral position type."
        raise errors.ApiError("40774", text)
    position_side = PositionSide.LONG if named == BUY else PositionSide.SHORT
    return (named if word == "open" else -named), position_side


def _agree_on_margin(venue: "Bitget", asked: Asked, instrument: Instrument) -> None:
    """Let an order bring its margin mode; refused by the venue while the symbol is in use with the other."""
    isolated: bool = choice(asked, "marginMode", _ISOLATED)
    if (instrument.index in asked.account.isolated) != isolated:
        modes.set_isolated(venue.exchange, asked.account, instrument.index, isolated=isolated)


def _place(venue: "Bitget", asked: Asked) -> dict[str, str]:
    order = trading.place(venue.exchange, asked.account, _request(venue, asked))
    return {"orderId": str(order.id), "clientOid": order.client_id}


def find(asked: Asked, instrument: Instrument) -> Order | None:
    """Return the order of the parameter `orderId`, else of `clientOid`."""
    number, given = asked.integer("orderId"), asked.params.get("clientOid", "")
    if not number and not given:
        raise errors.missing("orderId")
    order = asked.account.orders.get(number) if number else asked.account.by_name.get((False, given))
    return order if order is not None and order.instrument == instrument.index else None


def _detail(venue: "Bitget", asked: Asked) -> dict[str, Any]:
    order = find(asked, asked.contract())
    if order is None or order.created > asked.lag_until:
        raise errors.ApiError("40109", "The data of the order cannot be found, please confirm the order number")
    return wire.detail(asked.account, order)


def _cancel(venue: "Bitget", asked: Asked) -> dict[str, str]:
    order = find(asked, asked.contract())
    if order is None:
        raise errors.ApiError("40768", "Order does not exist")
    if order.id not in asked.account.open:
        raise errors.ApiError("22001", "No order to cancel")
    trading.cancel(venue.exchange, asked.account, order)
    return {"orderId": str(order.id), "clientOid": order.client_id}


def _pending(venue: "Bitget", asked: Asked) -> dict[str, Any]:
    wanted = _wanted(asked)
    rows = [order for order in reversed(asked.account.open.values()) if _is_perpetual(order)]
    return _order_page(asked, [order for order in rows if wanted in (None, order.instrument)])


def _history(venue: "Bitget", asked: Asked) -> dict[str, Any]:
    wanted, account = _wanted(asked), asked.account
    start, end = asked.span(venue.exchange.clock.now(), KEPT_MS)
    rows = account.orders.values() if wanted is None else account.orders_of.get(wanted, [])
    return _order_page(asked, [order for order in ended(account, rows, start, end) if _is_perpetual(order)])


def ended(account: Account, orders: Reversible[Order], start: int, end: int) -> Iterator[Order]:
    """Yield the orders of a time that are no longer open, newest first."""
    for order in reversed(orders):
        if order.created < start:
            return
        if order.created <= end and order.id not in account.open:
            yield order


def _wanted(asked: Asked) -> int | None:
    asked.product()
    return asked.contract().index if asked.params.get("symbol") else None


def _is_perpetual(order: Order) -> bool:
    return not INSTRUMENTS[order.instrument].is_spot


def matching(asked: Asked, orders: Iterable[Order]) -> list[Order]:
    """Return the orders that ids, page and lag of a request leave over."""
    number, given, below = asked.integer("orderId"), asked.params.get("clientOid", ""), asked.integer("idLessThan")
    return [
        order
        for order in orders
        if order.created <= asked.lag_until
        and (not number or order.id == number)
        and (not given or order.client_id == given)
        and (not below or order.id < below)
    ][: asked.limit()]


def _order_page(asked: Asked, orders: list[Order]) -> dict[str, Any]:
    found = matching(asked, orders)
    rows = [wire.order(asked.account, order) for order in found]
    return {"entrustedList": rows or None, "endId": str(found[-1].id) if found else None}


def _fills(venue: "Bitget", asked: Asked) -> dict[str, Any]:
    return _fill_page(venue, asked, KEPT_MS)


def _fill_history(venue: "Bitget", asked: Asked) -> dict[str, Any]:
    return _fill_page(venue, asked, _HISTORY_MS)


def _fill_page(venue: "Bitget", asked: Asked, longest: int) -> dict[str, Any]:
    wanted, account = _wanted(asked), asked.account
    rows = perpetual_fills(account) if wanted is None else account.fills_of.get(wanted, [])
    found = page_of_fills(venue, asked, rows, longest=longest)
    shown = [wire.trade(account, fill) for fill in found]
    return {"fillList": shown, "endId": str(found[-1].id) if found else None}


def perpetual_fills(account: Account) -> list[Fill]:
    return [fill for fill in account.fills if not INSTRUMENTS[fill.instrument].is_spot]


def page_of_fills(venue: "Bitget", asked: Asked, fills: list[Fill], *, longest: int) -> list[Fill]:
    """Return a page of executions, newest first, within the times asked for and below `idLessThan`."""
    start, end = asked.span(venue.exchange.clock.now(), longest)
    end = min(end, asked.lag_until)
    order, below, limit = asked.integer("orderId"), asked.integer("idLessThan"), asked.limit()
    found: list[Fill] = []
    for fill in reversed(fills):
        if fill.time < start or len(found) == limit:
            break
        if fill.time <= end and (not below or fill.id < below) and (not order or fill.order == order):
            found.append(fill)
    return found


def routes() -> dict[tuple[str, str], Route]:
    """Return the paths of this part."""
    orders = "/api/v2/mix/order"
    return {
        ("POST", f"{orders}/place-order"): Route(_place, Access.FUTURES, is_order=True),
        ("POST", f"{orders}/cancel-order"): Route(_cancel, Access.FUTURES),
        ("GET", f"{orders}/detail"): Route(_detail, Access.READ),
        ("GET", f"{orders}/orders-pending"): Route(_pending, Access.READ),
        ("GET", f"{orders}/orders-history"): Route(_history, Access.READ),
        ("GET", f"{orders}/fills"): Route(_fills, Access.READ),
        ("GET", f"{orders}/fill-history"): Route(_fill_history, Access.READ),
    }
