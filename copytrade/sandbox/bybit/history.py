"""What an account has ordered and executed: open orders, closed ones, executions."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from copytrade.sandbox.bybit import errors, ids, wire
from copytrade.sandbox.bybit.paging import page
from copytrade.sandbox.bybit.request import LINEAR, Request, Route
from copytrade.sandbox.bybit.trail import Trail
from copytrade.sandbox.exchange.accounts import Account
from copytrade.sandbox.exchange.instruments import INSTRUMENTS
from copytrade.sandbox.exchange.market import FUNDING_MS
from copytrade.sandbox.exchange.orders import OPEN, Fill, Income, IncomeKind, Order, PositionSide
from copytrade.sandbox.exchange.path import DAY_MS
from copytrade.sandbox.exchange.values import divide, text

if TYPE_CHECKING:
    from copytrade.sandbox.bybit.rest import Bybit

Row = TypeVar("Row", Fill, Income)
RECENT_CLOSED = 500
KEPT_MS = 730 * DAY_MS
_UNFILLED_KEPT_MS = DAY_MS


def trail(venue: "Bybit", account: Account) -> Trail:
    """Return the account's trail, made when it is first asked for."""
    found = venue.trails.get(account.id)
    if found is None:
        found = venue.trails[account.id] = Trail(account)
    return found


def named(request: Request) -> Order | None:
    """Return the order that a request names by id, or else by client id; None where the account has none such."""
    account, is_spot = request.account, request.is_spot
    written, client_id = request.text("orderId"), request.text("orderLinkId")
    if written:
        number = ids.order_number(written, is_spot=is_spot)
        found = None if number is None else account.orders.get(number)
        return found if found is not None and INSTRUMENTS[found.instrument].is_spot == is_spot else None
    return account.by_name.get((is_spot, client_id))


def _is_named(request: Request) -> bool:
    return bool(request.text("orderId") or request.text("orderLinkId"))


def _of_category(request: Request, orders: Iterable[Order]) -> list[Order]:
    wanted = {one.index for one in request.wanted()}
    return sorted((order for order in orders if order.instrument in wanted), key=lambda order: -order.id)


def _recent(venue: "Bybit", request: Request) -> list[Order]:
    """Return the last orders of a category that ended, newest first; a restart of the venue forgets them."""
    of_category = {one.index for one in request.instruments().values()}
    found: list[Order] = []
    for order in reversed(request.account.orders.values()):
        if order.status not in OPEN and order.instrument in of_category and order.updated >= venue.began:
            found.append(order)
            if len(found) == RECENT_CLOSED:
                break
    return found


def _realtime(venue: "Bybit", request: Request) -> dict[str, Any]:
    account, lag = request.account, venue.faults.lag(request.account.id)
    says_which = _is_named(request) or any(request.text(name) for name in ("symbol", "baseCoin", "settleCoin"))
    if request.category() == LINEAR and not says_which:
        raise errors.ApiError(10001, "Missing some parameters that must be filled in, symbol or settleCoin or baseCoin")
    if _is_named(request):
        found = named(request)
        rows = [found] if found is not None and (found.status in OPEN or found in _recent(venue, request)) else []
    elif request.integer("openOnly"):
        wanted = {one.index for one in request.wanted()}
        rows = [order for order in _recent(venue, request) if order.instrument in wanted]
    else:
        rows = _of_category(request, account.open.values())
    newest = venue.exchange.clock.now() - lag
    return _orders(request, [order for order in rows if order.created <= newest])


def _history(venue: "Bybit", request: Request) -> dict[str, Any]:
    now = venue.exchange.clock.now()
    newest = now - venue.faults.lag(request.account.id)
    first, last = request.window(now=now)
    if _is_named(request):
        found = named(request)
        rows, first, last = ([found] if found is not None else []), 0, now
    else:
        rows = _of_category(request, request.account.orders.values())
    status = request.text("orderStatus")
    shown = [
        order
        for order in rows
        if order.status not in OPEN
        and max(first, now - KEPT_MS) <= order.created <= min(last, newest)
        and (order.executed or order.updated > now - _UNFILLED_KEPT_MS)
        and (not status or wire.status(order) == status)
    ]
    return _orders(request, shown)


def _orders(request: Request, rows: list[Order]) -> dict[str, Any]:
    limit = request.limit(default=20, most=50)
    shown, cursor = page(rows, cursor=request.text("cursor"), limit=limit, key=lambda order: order.id)
    told = [wire.order(request.account, order) for order in shown]
    return {"category": request.category(), "list": told, "nextPageCursor": cursor}


