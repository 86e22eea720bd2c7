"""Which accounts were asked for their equity lately: one that does not answer holds up nothing more."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from copytrade import clock

TRY_AGAIN = timedelta(seconds=30)
"""An account that did not answer does not hold up the next plan."""


@dataclass(slots=True)
class Asked:
    """Accounts by when this process asked them."""

    _at: dict[UUID, datetime] = field(default_factory=dict[UUID, datetime])

    def note(self, account_ids: frozenset[UUID]) -> None:
        """Remember that these were asked now."""
        self._at |= dict.fromkeys(account_ids, clock.real_now())

    def lately(self) -> frozenset[UUID]:
        """Return those that need not be waited for."""
        now = clock.real_now()
        self._at = {account: at for account, at in self._at.items() if now - at < TRY_AGAIN}
        return frozenset(self._at)
