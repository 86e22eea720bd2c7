"""The log of everything that moved an account's money: one row a trade and coin, a funding, a transfer."""

from collections.abc import Iterator
from dataclasses import dataclass
from heapq import merge
from typing import TYPE_CHECKING, Any

from copytrade.sandbox.bybit import errors, ids, wire
from copytrade.sandbox.bybit.history import KEPT_MS, trail
from copytrade.sandbox.bybit.paging import page
from copytrade.sandbox.bybit.request import Request, Route
from copytrade.sandbox.exchange import spot
from copytrade.sandbox.exchange.accounts import Account
from copytrade.sandbox.exchange.instruments import INSTRUMENTS, QUOTE
from copytrade.sandbox.exchange.orders import Fill, Income, IncomeKind
from copytrade.sandbox.exchange.path import DAY_MS
from copytrade.sandbox.exchange.values import text

if TYPE_CHECKING:
    from copytrade.sandbox.bybit.rest import Bybit

_OF_TRADES = (IncomeKind.REALIZED_PNL, IncomeKind.COMMISSION)
_KINDS = {"Trade": "TRADE", "BustTrade": "LIQUIDATION", "AdlTrade": "ADL"}
_EACH = 4
"""No trade has more rows than this."""


@dataclass(frozen=True, slots=True)
class _Row:
    """One row: what it did to which coin. `fill`: the trade it is of; `number` falls from row to row."""

    number: int
    time: int
    kind: str
    coin: str
    cash: int = 0
    fee: int = 0
    funding: int = 0
    instrument: int = -1
    fill: Fill | None = None

    @property
    def change(self) -> int:
        return self.cash + self.funding - self.fee


def _rows(account: Account) -> Iterator[_Row]:
    """Yield the rows, newest first; of the trades of a moment the last first."""
    booked = (_of_income(entry) for entry in reversed(account.incomes) if entry.kind not in _OF_TRADES)
    traded = (row for fill in reversed(account.fills) for row in reversed(list(_of_fill(account, fill))))
    yield from merge(booked, traded, key=lambda row: -row.number)


def _of_income(entry: Income) -> _Row:
    number = _EACH * entry.id
    if entry.kind is IncomeKind.FUNDING_FEE:
        return _Row(number, entry.time, "SETTLEMENT", QUOTE, funding=entry.amount, instrument=entry.instrument)
    if entry.kind is IncomeKind.INSURANCE_CLEAR:
        return _Row(number, entry.time, "LIQUIDATION", QUOTE, cash=entry.amount, instrument=entry.instrument)
    kind = "TRANSFER_IN" if entry.amount > 0 else "TRANSFER_OUT"
    return _Row(number, entry.time, kind, entry.asset, cash=entry.amount)


def _of_fill(account: Account, fill: Fill) -> Iterator[_Row]:
    one = INSTRUMENTS[fill.instrument]
    if not one.is_spot:
        kind = _KINDS[wire.execution_type(account.orders[fill.order])]
        where = {"instrument": one.index, "fill": fill}
        yield _Row(_EACH * fill.id, fill.time, kind, QUOTE, cash=fill.realized, fee=fill.fee, **where)
        return
    moved = {
        fill.fee_asset: 0,
        one.base: fill.side * fill.steps * one.lot,
        one.quote: -fill.side * fill.price * fill.steps * one.unit,
    }
    for count, coin in enumerate(moved):
        fee = fill.fee if coin == fill.fee_asset else 0
        number = _EACH * fill.id + count
        yield _Row(number, fill.time, "TRADE", coin, cash=moved[coin], fee=fee, instrument=one.index, fill=fill)


def _log(venue: "Bybit", request: Request) -> dict[str, Any]:
    now, account = venue.exchange.clock.now(), request.account
    first, last = request.window(now=now, default_ms=DAY_MS)
    first, last = max(first, now - KEPT_MS), min(last, now - venue.faults.lag(account.id))
    if request.text("accountType") not in ("", "UNIFIED"):
        raise errors.bad_parameter("accountType")
    kind, coin, category = request.text("type"), request.text("currency"), request.text("category")
    found: list[tuple[_Row, int]] = []
    left = {asset: spot.coin(account, asset) for asset in {QUOTE, *account.coins}}
    for row in _rows(account):
        if row.time < first:
            break
        balance = left.get(row.coin, 0)
        left[row.coin] = balance - row.change
        is_wanted = (not kind or row.kind == kind) and (not coin or row.coin == coin)
        if is_wanted and row.time <= last and (not category or _category(row) == category):
            found.append((row, balance))
    limit = request.limit(default=20, most=50)
    shown, cursor = page(found, cursor=request.text("cursor"), limit=limit, key=lambda pair: pair[0].number)
    return {"list": [_told(venue, account, row, balance) for row, balance in shown], "nextPageCursor": cursor}


def _category(row: _Row) -> str:
    return wire.category(INSTRUMENTS[row.instrument]) if row.instrument >= 0 else ""


def _told(venue: "Bybit", account: Account, row: _Row, balance: int) -> dict[str, Any]:
    one = INSTRUMENTS[row.instrument] if row.instrument >= 0 else None
    fill = row.fill
    step = trail(venue, account).of(fill) if fill is not None else None
    symbol = one.symbol if one is not None else ""
    sequence = step.sequence if step is not None else row.number
    order = account.orders[fill.order] if fill is not None else None
    is_spot = one is not None and one.is_spot
    return {
        # the trades of one moment share this id
        "id": f"{account.id}_{symbol or row.coin}_{sequence}",
        **{"transSubType": "", "symbol": symbol, "category": _category(row)},
        "side": wire.side(fill.side) if fill is not None else "None",
        "transactionTime": str(row.time),
        "type": row.kind,
        "qty": wire.amount(row.cash) if is_spot or one is None or fill is None else wire.quantity(one, fill.steps),
        "size": "0",
        "currency": row.coin,
        "tradePrice": wire.price(one, fill.price) if one is not None and fill is not None else "0",
        "funding": wire.amount(row.funding) if row.kind == "SETTLEMENT" else "",
        "fee": text(row.fee, 8),
        "cashFlow": wire.amount(row.cash),
        "change": wire.amount(row.change),
        "cashBalance": wire.amount(balance),
        **{"feeRate": "", "bonusChange": "", "extraFees": ""},
        "tradeId": ids.execution_id(fill.id, is_spot=is_spot) if fill is not None else "",
        "orderId": ids.order_id(fill.order, is_spot=is_spot) if fill is not None else "",
        "orderLinkId": order.client_id if order is not None and not order.client_id.startswith("auto") else "",
    }


def routes() -> dict[tuple[str, str], Route]:
    """Return the paths of this part."""
    return {("GET", "/v5/account/transaction-log"): Route(_log)}
