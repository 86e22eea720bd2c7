"""What an account has and how it is set: balance, positions, ledger, leverage, modes, listen keys."""

from typing import TYPE_CHECKING, Any

from copytrade.sandbox.binance import errors, wire
from copytrade.sandbox.binance.call import Access, Call, Route
from copytrade.sandbox.exchange import modes, risk
from copytrade.sandbox.exchange.accounts import Account, Position
from copytrade.sandbox.exchange.engine import Exchange
from copytrade.sandbox.exchange.instruments import INSTRUMENTS, QUOTE, Instrument
from copytrade.sandbox.exchange.orders import IncomeKind, PositionSide
from copytrade.sandbox.exchange.path import DAY_MS
from copytrade.sandbox.exchange.values import MONEY_UNIT, money, text

if TYPE_CHECKING:
    from copytrade.sandbox.binance.rest import Binance

_INCOME_KEPT_MS = 180 * DAY_MS


def _sides(account: Account) -> tuple[PositionSide, ...]:
    return (PositionSide.LONG, PositionSide.SHORT) if account.hedge else (PositionSide.BOTH,)


def _rows(call: Call) -> list[Position]:
    account = call.account
    sides = _sides(account)
    return [account.position(instrument.index, side) for instrument in call.instruments() for side in sides]


def _position_risk_v2(venue: "Binance", call: Call) -> list[dict[str, Any]]:
    return [wire.position_v2(venue.exchange.market, call.account, position) for position in _rows(call)]


def _position_risk_v3(venue: "Binance", call: Call) -> list[dict[str, Any]]:
    account = call.account
    ordered = {order.instrument for order in account.open.values()}
    shown = [row for row in _rows(call) if row.steps or row.instrument in ordered]
    return [wire.position_v3(venue.exchange.market, account, position) for position in shown]


def _account_v3(venue: "Binance", call: Call) -> dict[str, Any]:
    market, account = venue.exchange.market, call.account
    row = wire.asset(market, account)
    totals = {
        "totalInitialMargin": row["initialMargin"],
        "totalMaintMargin": row["maintMargin"],
        "totalWalletBalance": row["walletBalance"],
        "totalUnrealizedProfit": row["unrealizedProfit"],
        "totalMarginBalance": row["marginBalance"],
        "totalPositionInitialMargin": row["positionInitialMargin"],
        "totalOpenOrderInitialMargin": row["openOrderInitialMargin"],
        "totalCrossWalletBalance": row["crossWalletBalance"],
        "totalCrossUnPnl": row["crossUnPnl"],
        "availableBalance": row["availableBalance"],
        "maxWithdrawAmount": row["maxWithdrawAmount"],
    }
    held = [wire.position_v3(market, account, position) for position in account.open_positions()]
    names = ("symbol", "positionSide", "positionAmt", "isolatedMargin", "isolatedWallet", "notional")
    names = (*names, "initialMargin", "maintMargin", "updateTime")
    positions = [{**{name: p[name] for name in names}, "unrealizedProfit": p["unRealizedProfit"]} for p in held]
    return {**totals, "assets": [row], "positions": positions}


def _account_v2(venue: "Binance", call: Call) -> dict[str, Any]:
    account, key = call.account, call.key
    whole = _account_v3(venue, call)
    rows: list[dict[str, Any]] = []
    for position in _rows(call):
        row = wire.position_v3(venue.exchange.market, account, position)
        leverage = account.leverage_of(position.instrument)
        names = ("symbol", "initialMargin", "maintMargin", "positionInitialMargin", "openOrderInitialMargin")
        names = (*names, "entryPrice", "breakEvenPrice", "positionSide", "positionAmt", "notional", "isolatedWallet")
        rows.append(
            {name: row[name] for name in (*names, "updateTime")}
            | {
                "leverage": str(leverage),
                "isolated": position.instrument in account.isolated,
                "maxNotional": money(INSTRUMENTS[position.instrument].largest(leverage)).partition(".")[0],
                "unrealizedProfit": row["unRealizedProfit"],
                "bidNotional": "0",
                "askNotional": "0",
            }
        )
    facts = {"feeTier": 0, "canTrade": bool(key and key.futures), "canDeposit": True, "canWithdraw": True}
    return {**facts, "updateTime": 0, "multiAssetsMargin": False, **whole, "positions": rows}


