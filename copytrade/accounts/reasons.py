"""Why a key is refused or an account paused, with a sentence for each; and the decision itself, pure."""

from datetime import datetime
from enum import StrEnum

from copytrade.domain.fills import KeyPermissions
from copytrade.domain.instruments import Role


class State(StrEnum):
    """Where an exchange account stands."""

    CHECKING = "checking"
    ACTIVE = "active"
    REFUSED = "refused"
    PAUSED = "paused"
    UNLINKED = "unlinked"


class Reason(StrEnum):
    """Why a key was refused or an account is paused."""

    WRONG_KEY = "wrong_key"
    EXPIRED = "expired"
    MAY_WITHDRAW = "may_withdraw"
    MAY_TRANSFER = "may_transfer"
    READ_ONLY = "read_only"
    NOT_READABLE = "not_readable"
    RIGHTS_UNKNOWN = "rights_unknown"
    HEDGE_MODE = "hedge_mode"
    CLOCK_SKEW = "clock_skew"
    EXCHANGE_AWAY = "exchange_away"
    NOT_UNIFIED = "not_unified"
    UNIFIED = "unified"
    OTHER_ACCOUNT = "other_account"
    KEY_KNOWN = "key_known"
    SECRET_UNREADABLE = "secret_unreadable"  # noqa: S105 - a code
    OPERATOR = "operator"


SENTENCES: dict[str, str] = {
    Reason.WRONG_KEY: "The exchange does not accept this key and secret. Check both, the market they are for, and the "
    "addresses the key is limited to.",
    Reason.EXPIRED: "This key has expired. Make a new one on the exchange and link it.",
    Reason.MAY_WITHDRAW: "This key may withdraw money, so it was refused and not stored. Make one without the right to "
    "withdraw.",
    Reason.MAY_TRANSFER: "This key may transfer money between accounts, so it was refused and not stored. Make one "
    "without the right to transfer.",
    Reason.READ_ONLY: "This key may not trade this market. To copy trades it needs that right, and nothing more.",
    Reason.NOT_READABLE: "This key may not read the account. Allow reading on the exchange and try again.",
    Reason.RIGHTS_UNKNOWN: "The exchange did not tell what this key may do, so it was refused to be safe.",
    Reason.HEDGE_MODE: "This account is in hedge mode. Switch the position mode to one-way on the exchange, then try "
    "again.",
    Reason.CLOCK_SKEW: "The exchange's clock and ours differ by more than a second, so orders would be refused. Please "
    "try again later.",
    Reason.EXCHANGE_AWAY: "The exchange did not answer. Nothing was stored; please try again.",
    Reason.NOT_UNIFIED: "This account is no unified trading account. Upgrade it on the exchange, then try again.",
    Reason.UNIFIED: "This is a unified trading account, which cannot be used here yet. Link a classic account.",
    Reason.OTHER_ACCOUNT: "The new key belongs to another account at the exchange. Link that one as an account of its "
    "own.",
    Reason.KEY_KNOWN: "This key is linked already. Make another one on the exchange for this account.",
    Reason.SECRET_UNREADABLE: "The stored key cannot be read any more. Please link the account again.",
    Reason.OPERATOR: "The operators have paused this account.",
}


EXAMINED: dict[str, str] = {
    "clock": "Clock",
    "permissions": "Rights of the key",
    "orders": "Orders",
    "balances": "Balances",
    "positions": "Positions",
    "rules": "Market rules",
    "settings": "Settings of the account",
    "stream": "Stream",
    "key": "Key",
}
"""What an examination looks at, by its code, in the order in which it is shown."""


def sentence(reason: str) -> str:
    """Return the catalogue's sentence for a reason, empty for none."""
    return SENTENCES.get(reason, "")


def objection(permissions: KeyPermissions, *, role: Role, now: datetime) -> Reason | None:
    """Return why a key may not be linked in this role, None when it may. What the venue does not tell is refused."""
    if permissions.unfit:
        return Reason(permissions.unfit)
    told = (permissions.may_read, permissions.may_withdraw, permissions.may_transfer)
    if permissions.expires_at is not None and permissions.expires_at <= now:
        return Reason.EXPIRED
    if permissions.may_withdraw:
        return Reason.MAY_WITHDRAW
    if permissions.may_transfer:
        return Reason.MAY_TRANSFER
    if None in told or (role is Role.COPY and permissions.may_trade is None):
        return Reason.RIGHTS_UNKNOWN
    if not permissions.may_read:
        return Reason.NOT_READABLE
    if role is Role.COPY and not permissions.may_trade:
        return Reason.READ_ONLY
    return None
