"""What a spot account has, and what its key may do."""

from typing import TYPE_CHECKING, Any

from copytrade.sandbox.bitget import errors, spot_wire
from copytrade.sandbox.bitget.call import Access, Asked, Route
from copytrade.sandbox.exchange import spot
from copytrade.sandbox.exchange.accounts import ApiKey
from copytrade.sandbox.exchange.instruments import QUOTE, SPOT_BY_SYMBOL
from copytrade.sandbox.exchange.orders import IncomeKind
from copytrade.sandbox.exchange.path import DAY_MS
from copytrade.sandbox.exchange.values import money

if TYPE_CHECKING:
    from copytrade.sandbox.bitget.rest import Bitget

_KEPT_MS = 90 * DAY_MS


def _assets(venue: "Bitget", asked: Asked) -> list[dict[str, str]]:
    account, now = asked.account, venue.exchange.clock.now()
    named = asked.params.get("coin", "").upper()
    held = spot.assets(account)
    if asked.params.get("assetType", "hold_only") == "all":
        held = list(dict.fromkeys([*held, QUOTE, *(pair.base for pair in SPOT_BY_SYMBOL.values())]))
    names = [named] if named else held
    return [spot_wire.asset(account, name, now) for name in names]


def authorities(key: ApiKey) -> list[str]:
    """Return the rights of a key as the venue's codes."""
    rights = ["stow" if key.spot else "stor"] if key.reading or key.spot else []
    rights += ["coow", "cpow"] if key.futures else (["coor", "cpor"] if key.reading else [])
    rights += ["wtow"] if key.internal_transfer or key.universal_transfer else []
    return rights + (["wwow"] if key.withdrawals else [])


def _info(venue: "Bitget", asked: Asked) -> dict[str, Any]:
    account, key = asked.account, asked.key
    assert key is not None
    return {
        "userId": str(account.id),
        "inviterId": "0",
        "ips": ",".join(key.addresses),
        "authorities": authorities(key),
        "parentId": account.id,
        "traderType": "trader" if account.id == venue.rules.copied_user else "not_trader",
        "channelCode": "",
        "channel": "",
        "regisTime": str(key.created),
    }


def _bills(venue: "Bitget", asked: Asked) -> list[dict[str, Any]]:
    start, end = asked.span(venue.exchange.clock.now(), _KEPT_MS)
    end, below = min(end, asked.lag_until), asked.integer("idLessThan")
    group, coin = asked.params.get("groupType", ""), asked.params.get("coin", "").upper()
    business = asked.params.get("businessType", "")
    rows = [
        row
        for row in spot_wire.bills(asked.account, start=start, end=end)
        if (not below or int(row["billId"]) < below)
        and (not group or row["groupType"] == group)
        and (not business or row["businessType"] == business)
        and (not coin or row["coin"] == coin)
    ]
    return rows[::-1][: asked.limit(100, 500)]


def _transfers(venue: "Bitget", asked: Asked) -> list[dict[str, Any]]:
    start, end = asked.span(venue.exchange.clock.now(), _KEPT_MS)
    coin, below = asked.need("coin").upper(), asked.integer("idLessThan")
    rows = [
        entry
        for entry in reversed(asked.account.incomes)
        if entry.spot
        and entry.kind is IncomeKind.TRANSFER
        and entry.asset == coin
        and start <= entry.time <= end
        and (not below or entry.id < below)
    ]
    return [
        {
            "coin": entry.asset,
            "status": "Successful",
            "fromType": "usdt_futures" if entry.amount > 0 else "spot",
            "toType": "spot" if entry.amount > 0 else "usdt_futures",
            "fromSymbol": "",
            "toSymbol": "",
            "size": money(abs(entry.amount)),
            "ts": str(entry.time),
            "clientOid": "",
            "transferId": str(entry.id),
        }
        for entry in rows[: asked.limit()]
    ]


def _unified_settings(venue: "Bitget", asked: Asked) -> dict[str, Any]:
    if not asked.account.unified:
        raise errors.classic_only()
    mode = "hedge_mode" if asked.account.hedge else "one_way_mode"
    return {"uid": str(asked.account.id), "accountMode": "unified", "assetMode": "single", "holdMode": mode}


def routes() -> dict[tuple[str, str], Route]:
    """Return the paths of this part."""
    money, read = "/api/v2/spot/account", Access.READ
    return {
        ("GET", f"{money}/assets"): Route(_assets, read),
        ("GET", f"{money}/info"): Route(_info, read, 1),
        ("GET", f"{money}/bills"): Route(_bills, read),
        ("GET", f"{money}/transferRecords"): Route(_transfers, read, 20),
        ("GET", "/api/v3/account/settings"): Route(_unified_settings, read, 20),
    }