def _balance(venue: "Binance", call: Call) -> list[dict[str, Any]]:
    row = wire.asset(venue.exchange.market, call.account)
    return [
        {
            "accountAlias": f"sandbox{call.account.id}",
            "asset": QUOTE,
            "balance": row["walletBalance"],
            "crossWalletBalance": row["crossWalletBalance"],
            "crossUnPnl": row["crossUnPnl"],
            "availableBalance": row["availableBalance"],
            "maxWithdrawAmount": row["maxWithdrawAmount"],
            "marginAvailable": True,
            "updateTime": row["updateTime"],
        }
    ]


def _income(venue: "Binance", call: Call) -> list[dict[str, Any]]:
    now, limit = venue.exchange.clock.now(), call.limit(100, 1000)
    page = call.integer("page", 1) or 1
    start, end = call.integer("startTime"), call.integer("endTime")
    if start is None and end is None:
        start = now - 7 * DAY_MS
    kind = call.choice("incomeType", IncomeKind) if call.params.get("incomeType") else None
    index = call.instrument().index if call.params.get("symbol") else None
    first = max(start or 0, now - _INCOME_KEPT_MS)
    last = min(now if end is None else end, now - venue.faults.lag(call.account.id))
    rows = [
        entry
        for entry in call.account.incomes
        if first <= entry.time <= last
        and not entry.spot
        and (kind is None or entry.kind is kind)
        and (index is None or entry.instrument == index)
    ]
    return [wire.income(entry) for entry in rows[(page - 1) * limit : page * limit]]


def _set_leverage(venue: "Binance", call: Call) -> dict[str, Any]:
    instrument, leverage = call.instrument(), call.integer("leverage")
    if leverage is None:
        raise errors.missing("leverage")
    largest = modes.set_leverage(venue.exchange, call.account, instrument.index, leverage)
    notional = money(largest).partition(".")[0]
    return {"leverage": leverage, "maxNotionalValue": notional, "symbol": instrument.symbol}


def _set_margin_type(venue: "Binance", call: Call) -> dict[str, Any]:
    wanted = call.need("marginType")
    if wanted not in ("CROSSED", "ISOLATED"):
        raise errors.ApiError(-4049, "Invalid margin type.")
    modes.set_isolated(venue.exchange, call.account, call.instrument().index, isolated=wanted == "ISOLATED")
    return {"code": 200, "msg": "success"}


def _get_dual(venue: "Binance", call: Call) -> dict[str, Any]:
    return {"dualSidePosition": call.account.hedge}


def _set_dual(venue: "Binance", call: Call) -> dict[str, Any]:
    call.need("dualSidePosition")
    modes.set_hedge(venue.exchange, call.account, hedge=call.flag("dualSidePosition"))
    return {"code": 200, "msg": "success"}


def _get_multi_assets(venue: "Binance", call: Call) -> dict[str, Any]:
    return {"multiAssetsMargin": False}


def _symbol_config(venue: "Binance", call: Call) -> list[dict[str, Any]]:
    account = call.account
    return [
        {
            "symbol": instrument.symbol,
            "marginType": "ISOLATED" if instrument.index in account.isolated else "CROSSED",
            "isAutoAddMargin": False,
            "leverage": account.leverage_of(instrument.index),
            "maxNotionalValue": money(instrument.largest(account.leverage_of(instrument.index))).partition(".")[0],
        }
        for instrument in call.instruments()
    ]


def _account_config(venue: "Binance", call: Call) -> dict[str, Any]:
    facts = {"feeTier": 0, "canTrade": bool(call.key and call.key.futures), "canDeposit": True, "canWithdraw": True}
    return {
        **facts,
        "dualSidePosition": call.account.hedge,
        "updateTime": 0,
        "multiAssetsMargin": False,
        "tradeGroupId": -1,
    }


