"""Bybit's JSON of unified accounts, read into our types. Pure; ODD errors where a body is odd."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from copytrade.domain.fills import EntryKind, Fill, LedgerEntry, Position, Quote
from copytrade.domain.instruments import Market, MarketRules, PositionSide, Side
from copytrade.domain.orders import OrderRequest, VenueOrder, VenueOrderStatus
from copytrade.exchanges import alike
from copytrade.exchanges.values import moment, number, positive, text

Body = Mapping[str, Any]
ZERO = Decimal(0)
QUOTE = "USDT"
CATEGORIES = {Market.SPOT: "spot", Market.PERPETUAL: "linear"}
POSITION_SIDES = {0: PositionSide.NET, 1: PositionSide.LONG, 2: PositionSide.SHORT}
POSITION_INDEXES = {side: index for index, side in POSITION_SIDES.items()}
STATUSES = {
    "Created": VenueOrderStatus.OPEN,
    "New": VenueOrderStatus.OPEN,
    "PartiallyFilled": VenueOrderStatus.OPEN,
    "Untriggered": VenueOrderStatus.OPEN,
    "Triggered": VenueOrderStatus.OPEN,
    "Filled": VenueOrderStatus.FILLED,
    "Cancelled": VenueOrderStatus.CANCELLED,
    "PartiallyFilledCanceled": VenueOrderStatus.CANCELLED,
    "Deactivated": VenueOrderStatus.CANCELLED,
    "Rejected": VenueOrderStatus.REJECTED,
}
LIQUIDATIONS = frozenset({"AdlTrade", "BustTrade"})
_BY_VENUE = frozenset({"CreateByLiq", "CreateByTakeOver_PassThrough", "CreateByAdl_PassThrough"})
NO_TRADES = frozenset({"Funding"})
"""Kinds of executions that move no position."""
_SEQUENCES = 4096
"""Places between two numbers of the venue's sequence, for the fills that one order made in one moment."""


def listed(body: Any) -> Sequence[Any]:
    """Return the rows of an answer."""
    rows = body["result"]["list"]
    if not isinstance(rows, list):
        raise ValueError("the answer had no list")
    return rows  # pyright: ignore[reportUnknownVariableType] - JSON


def optional(value: Any) -> Decimal:
    """Return a number, 0 where the venue left it empty."""
    return ZERO if value in (None, "") else number(value)


def market_rules(market: Body) -> MarketRules:
    """Return the rules in one of ccxt's markets, from the venue's own strings."""
    info: Body = market["info"]
    lot: Body = info["lotSizeFilter"]
    is_spot = bool(market["spot"])
    risk: Body = info.get("riskParameters") or {}
    levers: Body = info.get("leverageFilter") or {}
    band = optional(risk.get("priceLimitRatioX")) or Decimal("0.05")
    most = number(lot["maxLimitOrderQty"] if is_spot and "maxLimitOrderQty" in lot else lot["maxOrderQty"])
    at_market = lot.get("maxMarketOrderQty") if is_spot else lot.get("maxMktOrderQty")
    return MarketRules(
        symbol=market["symbol"],
        base=market["base"],
        quote=market["quote"],
        quantity_step=positive(lot["basePrecision"] if is_spot else lot["qtyStep"]),
        price_tick=positive(info["priceFilter"]["tickSize"]),
        min_quantity=number(lot["minOrderQty"]),
        max_quantity=most,
        max_market_quantity=number(at_market) if at_market else most,
        min_notional=optional(lot.get("minOrderAmt") if is_spot else lot.get("minNotionalValue")),
        exits_exempt_from_minimum=not is_spot,
        price_band_up=1 + band,
        price_band_down=1 - band,
        max_leverage=1 if is_spot else int(number(levers["maxLeverage"])),
        is_active=info["status"] == "Trading",
    )


def order(row: Body, *, symbol: str) -> VenueOrder:
    """Return an order of a list or of the stream; where it paid in several assets, its fee is the base asset's part."""
    filled = optional(row["cumExecQty"])
    average = optional(row.get("avgPrice"))
    at = row.get("updatedTime") or row.get("createdTime")
    fee, asset = _fee(row, base=symbol.partition("/")[0])
    return VenueOrder(
        venue_order_id=text(row["orderId"]),
        client_order_id=str(row.get("orderLinkId") or ""),
        symbol=symbol,
        side=side(row["side"]),
        quantity=number(row["qty"]),
        filled=filled,
        average_price=average if average > 0 and filled > 0 else None,
        status=STATUSES[row["orderStatus"]],
        venue_time=moment(at) if at else None,
        fee=fee if filled > 0 else None,
        fee_asset=asset if filled > 0 else "",
        is_liquidation=row.get("createType") in _BY_VENUE,
        quote_quantity=number(row["qty"]) if row.get("marketUnit") == "quoteCoin" else None,
    )


