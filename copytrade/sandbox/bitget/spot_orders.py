"""Spot orders: placing, looking up, cancelling; and the trades they made."""

from typing import TYPE_CHECKING, Any

from copytrade.sandbox.bitget import errors, spot_wire
from copytrade.sandbox.bitget.call import Access, Asked, Route, number
from copytrade.sandbox.bitget.mix_orders import (
    KEPT_MS,
    SIDES,
    TYPES,
    choice,
    client_id,
    ended,
    force_of,
    matching,
    page_of_fills,
)
from copytrade.sandbox.exchange import trading
from copytrade.sandbox.exchange.engine import OrderRequest
from copytrade.sandbox.exchange.instruments import INSTRUMENTS, Instrument
from copytrade.sandbox.exchange.orders import BUY, Order, OrderType, Reason, Refused
from copytrade.sandbox.exchange.values import MONEY_DECIMALS, text

if TYPE_CHECKING:
    from copytrade.sandbox.bitget.rest import Bitget


def _request(venue: "Bitget", asked: Asked) -> OrderRequest:
    instrument = asked.pair()
    side: int = choice(asked, "side", SIDES)
    kind: OrderType = choice(asked, "orderType", TYPES)
    asked.need("force") if kind is OrderType.LIMIT else None
    by_quote = side == BUY and kind is OrderType.MARKET
    size = number(asked, "size", MONEY_DECIMALS if by_quote else instrument.quantity_decimals, is_price=False)
    price = _price(venue, asked, instrument, side) if kind is OrderType.LIMIT else 0
    return OrderRequest(
        instrument.index,
        side,
        kind,
        0 if by_quote else size,
        price,
        force_of(asked, kind),
        client_id=client_id(asked),
        budget=size if by_quote else 0,
    )


def _price(venue: "Bitget", asked: Asked, instrument: Instrument, side: int) -> int:
    """Return a limit price, refused where it is farther on the wrong side of the market than the pair's ratio."""
    price = number(asked, "price", instrument.price_decimals, is_price=True)
    market, band = venue.exchange.market.price(instrument.index), instrument.band_ppm
    highest, lowest = market * (1_000_000 + band) // 1_000_000, -(-market * (1_000_000 - band) // 1_000_000)
    if side == BUY and price > highest:
        raise Refused(Reason.PRICE_TOO_HIGH, limit=text(highest, instrument.price_decimals))
    if side != BUY and price < lowest:
        raise Refused(Reason.PRICE_TOO_LOW, limit=text(lowest, instrument.price_decimals))
    return price


def _place(venue: "Bitget", asked: Asked) -> dict[str, str]:
    order = trading.place(venue.exchange, asked.account, _request(venue, asked))
    return {"orderId": str(order.id), "clientOid": order.client_id}


def _find(asked: Asked) -> Order | None:
    number, given = asked.integer("orderId"), asked.params.get("clientOid", "")
    if not number and not given:
        raise errors.missing("orderId")
    found = asked.account.orders.get(number) if number else asked.account.by_name.get((True, given))
    return found if found is not None and INSTRUMENTS[found.instrument].is_spot else None


def _info(venue: "Bitget", asked: Asked) -> list[dict[str, Any]]:
    order = _find(asked)
    if order is None or order.created > asked.lag_until:
        return []
    return [spot_wire.order(asked.account, order)]


def _cancel(venue: "Bitget", asked: Asked) -> dict[str, str]:
    asked.pair()
    order = _find(asked)
    if order is None:
        raise errors.ApiError("43001", "The order does not exist")
    if order.id not in asked.account.open:
        raise errors.ApiError("43004", "There is no order to cancel")
    trading.cancel(venue.exchange, asked.account, order)
    return {"orderId": str(order.id), "clientOid": order.client_id}


def _wanted(asked: Asked) -> Instrument | None:
    return asked.pair() if asked.params.get("symbol") else None


def _unfilled(venue: "Bitget", asked: Asked) -> list[dict[str, Any]]:
    wanted = _wanted(asked)
    rows = [order for order in reversed(asked.account.open.values()) if INSTRUMENTS[order.instrument].is_spot]
    kept = [order for order in rows if wanted is None or order.instrument == wanted.index]
    return [spot_wire.order(asked.account, order) for order in matching(asked, kept)]


def _history(venue: "Bitget", asked: Asked) -> list[dict[str, Any]]:
    wanted, account = _wanted(asked), asked.account
    start, end = asked.span(venue.exchange.clock.now(), KEPT_MS)
    rows = account.orders.values() if wanted is None else account.orders_of.get(wanted.index, [])
    kept = [order for order in ended(account, rows, start, end) if INSTRUMENTS[order.instrument].is_spot]
    return [spot_wire.order(account, order) for order in matching(asked, kept)]


def _fills(venue: "Bitget", asked: Asked) -> list[dict[str, Any]]:
    wanted, account = _wanted(asked), asked.account
    rows = (
        [fill for fill in account.fills if INSTRUMENTS[fill.instrument].is_spot]
        if wanted is None
        else account.fills_of.get(wanted.index, [])
    )
    return [spot_wire.trade(account, fill) for fill in page_of_fills(venue, asked, rows, longest=KEPT_MS)]


def routes() -> dict[tuple[str, str], Route]:
    """Return the paths of this part."""
    orders = "/api/v2/spot/trade"
    return {
        ("POST", f"{orders}/place-order"): Route(_place, Access.SPOT, is_order=True),
        ("POST", f"{orders}/cancel-order"): Route(_cancel, Access.SPOT),
        ("GET", f"{orders}/orderInfo"): Route(_info, Access.READ, 20),
        ("GET", f"{orders}/unfilled-orders"): Route(_unfilled, Access.READ, 20),
        ("GET", f"{orders}/history-orders"): Route(_history, Access.READ, 20),
        ("GET", f"{orders}/fills"): Route(_fills, Access.READ),
    }
