"""All that is known of a lead's subscribers while his changes are planned, read and locked once for all of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from sqlmodel import Session

from copytrade.accounts import queries as accounts
from copytrade.copying import bulk, records, settings_rows, standing
from copytrade.copying.records import LegRecord
from copytrade.copying.validation import LARGEST_LEVERAGE
from copytrade.domain.changes import ChangeKind, LeadChange
from copytrade.domain.fills import Equity
from copytrade.domain.instruments import Instrument, Market, MarketRules, unlisted
from copytrade.domain.limits import Around
from copytrade.domain.quantities import EXACT, ONE, ZERO, sign
from copytrade.domain.sizing import CopySettings, SizingMode
from copytrade.domain.skips import SkipReason
from copytrade.exchanges.port import AccountRef
from copytrade.settings import settings
from copytrade.subscriptions import queries as subscriptions
from copytrade.subscriptions.rows import ActiveSubscription

Rules = Mapping[str, MarketRules]

EXPLAINED = Decimal("1.02")
"""How much more than his equity a lead may have traded for: fees, and the price since it was read."""


@dataclass(frozen=True, slots=True)
class Venues:
    """Rules and turnover at the lead's venue, and the rules of the paper exchange where somebody copies on paper."""

    real: Rules
    paper: Rules | None = None
    turnover: Mapping[str, Decimal] | None = None
    """What symbols turned over at the lead's venue in 24 hours, in quote; None: it was not read yet."""

    def of(self, symbol: str, *, is_paper: bool) -> tuple[MarketRules, bool]:
        """Return the rules of a symbol where it is copied, and whether it is listed there."""
        listed = self.real if self.paper is None or not is_paper else self.paper
        found = listed.get(symbol)
        return (unlisted(symbol), False) if found is None else (found, True)


@dataclass(slots=True)
class Desk:
    """What a plan of one lead's changes works on."""

    lead_account_id: UUID
    now: datetime
    venues: Venues
    copies: Sequence[ActiveSubscription]
    settings: dict[UUID, CopySettings]
    equities: dict[UUID, Equity]
    states: dict[UUID, str]
    lead_equity: Decimal | None
    legs: dict[tuple[UUID, Instrument], LegRecord]
    instruments: frozenset[Instrument]
    others: dict[UUID, tuple[Decimal, int]]
    """Notional and count of each subscription's legs in instruments that are not being planned."""
    held_back: Mapping[UUID, SkipReason] = field(default_factory=dict[UUID, SkipReason])
    """Subscriptions that enter nothing now: a loss was reached, their lead is silent."""
    asked: frozenset[UUID] = frozenset()
    """Accounts whose equity was asked for lately: nothing waits for it any more."""
    room: Decimal | None = None
    """What the platform's own cap leaves of the change being planned, over all subscribers, in quote; None: no cap."""
    refs: dict[UUID, AccountRef] = field(default_factory=dict[UUID, AccountRef])
    touched: dict[UUID, LegRecord] = field(default_factory=dict[UUID, LegRecord])

    def spend(self, copy: ActiveSubscription, notional: Decimal) -> None:
        """Take what a copy was let through for from the room of all; paper moves no market."""
        if self.room is not None and not copy.is_paper:
            self.room = max(self.room - notional, ZERO)


def room_in(venues: Venues, symbol: str) -> Decimal | None:
    """Return for how much one lead fill may be copied in a symbol by all together, in quote; None: no cap."""
    if venues.turnover is None:
        return None
    turnover = venues.turnover.get(symbol, ZERO)
    if turnover < settings().symbol_min_day_volume:
        return ZERO
    return EXACT.multiply(turnover, settings().fill_volume_share)


def open_desk(
    session: Session,
    lead_account_id: UUID,
    changes: Sequence[LeadChange],
    *,
    venues: Venues,
    now: datetime,
    asked: frozenset[UUID] = frozenset(),
) -> Desk:
    """Read and lock what planning these changes needs; the caller holds the lead's lock."""
    copies = subscriptions.active_on_lead(session, lead_account_id=lead_account_id, now=now)
    by_id = settings_rows.of(session, [copy.id for copy in copies], locking=True)
    copies = sorted((copy for copy in copies if copy.id in by_id), key=lambda copy: copy.id)
    copy_accounts = [copy.copy_account_id for copy in copies]
    standings = accounts.standings(session, [lead_account_id, *copy_accounts])
    equities = {account: one.equity for account, one in standings.items() if one.equity is not None}
    instruments = {change.instrument for change in changes}
    legs = _locked_legs(session, lead_account_id, instruments)
    lead_age = timedelta(seconds=settings().lead_equity_max_age_s)
    lead = equities.get(lead_account_id)
    return Desk(
        lead_account_id=lead_account_id,
        now=now,
        venues=venues,
        copies=copies,
        settings=by_id,
        equities=equities,
        states={account: one.state for account, one in standings.items()},
        refs={account: one.ref for account, one in standings.items()},
        lead_equity=lead.total if lead and now - lead.read_at <= lead_age and _explains(lead, changes) else None,
        legs=legs,
        instruments=frozenset(instruments),
        others=_others(session, [copy.id for copy in copies], {leg.id for leg in legs.values()}),
        held_back=standing.blocked(session, [copy.id for copy in copies]),
        asked=asked,
    )


