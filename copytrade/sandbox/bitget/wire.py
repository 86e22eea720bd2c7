"""The shapes in which Bitget writes perpetual things."""

from typing import Any

from copytrade.sandbox.exchange import risk
from copytrade.sandbox.exchange.accounts import Account, Position, margin_of
from copytrade.sandbox.exchange.instruments import INSTRUMENTS, QUOTE, Instrument
from copytrade.sandbox.exchange.market import Candle, Market
from copytrade.sandbox.exchange.orders import BUY, Fill, Order, OrderType, PositionSide, Status, TimeInForce
from copytrade.sandbox.exchange.values import divide, money, text

PRODUCT = "USDT-FUTURES"
FORCES = {
    TimeInForce.GTC: "gtc",
    TimeInForce.IOC: "ioc",
    TimeInForce.FOK: "fok",
    TimeInForce.GTX: "post_only",
}
_STATES = {Status.NEW: "live", Status.PARTIALLY_FILLED: "partially_filled", Status.FILLED: "filled"}
_HELD_SIDES = {PositionSide.BOTH: "net", PositionSide.LONG: "long", PositionSide.SHORT: "short"}


def side(sign: int) -> str:
    return "buy" if sign == BUY else "sell"


def held_side(position_side: PositionSide, sign: int) -> str:
    """Return the direction of the position that an order of a hedged account is about, as REST tells its side."""
    if position_side is PositionSide.BOTH:
        return side(sign)
    return "buy" if position_side is PositionSide.LONG else "sell"


def trade_side(position_side: PositionSide, sign: int, *, liquidated: bool) -> str:
    """Return what an execution does to the position."""
    if position_side is PositionSide.BOTH:
        return f"{'burst_' if liquidated else ''}{side(sign)}_single"
    if liquidated:
        return f"burst_close_{position_side.value.lower()}"
    opens = (sign == BUY) == (position_side is PositionSide.LONG)
    return "open" if opens else "close"


def mode(account: Account) -> str:
    return "hedge_mode" if account.hedge else "one_way_mode"


def mode_of(position_side: PositionSide) -> str:
    return "one_way_mode" if position_side is PositionSide.BOTH else "hedge_mode"


def margin_mode(account: Account, instrument: int) -> str:
    return "isolated" if instrument in account.isolated else "crossed"


def state(status: Status, *, cancelled: str = "canceled") -> str:
    return _STATES.get(status, cancelled)


def order_type(order: Order) -> str:
    return "limit" if order.type is OrderType.LIMIT else "market"


def price(order: Order, instrument: Instrument) -> str:
    shown = order.price and order.type is OrderType.LIMIT
    return text(order.price, instrument.price_decimals) if shown else "0"


def average(quote: int, steps: int, instrument: Instrument) -> str:
    """Write the price at which steps moved an amount of money; nothing where there was none."""
    if not steps:
        return ""
    found = text(divide(quote * 10**instrument.quantity_decimals, steps), 8)
    return found.rstrip("0").rstrip(".")


def fills_of(account: Account, order: Order) -> list[Fill]:
    """Return the executions of an order, newest first."""
    found: list[Fill] = []
    for fill in reversed(account.fills_of.get(order.instrument, ())):
        if fill.time < order.created:
            break
        if fill.order == order.id:
            found.append(fill)
    return found


def order(account: Account, order: Order) -> dict[str, Any]:
    """Write an order as the lists do; its detail calls `status` `state`."""
    instrument = INSTRUMENTS[order.instrument]
    fills = fills_of(account, order)
    liquidated = order.type is OrderType.LIQUIDATION
    has_ended_early = order.status in (Status.CANCELED, Status.EXPIRED)
    return {
        "symbol": instrument.symbol,
        "size": text(order.steps, instrument.quantity_decimals),
        "orderId": str(order.id),
        "clientOid": order.client_id,
        "baseVolume": text(order.executed, instrument.quantity_decimals),
        "fee": money(-sum(fill.fee for fill in fills)) if fills else "",
        "price": price(order, instrument),
        "priceAvg": average(order.quote, order.executed, instrument),
        "status": state(order.status),
        "side": held_side(order.position_side, order.side),
        "force": FORCES[order.time_in_force],
        "totalProfits": money(sum(fill.realized for fill in fills)),
        "posSide": _HELD_SIDES[order.position_side],
        "marginCoin": QUOTE,
        "quoteVolume": money(order.quote),
        "leverage": str(account.leverage_of(order.instrument)),
        "marginMode": margin_mode(account, order.instrument),
        "enterPointSource": "SYS" if liquidated else "API",
        "tradeSide": trade_side(order.position_side, order.side, liquidated=liquidated),
        "posMode": mode_of(order.position_side),
        "orderType": order_type(order),
        "orderSource": "liquidation" if liquidated else order_type(order),
        "reduceOnly": "YES" if order.reduce_only else "NO",
        "presetStopSurplusPrice": "",
        "presetStopLossPrice": "",
        "cancelReason": "normal_cancel" if has_ended_early else "",
        "cTime": str(order.created),
        "uTime": str(order.updated),
    }


def detail(account: Account, found: Order) -> dict[str, Any]:
    row = order(account, found)
    row["state"] = row.pop("status")
    return row


