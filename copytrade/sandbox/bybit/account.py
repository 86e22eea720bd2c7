"""What an account has at Bybit: its one wallet, its positions, its ledger, and what its key may do."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from copytrade.sandbox.bybit import errors, wire
from copytrade.sandbox.bybit.history import trail
from copytrade.sandbox.bybit.request import LINEAR, Access, Request, Route
from copytrade.sandbox.exchange import risk, spot
from copytrade.sandbox.exchange.accounts import Account, ApiKey, Position, margin_of
from copytrade.sandbox.exchange.clock import real_ms
from copytrade.sandbox.exchange.instruments import INSTRUMENTS, QUOTE, SPOT_BY_BASE
from copytrade.sandbox.exchange.market import Market
from copytrade.sandbox.exchange.orders import PositionSide
from copytrade.sandbox.exchange.path import DAY_MS
from copytrade.sandbox.exchange.values import MONEY_UNIT

if TYPE_CHECKING:
    from copytrade.sandbox.bybit.rest import Bybit

_NEVER = "1970-01-01T00:00:00Z"


def worth(market: Market, asset: str, units: int) -> int:
    """Return what so much of an asset is worth in USDT."""
    one = SPOT_BY_BASE.get(asset)
    if asset == QUOTE or one is None:
        return units if asset == QUOTE else 0
    return units * market.price(one.index) * one.unit // one.lot


def _coin(market: Market, account: Account, asset: str, whole: risk.Margin) -> dict[str, Any]:
    units, is_quote = spot.coin(account, asset), asset == QUOTE
    unrealized = whole.unrealized if is_quote else 0
    return {
        "coin": asset,
        "equity": wire.amount(units + unrealized),
        "usdValue": wire.amount(worth(market, asset, units) + unrealized),
        "walletBalance": wire.amount(units),
        **{"free": "", "availableToWithdraw": "", "availableToBorrow": "", "borrowAmount": "0", "accruedInterest": "0"},
        "locked": wire.amount(spot.locked(account, asset)),
        "totalOrderIM": wire.amount(_orders_margin(account) if is_quote else 0),
        "totalPositionIM": wire.amount(whole.positions_initial if is_quote else 0),
        "totalPositionMM": wire.amount(whole.maintenance if is_quote else 0),
        "unrealisedPnl": wire.amount(unrealized),
        "cumRealisedPnl": wire.amount(sum(row.realized for row in account.positions.values()) if is_quote else 0),
        **{"bonus": "0", "collateralSwitch": is_quote, "marginCollateral": is_quote, "spotBorrow": "0"},
        "spotHedgingQty": "0",
    }


def _orders_margin(account: Account) -> int:
    return sum(order.margin for order in account.open.values() if not spot.pays_with(order))


def wallet(market: Market, account: Account) -> dict[str, Any]:
    """Return the account's one wallet; only USDT is collateral here, as if the holder had switched the others off."""
    whole = risk.margin(market, account)
    held = {asset: spot.coin(account, asset) for asset in spot.assets(account)}
    balance = sum(worth(market, asset, units) for asset, units in held.items())
    is_isolated = bool(account.isolated)
    margins = {
        "accountIMRate": _rate(whole.positions_initial + whole.orders_initial, whole.balance),
        "accountMMRate": _rate(whole.maintenance, whole.balance),
        "totalMarginBalance": wire.amount(whole.balance),
        "totalAvailableBalance": wire.amount(max(0, whole.available)),
        "totalInitialMargin": wire.amount(whole.positions_initial + whole.orders_initial),
        "totalMaintenanceMargin": wire.amount(whole.maintenance),
    }
    return {
        **{"accountType": "UNIFIED", "accountLTV": "0"},
        "totalEquity": wire.amount(balance + whole.unrealized),
        "totalWalletBalance": wire.amount(balance),
        "totalPerpUPL": wire.amount(whole.unrealized),
        # the venue tells no totals of margin while each position has its own
        **(dict.fromkeys(margins, "") if is_isolated else margins),
        "coin": [_coin(market, account, asset, whole) for asset in held],
    }


