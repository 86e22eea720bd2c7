"""The shapes in which Bitget writes spot things."""

from typing import Any

import orjson

from copytrade.sandbox.bitget import wire
from copytrade.sandbox.exchange import spot
from copytrade.sandbox.exchange.accounts import Account
from copytrade.sandbox.exchange.instruments import INSTRUMENTS
from copytrade.sandbox.exchange.orders import BUY, Fill, IncomeKind, Order, OrderType, Status
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


def bills(account: Account) -> list[dict[str, Any]]:
    """Return the bills of the spot account, oldest first: what executions changed, and what came and went."""
    rows: list[tuple[int, dict[str, Any]]] = []
    for entry in account.incomes:
        if entry.spot:
            group, business = _GROUPS.get(entry.kind, ("transfer", f"TRANSFER_{'IN' if entry.amount > 0 else 'OUT'}"))
            row = _bill(entry.id * 4, entry.time, entry.asset, group, business, entry.amount)
            rows.append((entry.id, row))
    for done in account.fills:
        if INSTRUMENTS[done.instrument].is_spot:
            rows += _trade_bills(done)
    rows.sort(key=lambda row: row[0])
    held: dict[str, int] = {}
    for _, row in rows:
        held[row["coin"]] = held.get(row["coin"], 0) + row["size"] + row["fees"]
        row |= {"balance": money(held[row["coin"]]), "size": money(row["size"]), "fees": money(row["fees"])}
    return [row for _, row in rows]


def _trade_bills(done: Fill) -> list[tuple[int, dict[str, Any]]]:
    """Return a bill for each side of an execution, and one for the fee where a third asset paid it."""
    instrument = INSTRUMENTS[done.instrument]
    sides = {
        instrument.base: done.side * done.steps * instrument.lot,
        instrument.quote: -done.side * done.price * done.steps * instrument.unit,
    }
    business = "BUY" if done.side == BUY else "SELL"
    rows: list[tuple[int, dict[str, Any]]] = []
    for place, (coin, amount) in enumerate(sides.items()):
        paid = -done.fee if coin == done.fee_asset else 0
        row = _bill(done.id * 4 + place, done.time, coin, "transaction", business, amount)
        rows.append((done.id, row | {"fees": paid}))
    if done.fee_asset not in sides:
        row = _bill(done.id * 4 + 2, done.time, done.fee_asset, "transaction", "DEDUCTION_HANDLING_FEE", -done.fee)
        rows.append((done.id, row))
    return rows


def _bill(number: int, at: int, coin: str, group: str, business: str, amount: int) -> dict[str, Any]:
    return {
        "cTime": str(at),
        "coin": coin,
        "groupType": group,
        "businessType": business,
        "size": amount,
        "fees": 0,
        "billId": str(number),
    }