def _fee(row: Body, *, base: str) -> tuple[Decimal | None, str]:
    paid: Body = row.get("cumFeeDetail") or {}
    if not paid:
        return None, ""
    asset = base if base in paid else min(paid)
    return number(paid[asset]), asset


def acknowledged(body: Any, request: OrderRequest) -> VenueOrder:
    """Return the order that an acknowledgement speaks of: that it is there, not what became of it."""
    told: Body = body["result"]
    return alike.acknowledged(
        request, client_order_id=told["orderLinkId"], venue_order_id=told["orderId"], at=moment(body["time"])
    )


def side(told: Any) -> Side:
    """Return Buy or Sell as ours."""
    return {"Buy": Side.BUY, "Sell": Side.SELL}[told]


def fill(row: Body, *, symbol: str, position_side: PositionSide) -> Fill:
    """Return an execution, of a list or of the stream."""
    base, _, quote = symbol.partition(":")[0].partition("/")
    way = side(row["side"])
    asked = optional(row.get("orderQty"))
    # a market buy of spot may be given in quote, which only the order tells
    is_told = asked > 0 and (":" in symbol or way is Side.SELL or row.get("orderType") == "Limit")
    received = base if way is Side.BUY and ":" not in symbol else quote
    return Fill(
        trade_id=text(row["execId"]),
        order_id=text(row["orderId"]),
        symbol=symbol,
        side=way,
        quantity=positive(row["execQty"]),
        price=positive(row["execPrice"]),
        fee=optional(row.get("execFee")),
        # of perpetuals the lists leave it empty
        fee_asset=str(row.get("feeCurrency") or received),
        venue_time=moment(row["execTime"]),
        position_side=position_side,
        client_order_id=str(row.get("orderLinkId") or ""),
        is_maker=bool(row.get("isMaker")),
        is_liquidation=row.get("execType") in LIQUIDATIONS,
        order_quantity=asked if is_told else None,
        sequence=_sequence(row, asked=asked),
    )


def _sequence(row: Body, *, asked: Decimal) -> int:
    """Return the venue's sequence, and within it how far the order had come: its fills of one moment share a number."""
    told = row.get("seq")
    if told in (None, ""):
        return 0
    left = optional(row.get("leavesQty"))
    come = min(max(1 - left / asked, ZERO), Decimal(1)) if asked > 0 else ZERO
    return int(told) * _SEQUENCES + int(come * (_SEQUENCES - 1))


def position(row: Body, *, symbol: str) -> Position:
    """Return a position; one that is flat has no side."""
    size = number(row["size"])
    liquidation = optional(row.get("liqPrice"))
    leverage = optional(row.get("leverage"))
    return Position(
        symbol=symbol,
        quantity=-size if row["side"] == "Sell" else size,
        entry_price=optional(row.get("avgPrice") or row.get("entryPrice")),
        mark_price=optional(row.get("markPrice")),
        unrealized_pnl=optional(row.get("unrealisedPnl")),
        position_side=POSITION_SIDES[row["positionIdx"]],
        leverage=int(leverage) if leverage > 0 else None,
        liquidation_price=liquidation if liquidation > 0 else None,
    )


def quote(row: Body, *, symbol: str, read_at: datetime) -> Quote:
    """Return a ticker's best prices; on spot the last price stands for the mark."""
    return Quote(
        symbol=symbol,
        bid=number(row["bid1Price"]),
        ask=number(row["ask1Price"]),
        mark=number(row.get("markPrice") or row["lastPrice"]),
        read_at=read_at,
    )


def entries(row: Body, *, symbol: str) -> list[LedgerEntry]:
    """Return what a row of the transaction log books; a trade's row has its fee and its realized PnL together.

    The venue's ids are shared by the trades of one moment. What spot trades exchange is neither fee nor profit.
    """
    coin, is_exchange = text(row["currency"]), row.get("category") == CATEGORIES[Market.SPOT]
    parts = (
        (EntryKind.FUNDING, optional(row.get("funding"))),
        (EntryKind.OTHER if is_exchange else EntryKind.FEE, -optional(row.get("fee"))),
        (_cash_kind(row, is_exchange=is_exchange), optional(row.get("cashFlow"))),
    )
    name = ":".join(str(row.get(field) or "") for field in ("type", "id", "tradeId", "side", "currency"))
    at = moment(row["transactionTime"])
    return [
        LedgerEntry(f"{name}:{count}", kind, coin, amount, at, symbol=symbol)
        for count, (kind, amount) in enumerate(parts)
        if amount
    ]


def _cash_kind(row: Body, *, is_exchange: bool) -> EntryKind:
    if row["type"] in ("TRANSFER_IN", "TRANSFER_OUT"):
        return EntryKind.TRANSFER
    return EntryKind.REALIZED_PNL if row.get("tradeId") and not is_exchange else EntryKind.OTHER


def expiry(told: Any) -> datetime | None:
    """Return when a key ends; the venue writes the beginning of 1970 for never."""
    at = datetime.fromisoformat(told) if told else None
    if at is None or at.year <= 1970:
        return None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
