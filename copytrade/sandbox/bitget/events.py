"""What Bitget's private and public channels say."""

from typing import Any

from copytrade.sandbox.bitget import market_data, wire
from copytrade.sandbox.exchange import risk
from copytrade.sandbox.exchange.accounts import Account, Position
from copytrade.sandbox.exchange.engine import Exchange
from copytrade.sandbox.exchange.instruments import BY_SYMBOL, INSTRUMENTS, QUOTE, SPOT_BY_SYMBOL
from copytrade.sandbox.exchange.market import Market
from copytrade.sandbox.exchange.orders import Fill, Order
from copytrade.sandbox.exchange.values import money, text

_TABLES = {"SPOT": SPOT_BY_SYMBOL, "USDT-FUTURES": BY_SYMBOL}
_BOOKS = {"books1": 1, "books5": 5, "books15": 15}


def is_public(kind: str, channel: str, name: str) -> bool:
    """Tell whether there is such a public channel."""
    return name.upper() in _TABLES.get(kind, {}) and (channel == "ticker" or channel in _BOOKS)


def public(exchange: Exchange, kind: str, channel: str, name: str) -> dict[str, Any]:
    """Write what a public channel says at this moment."""
    row = _TABLES[kind][name]
    arg = {"instType": kind, "channel": channel, "instId": name}
    if channel == "ticker":
        data = market_data.ticker(exchange, row) | {"instId": name}
    else:
        book = market_data.depth(exchange, row, _BOOKS[channel])
        data = {
            "asks": book["asks"],
            "bids": book["bids"],
            "ts": book["ts"],
            "checksum": 0,
            "seq": exchange.clock.now(),
        }
    return {"action": "snapshot", "arg": arg, "data": [data], "ts": exchange.clock.now()}


def fill(account: Account, order: Order, done: Fill) -> dict[str, Any]:
    """Write an execution as the stream does: its side is that of the transaction, in hedge mode too."""
    row = wire.trade(account, done)
    return {
        **{name: row[name] for name in ("orderId", "tradeId", "symbol", "posMode", "price", "baseVolume")},
        **{name: row[name] for name in ("quoteVolume", "profit", "tradeSide", "tradeScope", "feeDetail", "cTime")},
        "clientOid": order.client_id,
        "side": wire.side(done.side),
        "orderType": wire.order_type(order),
        "uTime": row["cTime"],
    }


def order(account: Account, placed: Order, done: Fill | None) -> dict[str, Any]:
    """Write an order after what just happened to it."""
    row = wire.order(account, placed)
    instrument = INSTRUMENTS[placed.instrument]
    kept = ("orderId", "clientOid", "size", "price", "orderType", "force", "status", "priceAvg", "posMode", "posSide")
    kept = (*kept, "tradeSide", "marginCoin", "marginMode", "leverage", "enterPointSource", "cancelReason")
    content: dict[str, Any] = {name: row[name] for name in (*kept, "totalProfits", "cTime", "uTime")}
    content |= {
        "instId": instrument.symbol,
        "side": wire.side(placed.side),
        "accBaseVolume": row["baseVolume"],
        "baseVolume": text(done.steps if done else 0, instrument.quantity_decimals),
        "reduceOnly": "yes" if placed.reduce_only else "no",
        "notionalUsd": money(placed.steps * (placed.price or 0) * instrument.unit),
        "pnl": money(done.realized if done else 0),
        "feeDetail": [{"feeCoin": QUOTE, "fee": row["fee"] or "0"}],
    }
    if done is None:
        return content
    return content | {
        "fillPrice": text(done.price, instrument.price_decimals),
        "fillTime": str(done.time),
        "fillFee": money(-done.fee),
        "fillFeeCoin": QUOTE,
        "fillNotionalUsd": money(done.price * done.steps * instrument.unit),
        "tradeId": str(done.id),
        "tradeScope": "M" if done.maker else "T",
    }


def positions(market: Market, account: Account) -> list[dict[str, Any]]:
    """Write all positions that are not flat; one that was closed is no longer there."""
    return [position(market, account, held) for held in account.open_positions()]


def position(market: Market, account: Account, held: Position) -> dict[str, Any]:
    row = wire.position(market, account, held)
    kept = ("marginCoin", "marginSize", "marginMode", "holdSide", "posMode", "total", "available", "openPriceAvg")
    kept = (*kept, "achievedProfits", "unrealizedPL", "liquidationPrice", "keepMarginRate", "cTime", "uTime")
    return {
        **{name: row[name] for name in (*kept, "autoMargin", "assetMode", "breakEvenPrice")},
        "posId": f"{account.id}{held.instrument:02}{'NLS'.index(held.side.value[0].replace('B', 'N'))}",
        "instId": row["symbol"],
        "frozen": "0",
        "leverage": int(row["leverage"]),
        "unrealizedPLR": "0",
        "marginRate": row["marginRatio"],
        "totalFee": "0",
        "deductedFee": "0",
    }


def balance(market: Market, account: Account) -> dict[str, Any]:
    """Write the money of the futures account."""
    row = wire.balance(market, account)
    whole = risk.margin(market, account)
    return {
        "marginCoin": QUOTE,
        "frozen": money(whole.positions_initial + whole.orders_initial),
        "available": row["available"],
        "maxOpenPosAvailable": row["crossedMaxAvailable"],
        "maxTransferOut": row["maxTransferOut"],
        "equity": row["accountEquity"],
        "usdtEquity": row["usdtEquity"],
        "crossedRiskRate": row["crossedRiskRate"],
        "unrealizedPL": row["unrealizedPL"],
    }