def _executions(venue: "Bybit", request: Request) -> dict[str, Any]:
    now, account = venue.exchange.clock.now(), request.account
    first, last = request.window(now=now)
    newest = now - venue.faults.lag(account.id)
    kind = request.text("execType")
    if _is_named(request):
        found = named(request)
        fills = [] if found is None else [f for f in account.fills_of.get(found.instrument, ()) if f.order == found.id]
        rows: list[Fill | Income] = [fill for fill in fills if fill.time <= newest]
    else:
        first, last = max(first, now - KEPT_MS), min(last, newest)
        rows = list(_booked(request, first=first, last=last))
    rows = [row for row in rows if not kind or _kind(account, row) == kind]
    rows.sort(key=lambda row: -row.id)
    limit = request.limit(default=50, most=100)
    shown, cursor = page(rows, cursor=request.text("cursor"), limit=limit, key=lambda row: row.id)
    told = [_told(venue, account, row) for row in shown]
    return {"category": request.category(), "list": told, "nextPageCursor": cursor}


def _booked(request: Request, *, first: int, last: int) -> Iterator[Fill | Income]:
    account, wanted = request.account, {one.index for one in request.wanted()}
    yield from (fill for fill in _between(account.fills, first, last) if fill.instrument in wanted)
    for entry in () if request.is_spot else _between(account.incomes, first, last):
        if entry.kind is IncomeKind.FUNDING_FEE and entry.instrument in wanted:
            yield entry


def _between(rows: list[Row], first: int, last: int) -> list[Row]:
    """Return the rows of a time; they lie oldest first."""
    return rows[bisect_left(rows, first, key=_time_of) : bisect_right(rows, last, key=_time_of)]


def _time_of(row: Fill | Income) -> int:
    return row.time


def _kind(account: Account, row: Fill | Income) -> str:
    if isinstance(row, Income):
        return "Funding"
    return wire.execution_type(account.orders[row.order])


def _told(venue: "Bybit", account: Account, row: Fill | Income) -> dict[str, Any]:
    if isinstance(row, Income):
        return _funding(venue, account, row)
    told = wire.execution(account.orders[row.order], row, trail(venue, account).of(row))
    # the venue leaves the coin of a perpetual's fee out here, not on its stream
    return told if INSTRUMENTS[row.instrument].is_spot else told | {"feeCurrency": ""}


def _held(account: Account, entry: Income, *, is_long: bool) -> int:
    """Return how much was held of what paid or earned a funding, in steps."""
    held: dict[PositionSide, int] = {}
    for fill in account.fills_of.get(entry.instrument, ()):
        if fill.time <= entry.time:
            held[fill.position_side] = held.get(fill.position_side, 0) + fill.side * fill.steps
    return sum(abs(steps) for steps in held.values() if steps and (steps > 0) == is_long)


def _funding(venue: "Bybit", account: Account, entry: Income) -> dict[str, Any]:
    one, market = INSTRUMENTS[entry.instrument], venue.exchange.market
    rate = market.funding_rate(entry.instrument, entry.time // FUNDING_MS * FUNDING_MS)
    is_long = (entry.amount < 0) == (rate > 0)
    steps = _held(account, entry, is_long=is_long)
    mark = divide(abs(entry.amount) * 10**8, abs(rate) * steps * one.unit) if rate and steps else 0
    return {
        **{"category": wire.category(one), "symbol": one.symbol, "orderId": f"{entry.time}-8-{entry.account}-0-1"},
        **{"orderLinkId": "", "side": "Buy" if is_long else "Sell", "orderPrice": "0", "leavesQty": "0"},
        "orderQty": "0",
        **{"orderType": "UNKNOWN", "stopOrderType": "UNKNOWN", "createType": ""},
        "execFee": wire.amount(-entry.amount),
        "execId": ids.execution_id(entry.id, is_spot=False),
        "execPrice": wire.price(one, mark),
        "execQty": wire.quantity(one, steps),
        "execType": "Funding",
        "execValue": wire.amount(steps * mark * one.unit),
        **{"execTime": str(entry.time), "feeCurrency": "", "isMaker": False, "feeRate": text(rate, 8)},
        **dict.fromkeys(("indexPrice", "tradeIv", "markIv", "underlyingPrice", "blockTradeId"), ""),
        **{"markPrice": wire.price(one, mark), "closedSize": "", "seq": entry.id, "extraFees": ""},
    }


def routes() -> dict[tuple[str, str], Route]:
    """Return the paths of this part."""
    return {
        ("GET", "/v5/order/realtime"): Route(_realtime),
        ("GET", "/v5/order/history"): Route(_history),
        ("GET", "/v5/execution/list"): Route(_executions),
    }