def _rate(part: int, whole: int) -> str:
    return wire.amount(part * MONEY_UNIT // whole) if whole > 0 else "0"


def _wallet_balance(venue: "Bybit", request: Request) -> dict[str, Any]:
    kind, account = request.need("accountType"), request.account
    if account.unified and kind != "UNIFIED":
        raise errors.ApiError(10001, "accountType only support UNIFIED.")
    if not account.unified and kind == "UNIFIED":
        raise errors.not_unified()
    told = wallet(venue.exchange.market, account)
    wanted = {coin for coin in request.text("coin").split(",") if coin}
    if wanted:
        told["coin"] = [row for row in told["coin"] if row["coin"] in wanted]
    return {"list": [told | {"accountType": kind}]}


def _info(venue: "Bybit", request: Request) -> dict[str, Any]:
    account = request.account
    return {
        "unifiedMarginStatus": 6 if account.unified else 1,
        "marginMode": "ISOLATED_MARGIN" if account.isolated else "REGULAR_MARGIN",
        **{"isMasterTrader": False, "spotHedgingStatus": "OFF", "dcpStatus": "OFF", "timeWindow": 10, "smpGroup": 0},
        "updatedTime": str(account.updated),
    }


def position(market: Market, account: Account, held: Position, *, sequence: int) -> dict[str, Any]:
    """Return a position; a flat one has no side."""
    one, mark = INSTRUMENTS[held.instrument], market.price(held.instrument)
    leverage, steps = account.leverage_of(held.instrument), abs(held.steps)
    value = steps * mark * one.unit
    liquidation = risk.liquidation_price(market, account, held) if steps else 0
    entry = wire.average(one, quote=held.cost, steps=steps) or "0"
    return {
        "positionIdx": wire.POSITION_INDEX[held.side],
        **{"riskId": 1, "riskLimitValue": wire.amount(one.largest(leverage))},
        "symbol": one.symbol,
        "side": wire.side(1 if held.steps > 0 else -1) if steps else "",
        "size": wire.quantity(one, steps),
        **{"avgPrice": entry, "entryPrice": entry, "breakEvenPrice": entry if steps else ""},
        "positionValue": wire.amount(held.cost) if steps else "",
        "tradeMode": 1 if held.instrument in account.isolated else 0,
        **{"autoAddMargin": 0, "positionStatus": "Normal", "leverage": str(leverage)},
        "markPrice": wire.price(one, mark),
        "liqPrice": wire.price(one, liquidation) if liquidation else "",
        "bustPrice": "",
        "positionIM": wire.amount(margin_of(one, held.steps, mark, leverage)) if steps else "",
        "positionMM": wire.amount(one.maintenance(value)) if steps else "",
        "positionBalance": wire.amount(held.isolated_wallet) if steps else "0",
        **{"takeProfit": "", "stopLoss": "", "trailingStop": "0", "tpslMode": "Full", "sessionAvgPrice": ""},
        "unrealisedPnl": wire.amount(held.unrealized(mark)) if steps else "",
        **{"curRealisedPnl": "0", "cumRealisedPnl": wire.amount(held.realized)},
        **{"adlRankIndicator": 2 if steps else 0, "isReduceOnly": False, "mmrSysUpdatedTime": ""},
        **{"leverageSysUpdatedTime": "", "createdTime": str(held.updated), "updatedTime": str(held.updated)},
        **{"seq": sequence or -1, "category": wire.category(one)},
    }


def sides(account: Account) -> tuple[PositionSide, ...]:
    """Return the sides of which an account has positions."""
    return (PositionSide.LONG, PositionSide.SHORT) if account.hedge else (PositionSide.BOTH,)


def _positions(venue: "Bybit", request: Request) -> dict[str, Any]:
    account = request.account
    if request.category() != LINEAR:
        # nobody holds anything of the kinds that are not traded here
        return {"category": request.category(), "list": [], "nextPageCursor": ""}
    if request.text("symbol"):
        one = request.instrument()
        rows = [account.position(one.index, side) for side in sides(account)]
    elif request.text("settleCoin") or request.text("baseCoin"):
        wanted = {one.index for one in request.wanted()}
        rows = [row for row in account.open_positions() if row.instrument in wanted]
    else:
        raise errors.ApiError(10001, "Missing some parameters that must be filled in, symbol or settleCoin")
    known = trail(venue, account)
    market = venue.exchange.market
    told = [position(market, account, row, sequence=known.sequence(row.instrument)) for row in rows]
    return {"category": request.category(), "list": told, "nextPageCursor": ""}


def _key(venue: "Bybit", request: Request) -> dict[str, Any]:
    key, account = request.key, request.account
    assert key is not None
    return {
        **{"id": str(key.created), "note": "sandbox", "apiKey": key.key, "secret": "", "type": 1},
        "readOnly": 0 if key.futures or key.spot else 1,
        "permissions": _permissions(key),
        "ips": list(key.addresses) or ["*"],
        **_validity(key),
        "createdAt": _moment(key.created),
        **{"unified": 0, "uta": 1 if account.unified else 0},
        **{"userID": account.id, "inviterID": 0, "vipLevel": "No VIP", "mktMakerLevel": "0", "affiliateID": 0},
        **{"rsaPublicKey": "", "isMaster": True, "parentUid": "0", "kycLevel": "LEVEL_DEFAULT", "kycRegion": ""},
    }


def _permissions(key: ApiKey) -> dict[str, list[str]]:
    rights = {"Withdraw": key.withdrawals, "AccountTransfer": key.internal_transfer}
    rights |= {"SubMemberTransfer": key.universal_transfer}
    # a key that may only read names what it reads
    reads = key.reading and not (key.futures or key.spot)
    return {
        "ContractTrade": ["Order", "Position"] if key.futures or reads else [],
        "Spot": ["SpotTrade"] if key.spot or reads else [],
        "Wallet": [name for name, is_given in rights.items() if is_given],
        **{name: [] for name in ("Options", "Derivatives", "CopyTrading", "BlockTrade", "Exchange", "NFT")},
        **{name: [] for name in ("Affiliate", "Earn", "FiatP2P", "FiatBitPay", "FiatConvertBroker", "BitCard")},
    }


def _validity(key: ApiKey) -> dict[str, Any]:
    if not key.expires:
        return {"deadlineDay": -2, "expiredAt": _NEVER}
    return {"deadlineDay": max(0, key.expires - real_ms()) // DAY_MS, "expiredAt": _moment(key.expires)}


def _moment(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def routes() -> dict[tuple[str, str], Route]:
    """Return the paths of this part."""
    return {
        ("GET", "/v5/account/wallet-balance"): Route(_wallet_balance),
        ("GET", "/v5/account/info"): Route(_info),
        ("GET", "/v5/position/list"): Route(_positions),
        ("GET", "/v5/user/query-api"): Route(_key, Access.READ),
    }
