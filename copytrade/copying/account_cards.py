"""Exchange accounts as their owner sees them: whether they work now, and if not why; and what unlinking one means."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlmodel import Session

from copytrade import clock
from copytrade.accounts import queries as accounts
from copytrade.accounts import reasons
from copytrade.accounts import service as account_service
from copytrade.accounts.reasons import State
from copytrade.accounts.rows import AccountRow
from copytrade.capture import queries as capture
from copytrade.capture.queries import Standing
from copytrade.copying import queries, switches
from copytrade.copying.models import SwitchMode
from copytrade.copying.switches import Switches
from copytrade.db.events import record
from copytrade.domain.instruments import Role
from copytrade.settings import settings
from copytrade.subscriptions import queries as subscriptions
from copytrade.subscriptions import service as subscription_service
from copytrade.subscriptions.rows import ProfileRow, SubscriptionRow
from copytrade.subscriptions.states import LIVE, OPEN, EndMode

SLOW = {Role.LEAD: timedelta(minutes=3), Role.COPY: timedelta(minutes=15)}
"""An account that was not read for so long is told to be late."""


class Light(StrEnum):
    """How an account is heard: by its stream, not at the moment, or by polling alone (copy accounts)."""

    CONNECTED = "connected"
    QUIET = "quiet"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why an account does not work now; `text` is a sentence of the catalogue."""

    code: str
    text: str
    facts: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class AccountCard:
    """All that is shown of an account."""

    account: AccountRow
    can_work: bool
    obstacles: tuple[Obstacle, ...]
    last_fill_at: datetime | None
    last_polled_at: datetime | None
    light: Light
    light_since: datetime | None
    problem: str
    used_by: tuple[str, ...]
    """Traders that are copied on it, or the profiles that stand for it."""


@dataclass(frozen=True, slots=True)
class UnlinkEffects:
    """What unlinking an account would do."""

    role: Role
    traders: tuple[str, ...]
    """Whom a copy account copies, or the profiles of a lead account."""
    positions: int
    """Copied positions that stay open at the exchange and are the owner's alone from then on."""
    paying: int
    """Subscribers whom a lead account brings entries today."""
    is_paper: bool = False


OBSTACLES = {
    "checking": "It is being checked.",
    "halted_platform": "Copying is stopped for everybody at the moment.",
    "entries_off": "New positions are not opened at the moment; open ones can be closed.",
    "unread": "The exchange was not reached for some minutes; we keep trying.",
    "equity_unknown": "Its equity is not known yet or too old, so no new position is opened.",
    "empty": "There is no money on it.",
    "starting": "Its positions are being read for the first time; this takes a minute.",
    "problem": "Not everything that the exchange sends can be read. The operators are told.",
}
"""Sentences of what keeps an account from working; those of a key are in accounts.reasons."""
_HARMLESS = frozenset({"problem"})
"""Obstacles that are told but keep nothing from working."""


def cards(session: Session, *, owner: UUID) -> list[AccountCard]:
    """Return a person's accounts with whether each works now and why not, oldest first."""
    rows = accounts.accounts(session, owner=owner)
    standings = capture.standings(session, [row.id for row in rows])
    held_back = switches.load(session)
    mine = subscriptions.subscriptions_of(session, owner=owner)
    profiles = subscriptions.profiles_of(session, owner=owner)
    return [
        _card(row, standings.get(row.id), held_back, owner=owner, users=_users(row, mine, profiles)) for row in rows
    ]


def unlink_effects(session: Session, *, owner: UUID, account_id: UUID) -> UnlinkEffects:
    """Return what unlinking an account of the owner's would do; raise NotFound for anybody else's."""
    row = accounts.account(session, owner=owner, account_id=account_id)
    mine = [one for one in subscriptions.subscriptions_of(session, owner=owner) if one.copy_account_id == row.id]
    profiles = subscriptions.profiles_of(session, owner=owner)
    on_it = {one.id for one in mine}
    legs = queries.open_legs(session, owner=owner) if on_it else []
    copied = subscriptions.active_on_lead(session, lead_account_id=row.id, now=clock.now())
    return UnlinkEffects(
        role=Role(row.role),
        traders=_users(row, mine, profiles),
        positions=sum(leg.subscription_id in on_it and leg.held != 0 for leg in legs),
        paying=sum(one.may_enter and not one.is_paper for one in copied),
        is_paper=row.is_paper,
    )


