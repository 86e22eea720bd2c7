"""What is shown of exchange accounts: never a secret."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID


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


@dataclass(frozen=True, slots=True)
class EquityPoint:
    """An account's worth in USDT at one time."""

    read_at: datetime
    total: Decimal
    wallet: Decimal
    unrealized_pnl: Decimal
    is_rebuilt: bool
