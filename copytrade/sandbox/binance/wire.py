"""The shapes in which Binance writes things."""

from typing import Any

from copytrade.sandbox.exchange import risk
from copytrade.sandbox.exchange.accounts import Account, Position, margin_of
from copytrade.sandbox.exchange.instruments import INSTRUMENTS, QUOTE, Instrument
from copytrade.sandbox.exchange.market import Candle, Market
from copytrade.sandbox.exchange.orders import BUY, BY_VENUE, Fill, Income, Order, OrderType
from copytrade.sandbox.exchange.values import divide, money, text


def side(sign: int) -> str:
    return "BUY" if sign == BUY else "SELL"


def order_type(kind: OrderType) -> str:
    return "LIMIT" if kind in BY_VENUE else kind.value


def average(quote: int, steps: int, instrument: Instrument) -> str:
    """Write the price at which steps moved an amount of money."""
    if not steps:
        return "0.00"
    return text(divide(quote * 10**instrument.quantity_decimals, steps), 8).rstrip("0").rstrip(".")


def order(order: Order) -> dict[str, Any]:
    instrument = INSTRUMENTS[order.instrument]
    executed = text(order.executed, instrument.quantity_decimals)
    kind = order_type(order.type)
    return {
        "orderId": order.id,
        "symbol": instrument.symbol,
        "status": order.status,
        "clientOrderId": order.client_id,
        "price": text(order.price, instrument.price_decimals) if order.price else "0",
        "avgPrice": average(order.quote, order.executed, instrument),
        "origQty": text(order.steps, instrument.quantity_decimals),
        "executedQty": executed,
        "cumQty": executed,
        "cumQuote": money(order.quote),
        "timeInForce": order.time_in_force,
        "type": kind,
        "reduceOnly": order.reduce_only,
        "closePosition": False,
        "side": side(order.side),
        "positionSide": order.position_side,
        "stopPrice": "0",
        "workingType": "CONTRACT_PRICE",
        "priceProtect": False,
        "origType": kind,
        "priceMatch": "NONE",
        "selfTradePreventionMode": "EXPIRE_MAKER",
        "goodTillDate": 0,
        "time": order.created,
        "updateTime": order.updated,
    }


def trade(fill: Fill) -> dict[str, Any]:
    instrument = INSTRUMENTS[fill.instrument]
    return {
        "symbol": instrument.symbol,
        "id": fill.id,
        "orderId": fill.order,
        "side": side(fill.side),
        "price": text(fill.price, instrument.price_decimals),
        "qty": text(fill.steps, instrument.quantity_decimals),
        "realizedPnl": money(fill.realized),
        "marginAsset": QUOTE,
        "quoteQty": money(fill.price * fill.steps * instrument.unit),
        "commission": money(fill.fee),
        "commissionAsset": fill.fee_asset,
        "time": fill.time,
        "positionSide": fill.position_side,
        "buyer": fill.side == BUY,
        "maker": fill.maker,
    }


def income(entry: Income) -> dict[str, Any]:
    return {
        "symbol": INSTRUMENTS[entry.instrument].symbol if entry.instrument >= 0 else "",
        "incomeType": entry.kind,
        "income": money(entry.amount),
        "asset": entry.asset,
        "time": entry.time,
        "info": str(entry.trade or entry.kind.value),
        "tranId": entry.id,
        "tradeId": str(entry.trade) if entry.trade else "",
    }


def _sizes(market: Market, account: Account, position: Position) -> dict[str, Any]:
    instrument = INSTRUMENTS[position.instrument]
    mark = market.price(position.instrument)
    notional = abs(position.steps) * mark * instrument.unit
    initial = margin_of(instrument, position.steps, mark, account.leverage_of(position.instrument))
    isolated = position.instrument in account.isolated
    held = position.steps != 0
    return {
        "symbol": instrument.symbol,
        "positionSide": position.side,
        "positionAmt": text(position.steps, instrument.quantity_decimals),
        "entryPrice": average(position.cost, abs(position.steps), instrument) if held else "0.0",
        "breakEvenPrice": average(position.cost, abs(position.steps), instrument) if held else "0.0",
        "markPrice": text(mark, instrument.price_decimals),
        "unRealizedProfit": money(position.unrealized(mark) if held else 0),
        "liquidationPrice": _liquidation(market, account, position) if held else "0",
        "isolatedMargin": money(position.isolated_wallet + position.unrealized(mark)) if isolated and held else "0",
        "isolatedWallet": money(position.isolated_wallet) if isolated else "0",
        "notional": money(notional if position.steps >= 0 else -notional),
        "marginAsset": QUOTE,
        "initialMargin": money(initial),
        "maintMargin": money(instrument.maintenance(notional) if held else 0),
        "positionInitialMargin": money(initial),
        "openOrderInitialMargin": money(
            sum(o.margin for o in account.open.values() if o.instrument == instrument.index)
        ),
        "adl": 2 if held else 0,
        "bidNotional": "0",
        "askNotional": "0",
        "updateTime": position.updated,
    }


def _liquidation(market: Market, account: Account, position: Position) -> str:
    price = risk.liquidation_price(market, account, position)
    return text(price, INSTRUMENTS[position.instrument].price_decimals) if price else "0"


def position_v3(market: Market, account: Account, position: Position) -> dict[str, Any]:
    return _sizes(market, account, position)


def position_v2(market: Market, account: Account, position: Position) -> dict[str, Any]:
    instrument = INSTRUMENTS[position.instrument]
    leverage = account.leverage_of(position.instrument)
    isolated = position.instrument in account.isolated
    row = _sizes(market, account, position)
    kept = ("symbol", "positionAmt", "entryPrice", "breakEvenPrice", "markPrice", "unRealizedProfit")
    kept = (*kept, "liquidationPrice", "isolatedMargin", "notional", "isolatedWallet", "positionSide", "updateTime")
    return {
        **{name: row[name] for name in kept},
        "leverage": str(leverage),
        "maxNotionalValue": money(instrument.largest(leverage)).partition(".")[0],
        "marginType": "isolated" if isolated else "cross",
        "isAutoAddMargin": "false",
        "isolated": isolated,
        "adlQuantile": row["adl"],
    }


def asset(market: Market, account: Account) -> dict[str, Any]:
    whole = risk.margin(market, account)
    free = money(max(0, whole.available))
    return {
        "asset": QUOTE,
        "walletBalance": money(whole.wallet),
        "unrealizedProfit": money(whole.unrealized),
        "marginBalance": money(whole.balance),
        "maintMargin": money(whole.maintenance),
        "initialMargin": money(whole.positions_initial + whole.orders_initial),
        "positionInitialMargin": money(whole.positions_initial),
        "openOrderInitialMargin": money(whole.orders_initial),
        "crossWalletBalance": money(whole.cross_wallet),
        "crossUnPnl": money(whole.cross_unrealized),
        "availableBalance": free,
        "maxWithdrawAmount": money(max(0, min(whole.available, whole.cross_wallet))),
        "marginAvailable": True,
        "updateTime": account.updated,
    }


def kline(candle: Candle, instrument: Instrument, interval: int) -> list[Any]:
    prices = (candle.open, candle.high, candle.low, candle.close)
    half = candle.volume // 2
    return [
        candle.open_time,
        *(text(price, instrument.price_decimals) for price in prices),
        text(candle.volume, instrument.quantity_decimals),
        candle.open_time + interval - 1,
        money(candle.turnover),
        candle.trades,
        text(half, instrument.quantity_decimals),
        money(candle.turnover // 2),
        "0",
    ]
