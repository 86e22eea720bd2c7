"""Binance's JSON of USDT-margined perpetuals, read into our types. Pure; KeyError and the like where a body is odd."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from copytrade.domain.fills import Balance, EntryKind, Equity, Fill, KeyPermissions, LedgerEntry, Position
from copytrade.domain.instruments import MarginMode, MarketRules, PositionSide, Side
from copytrade.domain.orders import VenueOrder, VenueOrderStatus
from copytrade.exchanges.values import flag, moment, number, positive, text, truth

Body = Mapping[str, Any]
_ZERO = Decimal(0)

POSITION_SIDES = {"BOTH": PositionSide.NET, "LONG": PositionSide.LONG, "SHORT": PositionSide.SHORT}
MARGIN_MODES = {
    "CROSSED": MarginMode.CROSS,
    "CROSS": MarginMode.CROSS,
    "ISOLATED": MarginMode.ISOLATED,
}
STATUSES = {
    "NEW": VenueOrderStatus.OPEN,
    "NEW_ADL": VenueOrderStatus.OPEN,
    "NEW_INSURANCE": VenueOrderStatus.OPEN,
    "PENDING_NEW": VenueOrderStatus.OPEN,
    "PARTIALLY_FILLED": VenueOrderStatus.OPEN,
    "PENDING_CANCEL": VenueOrderStatus.OPEN,
    "FILLED": VenueOrderStatus.FILLED,
    "CANCELED": VenueOrderStatus.CANCELLED,
    "EXPIRED": VenueOrderStatus.EXPIRED,
    "EXPIRED_IN_MATCH": VenueOrderStatus.EXPIRED,
    "REJECTED": VenueOrderStatus.REJECTED,
}
_ENTRY_KINDS = {
    "FUNDING_FEE": EntryKind.FUNDING,
    "COMMISSION": EntryKind.FEE,
    "REALIZED_PNL": EntryKind.REALIZED_PNL,
    **dict.fromkeys(
        (
            "TRANSFER",
            "INTERNAL_TRANSFER",
            "CROSS_COLLATERAL_TRANSFER",
            "COIN_SWAP_DEPOSIT",
            "COIN_SWAP_WITHDRAW",
            "STRATEGY_UMFUTURES_TRANSFER",
        ),
        EntryKind.TRANSFER,
    ),
}
_LIQUIDATION_IDS = ("autoclose-", "adl_autoclose")


def market_rules(market: Body) -> MarketRules:
    """Return the rules in one of ccxt's markets, from the venue's own strings."""
    info: Body = market["info"]
    filters: dict[str, Body] = {item["filterType"]: item for item in info["filters"]}
    lot, price = filters["LOT_SIZE"], filters["PRICE_FILTER"]
    band = filters.get("PERCENT_PRICE", {"multiplierUp": "1.05", "multiplierDown": "0.95"})
    notional = filters.get("MIN_NOTIONAL", {"notional": "0"})
    return MarketRules(
        symbol=market["symbol"],
        base=market["base"],
        quote=market["quote"],
        quantity_step=positive(lot["stepSize"]),
        price_tick=positive(price["tickSize"]),
        min_quantity=number(lot["minQty"]),
        max_quantity=number(lot["maxQty"]),
        max_market_quantity=number(filters.get("MARKET_LOT_SIZE", lot)["maxQty"]),
        min_notional=number(notional["notional"]),
        price_band_up=number(band["multiplierUp"]),
        price_band_down=number(band["multiplierDown"]),
        is_active=info["status"] == "TRADING",
    )


def order(row: Body, *, symbol: str) -> VenueOrder:
    """Return an order of the REST API."""
    average = number(row.get("avgPrice") or "0")
    at = row.get("updateTime") or row.get("time")
    return VenueOrder(
        venue_order_id=text(row["orderId"]),
        client_order_id=text(row["clientOrderId"]),
        symbol=symbol,
        side=Side(row["side"].lower()),
        quantity=number(row["origQty"]),
        filled=number(row["executedQty"]),
        average_price=average if average > 0 else None,
        status=STATUSES[row["status"]],
        venue_time=moment(at) if at else None,
        is_liquidation=text(row["clientOrderId"]).startswith(_LIQUIDATION_IDS),
    )


def fill(row: Body, *, symbol: str) -> Fill:
    """Return a row of userTrades."""
    return Fill(
        trade_id=text(row["id"]),
        order_id=text(row["orderId"]),
        symbol=symbol,
        side=Side(row["side"].lower()),
        quantity=positive(row["qty"]),
        price=positive(row["price"]),
        fee=number(row["commission"]),
        fee_asset=text(row["commissionAsset"]),
        venue_time=moment(row["time"]),
        position_side=POSITION_SIDES[row["positionSide"]],
        is_maker=truth(row["maker"]),
    )


def streamed_fill(event: Body, *, symbol: str) -> Fill:
    """Return the execution in an ORDER_TRADE_UPDATE."""
    row: Body = event["o"]
    return replace(
        execution(row, symbol=symbol),
        position_side=POSITION_SIDES[row["ps"]],
        is_liquidation=row["x"] == "CALCULATED" or text(row["c"]).startswith(_LIQUIDATION_IDS),
    )


def execution(row: Body, *, symbol: str) -> Fill:
    """Return the execution in an order's event, as far as both markets tell it alike."""
    return Fill(
        trade_id=text(row["t"]),
        order_id=text(row["i"]),
        symbol=symbol,
        side=Side(row["S"].lower()),
        quantity=positive(row["l"]),
        price=positive(row["L"]),
        fee=number(row.get("n") or "0"),
        fee_asset=text(row["N"]) if row.get("N") else "",
        venue_time=moment(row["T"]),
        client_order_id=text(row["c"]),
        is_maker=truth(row["m"]),
        order_quantity=number(row["q"]),
    )