def fee_detail(fill: Fill) -> list[dict[str, str]]:
    return [{"deduction": "no", "feeCoin": QUOTE, "totalDeductionFee": "0", "totalFee": money(-fill.fee)}]


def trade(account: Account, fill: Fill) -> dict[str, Any]:
    """Write an execution as REST does: in hedge mode its side is the position's direction."""
    instrument = INSTRUMENTS[fill.instrument]
    return {
        "tradeId": str(fill.id),
        "symbol": instrument.symbol,
        "orderId": str(fill.order),
        "price": text(fill.price, instrument.price_decimals),
        "baseVolume": text(fill.steps, instrument.quantity_decimals),
        "feeDetail": fee_detail(fill),
        "side": held_side(fill.position_side, fill.side),
        "quoteVolume": money(fill.price * fill.steps * instrument.unit),
        "profit": money(fill.realized),
        "enterPointSource": "api",
        "tradeSide": trade_side(fill.position_side, fill.side, liquidated=is_liquidation(account, fill)),
        "posMode": mode_of(fill.position_side),
        "tradeScope": "maker" if fill.maker else "taker",
        "cTime": str(fill.time),
    }


def is_liquidation(account: Account, fill: Fill) -> bool:
    """Tell whether the venue itself closed a position by this execution."""
    order = account.orders.get(fill.order)
    return order is not None and order.type is OrderType.LIQUIDATION


def balance(market: Market, account: Account) -> dict[str, Any]:
    """Write the money of a futures account."""
    whole = risk.margin(market, account)
    free = money(max(0, whole.available))
    isolated = whole.unrealized - whole.cross_unrealized
    equity = money(whole.balance)
    return {
        "marginCoin": QUOTE,
        "locked": money(whole.orders_initial),
        "available": money(max(0, whole.cross_wallet - whole.orders_initial)),
        "crossedMaxAvailable": free,
        "isolatedMaxAvailable": free,
        "maxTransferOut": money(max(0, min(whole.available, whole.cross_wallet))),
        "accountEquity": equity,
        "usdtEquity": equity,
        "btcEquity": "0",
        "crossedRiskRate": text(risk_rate(whole), 6),
        "crossedMargin": money(whole.cross_initial),
        "isolatedMargin": money(whole.positions_initial - whole.cross_initial),
        "unrealizedPL": money(whole.unrealized),
        "crossedUnrealizedPL": money(whole.cross_unrealized),
        "isolatedUnrealizedPL": money(isolated),
        "coupon": "0",
        "assetMode": "single",
    }


def risk_rate(whole: risk.Margin) -> int:
    """Return the maintenance margin over what is there, in millionths; at 1 a cross account is liquidated."""
    there = whole.cross_wallet + whole.cross_unrealized
    return whole.cross_maintenance * 1_000_000 // there if there > 0 else 1_000_000


def position(market: Market, account: Account, held: Position) -> dict[str, Any]:
    """Write a position that is not flat, as REST does."""
    instrument = INSTRUMENTS[held.instrument]
    decimals = instrument.quantity_decimals
    mark = market.price(held.instrument)
    leverage = account.leverage_of(held.instrument)
    notional = abs(held.steps) * mark * instrument.unit
    total, entry = text(abs(held.steps), decimals), average(held.cost, abs(held.steps), instrument)
    isolated = held.instrument in account.isolated
    initial = margin_of(instrument, held.steps, mark, leverage)
    rows = [order for order in account.open.values() if order.instrument == held.instrument]
    opening = sum(order.remaining for order in rows if order.side * held.steps > 0)
    liquidation = risk.liquidation_price(market, account, held)
    return {
        "marginCoin": QUOTE,
        "symbol": instrument.symbol,
        "holdSide": "long" if held.steps > 0 else "short",
        "openDelegateSize": text(opening, decimals),
        "marginSize": money(held.isolated_wallet if isolated else initial),
        "available": total,
        "locked": text(0, decimals),
        "total": total,
        "leverage": str(leverage),
        "achievedProfits": money(held.realized),
        "openPriceAvg": entry,
        "marginMode": margin_mode(account, held.instrument),
        "posMode": mode_of(held.side),
        "unrealizedPL": money(held.unrealized(mark)),
        "liquidationPrice": text(liquidation, instrument.price_decimals) if liquidation else "0",
        "keepMarginRate": text(instrument.bracket(notional).maintenance_ppm, 6),
        "markPrice": text(mark, instrument.price_decimals),
        "marginRatio": text(risk_rate(risk.margin(market, account)), 6),
        "breakEvenPrice": entry,
        "totalFee": "",
        "deductedFee": "0",
        "grant": "",
        "assetMode": "single",
        "autoMargin": "off",
        "takeProfit": "",
        "stopLoss": "",
        "takeProfitId": "",
        "stopLossId": "",
        "cTime": str(held.updated),
        "uTime": str(held.updated),
    }


def candle(row: Candle, instrument: Instrument) -> list[str]:
    prices = (row.open, row.high, row.low, row.close)
    volume = text(row.volume, instrument.quantity_decimals)
    return [str(row.open_time), *(text(one, instrument.price_decimals) for one in prices), volume, money(row.turnover)]
