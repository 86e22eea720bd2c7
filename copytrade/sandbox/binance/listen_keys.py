"""Listen keys: one for each account, valid for an hour, kept over a restart."""

import secrets
from typing import Any

from copytrade.sandbox.exchange.clock import real_ms
from copytrade.sandbox.exchange.engine import Exchange

VALID_MS = 3_600_000


class ListenKeys:
    """Makes, keeps and drops listen keys."""

    def __init__(self, exchange: Exchange, name: str = "listen_keys") -> None:
        self._exchange = exchange
        self._name = name
        known: dict[str, Any] = exchange.extras.get(name, {})
        self._keys: dict[int, tuple[str, int]] = {int(name): (row[0], row[1]) for name, row in known.items()}
        self._accounts: dict[str, int] = {key: account for account, (key, _) in self._keys.items()}

    def make(self, account: int) -> str:
        """Return the account's key, new if there is none in force, valid for an hour."""
        key = self.keep(account)
        if not key:
            key = secrets.token_urlsafe(48)[:64]
            self._keys[account] = (key, real_ms() + VALID_MS)
            self._accounts[key] = account
            self._save()
        return key

    def keep(self, account: int) -> str:
        """Make the account's key valid for another hour; empty when there is none."""
        key, expires = self._keys.get(account, ("", 0))
        if expires <= real_ms():
            return ""
        self._keys[account] = (key, real_ms() + VALID_MS)
        self._save()
        return key

    def drop(self, account: int) -> str:
        """End the account's key; return it."""
        key, _ = self._keys.pop(account, ("", 0))
        self._accounts.pop(key, None)
        self._save()
        return key

    def account(self, key: str) -> int:
        """Return whose key it is, 0 when it is not in force."""
        account = self._accounts.get(key, 0)
        return account if account and self._keys[account][1] > real_ms() else 0

    def expired(self) -> list[tuple[int, str]]:
        """Drop the keys whose hour is over; return them with their accounts."""
        now = real_ms()
        over = [(account, key) for account, (key, expires) in self._keys.items() if expires <= now]
        for account, _ in over:
            self.drop(account)
        return over

    def _save(self) -> None:
        rows = {str(account): list(row) for account, row in self._keys.items()}
        self._exchange.set_extra(self._name, rows)
        self._exchange.commit()
