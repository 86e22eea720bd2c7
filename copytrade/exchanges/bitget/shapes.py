"""Bitget's JSON of USDT-margined perpetuals, read into our types. Pure; KeyError and the like where a body is odd."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from copytrade.domain.fills import Balance, Equity, Fill, Position, Quote
from copytrade.domain.instruments import MarginMode, MarketRules, PositionSide, Side
from copytrade.domain.orders import OrderRequest, VenueOrder, VenueOrderStatus
from copytrade.exchanges import alike
from copytrade.exchanges.rows import read_rows
from copytrade.exchanges.values import moment, number, positive, text

Body = Mapping[str, Any]
ZERO = Decimal(0)
MARGIN_MODES = {"crossed": MarginMode.CROSS, "cross": MarginMode.CROSS, "isolated": MarginMode.ISOLATED}
STATUSES = {
    "init": VenueOrderStatus.OPEN,
    "new": VenueOrderStatus.OPEN,
    "live": VenueOrderStatus.OPEN,
    "partially_filled": VenueOrderStatus.OPEN,
    "filled": VenueOrderStatus.FILLED,
    "canceled": VenueOrderStatus.CANCELLED,
    "cancelled": VenueOrderStatus.CANCELLED,
}
_SIDES = {"long": PositionSide.LONG, "short": PositionSide.SHORT, "net": PositionSide.NET}
_BY_THE_VENUE = ("burst_", "dte_sys_adl_", "reduce_")
"""What an execution's `tradeSide` begins with when the venue made it: liquidation, deleveraging, forced reduction."""


def amount(value: Any) -> Decimal:
    """Return an exact decimal; an empty text is 0, as the venue writes what there is none of."""
    return ZERO if value == "" else number(value)


def market_rules(market: Body) -> MarketRules:
    """Return the rules in one of ccxt's markets, from the venue's own strings."""
    info: Body = market["info"]
    step = positive(info["sizeMultiplier"])
    largest = amount(info.get("maxOrderQty") or "")
    at_market = amount(info.get("maxMarketOrderQty") or "")
    unlimited = Decimal(10**12)
    return MarketRules(
        symbol=market["symbol"],
        base=market["base"],
        quote=market["quote"],
        quantity_step=step,
        price_tick=positive(info["priceEndStep"]).scaleb(-int(info["pricePlace"])),
        min_quantity=number(info["minTradeNum"]),
        max_quantity=largest or unlimited,
        max_market_quantity=at_market or largest or unlimited,
        min_notional=number(info["minTradeUSDT"]),
        price_band_up=1 + number(info["buyLimitPriceRatio"]),
        price_band_down=1 - number(info["sellLimitPriceRatio"]),
        max_leverage=int(number(info["maxLever"])),
        is_active=info["symbolStatus"] == "normal",
    )


def fill(row: Body, *, symbol: str) -> Fill:
    """Return an execution as REST tells it: for hedged accounts `side` is the direction of the position."""
    return _fill(row, symbol=symbol, directions=_held_directions(row))


def streamed_fill(row: Body, *, symbol: str) -> Fill:
    """Return an execution as the stream tells it: `side` is the transaction's, whatever the mode."""
    return _fill(row, symbol=symbol, directions=_traded_directions(row))


def _fill(row: Body, *, symbol: str, directions: tuple[Side, PositionSide]) -> Fill:
    fee, fee_asset = paid(row["feeDetail"])
    side, position_side = directions
    return Fill(
        trade_id=text(row["tradeId"]),
        order_id=text(row["orderId"]),
        symbol=symbol,
        side=side,
        quantity=positive(row["baseVolume"]),
        price=positive(row["price"]),
        fee=fee,
        fee_asset=fee_asset,
        venue_time=moment(row["cTime"]),
        position_side=position_side,
        client_order_id=str(row.get("clientOid") or ""),
        is_maker=row["tradeScope"] == "maker",
        is_liquidation=str(row["tradeSide"]).startswith(_BY_THE_VENUE),
    )


def paid(details: Any) -> tuple[Decimal, str]:
    """Return fee and asset of an execution; what the venue gave back counts as negative."""
    rows: list[Body] = details if isinstance(details, list) else [details]  # pyright: ignore[reportUnknownVariableType] - JSON
    asset = text(rows[0]["feeCoin"])
    return -sum((amount(row["totalFee"]) for row in rows if row["feeCoin"] == asset), ZERO), asset


def _held_directions(row: Body) -> tuple[Side, PositionSide]:
    side = Side(row["side"])
    if not _is_hedged(row):
        return side, PositionSide.NET
    named = _named_side(row)
    position_side = named or (PositionSide.LONG if side is Side.BUY else PositionSide.SHORT)
    return _transaction(position_side, opens=_opens(row)), position_side


def _traded_directions(row: Body) -> tuple[Side, PositionSide]:
    side = Side(row["side"])
    if not _is_hedged(row):
        return side, PositionSide.NET
    is_long = (side is Side.BUY) == _opens(row)
    return side, _named_side(row) or (PositionSide.LONG if is_long else PositionSide.SHORT)


def _is_hedged(row: Body) -> bool:
    return {"hedge_mode": True, "one_way_mode": False}[row["posMode"]]


