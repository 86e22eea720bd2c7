"""What Bitget's `authorities` of a key allow. Pure."""

from collections.abc import Mapping
from typing import Any

from copytrade.domain.fills import KeyPermissions
from copytrade.domain.instruments import Market

_READS = {Market.SPOT: ({"stor", "stow"},), Market.PERPETUAL: ({"coor", "coow"}, {"cpor", "cpow"})}
_WRITES = {Market.SPOT: {"stow"}, Market.PERPETUAL: {"coow", "cpow"}}
_WITHDRAW = frozenset({"wwow", "withdraw"})
_TRANSFER = frozenset({"wtow", "transfer", "p2p", "p2pw", "chow", "pllw"})
"""Moves money between accounts, to other people, to sub-accounts, into a pledge."""
_HARMLESS = frozenset(
    {
        "stor",
        "stow",
        "coor",
        "coow",
        "cpor",
        "cpow",
        "smor",
        "smow",
        "ttor",
        "ttow",
        "wtor",
        "taxr",
        "taxw",
        "chor",
        "p2pr",
        "pllr",
        "readonly",
    }
)


def permissions(info: Mapping[str, Any], *, market: Market) -> KeyPermissions:
    """Return the rights of a key for a market; a code that is new to us leaves open whether it moves money."""
    told = info.get("authorities")
    if not isinstance(told, list):
        return KeyPermissions(None, None, None, None)
    codes = {str(code) for code in told}  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType] - JSON
    is_known = codes <= _WITHDRAW | _TRANSFER | _HARMLESS
    moves = bool(codes & _TRANSFER)
    withdraws = bool(codes & _WITHDRAW)
    addresses = info.get("ips")
    return KeyPermissions(
        may_read="readonly" in codes or all(codes & wanted for wanted in _READS[market]),
        may_trade=codes >= _WRITES[market],
        may_withdraw=withdraws if withdraws or is_known else None,
        may_transfer=moves if moves or is_known else None,
        ip_restricted=bool(addresses.strip()) if isinstance(addresses, str) else None,
        uid=str(info.get("userId") or ""),
        # a trader of the venue's own copy trading
        orders_per_s=1 if info.get("traderType") == "trader" else None,
    )


UNIFIED = KeyPermissions(None, None, None, None, unfit="unified")
"""Of an account that was changed to the venue's unified kind, which speaks another protocol."""
