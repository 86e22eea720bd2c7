"""All that is known of a lead's subscribers while his changes are planned, read and locked once for all of them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from sqlmodel import Session

from copytrade.accounts import queries as accounts
from copytrade.copying import readiness, records, settings_rows, standing, switches
from copytrade.copying.records import LegRecord
from copytrade.copying.validation import LARGEST_LEVERAGE
from copytrade.copying.work import Read
from copytrade.db.trips import Ask, Asking, Trip
from copytrade.domain.changes import ChangeKind, LeadChange
from copytrade.domain.fills import Equity
from copytrade.domain.instruments import Instrument, Market, MarketRules, unlisted
from copytrade.domain.limits import Around
from copytrade.domain.quantities import EXACT, ONE, ZERO, sign
from copytrade.domain.sizing import SizingMode
from copytrade.domain.skips import SkipReason
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
    read: Read
    lead_equity: Decimal | None
    legs: dict[tuple[UUID, Instrument], LegRecord]
    instruments: frozenset[Instrument]
    others: dict[UUID, tuple[Decimal, int]]
    """Notional and count of each subscription's legs in instruments that are not being planned."""
    asked: frozenset[UUID] = frozenset()
    """Accounts whose equity was asked for lately: nothing waits for it any more."""
    room: Decimal | None = None
    """What the platform's own cap leaves of the change being planned, over all subscribers, in quote; None: no cap."""
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
    copies: Sequence[ActiveSubscription] | None = None,
) -> Desk:
    """Read and lock what planning these changes needs, in one trip; the caller holds the lead's lock.

    `copies` are whoever copies this lead now, where the caller has read them.
    """
    if copies is None:
        copies = subscriptions.active_on_lead(session, lead_account_id=lead_account_id, now=now)
    ids, copy_accounts = [copy.id for copy in copies], [copy.copy_account_id for copy in copies]
    instruments = frozenset(change.instrument for change in changes)
    symbols = sorted({instrument.symbol for instrument in instruments})
    trip = Trip(session)
    # The order of the locks is that of all who take several: settings, then legs.
    chosen = trip.ask(settings_rows.asking(ids, locking=True))
    locked = trip.ask(
        records.asking_locked(
            "lead_account_id = %(lead)s AND symbol = ANY(%(symbols)s) AND state = 'following'"
            " AND subscription_id = ANY(%(ids)s)",
            lead=lead_account_id,
            symbols=symbols,
            ids=ids,
        )
    )
    found = trip.ask(accounts.asking_standings([lead_account_id, *copy_accounts]))
    others = trip.ask(_asking_others(ids, lead_account_id, instruments))
    turned = trip.ask(switches.asking())
    ready = trip.ask(readiness.asking(copy_accounts, symbols, now=now))
    held = trip.ask(standing.asking_held_back(ids))
    trip.go()
    lead = found.value[lead_account_id].equity if lead_account_id in found.value else None
    lead_age = timedelta(seconds=settings().lead_equity_max_age_s)
    return Desk(
        lead_account_id=lead_account_id,
        now=now,
        venues=venues,
        copies=sorted((copy for copy in copies if copy.id in chosen.value), key=lambda copy: copy.id),
        read=Read(chosen.value, found.value, turned.value, ready.value, held.value),
        lead_equity=lead.total if lead and now - lead.read_at <= lead_age and _explains(lead, changes) else None,
        legs={(leg.subscription_id, leg.instrument): leg for leg in locked.value if leg.instrument in instruments},
        instruments=instruments,
        others=others.value,
        asked=asked,
    )


def copy_equity(desk: Desk, copy: ActiveSubscription) -> Decimal | None:
    """Return the worth of a copy account in USDT, None where it was not read lately."""
    equity = _equity(desk, copy)
    oldest = desk.now - timedelta(seconds=settings().copy_equity_max_age_s)
    return equity.total if equity is not None and equity.read_at >= oldest else None


def _equity(desk: Desk, copy: ActiveSubscription) -> Equity | None:
    account = desk.read.accounts.get(copy.copy_account_id)
    return account.equity if account is not None else None


def _is_active(desk: Desk, copy: ActiveSubscription) -> bool:
    account = desk.read.accounts.get(copy.copy_account_id)
    return account is not None and account.state == "active"


def unread(desk: Desk, copy: ActiveSubscription) -> frozenset[UUID]:
    """Return the accounts whose equity this copy needs and that nobody has asked for lately."""
    missing = set[UUID]()
    if _is_active(desk, copy) and copy_equity(desk, copy) is None:
        missing.add(copy.copy_account_id)
    if desk.lead_equity is None and desk.read.settings[copy.id].mode is SizingMode.EQUITY:
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
    elif not _is_active(desk, copy):
        blocked = SkipReason.CREDENTIALS
    elif copy.id in desk.read.held:
        blocked = desk.read.held[copy.id].reason
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


_OTHERS = """
SELECT subscription_id, sum(abs(target) * price), count(*) FROM trades.legs
WHERE target <> 0 AND subscription_id = ANY(%(ids)s) AND NOT (lead_account_id = %(lead)s AND state = 'following'
    AND (symbol, position_side) IN (SELECT * FROM unnest(%(symbols)s::text[], %(sides)s::text[])))
GROUP BY subscription_id
"""


def _asking_others(
    subscription_ids: list[UUID], lead_account_id: UUID, planned: Collection[Instrument]
) -> Asking[dict[UUID, tuple[Decimal, int]]]:
    values = {
        "ids": subscription_ids,
        "lead": lead_account_id,
        "symbols": [instrument.symbol for instrument in planned],
        "sides": [instrument.position_side.value for instrument in planned],
    }
    [rows] = yield [Ask(_OTHERS, values)]
    return {subscription: (notional, count) for subscription, notional, count in rows}
