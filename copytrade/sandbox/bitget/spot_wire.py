"""The shapes in which Bitget writes spot things."""

from heapq import merge
from typing import Any

import orjson

from copytrade.sandbox.bitget import wire
from copytrade.sandbox.exchange import spot
from copytrade.sandbox.exchange.accounts import Account
from copytrade.sandbox.exchange.instruments import INSTRUMENTS
from copytrade.sandbox.exchange.orders import BUY, Fill, Income, IncomeKind, Order, OrderType, Status
from copytrade.sandbox.exchange.values import MONEY_UNIT, money, text

_GROUPS = {
    IncomeKind.DEPOSIT: ("deposit", "DEPOSIT"),
    IncomeKind.WITHDRAWAL: ("withdraw", "WITHDRAW"),
}


def is_quote_sized(order: Order) -> bool:
    """Tell whether an order was given as an amount of money: every market buy is."""
    return order.budget > 0


def size(order: Order) -> str:
    if is_quote_sized(order):
        return money(order.budget)
    if order.type is OrderType.MARKET and order.side == BUY:
        # one by hand in base, which the venue does not have: it shows what that cost
        return money(order.quote)
    return text(order.steps, INSTRUMENTS[order.instrument].quantity_decimals)


def fees(fills: list[Fill]) -> dict[str, int]:
    """Return what executions paid, by asset."""
    found: dict[str, int] = {}
    for fill in fills:
        found[fill.fee_asset] = found.get(fill.fee_asset, 0) + fill.fee
    return found


def order(account: Account, placed: Order) -> dict[str, Any]:
    instrument = INSTRUMENTS[placed.instrument]
    has_ended_early = placed.status in (Status.CANCELED, Status.EXPIRED)
    return {
        "userId": str(account.id),
        "symbol": instrument.symbol,
        "orderId": str(placed.id),
        "clientOid": placed.client_id,
        "price": wire.price(placed, instrument),
        "size": size(placed),
        "orderType": wire.order_type(placed),
        "side": wire.side(placed.side),
        "status": wire.state(placed.status, cancelled="cancelled"),
        "priceAvg": wire.average(placed.quote, placed.executed, instrument) or "0",
        "baseVolume": text(placed.executed, instrument.quantity_decimals),
        "quoteVolume": money(placed.quote),
        "enterPointSource": "API",
        "feeDetail": _fee_text(fees(wire.fills_of(account, placed))),
        "orderSource": "market" if placed.type is OrderType.MARKET else "normal",
        "cancelReason": "normal_cancel" if has_ended_early else "",
        "cTime": str(placed.created),
        "uTime": str(placed.updated),
    }


def _fee_text(paid: dict[str, int]) -> str:
    """Write what an order paid as the venue does: JSON in a text, in it numbers."""
    if not paid:
        return ""
    rows: dict[str, Any] = {
        asset: {"deduction": False, "feeCoinCode": asset, "totalDeductionFee": 0, "totalFee": -fee / MONEY_UNIT}
        for asset, fee in paid.items()
    }
    whole = -sum(paid.values()) / MONEY_UNIT
    rows["newFees"] = {"c": 0, "d": 0, "deduction": False, "r": whole, "t": whole, "totalDeductionFee": 0}
    return orjson.dumps(rows).decode()


def trade(account: Account, fill: Fill) -> dict[str, Any]:
    instrument = INSTRUMENTS[fill.instrument]
    of = account.orders[fill.order]
    return {
        "userId": str(account.id),
        "symbol": instrument.symbol,
        "orderId": str(fill.order),
        "tradeId": str(fill.id),
        "orderType": wire.order_type(of),
        "side": wire.side(fill.side),
        "priceAvg": text(fill.price, instrument.price_decimals),
        "size": text(fill.steps, instrument.quantity_decimals),
        "amount": money(fill.price * fill.steps * instrument.unit),
        "feeDetail": fee(account, fill),
        "tradeScope": "maker" if fill.maker else "taker",
        "cTime": str(fill.time),
        "uTime": str(fill.time),
    }


def fee(account: Account, fill: Fill) -> dict[str, str]:
    is_third = bool(account.fee_asset) and fill.fee_asset == account.fee_asset
    return {
        "deduction": "yes" if is_third else "no",
        "feeCoin": fill.fee_asset,
        "totalDeductionFee": money(-fill.fee) if is_third else "",
        "totalFee": money(-fill.fee),
    }


def asset(account: Account, name: str, now: int) -> dict[str, str]:
    held = spot.locked(account, name)
    return {
        "coin": name,
        "available": money(spot.coin(account, name) - held),
        "frozen": money(held),
        "locked": "0",
        "limitAvailable": "0",
        "uTime": str(now),
    }


def bills(account: Account, *, start: int, end: int) -> list[dict[str, Any]]:
    """Return the bills of the spot account that were booked in a time, oldest first: what executions changed, and what
    came and went."""
    entries = [entry for entry in account.incomes if entry.spot]
    fills = [fill for fill in account.fills if INSTRUMENTS[fill.instrument].is_spot]
    held: dict[str, int] = {}
    rows: list[dict[str, Any]] = []
    for booked in merge(entries, fills, key=lambda one: one.id):
        for place, (coin, group, business, size, fee) in enumerate(_parts(booked)):
            held[coin] = held.get(coin, 0) + size + fee
            if start <= booked.time <= end:
                told = {"size": money(size), "fees": money(fee), "balance": money(held[coin])}
                # entries and executions draw from one counter; up to four bills of one keep their order
                number = {"billId": str(booked.id * 4 + place), "cTime": str(booked.time)}
                rows.append({**number, "coin": coin, "groupType": group, "businessType": business, **told})
    return rows


def _parts(booked: Income | Fill) -> list[tuple[str, str, str, int, int]]:
    """Return the bills of an entry or execution: coin, group, business, size, fee."""
    if isinstance(booked, Income):
        moved = ("transfer", f"TRANSFER_{'IN' if booked.amount > 0 else 'OUT'}")
        return [(booked.asset, *_GROUPS.get(booked.kind, moved), booked.amount, 0)]
    instrument = INSTRUMENTS[booked.instrument]
    business = "BUY" if booked.side == BUY else "SELL"
    sides = {
        instrument.base: booked.side * booked.steps * instrument.lot,
        instrument.quote: -booked.side * booked.price * booked.steps * instrument.unit,
    }
    parts = [
        (coin, "transaction", business, size, -booked.fee if coin == booked.fee_asset else 0)
        for coin, size in sides.items()
    ]
    if booked.fee_asset not in sides:
        parts.append((booked.fee_asset, "transaction", "DEDUCTION_HANDLING_FEE", -booked.fee, 0))
    return parts
