"""Bitget's JSON of spot, read into our types. Pure; KeyError and the like where a body is odd."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from copytrade.domain.fills import Balance, EntryKind, Fill, LedgerEntry
from copytrade.domain.instruments import MarketRules, Side
from copytrade.domain.orders import VenueOrder
from copytrade.exchanges.bitget.shapes import STATUSES, Body, amount, paid
from copytrade.exchanges.values import moment, number, positive, text

_UNLIMITED = Decimal(10**12)
_OUT = ("withdraw", "transfer_out")
_MOVES = ("deposit", "withdraw", "transfer")
_SUMS = "newFees"
"""Stands beside the assets in an order's fees and is none."""
TRADED = "transaction"
"""The group of bills that executions make; those are read as fills."""


def market_rules(market: Body) -> MarketRules:
    """Return the rules in one of ccxt's markets, from the venue's own strings."""
    info: Body = market["info"]
    step = Decimal(1).scaleb(-int(info["quantityPrecision"]))
    largest = amount(info.get("maxTradeAmount") or "") or _UNLIMITED
    return MarketRules(
        symbol=market["symbol"],
        base=market["base"],
        quote=market["quote"],
        quantity_step=step,
        price_tick=Decimal(1).scaleb(-int(info["pricePrecision"])),
        min_quantity=max(amount(info["minTradeAmount"]), step),
        max_quantity=largest,
        max_market_quantity=largest,
        min_notional=number(info["minTradeUSDT"]),
        exits_exempt_from_minimum=False,
        price_band_up=1 + number(info["buyLimitPriceRatio"]),
        price_band_down=1 - number(info["sellLimitPriceRatio"]),
        max_leverage=1,
        is_active=info["status"] == "online",
    )


def fill(row: Body, *, symbol: str) -> Fill:
    """Return an execution of REST or stream."""
    fee, fee_asset = paid(row["feeDetail"])
    return Fill(
        trade_id=text(row["tradeId"]),
        order_id=text(row["orderId"]),
        symbol=symbol,
        side=Side(row["side"]),
        quantity=positive(row["size"]),
        price=positive(row["priceAvg"]),
        fee=fee,
        fee_asset=fee_asset,
        venue_time=moment(row["cTime"]),
        is_maker=row["tradeScope"] == "maker",
    )


def order(row: Body, *, symbol: str) -> VenueOrder:
    """Return an order of the REST API; the quantity of a market buy is in quote."""
    base = symbol.partition("/")[0]
    fee, fee_asset = _fees(row.get("feeDetail") or "", base=base)
    return _order(row, symbol=symbol, filled=row["baseVolume"], size=row["size"], fee=fee, fee_asset=fee_asset)


def streamed_order(row: Body, *, symbol: str) -> VenueOrder:
    """Return an order of the stream; the quantity of a market buy is in quote."""
    details: list[Body] = row.get("feeDetail") or []
    base = symbol.partition("/")[0]
    fees = {text(detail["feeCoin"]): amount(detail["fee"]) for detail in details}
    fee_asset = base if base in fees else next(iter(fees), "")
    fee = -fees[fee_asset] if fees else None
    size = row.get("newSize") or row["size"]
    return _order(row, symbol=symbol, filled=row["accBaseVolume"], size=size, fee=fee, fee_asset=fee_asset)


def _order(row: Body, *, symbol: str, filled: Any, size: Any, fee: Decimal | None, fee_asset: str) -> VenueOrder:
    average = amount(row.get("priceAvg") or "")
    return VenueOrder(
        venue_order_id=text(row["orderId"]),
        client_order_id=str(row.get("clientOid") or ""),
        symbol=symbol,
        side=Side(row["side"]),
        quantity=number(size),
        filled=amount(filled),
        average_price=average if average > 0 else None,
        status=STATUSES[row["status"]],
        venue_time=moment(row["uTime"]),
        fee=fee,
        fee_asset=fee_asset,
        quote_quantity=number(size) if row["orderType"] == "market" and row["side"] == "buy" else None,
    )


def _fees(detail: Any, *, base: str) -> tuple[Decimal | None, str]:
    """Return fee and asset of an order, the base's where it paid in several; it is JSON in a text, with numbers."""
    if not detail:
        return None, ""
    parsed: Mapping[str, Any] = json.loads(detail, parse_float=Decimal) if isinstance(detail, str) else detail
    paid_in = {text(one["feeCoinCode"]): -number(one["totalFee"]) for name, one in parsed.items() if name != _SUMS}
    asset = base if base in paid_in else next(iter(paid_in), "")
    return paid_in.get(asset), asset


def balance(row: Body) -> Balance:
    """Return what a spot account holds of a coin, what orders and the venue hold back included in the total."""
    free = number(row["available"])
    return Balance(
        asset=text(row["coin"]).upper(), free=free, total=free + number(row["frozen"]) + number(row["locked"])
    )


def entry(row: Body) -> LedgerEntry:
    """Return a bill that is no execution; what goes out is negative, whatever sign the venue writes."""
    kind = str(row["businessType"]).lower().replace("-", "_")
    size = number(row["size"])
    is_move = str(row["groupType"]).lower() in _MOVES
    return LedgerEntry(
        entry_id=text(row["billId"]),
        kind=EntryKind.TRANSFER if is_move else EntryKind.OTHER,
        asset=text(row["coin"]).upper(),
        amount=-abs(size) if kind.startswith(_OUT) else size,
        venue_time=moment(row["cTime"]),
    )
