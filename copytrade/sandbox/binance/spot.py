"""Of spot, sapi and dapi only what clients of the perpetuals come by: rules, wallets, and what a key may do."""

from typing import TYPE_CHECKING, Any

from copytrade.sandbox.binance.call import Access, Call, Route
from copytrade.sandbox.exchange.instruments import INSTRUMENTS, QUOTE

if TYPE_CHECKING:
    from copytrade.sandbox.binance.rest import Binance


def _empty_info(venue: "Binance", call: Call) -> dict[str, Any]:
    time = venue.exchange.clock.server_time()
    return {"timezone": "UTC", "serverTime": time, "rateLimits": [], "exchangeFilters": [], "symbols": []}


def _account(venue: "Binance", call: Call) -> dict[str, Any]:
    rates = {"maker": "0.00100000", "taker": "0.00100000", "buyer": "0.00000000", "seller": "0.00000000"}
    flags = {"canTrade": True, "canWithdraw": True, "canDeposit": True, "brokered": False}
    commissions = {"makerCommission": 10, "takerCommission": 10, "buyerCommission": 0, "sellerCommission": 0}
    kind = {"updateTime": 0, "accountType": "SPOT", "permissions": ["SPOT"], "uid": call.account.id}
    return {**commissions, "commissionRates": rates, **flags, **kind, "balances": []}


def _coins(venue: "Binance", call: Call) -> list[dict[str, Any]]:
    names = [QUOTE, *(instrument.base for instrument in INSTRUMENTS)]
    amounts = {"free": "0", "locked": "0", "freeze": "0", "withdrawing": "0", "ipoing": "0", "ipoable": "0"}
    flags = {"depositAllEnable": True, "withdrawAllEnable": True, "isLegalMoney": False, "trading": True}
    return [{"coin": name, "name": name, **flags, **amounts, "storage": "0", "networkList": []} for name in names]


def _nothing(venue: "Binance", call: Call) -> list[dict[str, Any]]:
    return []


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


def routes() -> dict[tuple[str, str], Route]:
    """Return the paths of this part."""
    return {
        ("GET", "/api/v3/exchangeInfo"): Route(_empty_info, Access.PUBLIC, 20),
        ("GET", "/dapi/v1/exchangeInfo"): Route(_empty_info, Access.PUBLIC, 1),
        ("GET", "/eapi/v1/exchangeInfo"): Route(_empty_info, Access.PUBLIC, 1),
        ("GET", "/api/v3/account"): Route(_account, Access.READ, 20),
        ("GET", "/api/v3/openOrders"): Route(_nothing, Access.READ, 6),
        ("GET", "/api/v3/ticker/24hr"): Route(_nothing, Access.PUBLIC, 80),
        ("GET", "/api/v3/ticker/price"): Route(_nothing, Access.PUBLIC, 4),
        ("GET", "/sapi/v1/capital/config/getall"): Route(_coins, Access.READ, 10),
        ("GET", "/sapi/v1/margin/allPairs"): Route(_nothing, Access.READ, 1),
        ("GET", "/sapi/v1/margin/isolated/allPairs"): Route(_nothing, Access.READ, 10),
        ("GET", "/sapi/v1/account/apiRestrictions"): Route(_restrictions, Access.READ, 1),
        ("GET", "/sapi/v1/capital/deposit/hisrec"): Route(_nothing, Access.READ, 1),
        ("GET", "/sapi/v1/capital/withdraw/history"): Route(_nothing, Access.READ, 18),
    }
