"""What a Bybit key may do, and whose account it is; what the venue does not tell stays None."""

from collections.abc import Mapping
from typing import Any, cast

from copytrade.domain.fills import KeyPermissions
from copytrade.domain.instruments import Market
from copytrade.exchanges.bybit.shapes import expiry

NOT_UNIFIED = "not_unified"
_NEEDED = {Market.PERPETUAL: ("ContractTrade", {"Order", "Position"}), Market.SPOT: ("Spot", {"SpotTrade"})}
_WITHDRAWING = "Withdraw"


def permissions(body: Any, *, market: Market) -> KeyPermissions:
    """Return a key's rights for a market; any right in the wallet beyond withdrawing counts as one to transfer."""
    told: Mapping[str, Any] = body["result"]
    rights = cast("Mapping[str, Any]", told["permissions"])
    wallet = _names(rights.get("Wallet"))
    kind, needed = _NEEDED[market]
    given, reads_only = _names(rights.get(kind)), told.get("readOnly")
    may_trade = None if given is None or reads_only not in (0, 1) else reads_only == 0 and needed <= given
    return KeyPermissions(
        may_read=True,  # whoever is told his rights may read
        may_trade=may_trade,
        may_withdraw=None if wallet is None else _WITHDRAWING in wallet,
        may_transfer=None if wallet is None else bool(wallet - {_WITHDRAWING}),
        ip_restricted=_is_bound(told.get("ips")),
        expires_at=expiry(told.get("expiredAt")),
        uid=str(told.get("userID") or ""),
        unfit="" if told.get("uta") == 1 else NOT_UNIFIED,
    )


def _names(told: Any) -> set[str] | None:
    return {str(name) for name in cast("list[Any]", told)} if isinstance(told, list) else None


def _is_bound(addresses: Any) -> bool | None:
    names = _names(addresses)
    return None if names is None else bool(names - {"*", ""})
