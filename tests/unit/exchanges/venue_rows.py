"""One true row of each kind that a venue sends, and what reads it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from copytrade.domain.instruments import Market, PositionSide
from copytrade.exchanges import alike
from copytrade.exchanges.binance import shapes as binance
from copytrade.exchanges.binance import spot_shapes as binance_spot
from copytrade.exchanges.bitget import bills as bitget_bills
from copytrade.exchanges.bitget import rights as bitget_rights
from copytrade.exchanges.bitget import shapes as bitget
from copytrade.exchanges.bitget import spot_shapes as bitget_spot
from copytrade.exchanges.bybit import reading as bybit_reading
from copytrade.exchanges.bybit import rights as bybit_rights
from copytrade.exchanges.bybit import shapes as bybit
from copytrade.exchanges.values import moment

SWAP, SPOT = "BTC/USDT:USDT", "BTC/USDT"
AT = 1700000000000
MS = str(AT)


@dataclass(frozen=True)
class Kind:
    """A parser and a row that it reads."""

    name: str
    parse: Callable[[Any], Any]
    row: Any


def _filters(*, notional: dict[str, str]) -> list[dict[str, str]]:
    return [
        {"filterType": "PRICE_FILTER", "minPrice": "0.01", "maxPrice": "1000000", "tickSize": "0.01"},
        {"filterType": "LOT_SIZE", "minQty": "0.00001", "maxQty": "9000", "stepSize": "0.00001"},
        {"filterType": "MARKET_LOT_SIZE", "minQty": "0", "maxQty": "100", "stepSize": "0"},
        {"filterType": "PERCENT_PRICE", "multiplierUp": "1.05", "multiplierDown": "0.95"},
        notional,
    ]


def _rules(parse: Callable[[Any], Any], *, symbol: str) -> Callable[[Any], Any]:
    """Return a parser of the venue's own part of a market; the rest of it is ccxt's."""

    def read(info: Any) -> Any:
        return parse({"symbol": symbol, "base": "BTC", "quote": "USDT", "spot": symbol == SPOT, "info": info})

    return read


_SWAP_EVENT = {
    "e": "ORDER_TRADE_UPDATE", "E": AT, "T": AT,
    "o": {
        "s": "BTCUSDT", "c": "cid", "S": "BUY", "o": "MARKET", "f": "GTC", "q": "1", "p": "0", "ap": "60000",
        "x": "TRADE", "X": "FILLED", "i": 1001, "l": "1", "z": "1", "L": "60000", "n": "0.3", "N": "USDT", "T": AT,
        "t": 1002, "m": False, "R": False, "ps": "BOTH", "rp": "0",
    },
}  # fmt: skip
_SPOT_EVENT = {
    "e": "executionReport", "E": AT, "s": "BTCUSDT", "c": "cid", "S": "BUY", "o": "MARKET", "f": "GTC", "q": "0.01",
    "p": "0", "C": "", "x": "TRADE", "X": "FILLED", "r": "NONE", "i": 1003, "l": "0.01", "z": "0.01", "L": "60000",
    "n": "0.00001", "N": "BTC", "T": AT, "t": 1004, "m": False, "Z": "600", "Y": "600", "Q": "0",
}  # fmt: skip
_SPOT_ORDER = {
    "symbol": "BTCUSDT", "orderId": 1001, "clientOrderId": "cp-1", "price": "0", "origQty": "0.01",
    "executedQty": "0.01", "cummulativeQuoteQty": "600", "status": "FILLED", "type": "MARKET", "side": "BUY",
    "transactTime": AT,
    "fills": [{"price": "60000", "qty": "0.01", "commission": "0.00001", "commissionAsset": "BTC", "tradeId": 1002}],
}  # fmt: skip
_SWAP_ORDER = {
    "orderId": 1006, "symbol": "BTCUSDT", "status": "FILLED", "clientOrderId": "cp-2", "price": "0",
    "avgPrice": "60000", "origQty": "0.02", "executedQty": "0.02", "type": "MARKET", "side": "BUY",
    "positionSide": "BOTH", "time": AT, "updateTime": AT,
}  # fmt: skip
_SWAP_TRADE = {
    "symbol": "BTCUSDT", "id": 1007, "orderId": 1006, "price": "60000", "qty": "0.02", "commission": "0.6",
    "commissionAsset": "USDT", "time": AT, "side": "BUY", "positionSide": "BOTH", "buyer": True, "maker": False,
}  # fmt: skip
_SPOT_TRADE = {
    "symbol": "BTCUSDT", "id": 1002, "orderId": 1001, "price": "60000", "qty": "0.01", "commission": "0.00001",
    "commissionAsset": "BTC", "time": AT, "isBuyer": True, "isMaker": False, "isBestMatch": True,
}  # fmt: skip
_POSITION = {
    "symbol": "BTCUSDT", "positionSide": "BOTH", "positionAmt": "0.015", "entryPrice": "60000", "markPrice": "60000",
    "unRealizedProfit": "0", "liquidationPrice": "0",
}  # fmt: skip
_INCOME = {
    "symbol": "BTCUSDT", "incomeType": "COMMISSION", "income": "-0.3", "asset": "USDT", "time": AT, "tranId": 9,
    "tradeId": "7",
}  # fmt: skip
_RIGHTS = {
    "ipRestrict": True, "enableReading": True, "enableWithdrawals": False, "enableInternalTransfer": False,
    "enableFutures": True, "permitsUniversalTransfer": False, "enableSpotAndMarginTrading": True,
    "tradingAuthorityExpirationTime": AT,
}  # fmt: skip
_SPOT_ACCOUNT = {
    "balances": [{"asset": "BTC", "free": "1", "locked": "0.5"}, {"asset": "USDT", "free": "2", "locked": "0"}]
}

BINANCE = [
    Kind("swap fill", partial(binance.fill, symbol=SWAP), _SWAP_TRADE),
    Kind("swap order", partial(binance.order, symbol=SWAP), _SWAP_ORDER),
    Kind("swap streamed fill", partial(binance.streamed_fill, symbol=SWAP), _SWAP_EVENT),
    Kind("swap streamed order", partial(binance.streamed_order, symbol=SWAP), _SWAP_EVENT),
    Kind("swap position", partial(binance.position, symbol=SWAP), _POSITION),
    Kind("swap entry", partial(binance.entry, symbol=SWAP), _INCOME),
    Kind("candle", alike.candle, [AT, "1", "3", "0.5", "2", "100", AT + 1, "0", 1]),
    Kind("swap rights", binance.permissions, _RIGHTS),
    Kind(
        "swap rules",
        _rules(binance.market_rules, symbol=SWAP),
        {"filters": _filters(notional={"filterType": "MIN_NOTIONAL", "notional": "5"}), "status": "TRADING"},
    ),
    Kind("spot fill", partial(binance_spot.fill, symbol=SPOT), _SPOT_TRADE),
    Kind("spot order", partial(binance_spot.order, symbol=SPOT), _SPOT_ORDER),
    Kind("spot streamed fill", partial(binance_spot.streamed_fill, symbol=SPOT), _SPOT_EVENT),
    Kind("spot streamed order", partial(binance_spot.streamed_order, symbol=SPOT), _SPOT_EVENT),
    Kind("spot balances", binance_spot.balances, _SPOT_ACCOUNT),
    Kind(
        "deposit",
        binance_spot.deposit,
        {"id": "7", "amount": "1.5", "coin": "BTC", "status": 1, "insertTime": AT, "completeTime": AT},
    ),
    Kind(
        "withdrawal",
        partial(binance_spot.withdrawal, at_ms=AT),
        {"id": "8", "amount": "1.5", "transactionFee": "0.0004", "coin": "BTC", "status": 6},
    ),
    Kind(
        "transfer",
        binance_spot.wallet_transfer,
        {"tranId": 9, "asset": "USDT", "amount": "5", "type": "MAIN_UMFUTURE", "status": "CONFIRMED", "timestamp": AT},
    ),
    Kind("spot rights", partial(binance_spot.permissions, account={"uid": 5}), _RIGHTS),
    Kind(
        "spot rules",
        _rules(binance_spot.market_rules, symbol=SPOT),
        {"filters": _filters(notional={"filterType": "NOTIONAL", "minNotional": "5"}), "status": "TRADING"},
    ),
]

_EXECUTION = {
    "category": "linear", "symbol": "BTCUSDT", "orderId": "1003", "orderLinkId": "cp-3", "side": "Sell",
    "orderPrice": "60000", "orderQty": "0.005", "leavesQty": "0", "execFee": "0.3", "execId": "e9a791e1",
    "execPrice": "60000", "execQty": "0.005", "execType": "Trade", "execTime": MS, "feeCurrency": "USDT",
    "isMaker": False, "seq": 1004,
}  # fmt: skip
_BYBIT_ORDER = {
    "orderId": "1006", "orderLinkId": "cp-4", "symbol": "BTCUSDT", "qty": "0.02", "side": "Buy", "positionIdx": 0,
    "orderStatus": "Filled", "avgPrice": "60000", "cumExecQty": "0.02", "createdTime": MS, "updatedTime": MS,
    "cumFeeDetail": {"USDT": "0.6"}, "category": "linear",
}  # fmt: skip
_BYBIT_POSITION = {
    "positionIdx": 0, "symbol": "BTCUSDT", "side": "Buy", "size": "0.015", "avgPrice": "60000", "leverage": "5",
    "markPrice": "60000", "liqPrice": "", "unrealisedPnl": "0", "updatedTime": MS,
}  # fmt: skip
_LOG = {
    "id": "592324", "symbol": "BTCUSDT", "category": "linear", "side": "Buy", "transactionTime": MS, "type": "TRADE",
    "currency": "USDT", "funding": "", "fee": "0.6", "cashFlow": "12", "tradeId": "c1",
}  # fmt: skip
_WALLET = {
    "totalMarginBalance": "10000", "totalAvailableBalance": "9000", "totalPerpUPL": "5",
    "coin": [{"coin": "USDT", "equity": "10000", "walletBalance": "10000", "locked": "0", "totalOrderIM": "1"}],
}  # fmt: skip
_API = {
    "result": {
        "readOnly": 0, "permissions": {"ContractTrade": ["Order", "Position"], "Spot": ["SpotTrade"], "Wallet": []},
        "ips": ["*"], "expiredAt": "2027-05-15T03:21:05Z", "uta": 1, "userID": 24617703,
    },
}  # fmt: skip
_LINEAR = {
    "symbol": "BTCUSDT", "status": "Trading", "leverageFilter": {"maxLeverage": "100.00"},
    "priceFilter": {"tickSize": "0.10"}, "riskParameters": {"priceLimitRatioX": "0.05"},
    "lotSizeFilter": {
        "maxOrderQty": "1190", "minOrderQty": "0.001", "qtyStep": "0.001", "maxMktOrderQty": "119",
        "minNotionalValue": "5",
    },
}  # fmt: skip
_SPOT_INFO = {
    "symbol": "BTCUSDT", "status": "Trading", "priceFilter": {"tickSize": "0.01"},
    "lotSizeFilter": {"basePrecision": "0.000001", "minOrderQty": "0.000011", "maxOrderQty": "83", "minOrderAmt": "5"},
}  # fmt: skip
BYBIT = [
    Kind("execution", partial(bybit.fill, symbol=SWAP, position_side=PositionSide.NET), _EXECUTION),
    Kind("spot execution", partial(bybit.fill, symbol=SPOT, position_side=PositionSide.NET), _EXECUTION),
    Kind("order", partial(bybit.order, symbol=SWAP), _BYBIT_ORDER),
    Kind("position", partial(bybit.position, symbol=SWAP), _BYBIT_POSITION),
    Kind("entries", partial(bybit.entries, symbol=SWAP), _LOG),
    Kind("balances", bybit_reading.balances, _WALLET),
    Kind("candle", alike.candle, [MS, "1", "3", "0.5", "2", "100", "0"]),
    Kind("rights", partial(bybit_rights.permissions, market=Market.PERPETUAL), _API),
    Kind("spot rights", partial(bybit_rights.permissions, market=Market.SPOT), _API),
    Kind("rules", _rules(bybit.market_rules, symbol=SWAP), _LINEAR),
    Kind("spot rules", _rules(bybit.market_rules, symbol=SPOT), _SPOT_INFO),
]

_FEE = {"deduction": "no", "feeCoin": "USDT", "totalDeductionFee": "0", "totalFee": "-0.3"}
_MIX_FILL = {
    "tradeId": "1014", "symbol": "BTCUSDT", "orderId": "1013", "price": "60000", "baseVolume": "0.01",
    "feeDetail": [_FEE], "side": "buy", "tradeSide": "close", "posMode": "hedge_mode", "tradeScope": "taker",
    "cTime": MS,
}  # fmt: skip
_SPOT_FILL = {
    "symbol": "BTCUSDT", "orderId": "1003", "tradeId": "1004", "side": "sell", "priceAvg": "60000", "size": "0.005",
    "feeDetail": _FEE, "tradeScope": "taker", "cTime": MS,
}  # fmt: skip
_MIX_ORDER = {
    "symbol": "BTCUSDT", "size": "0.02", "orderId": "1006", "clientOid": "cp-5", "baseVolume": "0.02",
    "priceAvg": "60000", "fee": "-0.6", "side": "buy", "posSide": "net", "marginCoin": "USDT",
    "tradeSide": "buy_single", "posMode": "one_way_mode", "uTime": MS, "state": "filled",
}  # fmt: skip
_BITGET_SPOT_ORDER = {
    "symbol": "BTCUSDT", "orderId": "1001", "clientOid": "cp-6", "size": "600", "side": "buy", "orderType": "market",
    "status": "filled", "priceAvg": "60000", "baseVolume": "0.01", "uTime": MS,
    "feeDetail": '{"BTC": {"deduction": false, "feeCoinCode": "BTC", "totalFee": -1e-05}}',
}  # fmt: skip
_MIX_POSITION = {
    "marginCoin": "USDT", "symbol": "BTCUSDT", "holdSide": "long", "total": "0.035", "leverage": "10",
    "openPriceAvg": "60000", "posMode": "one_way_mode", "unrealizedPL": "0", "liquidationPrice": "0",
    "markPrice": "60000",
}  # fmt: skip
_BILL = {
    "billId": "77", "symbol": "BTCUSDT", "amount": "12", "fee": "-0.3", "businessType": "close_long", "coin": "USDT",
    "cTime": MS,
}  # fmt: skip
_CONTRACT = {
    "symbol": "BTCUSDT", "buyLimitPriceRatio": "0.05", "sellLimitPriceRatio": "0.05", "minTradeNum": "0.001",
    "priceEndStep": "1", "volumePlace": "3", "pricePlace": "1", "sizeMultiplier": "0.001", "minTradeUSDT": "5",
    "maxLever": "125", "symbolStatus": "normal",
}  # fmt: skip
_PAIR = {
    "symbol": "BTCUSDT", "minTradeAmount": "0", "maxTradeAmount": "900", "pricePrecision": "2",
    "quantityPrecision": "6", "minTradeUSDT": "1", "status": "online", "buyLimitPriceRatio": "0.05",
    "sellLimitPriceRatio": "0.05",
}  # fmt: skip
_TICKER = {"symbol": "BTCUSDT", "bidPr": "60000", "askPr": "60000.1", "lastPr": "60000", "markPrice": "60000"}
_MIX_UPDATE = {
    "instId": "BTCUSDT", "orderId": "1001", "clientOid": "c", "size": "0.01", "side": "buy", "status": "filled",
    "accBaseVolume": "0.01", "priceAvg": "60000", "feeDetail": [{"feeCoin": "USDT", "fee": "-0.3"}], "uTime": MS,
}  # fmt: skip
_INFO = {"userId": "100", "ips": "127.0.0.1", "authorities": ["stow", "coow", "cpow"], "traderType": "not_trader"}
BITGET = [
    Kind("mix order update", partial(bitget.streamed_order, symbol=SWAP), _MIX_UPDATE),
    Kind(
        "spot order update",
        partial(bitget_spot.streamed_order, symbol=SPOT),
        {**_MIX_UPDATE, "newSize": "600", "orderType": "market"},
    ),
    Kind("ticker", partial(bitget.quote, symbol=SWAP, read_at=moment(AT)), _TICKER),
    Kind("rights", partial(bitget_rights.permissions, market=Market.PERPETUAL), _INFO),
    Kind("mix fill", partial(bitget.fill, symbol=SWAP), _MIX_FILL),
    Kind("mix streamed fill", partial(bitget.streamed_fill, symbol=SWAP), _MIX_FILL),
    Kind("mix order", partial(bitget.order, symbol=SWAP), _MIX_ORDER),
    Kind("mix position", partial(bitget.position, symbol=SWAP), _MIX_POSITION),
    Kind("mix entries", partial(bitget_bills.of_bill, symbol=SWAP), _BILL),
    Kind("candle", alike.candle, [MS, "1", "3", "0.5", "2", "100", "0"]),
    Kind("mix rules", _rules(bitget.market_rules, symbol=SWAP), _CONTRACT),
    Kind("spot fill", partial(bitget_spot.fill, symbol=SPOT), _SPOT_FILL),
    Kind("spot order", partial(bitget_spot.order, symbol=SPOT), _BITGET_SPOT_ORDER),
    Kind("spot balance", bitget_spot.balance, {"coin": "BTC", "available": "1", "frozen": "0", "locked": "0.5"}),
    Kind(
        "spot entry",
        bitget_spot.entry,
        {"billId": "78", "coin": "BTC", "groupType": "deposit", "businessType": "DEPOSIT", "size": "1", "cTime": MS},
    ),
    Kind("spot rules", _rules(bitget_spot.market_rules, symbol=SPOT), _PAIR),
]

KINDS = [
    *((f"binance {one.name}", one) for one in BINANCE),
    *((f"bybit {one.name}", one) for one in BYBIT),
    *((f"bitget {one.name}", one) for one in BITGET),
]
