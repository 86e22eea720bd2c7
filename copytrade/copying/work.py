"""What a claim hands to those who act on it: orders to send, accounts to prepare, quotes and rules that lack."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from copytrade.accounts.queries import Standing
from copytrade.copying.readiness import Ready
from copytrade.copying.standing import Held
from copytrade.copying.switches import Switches
from copytrade.domain.fills import Quote
from copytrade.domain.instruments import MarketRules
from copytrade.domain.orders import OrderRequest
from copytrade.domain.sizing import CopySettings
from copytrade.exchanges.port import AccountRef


@dataclass(frozen=True, slots=True)
class Sending:
    """One order on its way out; nothing may leave at or after `not_after` (real time)."""

    order_id: UUID
    account: AccountRef
    request: OrderRequest
    not_after: datetime
    profile_id: UUID | None = None
    person_id: UUID | None = None
    """Whose switches are looked at once more before it leaves."""
    is_exit: bool = False


@dataclass(frozen=True, slots=True)
class Preparing:
    """A copy account that has to be made ready for a symbol before the first entry."""

    account: AccountRef
    lead_account_id: UUID
    symbol: str
    is_hedged: bool = False
    """Whether the lead holds long and short apart."""


@dataclass(slots=True)
class Claimed:
    """What one claim found: orders to send, and what is lacking for others."""

    legs: int = 0
    sendings: list[Sending] = field(default_factory=list[Sending])
    quotes: dict[tuple[UUID, str], AccountRef] = field(default_factory=dict[tuple[UUID, str], AccountRef])
    """By account and symbol: any of them can ask for the quote."""
    waiting: list[UUID] = field(default_factory=list[UUID])
    """Legs that go on as soon as the quotes are there."""
    balances: dict[UUID, AccountRef] = field(default_factory=dict[UUID, AccountRef])
    """Spot accounts whose free balances lack."""
    selling: list[UUID] = field(default_factory=list[UUID])
    """Legs that go on as soon as the balances are there."""
    rules: list[AccountRef] = field(default_factory=list[AccountRef])
    preparing: list[Preparing] = field(default_factory=list[Preparing])
    switches: Switches | None = None
    """As the claim has read them."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the process knows of markets, by venue, market, mode (and symbol)."""

    rules: Mapping[tuple[str, str, str], Mapping[str, MarketRules]]
    quotes: Mapping[tuple[str, str, str, str], Quote]
    free: Mapping[UUID, Mapping[str, Decimal]] = field(default_factory=dict[UUID, Mapping[str, Decimal]])
    """Free balances by account and asset."""


@dataclass(frozen=True, slots=True)
class Read:
    """What a transaction has read of subscriptions, of their copy accounts and of what holds them back."""

    settings: Mapping[UUID, CopySettings]
    accounts: Mapping[UUID, Standing]
    switches: Switches
    ready: Mapping[tuple[UUID, str], Ready]
    held: Mapping[UUID, Held]
    """Subscriptions whose entries are held back: a loss was reached, their lead is silent."""


@dataclass(frozen=True, slots=True)
class Taking:
    """Who plans may send what he planned himself: what he knows, in whose name, and how many legs at most."""

    known: Known
    owner: str
    most: int