def unlink(session: Session, *, owner: UUID, account_id: UUID) -> None:
    """Unlink an account and end what cannot go on without it; positions stay as they are at the exchange.

    Subscriptions that copy to it end and leave their positions to the owner. A trader's profile leaves the list, and
    his subscribers are told that nothing of this account is copied any more.
    """
    row = accounts.account(session, owner=owner, account_id=account_id)
    for subscription in subscriptions.subscriptions_of(session, owner=owner):
        if subscription.copy_account_id == row.id and subscription.state in OPEN:
            subscription_service.end(session, owner=owner, subscription_id=subscription.id, mode=EndMode.KEEP)
    for profile in subscriptions.profiles_of(session, owner=owner):
        if profile.lead_account_id == row.id:
            _leave(session, profile)
    account_service.unlink(session, owner=owner, account_id=account_id)


def _leave(session: Session, profile: ProfileRow) -> None:
    subscription_service.unpublish(session, owner=profile.user_id, profile_id=profile.id)
    copied = subscriptions.active_on_lead(session, lead_account_id=profile.lead_account_id, now=clock.now())
    for one in copied:
        record(
            session,
            "trader.left",
            user_id=one.subscriber_id,
            cause=f"left:{one.id}",
            subscription_id=one.id,
            trader=profile.name,
            slug=profile.slug,
        )


def _users(row: AccountRow, mine: Sequence[SubscriptionRow], profiles: Sequence[ProfileRow]) -> tuple[str, ...]:
    if row.role == Role.COPY:
        return tuple(one.trader_name for one in mine if one.copy_account_id == row.id and one.state in LIVE)
    return tuple(profile.name for profile in profiles if profile.lead_account_id == row.id and not profile.closed_at)


def _card(
    row: AccountRow, standing: Standing | None, held_back: Switches, *, owner: UUID, users: tuple[str, ...]
) -> AccountCard:
    obstacles = tuple(_obstacles(row, standing, held_back, owner=owner))
    since = standing.stream_since if standing else None
    light = Light.OFF
    if row.role == Role.LEAD and row.state == State.ACTIVE:
        light = Light.CONNECTED if since else Light.QUIET
    return AccountCard(
        account=row,
        can_work=all(one.code in _HARMLESS for one in obstacles),
        obstacles=obstacles,
        last_fill_at=standing.last_fill_at if standing else None,
        last_polled_at=standing.last_polled_at if standing else None,
        light=light,
        light_since=since if light is Light.CONNECTED else None,
        problem=standing.problem if standing else "",
        used_by=users,
    )


def _obstacles(row: AccountRow, standing: Standing | None, held_back: Switches, *, owner: UUID) -> list[Obstacle]:
    if row.state == State.CHECKING:
        return [_obstacle("checking")]
    if row.state != State.ACTIVE:
        return [Obstacle(row.reason or row.state, reasons.sentence(row.reason))]
    codes = [*_of_switches(row, held_back, owner=owner), *_of_capture(row, standing)]
    if row.role == Role.COPY:
        codes += _of_money(row)
    return [_obstacle(code) for code in codes]


def _of_switches(row: AccountRow, held_back: Switches, *, owner: UUID) -> list[str]:
    told: Mapping[SwitchMode, list[str]] = {
        SwitchMode.HANDS_OFF: ["halted_platform"],
        SwitchMode.ENTRIES_OFF: ["entries_off"],
        SwitchMode.FLATTEN: ["entries_off"],
    }
    return told.get(held_back.strictest(row.venue, person_id=owner if row.role == Role.COPY else None), [])


def _of_capture(row: AccountRow, standing: Standing | None) -> list[str]:
    found: list[str] = []
    if row.role == Role.LEAD and (standing is None or standing.baseline_at is None):
        found.append("starting")
    polled_at = standing.last_polled_at if standing else None
    if polled_at is not None and clock.now() - polled_at > SLOW[Role(row.role)]:
        found.append("unread")
    if standing is not None and standing.problem:
        found.append("problem")
    return found


def _of_money(row: AccountRow) -> list[str]:
    longest = timedelta(seconds=settings().copy_equity_max_age_s)
    if row.equity is None or row.equity_at is None or clock.now() - row.equity_at > longest:
        return ["equity_unknown"]
    return [] if row.equity > 0 else ["empty"]


def _obstacle(code: str) -> Obstacle:
    return Obstacle(code, OBSTACLES[code])
