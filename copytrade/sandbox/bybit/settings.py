"""What an account may set at Bybit: leverage, margin mode (of the whole account), position mode."""

from typing import TYPE_CHECKING, Any

from copytrade.sandbox.bybit import errors
from copytrade.sandbox.bybit.request import LINEAR, Access, Request, Route
from copytrade.sandbox.exchange import modes
from copytrade.sandbox.exchange.instruments import PERPETUALS
from copytrade.sandbox.exchange.orders import Reason, Refused

if TYPE_CHECKING:
    from copytrade.sandbox.bybit.rest import Bybit

_ISOLATED = {"ISOLATED_MARGIN": True, "REGULAR_MARGIN": False}
_HEDGE = {0: False, 3: True}


def _leverage(request: Request, name: str) -> int:
    whole, _, fraction = request.need(name).partition(".")
    if not whole.isdecimal() or fraction.strip("0"):
        raise errors.bad_parameter(name)
    return int(whole)


def _set_leverage(venue: "Bybit", request: Request) -> dict[str, Any]:
    if request.category() != LINEAR:
        raise errors.bad_parameter("category")
    one, account = request.instrument(), request.account
    buy, sell = _leverage(request, "buyLeverage"), _leverage(request, "sellLeverage")
    if buy != sell:
        raise errors.ApiError(10001, "buy leverage not equal sell leverage")
    if buy == account.leverage_of(one.index):
        raise errors.ApiError(110043, "leverage not modified")
    modes.set_leverage(venue.exchange, account, one.index, buy)
    return {}


def _switch_mode(venue: "Bybit", request: Request) -> dict[str, Any]:
    if request.category() != LINEAR or not (request.text("symbol") or request.text("coin")):
        raise errors.bad_parameter("category")
    mode = request.integer("mode")
    if mode not in _HEDGE:
        raise errors.bad_parameter("mode")
    modes.set_hedge(venue.exchange, request.account, hedge=_HEDGE[mode])
    return {}


def _set_margin_mode(venue: "Bybit", request: Request) -> dict[str, Any]:
    wanted, account = request.need("setMarginMode"), request.account
    if wanted not in _ISOLATED:
        raise errors.ApiError(3400045, "Set margin mode failed")
    if bool(account.isolated) == _ISOLATED[wanted]:
        raise Refused(Reason.MARGIN_MODE_SAME)
    if account.open or account.open_positions():
        raise errors.ApiError(3400045, "Set margin mode failed")
    for one in PERPETUALS:
        if (one.index in account.isolated) != _ISOLATED[wanted]:
            modes.set_isolated(venue.exchange, account, one.index, isolated=_ISOLATED[wanted])
    return {"reasons": []}


def routes() -> dict[tuple[str, str], Route]:
    """Return the paths of this part."""
    return {
        ("POST", "/v5/position/set-leverage"): Route(_set_leverage, Access.TRADE),
        ("POST", "/v5/position/switch-mode"): Route(_switch_mode, Access.TRADE),
        ("POST", "/v5/account/set-margin-mode"): Route(_set_margin_mode, Access.TRADE),
    }
