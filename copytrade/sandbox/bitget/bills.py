"""An account's ledger as Bitget books it: one row an execution, with its profit and its fee."""

from bisect import bisect_left
from typing import Any

from copytrade.sandbox.bitget import wire
from copytrade.sandbox.exchange.accounts import Account
from copytrade.sandbox.exchange.instruments import INSTRUMENTS, QUOTE
from copytrade.sandbox.exchange.orders import BUY, Fill, Income, IncomeKind, PositionSide
from copytrade.sandbox.exchange.values import money


def mix_bills(account: Account, *, start: int, end: int) -> list[dict[str, Any]]:
    """Return the bills of the futures account that were booked in a time, oldest first."""
    rows: list[dict[str, Any]] = []
    profit = held = 0
    for entry in account.incomes:
        if entry.spot:
            continue
        held += entry.amount
        if entry.kind is IncomeKind.REALIZED_PNL:
            profit = entry.amount
            continue
        is_trade = entry.kind is IncomeKind.COMMISSION
        if start <= entry.time <= end:
            rows.append(_row(account, entry, amount=profit if is_trade else entry.amount, held=held))
        profit = 0 if is_trade else profit
    return rows


def _row(account: Account, entry: Income, *, amount: int, held: int) -> dict[str, Any]:
    is_trade = entry.kind is IncomeKind.COMMISSION
    return {
        "billId": str(entry.id),
        "symbol": INSTRUMENTS[entry.instrument].symbol if entry.instrument >= 0 else "",
        "amount": money(amount),
        "fee": money(entry.amount) if is_trade else "0",
        "feeByCoupon": "0",
        "businessType": _business(account, entry, _fill(account, entry) if is_trade else None),
        "coin": QUOTE,
        "balance": money(held),
        "cTime": str(entry.time),
    }


def _fill(account: Account, entry: Income) -> Fill | None:
    """Return the execution that an entry is about; they lie in the order of their ids."""
    fills = account.fills_of.get(entry.instrument, [])
    place = bisect_left(fills, entry.trade, key=lambda fill: fill.id)
    return fills[place] if place < len(fills) and fills[place].id == entry.trade else None


def _business(account: Account, entry: Income, fill: Fill | None) -> str:
    match entry.kind:
        case IncomeKind.TRANSFER:
            return "trans_from_exchange" if entry.amount > 0 else "trans_to_exchange"
        case IncomeKind.FUNDING_FEE:
            return "contract_settle_fee"
        case IncomeKind.COMMISSION if fill is not None:
            return _trade(account, fill)
        case _:
            return "risk_captital_user_transfer"


def _trade(account: Account, fill: Fill) -> str:
    burst = wire.is_liquidation(account, fill)
    if fill.position_side is PositionSide.BOTH:
        return f"{'burst_' if burst else ''}{wire.side(fill.side)}"
    long = fill.position_side is PositionSide.LONG
    name = "long" if long else "short"
    if burst:
        return f"burst_{name}_loss_query"
    return f"{'open' if (fill.side == BUY) == long else 'close'}_{name}"