def _brackets(instrument: Instrument) -> dict[str, Any]:
    return {
        "symbol": instrument.symbol,
        "notionalCoef": 1.0,
        "brackets": [
            {
                "bracket": number,
                "initialLeverage": bracket.leverage,
                "notionalCap": bracket.cap // MONEY_UNIT,
                "notionalFloor": bracket.floor // MONEY_UNIT,
                "maintMarginRatio": bracket.maintenance_ppm / 1_000_000,
                "cum": bracket.deduction / MONEY_UNIT,
            }
            for number, bracket in enumerate(instrument.brackets, start=1)
        ],
    }


def _leverage_brackets(venue: "Binance", call: Call) -> list[dict[str, Any]]:
    return [_brackets(instrument) for instrument in call.instruments()]


def _commission(venue: "Binance", call: Call) -> dict[str, Any]:
    account = call.account
    rates = {"makerCommissionRate": text(account.maker_ppm, 6), "takerCommissionRate": text(account.taker_ppm, 6)}
    return {"symbol": call.instrument().symbol, **rates}


def _make_listen_key(venue: "Binance", call: Call) -> dict[str, Any]:
    return {"listenKey": venue.listen_keys.make(call.account.id)}


def _keep_listen_key(venue: "Binance", call: Call) -> dict[str, Any]:
    key = venue.listen_keys.keep(call.account.id)
    if not key:
        raise errors.ApiError(-1125, "This listenKey does not exist.")
    return {"listenKey": key}


def _drop_listen_key(venue: "Binance", call: Call) -> dict[str, Any]:
    venue.listen_keys.drop(call.account.id)
    return {}


def margin_summary(exchange: Exchange, account: Account) -> dict[str, str]:
    """Return an account's money for who looks from outside."""
    whole = risk.margin(exchange.market, account)
    return {"wallet": money(whole.wallet), "equity": money(whole.balance), "available": money(whole.available)}


def routes() -> dict[tuple[str, str], Route]:
    """Return the paths of this part."""
    read, trade, key = Access.READ, Access.FUTURES, Access.KEY
    return {
        ("GET", "/fapi/v1/positionRisk"): Route(_position_risk_v2, read, 5),
        ("GET", "/fapi/v2/positionRisk"): Route(_position_risk_v2, read, 5),
        ("GET", "/fapi/v3/positionRisk"): Route(_position_risk_v3, read, 5),
        ("GET", "/fapi/v2/account"): Route(_account_v2, read, 5),
        ("GET", "/fapi/v3/account"): Route(_account_v3, read, 5),
        ("GET", "/fapi/v2/balance"): Route(_balance, read, 5),
        ("GET", "/fapi/v3/balance"): Route(_balance, read, 5),
        ("GET", "/fapi/v1/income"): Route(_income, read, 30),
        ("POST", "/fapi/v1/leverage"): Route(_set_leverage, trade),
        ("POST", "/fapi/v1/marginType"): Route(_set_margin_type, trade),
        ("GET", "/fapi/v1/positionSide/dual"): Route(_get_dual, read, 30),
        ("POST", "/fapi/v1/positionSide/dual"): Route(_set_dual, trade),
        ("GET", "/fapi/v1/multiAssetsMargin"): Route(_get_multi_assets, read, 30),
        ("GET", "/fapi/v1/symbolConfig"): Route(_symbol_config, read, 5),
        ("GET", "/fapi/v1/accountConfig"): Route(_account_config, read, 5),
        ("GET", "/fapi/v1/leverageBracket"): Route(_leverage_brackets, read),
        ("GET", "/fapi/v1/commissionRate"): Route(_commission, read, 20),
        ("POST", "/fapi/v1/listenKey"): Route(_make_listen_key, key),
        ("PUT", "/fapi/v1/listenKey"): Route(_keep_listen_key, key),
        ("DELETE", "/fapi/v1/listenKey"): Route(_drop_listen_key, key),
    }