def streamed_order(event: Body, *, symbol: str) -> VenueOrder:
    """Return the order in an ORDER_TRADE_UPDATE."""
    row: Body = event["o"]
    average = number(row["ap"])
    return VenueOrder(
        venue_order_id=text(row["i"]),
        client_order_id=text(row["c"]),
        symbol=symbol,
        side=Side(row["S"].lower()),
        quantity=number(row["q"]),
        filled=number(row["z"]),
        average_price=average if average > 0 else None,
        status=STATUSES[row["X"]],
        venue_time=moment(event["T"]),
    )


def streamed_position(row: Body, *, symbol: str) -> Position:
    """Return a position of an ACCOUNT_UPDATE; its mark price is not told and stands as 0."""
    return Position(
        symbol=symbol,
        quantity=number(row["pa"]),
        entry_price=number(row["ep"]),
        mark_price=_ZERO,
        unrealized_pnl=number(row["up"]),
        position_side=POSITION_SIDES[row["ps"]],
    )


def position(row: Body, *, symbol: str) -> Position:
    """Return a row of positionRisk."""
    liquidation = number(row.get("liquidationPrice") or "0")
    return Position(
        symbol=symbol,
        quantity=number(row["positionAmt"]),
        entry_price=number(row["entryPrice"]),
        mark_price=number(row["markPrice"]),
        unrealized_pnl=number(row["unRealizedProfit"]),
        position_side=POSITION_SIDES[row["positionSide"]],
        liquidation_price=liquidation if liquidation > 0 else None,
    )


def modes(row: Body) -> tuple[int, MarginMode]:
    """Return leverage and margin mode of a row of symbolConfig."""
    return int(row["leverage"]), MARGIN_MODES[row["marginType"].upper()]


def equity(account: Body, *, read_at: datetime) -> Equity:
    """Return the totals of an account."""
    return Equity(
        total=number(account["totalMarginBalance"]),
        wallet=number(account["totalWalletBalance"]),
        unrealized_pnl=number(account["totalUnrealizedProfit"]),
        available=number(account["availableBalance"]),
        read_at=read_at,
    )


def balances(account: Body) -> list[Balance]:
    """Return what an account holds of each asset."""
    return [
        Balance(asset=text(row["asset"]), free=number(row["availableBalance"]), total=number(row["walletBalance"]))
        for row in account["assets"]
    ]


def entry(row: Body, *, symbol: str) -> LedgerEntry:
    """Return a row of the income history; ids are unique only within a kind of income."""
    kind = row["incomeType"]
    return LedgerEntry(
        entry_id=f"{text(kind)}:{text(row['tranId'])}:{row.get('tradeId') or ''}",
        kind=_ENTRY_KINDS.get(kind, EntryKind.OTHER),
        asset=text(row["asset"]),
        amount=number(row["income"]),
        venue_time=moment(row["time"]),
        symbol=symbol,
    )


def permissions(row: Body) -> KeyPermissions:
    """Return the rights of a key for perpetuals."""
    return rights(row, trading="enableFutures")


def rights(row: Body, *, trading: str, uid: str = "") -> KeyPermissions:
    """Return the rights of a key, the field `trading` for orders; what the venue does not tell stays None."""
    expires = row.get("tradingAuthorityExpirationTime")
    inner, universal = flag(row, "enableInternalTransfer"), flag(row, "permitsUniversalTransfer")
    return KeyPermissions(
        may_read=flag(row, "enableReading"),
        may_trade=flag(row, trading),
        may_withdraw=flag(row, "enableWithdrawals"),
        may_transfer=None if inner is None or universal is None else inner or universal,
        ip_restricted=flag(row, "ipRestrict"),
        expires_at=moment(expires) if expires else None,
        uid=uid,
    )
