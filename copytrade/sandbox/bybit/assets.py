"""Coins, and how they came and went: transfers between accounts, deposits, withdrawals."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from copytrade.sandbox.bybit import ids, wire
from copytrade.sandbox.bybit.paging import page
from copytrade.sandbox.bybit.request import Request, Route
from copytrade.sandbox.exchange.instruments import QUOTE, SPOT_BY_BASE
from copytrade.sandbox.exchange.orders import Income, IncomeKind

if TYPE_CHECKING:
    from copytrade.sandbox.bybit.rest import Bybit

_KINDS = (IncomeKind.TRANSFER, IncomeKind.DEPOSIT, IncomeKind.WITHDRAWAL)


def _coins(venue: "Bybit", request: Request) -> dict[str, Any]:
    wanted = request.text("coin")
    names = [name for name in (QUOTE, *SPOT_BY_BASE) if not wanted or name == wanted]
    return {"rows": [_coin(name) for name in names]}


def _coin(name: str) -> dict[str, Any]:
    chain = {
        **{"chain": name, "chainType": name, "confirmation": "6", "withdrawFee": "0.0005", "depositMin": "0"},
        **{"withdrawMin": "0.001", "minAccuracy": "8", "chainDeposit": "1", "chainWithdraw": "1"},
        **{"withdrawPercentageFee": "0", "contractAddress": ""},
    }
    return {"name": name, "coin": name, "remainAmount": "10000000", "chains": [chain]}


def _transfer(entry: Income) -> dict[str, Any]:
    comes = entry.amount > 0
    return {
        "transferId": ids.other_id(entry.id),
        **{"coin": entry.asset, "amount": wire.amount(abs(entry.amount)), "status": "SUCCESS"},
        **{"fromAccountType": "FUND" if comes else "UNIFIED", "toAccountType": "UNIFIED" if comes else "FUND"},
        "timestamp": str(entry.time),
    }


def _deposit(entry: Income) -> dict[str, Any]:
    return {
        **{"coin": entry.asset, "chain": entry.asset, "amount": wire.amount(entry.amount), "status": 3},
        **{"txID": ids.other_id(entry.id), "toAddress": "sandbox", "tag": "", "depositFee": ""},
        **{"successAt": str(entry.time), "confirmations": "50", "txIndex": "0", "blockHash": ""},
        **{"batchReleaseLimit": "-1", "depositType": "0", "fromAddress": "", "id": str(entry.id)},
    }


def _withdrawal(entry: Income) -> dict[str, Any]:
    return {
        **{"coin": entry.asset, "chain": entry.asset, "amount": wire.amount(-entry.amount), "status": "success"},
        **{"txID": ids.other_id(entry.id), "toAddress": "sandbox", "tag": "", "withdrawFee": "0"},
        **{"createTime": str(entry.time), "updateTime": str(entry.time), "withdrawId": str(entry.id)},
        **{"withdrawType": 0, "fee": "", "tax": "", "taxRate": "", "taxType": ""},
    }


def _listed(
    *, told_in: str, tell: Callable[[Income], dict[str, Any]], belongs: Callable[[Income], bool], default: int
) -> Callable[["Bybit", Request], dict[str, Any]]:
    def handler(venue: "Bybit", request: Request) -> dict[str, Any]:
        start, end = request.integer("startTime") or 0, request.integer("endTime")
        last = venue.exchange.clock.now() if end is None else end
        coin = request.text("coin")
        rows = [
            entry
            for entry in reversed(request.account.incomes)
            if entry.kind in _KINDS
            and belongs(entry)
            and start // 1000 <= entry.time // 1000 <= last // 1000
            and (not coin or entry.asset == coin)
        ]
        limit = request.limit(default=default, most=50)
        shown, cursor = page(rows, cursor=request.text("cursor"), limit=limit, key=lambda entry: entry.id)
        return {told_in: [tell(entry) for entry in shown], "nextPageCursor": cursor}

    return handler


def routes() -> dict[tuple[str, str], Route]:
    """Return the paths of this part; USDT that a control brings in comes as from the funding account."""
    transfers = _listed(
        told_in="list", tell=_transfer, belongs=lambda entry: entry.kind is IncomeKind.TRANSFER, default=20
    )
    deposits = _listed(
        told_in="rows", tell=_deposit, belongs=lambda entry: entry.kind is IncomeKind.DEPOSIT, default=50
    )
    withdrawals = _listed(
        told_in="rows", tell=_withdrawal, belongs=lambda entry: entry.kind is IncomeKind.WITHDRAWAL, default=50
    )
    return {
        ("GET", "/v5/asset/coin/query-info"): Route(_coins),
        ("GET", "/v5/asset/transfer/query-inter-transfer-list"): Route(transfers),
        ("GET", "/v5/asset/deposit/query-record"): Route(deposits),
        ("GET", "/v5/asset/withdraw/query-record"): Route(withdrawals),
    }
