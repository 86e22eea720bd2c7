"""What a futures account has and how it is set: money, positions, bills, leverage, modes."""

from typing import TYPE_CHECKING, Any

from copytrade.sandbox.bitget import errors, wire
from copytrade.sandbox.bitget.bills import mix_bills
from copytrade.sandbox.bitget.call import Access, Asked, Route
from copytrade.sandbox.exchange import modes
from copytrade.sandbox.exchange.instruments import QUOTE, Instrument
from copytrade.sandbox.exchange.orders import Reason, Refused
from copytrade.sandbox.exchange.path import DAY_MS

if TYPE_CHECKING:
    from copytrade.sandbox.bitget.rest import Bitget

_BILLS_SPAN_MS = 30 * DAY_MS
_BILLS_KEPT_MS = 90 * DAY_MS


def _positions(venue: "Bitget", asked: Asked) -> list[dict[str, Any]]:
    asked.product()
    market, account = venue.exchange.market, asked.account
    return [wire.position(market, account, held) for held in account.open_positions()]


def _position(venue: "Bitget", asked: Asked) -> list[dict[str, Any]]:
    index, market, account = asked.contract().index, venue.exchange.market, asked.account
    asked.need("marginCoin")
    return [wire.position(market, account, held) for held in account.open_positions() if held.instrument == index]


def _accounts(venue: "Bitget", asked: Asked) -> list[dict[str, Any]]:
    asked.product()
    return [wire.balance(venue.exchange.market, asked.account)]


def _account(venue: "Bitget", asked: Asked) -> dict[str, Any]:
    instrument, account = asked.contract(), asked.account
    asked.need("marginCoin")
    leverage = str(account.leverage_of(instrument.index))
    return wire.balance(venue.exchange.market, account) | {
        "crossedMarginLeverage": leverage,
        "isolatedLongLever": leverage,
        "isolatedShortLever": leverage,
        "marginMode": wire.margin_mode(account, instrument.index),
        "posMode": wire.mode(account),
        "grant": "",
    }


def _leverages(asked: Asked, instrument: Instrument) -> dict[str, str]:
    leverage = str(asked.account.leverage_of(instrument.index))
    sides = {"longLeverage": leverage, "shortLeverage": leverage, "crossMarginLeverage": leverage}
    mode = wire.margin_mode(asked.account, instrument.index)
    return {"symbol": instrument.symbol, "marginCoin": QUOTE, **sides, "marginMode": mode}


def _set_leverage(venue: "Bitget", asked: Asked) -> dict[str, str]:
    instrument = asked.contract()
    asked.need("marginCoin")
    given = asked.params.get("leverage") or asked.params.get("longLeverage") or asked.params.get("shortLeverage") or ""
    if not given.isdecimal():
        raise errors.wrong("leverage")
    modes.set_leverage(venue.exchange, asked.account, instrument.index, int(given))
    return _leverages(asked, instrument)


def _set_margin_mode(venue: "Bitget", asked: Asked) -> dict[str, str]:
    instrument, wanted = asked.contract(), asked.need("marginMode").lower()
    asked.need("marginCoin")
    if wanted not in ("crossed", "isolated"):
        raise errors.wrong("marginMode")
    try:
        modes.set_isolated(venue.exchange, asked.account, instrument.index, isolated=wanted == "isolated")
    except Refused as refusal:
        if refusal.reason is not Reason.MARGIN_MODE_SAME:
            raise
    return _leverages(asked, instrument)


def _set_position_mode(venue: "Bitget", asked: Asked) -> dict[str, str]:
    asked.product()
    wanted = asked.need("posMode").lower()
    if wanted not in ("hedge_mode", "one_way_mode"):
        raise errors.wrong("posMode")
    try:
        modes.set_hedge(venue.exchange, asked.account, hedge=wanted == "hedge_mode")
    except Refused as refusal:
        if refusal.reason is not Reason.POSITION_MODE_SAME:
            raise
    return {"posMode": wanted}


def _bills(venue: "Bitget", asked: Asked) -> dict[str, Any]:
    asked.product()
    now = venue.exchange.clock.now()
    start, end = asked.span(now, _BILLS_SPAN_MS)
    start, end = max(start, now - _BILLS_KEPT_MS), min(end, asked.lag_until)
    below, kind = asked.integer("idLessThan"), asked.params.get("businessType", "")
    rows = [
        row
        for row in mix_bills(asked.account, start=start, end=end)
        if (not below or int(row["billId"]) < below) and (not kind or row["businessType"] == kind)
    ]
    page = rows[::-1][: asked.limit(20, 100)]
    return {"bills": page, "endId": page[-1]["billId"] if page else None}


def routes() -> dict[tuple[str, str], Route]:
    """Return the paths of this part."""
    held, money, read, trade = "/api/v2/mix/position", "/api/v2/mix/account", Access.READ, Access.FUTURES
    return {
        ("GET", f"{held}/all-position"): Route(_positions, read, 5),
        ("GET", f"{held}/single-position"): Route(_position, read),
        ("GET", f"{money}/account"): Route(_account, read),
        ("GET", f"{money}/accounts"): Route(_accounts, read),
        ("GET", f"{money}/bill"): Route(_bills, read),
        ("POST", f"{money}/set-leverage"): Route(_set_leverage, trade, 5),
        ("POST", f"{money}/set-margin-mode"): Route(_set_margin_mode, trade, 5),
        ("POST", f"{money}/set-position-mode"): Route(_set_position_mode, trade, 5),
    }
