"""What is shown of exchange accounts: never a secret."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from copytrade.exchanges.modes import PAPER


@dataclass(frozen=True, slots=True)
class FindingRow:
    """One thing that was examined; `text` is a sentence of the catalogue, `facts` go into its braces."""

    what: str
    verdict: str
    """`ok`, `warning` or `problem`."""
    text: str
    facts: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class ExaminationRow:
    """The newest examination of an account; `state` is `running` or `done`."""

    state: str
    asked_at: datetime
    finished_at: datetime | None
    findings: tuple[FindingRow, ...]


@dataclass(frozen=True, slots=True)
class ReplacementRow:
    """A new key of a linked account: `checking`, or `refused` with a code of accounts.reasons."""

    state: str
    key_hint: str
    reason: str
    asked_at: datetime


@dataclass(frozen=True, slots=True)
class AccountRow:
    """An exchange account as its owner sees it; `reason` is a code of accounts.reasons."""

    id: UUID
    venue: str
    market: str
    role: str
    mode: str
    label: str
    key_hint: str
    state: str
    reason: str
    permissions: dict[str, Any]
    ip_restricted: bool | None
    key_expires_at: datetime | None
    linked_at: datetime | None
    checked_at: datetime | None
    equity: Decimal | None = None
    equity_at: datetime | None = None
    uid: str = ""
    egress: str = ""
    check_due_at: datetime | None = None
    days_left: int | None = None
    """Full days until the key expires; None where it does not or the venue does not tell."""
    replacing: ReplacementRow | None = None
    examination: ExaminationRow | None = None

    @property
    def is_paper(self) -> bool:
        """Return whether it is play money at our own paper exchange."""
        return self.mode == PAPER


@dataclass(frozen=True, slots=True)
class EquityPoint:
    """An account's worth in USDT at one time."""

    read_at: datetime
    total: Decimal
    wallet: Decimal
    unrealized_pnl: Decimal
    is_rebuilt: bool
