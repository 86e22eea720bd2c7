"""The spot wallet and sapi: balances, deposits, withdrawals, transfers, listen keys, and what a key may do."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from copytrade.sandbox.binance import errors, spot_wire
from copytrade.sandbox.binance.call import Access, Call, Route
from copytrade.sandbox.exchange import risk, spot
from copytrade.sandbox.exchange.instruments import QUOTE, SPOTS
from copytrade.sandbox.exchange.orders import Income, IncomeKind
from copytrade.sandbox.exchange.path import DAY_MS
from copytrade.sandbox.exchange.values import MONEY_DECIMALS, money

if TYPE_CHECKING:
    from copytrade.sandbox.binance.rest import Binance

ASSETS = (QUOTE, *(instrument.base for instrument in SPOTS))
_LONGEST_MS = 90 * DAY_MS
_WAYS = {"MAIN_UMFUTURE": -1, "UMFUTURE_MAIN": 1}
"""Kinds of transfers, with the sign they have in the spot wallet."""
_RATES = {"maker": "0.00100000", "taker": "0.00100000", "buyer": "0.00000000", "seller": "0.00000000"}


def _empty_info(venue: "Binance", call: Call) -> dict[str, Any]:
    time = venue.exchange.clock.server_time()
    return {"timezone": "UTC", "serverTime": time, "rateLimits": [], "exchangeFilters": [], "symbols": []}


def _account(venue: "Binance", call: Call) -> dict[str, Any]:
    account, key = call.account, call.key
    shown = spot.assets(account) if call.flag("omitZeroBalances") else ASSETS
    commissions = {"makerCommission": 10, "takerCommission": 10, "buyerCommission": 0, "sellerCommission": 0}
    return {
        **commissions,
        "commissionRates": _RATES,
        "canTrade": bool(key and key.spot),
        "canWithdraw": True,
        "canDeposit": True,
        "brokered": False,
        "requireSelfTradePrevention": False,
        "preventSor": False,
        "updateTime": account.updated,
        "accountType": "SPOT",
        "balances": [spot_wire.balance(account, asset) for asset in shown],
        "permissions": ["SPOT"],
        "uid": account.id,
    }


def _commission(venue: "Binance", call: Call) -> dict[str, Any]:
    none = dict.fromkeys(_RATES, "0.00000000")
    discount = {"enabledForAccount": bool(call.account.fee_asset), "enabledForSymbol": True}
    rates = {"standardCommission": _RATES, "specialCommission": none, "taxCommission": none}
    return {
        "symbol": call.instrument().symbol,
        **rates,
        "discount": {**discount, "discountAsset": "BNB", "discount": "0.75000000"},
    }


def _coins(venue: "Binance", call: Call) -> list[dict[str, Any]]:
    nothing = {"freeze": "0", "withdrawing": "0", "ipoing": "0", "ipoable": "0", "storage": "0"}
    flags = {"depositAllEnable": True, "withdrawAllEnable": True, "isLegalMoney": False, "trading": True}
    rows = [spot_wire.balance(call.account, asset) for asset in ASSETS]
    return [
        {"coin": row["asset"], "name": row["asset"], "free": row["free"], "locked": row["locked"]}
        | {**flags, **nothing, "networkList": []}
        for row in rows
    ]


def _nothing(venue: "Binance", call: Call) -> list[dict[str, Any]]:
    return []


def _booked(venue: "Binance", call: Call, kind: IncomeKind) -> list[Income]:
    """Return entries of the spot wallet in the time asked for, newest first."""
    now = venue.exchange.clock.now()
    start, end = call.integer("startTime"), call.integer("endTime")
    last = now if end is None else end
    first = last - _LONGEST_MS if start is None else start
    if last - first > _LONGEST_MS:
        raise errors.ApiError(-1127, "More than 90 days between startTime and endTime.")
    coin, newest = call.params.get("coin", ""), now - venue.faults.lag(call.account.id)
    return [
        entry
        for entry in reversed(call.account.incomes)
        if entry.spot
        and entry.kind is kind
        and first <= entry.time <= min(last, newest)
        and (not coin or entry.asset == coin)
    ]


def _page(call: Call, rows: list[Income]) -> list[Income]:
    offset = call.integer("offset", 0) or 0
    return rows[offset : offset + call.limit(1000, 1000)]


def _deposits(venue: "Binance", call: Call) -> list[dict[str, Any]]:
    return [
        {
            "id": str(entry.id),
            "amount": _plain(entry.amount),
            "coin": entry.asset,
            "network": entry.asset,
            "status": 1,
            "address": "sandbox",
            "addressTag": "",
            "txId": f"deposit{entry.id}",
            "insertTime": entry.time,
            "completeTime": entry.time,
            "transferType": 0,
            "confirmTimes": "1/1",
            "unlockConfirm": 0,
            "walletType": 0,
        }
        for entry in _page(call, _booked(venue, call, IncomeKind.DEPOSIT))
    ]


def _withdrawals(venue: "Binance", call: Call) -> list[dict[str, Any]]:
    return [
        {
            "id": str(entry.id),
            "amount": _plain(-entry.amount),
            "transactionFee": "0",
            "coin": entry.asset,
            "network": entry.asset,
            "status": 6,
            "address": "sandbox",
            "txId": f"withdrawal{entry.id}",
            "applyTime": _written(entry.time),
            "completeTime": _written(entry.time),
            "transferType": 0,
            "info": "",
            "confirmNo": 1,
            "walletType": 0,
        }
        for entry in _page(call, _booked(venue, call, IncomeKind.WITHDRAWAL))
    ]


def _plain(amount: int) -> str:
    return money(amount).rstrip("0").rstrip(".")


def _written(ms: int) -> str:
    return datetime.fromtimestamp(ms // 1000, tz=UTC).strftime("%Y-%m-%d %H:%M:%S")


def _transfers(venue: "Binance", call: Call) -> dict[str, Any]:
    kind = call.need("type")
    sign = _WAYS.get(kind, 0)
    rows = [entry for entry in _booked(venue, call, IncomeKind.TRANSFER) if entry.amount * sign > 0]
    size, page = min(call.integer("size", 10) or 10, 100), call.integer("current", 1) or 1
    shown = [
        {"timestamp": entry.time, "asset": entry.asset, "amount": _plain(abs(entry.amount))}
        | {"type": kind, "status": "CONFIRMED", "tranId": entry.id}
        for entry in rows[(page - 1) * size : page * size]
    ]
    return {"total": len(rows), "rows": shown} if shown else {"total": len(rows)}


def _transfer(venue: "Binance", call: Call) -> dict[str, Any]:
    sign = _WAYS.get(call.need("type"), 0)
    if call.key is None or not call.key.universal_transfer:
        raise errors.bad_key()
    if not sign or call.need("asset") != QUOTE:
        raise errors.ApiError(-1128, "Combination of optional parameters invalid.")
    amount = call.decimal("amount", MONEY_DECIMALS)
    account, exchange = call.account, venue.exchange
    there = spot.free(exchange, account, QUOTE) if sign < 0 else risk.available(exchange.market, account)
    if not 0 < amount <= there:
        raise errors.ApiError(-5013, "Asset transfer failed: insufficient balance")
    spot.to_perpetuals(exchange, account, -sign * amount)
    exchange.commit()
    return {"tranId": account.incomes[-1].id}


def _restrictions(venue: "Binance", call: Call) -> dict[str, Any]:
    key = call.key
    assert key is not None
    rights: dict[str, Any] = {
        "ipRestrict": bool(key.addresses),
        "createTime": key.created,
        "enableReading": key.reading,
        "enableWithdrawals": key.withdrawals,
        "enableInternalTransfer": key.internal_transfer,
        "enableMargin": False,
        "enableFutures": key.futures,
        "permitsUniversalTransfer": key.universal_transfer,
        "enableVanillaOptions": False,
        "enableFixApiTrade": False,
        "enableFixReadOnly": False,
        "enableSpotAndMarginTrading": key.spot,
        "enablePortfolioMarginTrading": False,
    }
    return rights | {"tradingAuthorityExpirationTime": key.expires} if key.expires else rights


def _make_listen_key(venue: "Binance", call: Call) -> dict[str, Any]:
    return {"listenKey": venue.spot_listen_keys.make(call.account.id)}


def _keep_listen_key(venue: "Binance", call: Call) -> dict[str, Any]:
    if venue.spot_listen_keys.account(call.need("listenKey")) != call.account.id:
        raise errors.ApiError(-1125, "This listenKey does not exist.")
    venue.spot_listen_keys.keep(call.account.id)
    return {}


def _drop_listen_key(venue: "Binance", call: Call) -> dict[str, Any]:
    if venue.spot_listen_keys.account(call.need("listenKey")) != call.account.id:
        raise errors.ApiError(-1125, "This listenKey does not exist.")
    venue.spot_listen_keys.drop(call.account.id)
    return {}


def routes() -> dict[tuple[str, str], Route]:
    """Return the paths of this part."""
    read, stream = Access.READ, "/api/v3/userDataStream"
    return {
        ("GET", "/dapi/v1/exchangeInfo"): Route(_empty_info, Access.PUBLIC, 1),
        ("GET", "/eapi/v1/exchangeInfo"): Route(_empty_info, Access.PUBLIC, 1),
        ("GET", "/api/v3/account"): Route(_account, read, 20),
        ("GET", "/api/v3/account/commission"): Route(_commission, read, 20),
        ("POST", stream): Route(_make_listen_key, Access.KEY, 2),
        ("PUT", stream): Route(_keep_listen_key, Access.KEY, 2),
        ("DELETE", stream): Route(_drop_listen_key, Access.KEY, 2),
        ("GET", "/sapi/v1/capital/config/getall"): Route(_coins, read, 10),
        ("GET", "/sapi/v1/margin/allPairs"): Route(_nothing, read, 1),
        ("GET", "/sapi/v1/margin/isolated/allPairs"): Route(_nothing, read, 10),
        ("GET", "/sapi/v1/account/apiRestrictions"): Route(_restrictions, read, 1),
        ("GET", "/sapi/v1/capital/deposit/hisrec"): Route(_deposits, read, 1),
        ("GET", "/sapi/v1/capital/withdraw/history"): Route(_withdrawals, read, 18),
        ("GET", "/sapi/v1/asset/transfer"): Route(_transfers, read, 1),
        ("POST", "/sapi/v1/asset/transfer"): Route(_transfer, read, 1),
    }