def _opens(row: Body) -> bool:
    word = str(row["tradeSide"])
    if word != "open" and "close" not in word:
        raise ValueError("it was not told whether the position was opened or closed")
    return word == "open"


def _named_side(row: Body) -> PositionSide | None:
    return _SIDES.get(str(row["tradeSide"]).rpartition("_")[2])


def _transaction(position_side: PositionSide, *, opens: bool) -> Side:
    return Side.BUY if (position_side is PositionSide.LONG) == opens else Side.SELL


def order(row: Body, *, symbol: str) -> VenueOrder:
    """Return an order of the REST API; in hedge mode its `side` is the direction of the position."""
    side, _ = _held_directions(row)
    fee = row.get("fee") or ""
    return _order(row, symbol=symbol, side=side, filled=row["baseVolume"], fee=fee, fee_asset=text(row["marginCoin"]))


def streamed_order(row: Body, *, symbol: str) -> VenueOrder:
    """Return an order of the stream, whose `side` is the transaction's."""
    details: list[Body] = row.get("feeDetail") or []
    fee = details[0]["fee"] if details else ""
    asset = details[0]["feeCoin"] if details else ""
    return _order(row, symbol=symbol, side=Side(row["side"]), filled=row["accBaseVolume"], fee=fee, fee_asset=asset)


def _order(row: Body, *, symbol: str, side: Side, filled: Any, fee: Any, fee_asset: Any) -> VenueOrder:
    average = amount(row.get("priceAvg") or "")
    return VenueOrder(
        venue_order_id=text(row["orderId"]),
        client_order_id=str(row.get("clientOid") or row.get("clientOId") or ""),
        symbol=symbol,
        side=side,
        quantity=number(row["size"]),
        filled=amount(filled),
        average_price=average if average > 0 else None,
        status=STATUSES[row.get("state") or row["status"]],
        venue_time=moment(row["uTime"]),
        fee=-number(fee) if fee else None,
        fee_asset=text(fee_asset) if fee else "",
    )


def acknowledged(body: Body, *, request: OrderRequest) -> VenueOrder:
    """Return an order that the venue took and told nothing more of; ValueError where the answer is of another one."""
    told: Body = body["data"]
    return alike.acknowledged(
        request, client_order_id=told["clientOid"], venue_order_id=told["orderId"], at=moment(body["requestTime"])
    )


def position(row: Body, *, symbol: str) -> Position:
    """Return a position of REST or stream, signed; both tell those that are not flat."""
    held_side = _SIDES[row["holdSide"]]
    size = number(row["total"])
    liquidation = amount(row.get("liquidationPrice") or "")
    return Position(
        symbol=symbol,
        quantity=size if held_side is PositionSide.LONG else -size,
        entry_price=number(row["openPriceAvg"]),
        mark_price=amount(row.get("markPrice") or ""),
        unrealized_pnl=amount(row["unrealizedPL"]),
        position_side=held_side if _is_hedged(row) else PositionSide.NET,
        leverage=int(number(row["leverage"])),
        liquidation_price=liquidation if liquidation > 0 else None,
        margin_mode=MARGIN_MODES.get(row.get("marginMode", "")),
    )


def modes(body: Body) -> tuple[MarginMode, bool]:
    """Return a symbol's margin mode, and whether the account is in hedge mode."""
    row: Body = body["data"]
    return MARGIN_MODES[row["marginMode"]], _is_hedged(row)


def equity(accounts: Sequence[Body], *, read_at: datetime) -> Equity:
    """Return the totals of a futures account in USDT; it has no row of a coin that it never held."""
    row = next((row for row in accounts if row["marginCoin"] == "USDT"), None)
    if row is None:
        return Equity(total=ZERO, wallet=ZERO, unrealized_pnl=ZERO, available=ZERO, read_at=read_at)
    total, unrealized = number(row["accountEquity"]), amount(row["unrealizedPL"])
    return Equity(
        total=total,
        wallet=total - unrealized,
        unrealized_pnl=unrealized,
        available=amount(row["crossedMaxAvailable"]),
        read_at=read_at,
    )


def balance(row: Body) -> Balance:
    """Return what a futures account holds of its margin coin."""
    total = number(row["accountEquity"]) - amount(row["unrealizedPL"])
    return Balance(asset=text(row["marginCoin"]), free=amount(row["maxTransferOut"]), total=total)


def quote(row: Body, *, symbol: str, read_at: datetime) -> Quote:
    """Return best bid and ask and the mark price of a ticker; on spot the last price stands for the mark."""
    return Quote(
        symbol=symbol,
        bid=amount(row["bidPr"] or ""),
        ask=amount(row["askPr"] or ""),
        mark=positive(row["markPrice"] if "markPrice" in row else row["lastPr"]),
        read_at=read_at,
    )


def quotes(rows: Sequence[Body], wanted: Mapping[str, str], *, read_at: datetime) -> dict[str, Quote]:
    """Return the quotes of the wanted symbols, by our names of them; one that cannot be read is left out."""
    asked = [row for row in rows if row.get("symbol") in wanted]
    found, _ = read_rows(asked, lambda row: quote(row, symbol=wanted[row["symbol"]], read_at=read_at))
    return {one.symbol: one for one in found}