def copy_equity(desk: Desk, copy: ActiveSubscription) -> Decimal | None:
    """Return the worth of a copy account in USDT, None where it was not read lately."""
    equity = desk.equities.get(copy.copy_account_id)
    oldest = desk.now - timedelta(seconds=settings().copy_equity_max_age_s)
    return equity.total if equity is not None and equity.read_at >= oldest else None


def unread(desk: Desk, copy: ActiveSubscription) -> frozenset[UUID]:
    """Return the accounts whose equity this copy needs and that nobody has asked for lately."""
    missing = set[UUID]()
    if desk.states.get(copy.copy_account_id) == "active" and copy_equity(desk, copy) is None:
        missing.add(copy.copy_account_id)
    if desk.lead_equity is None and desk.settings[copy.id].mode is SizingMode.EQUITY:
        missing.add(desk.lead_account_id)
    return frozenset(missing - desk.asked)


def around(desk: Desk, copy: ActiveSubscription, record: LegRecord, *, is_listed: bool = True) -> Around:
    """Return what stands around a leg: the subscription's other legs, and what forbids its entries."""
    notional, count = desk.others.get(copy.id, (ZERO, 0))
    for instrument in desk.instruments:
        other = desk.legs.get((copy.id, instrument))
        if other is not None and other is not record and other.leg.target:
            notional += EXACT.multiply(abs(other.leg.target), other.price)
            count += 1
    blocked = None
    if not copy.may_enter:
        blocked = SkipReason.NOT_ENTITLED
    elif desk.states.get(copy.copy_account_id) != "active":
        blocked = SkipReason.CREDENTIALS
    elif copy.id in desk.held_back:
        blocked = desk.held_back[copy.id]
    elif not is_listed:
        blocked = SkipReason.UNLISTED
    return Around(
        other_notional=notional,
        other_positions=count,
        copy_equity=copy_equity(desk, copy),
        blocked=blocked,
        symbol_notional_left=None if copy.is_paper else desk.room,
    )


def _explains(lead: Equity, changes: Sequence[LeadChange]) -> bool:
    """Tell whether an account of this worth can have opened these: else it was paid in since it was read."""
    most = EXACT.multiply(max(lead.total, ZERO), EXPLAINED)
    for change in changes:
        leverage = ONE if change.instrument.market is Market.SPOT else LARGEST_LEVERAGE
        crosses = sign(change.after) != sign(change.before)
        opened = abs(change.after) if crosses else abs(change.after) - abs(change.before)
        if change.kind is ChangeKind.FILL and EXACT.multiply(opened, change.price) > EXACT.multiply(most, leverage):
            return False
    return True


def _locked_legs(
    session: Session, lead_account_id: UUID, instruments: set[Instrument]
) -> dict[tuple[UUID, Instrument], LegRecord]:
    found = records.lock(
        session,
        "lead_account_id = %(lead)s AND symbol = ANY(%(symbols)s) AND state = 'following' ORDER BY id FOR UPDATE",
        lead=lead_account_id,
        symbols=sorted({instrument.symbol for instrument in instruments}),
    )
    return {(leg.subscription_id, leg.instrument): leg for leg in found if leg.instrument in instruments}


def _others(session: Session, subscription_ids: list[UUID], planned: set[UUID]) -> dict[UUID, tuple[Decimal, int]]:
    rows = bulk.fetch(
        session,
        "SELECT subscription_id, sum(abs(target) * price), count(*) FROM trades.legs WHERE target <> 0"
        " AND subscription_id = ANY(%(ids)s) AND NOT id = ANY(%(planned)s) GROUP BY subscription_id",
        ids=subscription_ids,
        planned=list(planned),
    )
    return {subscription: (notional, count) for subscription, notional, count in rows}
