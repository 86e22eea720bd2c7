"""Binance's JSON of spot, read into our types. Pure; KeyError and the like where a body is odd."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from copytrade.domain.fills import Balance, EntryKind, Fill, KeyPermissions, LedgerEntry
from copytrade.domain.instruments import MarketRules, Side
from copytrade.domain.orders import VenueOrder
from copytrade.exchanges.binance.shapes import STATUSES, Body, execution, rights
from copytrade.exchanges.values import moment, number, positive, text, truth

_ZERO = Decimal(0)
_REFUNDED = frozenset({"1", "3", "5"})
"""Withdrawals that were cancelled, rejected or failed: the money came back."""
_CREDITED = frozenset({"1", "6"})
"""Deposits that count: done, and done but not yet to be withdrawn."""


def market_rules(market: Body) -> MarketRules:
    """Return the rules in one of ccxt's markets, from the venue's own strings."""
    info: Body = market["info"]
    filters: dict[str, Body] = {item["filterType"]: item for item in info["filters"]}
    lot, price = filters["LOT_SIZE"], filters["PRICE_FILTER"]
    notional = filters.get("NOTIONAL") or filters.get("MIN_NOTIONAL") or {"minNotional": "0"}
    by_side, band = filters.get("PERCENT_PRICE_BY_SIDE"), filters.get("PERCENT_PRICE")
    up = by_side["bidMultiplierUp"] if by_side else band["multiplierUp"] if band else "1.05"
    down = by_side["askMultiplierDown"] if by_side else band["multiplierDown"] if band else "0.95"
    largest = number(filters.get("MARKET_LOT_SIZE", lot)["maxQty"])
    return MarketRules(
        symbol=market["symbol"],
        base=market["base"],
        quote=market["quote"],
        quantity_step=positive(lot["stepSize"]).normalize(),
        price_tick=positive(price["tickSize"]).normalize(),
        min_quantity=number(lot["minQty"]),
        max_quantity=number(lot["maxQty"]),
        max_market_quantity=largest if largest > 0 else number(lot["maxQty"]),
        min_notional=number(notional["minNotional"]),
        exits_exempt_from_minimum=False,
        price_band_up=number(up),
        price_band_down=number(down),
        max_leverage=1,
        is_active=info["status"] == "TRADING",
    )


def order(row: Body, *, symbol: str) -> VenueOrder:
    """Return an order of the REST API; with its fee where the answer lists its fills."""
    filled, spent = number(row["executedQty"]), number(row["cummulativeQuoteQty"])
    at = row.get("updateTime") or row.get("transactTime") or row.get("time")
    fee, fee_asset = _fee(row.get("fills") or (), base=symbol.partition("/")[0])
    return VenueOrder(
        venue_order_id=text(row["orderId"]),
        # a cancellation has an id of its own and names the order's beside it
        client_order_id=text(row.get("origClientOrderId") or row["clientOrderId"]),
        symbol=symbol,
        side=Side(row["side"].lower()),
        quantity=number(row["origQty"]),
        filled=filled,
        average_price=spent / filled if filled > 0 and spent > 0 else None,
        status=STATUSES[row["status"]],
        venue_time=moment(at) if at else None,
        fee=fee,
        fee_asset=fee_asset,
        quote_quantity=_in_quote(row.get("origQuoteOrderQty")),
    )


def _in_quote(told: Any) -> Decimal | None:
    amount = number(told or "0")
    return amount if amount > 0 else None


def _fee(fills: Sequence[Body], *, base: str) -> tuple[Decimal | None, str]:
    paid: dict[str, Decimal] = {}
    for row in fills:
        asset = text(row["commissionAsset"])
        paid[asset] = paid.get(asset, _ZERO) + number(row["commission"])
    asset = base if base in paid else next(iter(paid), "")
    return paid.get(asset), asset


def fill(row: Body, *, symbol: str) -> Fill:
    """Return a row of myTrades."""
    return Fill(
        trade_id=text(row["id"]),
        order_id=text(row["orderId"]),
        symbol=symbol,
        side=Side.BUY if truth(row["isBuyer"]) else Side.SELL,
        quantity=positive(row["qty"]),
        price=positive(row["price"]),
        fee=number(row["commission"]),
        fee_asset=text(row["commissionAsset"]),
        venue_time=moment(row["time"]),
        is_maker=truth(row["isMaker"]),
    )


def streamed_fill(row: Body, *, symbol: str) -> Fill:
    """Return the execution in an executionReport."""
    fill, by_quote = execution(row, symbol=symbol), _in_quote(row.get("Q"))
    return fill if by_quote is None else replace(fill, order_quantity=by_quote, order_unit_is_quote=True)


def streamed_order(row: Body, *, symbol: str) -> VenueOrder:
    """Return the order in an executionReport."""
    filled, spent = number(row["z"]), number(row["Z"])
    return VenueOrder(
        venue_order_id=text(row["i"]),
        client_order_id=text(row.get("C") or row["c"]),
        symbol=symbol,
        side=Side(row["S"].lower()),
        quantity=number(row["q"]),
        filled=filled,
        average_price=spent / filled if filled > 0 and spent > 0 else None,
        status=STATUSES[row["X"]],
        venue_time=moment(row["T"]),
        quote_quantity=_in_quote(row.get("Q")),
    )


def balances(account: Body) -> list[Balance]:
    """Return what an account holds of each asset, resting orders' part included."""
    found = (balance(row["asset"], row["free"], row["locked"]) for row in account["balances"])
    return [one for one in found if one.total != 0]


def balance(asset: Any, free: Any, locked: Any) -> Balance:
    """Return one asset's balance."""
    return Balance(asset=text(asset), free=number(free), total=number(free) + number(locked))


def deposit(row: Body) -> LedgerEntry | None:
    """Return a row of the deposit history, None where nothing was credited."""
    if text(row["status"]) not in _CREDITED:
        return None
    return _moved(
        f"DEPOSIT:{text(row['id'])}", row["coin"], number(row["amount"]), row.get("completeTime") or row["insertTime"]
    )


def withdrawal(row: Body, *, at_ms: int) -> LedgerEntry | None:
    """Return a row of the withdrawal history, None where the money came back."""
    if text(row["status"]) in _REFUNDED:
        return None
    gone = number(row["amount"]) + number(row.get("transactionFee") or "0")
    return _moved(f"WITHDRAW:{text(row['id'])}", row["coin"], -gone, at_ms)


def wallet_transfer(row: Body) -> LedgerEntry | None:
    """Return a row of the transfers between the owner's wallets as the spot wallet sees it, None where it failed."""
    if row["status"] != "CONFIRMED":
        return None
    amount = number(row["amount"])
    leaves = row["type"].startswith("MAIN_")
    return _moved(f"TRANSFER:{text(row['tranId'])}", row["asset"], -amount if leaves else amount, row["timestamp"])


def _moved(entry_id: str, asset: Any, amount: Decimal, at_ms: Any) -> LedgerEntry:
    return LedgerEntry(
        entry_id=entry_id, kind=EntryKind.TRANSFER, asset=text(asset), amount=amount, venue_time=moment(at_ms)
    )


def permissions(row: Body, *, account: Body) -> KeyPermissions:
    """Return the rights of a key for spot, and whose account it is."""
    return rights(row, trading="enableSpotAndMarginTrading", uid=str(account.get("uid") or ""))
