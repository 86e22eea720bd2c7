"""The people of one seed: leads at several places, subscribers with settings of their own, and how the leads trade."""

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from sqlalchemy import text

from copytrade import clock
from copytrade.copying import service as copying
from copytrade.db.session import reading, transaction
from copytrade.demo import filling
from copytrade.demo.keys import Key, Place
from copytrade.domain.instruments import Market, Role, Venue
from copytrade.domain.sizing import CopySettings, EndMode
from copytrade.errors import Conflict
from copytrade.sandbox.client import Control, ControlError
from copytrade.subscriptions import queries as subscription_queries
from tests import paid
from tests.chaos.seeds import choices
from tests.chaos.seeds.sizes import Rule
from tests.stage import FUNDS, PLACES, Account, account
from tests.waiting import wait_until

SIZES = {"BTCUSDT": Decimal("0.001"), "ETHUSDT": Decimal("0.02")}
"""The leads' orders are multiples of these."""
LATER = 0.3
"""Of the subscribers, the share that subscribes while everything goes wrong."""
ON_PAPER = 0.2
"""The share that copies on paper."""
MOST = 900
"""Multiples that a lead holds at most."""


@dataclass(slots=True)
class Lead:
    """A trader's account at one place."""

    account: Account
    profile_id: UUID
    place: Place
    is_hedged: bool
    symbols: tuple[str, ...]

    @property
    def is_spot(self) -> bool:
        """Tell whether it trades on spot."""
        return self.place[1] is Market.SPOT


@dataclass(slots=True)
class Copy:
    """A subscription and its copy account; `chosen` are all settings that it ever had, in turn."""

    account: Account
    lead: Lead
    subscription_id: UUID
    chosen: list[CopySettings]
    ended_by: EndMode | None = None

    @property
    def settings(self) -> CopySettings:
        """Return how it copies now."""
        return self.chosen[-1]

    @property
    def rules(self) -> list[Rule]:
        """Return all sizings that it ever had."""
        rules = (Rule(one.mode, one.factor, one.max_position_notional) for one in self.chosen)
        return list(dict.fromkeys(rules))


@dataclass(frozen=True, slots=True)
class Spare:
    """Somebody who may subscribe in the middle of it all; without an account he opens one on paper."""

    owner: UUID
    lead: Lead
    account: Account | None


@dataclass(frozen=True, slots=True)
class Frozen:
    """Whom a switch kept from sending anything, and from when until when."""

    scope_id: str
    since: datetime
    until: datetime


@dataclass(slots=True)
class World:
    """Everybody of one seed."""

    control: Control
    chance: random.Random
    operator: UUID
    leads: list[Lead]
    copies: list[Copy]
    spare: list[Spare] = field(default_factory=list[Spare])
    frozen: list[Frozen] = field(default_factory=list[Frozen])
    trades: int = 0
    legs: int = 0
    """Legs that were looked at in the end."""
    rebased: int = 0
    """Parts for which the lead's position was read from the venue, since fills did not come in time."""
    replayed: int = 0
    """Those of them whose targets were reckoned anew from the lead's fills."""

    def subscribe(self, account: Account, lead: Lead, settings: CopySettings) -> None:
        """Let somebody copy a lead from now on; asked again, since the database went away, it is done once."""
        owner = account.owner
        try:
            with transaction() as session:
                id = copying.subscribe(
                    session, owner=owner, profile_id=lead.profile_id, copy_account_id=account.id, settings=settings
                )
                if not account.is_paper:
                    paid.entitle(session, subscription_id=id, until=clock.now() + timedelta(days=30))
        except Conflict:
            with reading() as session:
                rows = subscription_queries.subscriptions_of(session, owner=owner)
            [id] = [row.id for row in rows if row.profile_id == lead.profile_id]
        self.copies.append(Copy(account, lead, id, [settings]))

    def unplanned(self) -> int:
        """Return how many of the leads' fills are not planned, or not known at all."""
        ids = [lead.account.id for lead in self.leads]
        with reading() as session:
            planned = session.connection().execute(text(_PLANNED), {"leads": ids}).scalar_one()
        return sum(len(self.control.fills(lead.account.key.account_id)) for lead in self.leads) - planned

    def trade(self, lead: Lead) -> str:
        """Let a lead trade at the market, whatever comes to his mind; return what."""
        symbol = self.chance.choice(lead.symbols)
        side = self.chance.choice(("LONG", "SHORT")) if lead.is_hedged else None
        held = self._held(lead, symbol, side)
        wanted = self._wanted(lead, held, is_one_sided=lead.is_spot or lead.is_hedged)
        if lead.is_spot and wanted < held:
            # What a fee took out of a purchase cannot be sold: a little less than he holds is his whole.
            wanted = max(wanted, 0)
        moved = (wanted - held) * (-1 if side == "SHORT" else 1)
        step = SIZES[symbol] if not lead.is_spot else SIZES[symbol] / 2
        if moved == 0:
            return ""
        quantity = abs(moved) * step
        try:
            self.control.place(
                lead.account.key.account_id,
                symbol,
                "BUY" if moved > 0 else "SELL",
                quantity,
                market=lead.place[1].value,
                position_side=side,
            )
        except ControlError as error:
            return f"{symbol} {moved * step} refused: {error}"
        self.trades += 1
        return f"{symbol} {side or ''} {moved * step}"

    def _wanted(self, lead: Lead, held: int, *, is_one_sided: bool) -> int:
        """Return the position he wants now, in multiples: more, less, nothing, or the other side."""
        more = self.chance.randrange(20, 200)
        match self.chance.randrange(10):
            case 0 | 1:
                return 0
            case 2 if not is_one_sided:
                return -more if held > 0 else more
            case 3 | 4 | 5:
                less = self.chance.randrange(1, max(abs(held), 2))
                return held - less if held > 0 else held + less
            case _:
                sign = 1 if held > 0 or is_one_sided else -1 if held < 0 else self.chance.choice((1, -1))
                return max(-MOST, min(held + sign * more, MOST))

    def _held(self, lead: Lead, symbol: str, side: str | None) -> int:
        """Return a lead's position in multiples, rounded towards zero; unsigned on one side of a hedge."""
        id = lead.account.key.account_id
        if lead.is_spot:
            return int(Decimal(self.control.coins(id).get(symbol.removesuffix("USDT"), "0")) / (SIZES[symbol] / 2))
        rows = [row for row in self.control.account(id)["positions"] if row["symbol"] == symbol]
        if side is not None:
            return int(
                sum(abs(Decimal(row["positionAmt"])) for row in rows if row["positionSide"] == side) / SIZES[symbol]
            )
        return int(sum(Decimal(row["positionAmt"]) for row in rows) / SIZES[symbol])


def made(control: Control, seed: int) -> World:
    """Put everybody of a seed on stage; the processes run. Some leads hold something when they are subscribed to."""
    chance = random.Random(seed)
    places = chance.sample(PLACES, k=chance.randrange(2, 5))
    alice = filling.person("alice@copytrade.example", is_trader=True)
    filling.onboarded(alice)
    operator = filling.operator("olga@copytrade.example")
    people = [filling.person(f"bob-{number}@copytrade.example", is_subscriber=True) for number in range(2)]
    with ThreadPoolExecutor(6) as pool:
        plans = [(place, number, chance.random() < 0.3) for number, place in enumerate(places)]
        leads = list(pool.map(lambda plan: _lead(control, alice, *plan), plans))
        wishes = [(lead, person) for lead in leads for person in people[: chance.randrange(1, 3)]]
        told = [(*wish, chance.random() < ON_PAPER) for wish in wishes]
        accounts = list(pool.map(lambda wish: _copy_account(control, *wish), told))
    world = World(control, chance, operator, leads, [])
    for lead in leads:
        filling.captured(lead.account.id)
        for _ in range(chance.choice((0, 3))):
            world.trade(lead)
    wait_until(lambda: not world.unplanned(), timeout=120, every=0.1, what="what was traded before")
    for number, (lead, owner, is_paper) in enumerate(told):
        if number and chance.random() < LATER:
            world.spare.append(Spare(owner, lead, None if is_paper else accounts[number]))
        else:
            copy = accounts[number] or _paper_account(world, lead, owner)
            world.subscribe(copy, lead, choices.settings(chance))
    return world


def _lead(control: Control, owner: UUID, place: Place, number: int, is_hedged: bool) -> Lead:
    found = account(control, owner, role=Role.LEAD, name=f"alice-{number}-{place[0]}-{place[1]}", place=place)
    is_hedged = is_hedged and place[1] is Market.PERPETUAL
    if is_hedged:
        control.set_modes(found.key.account_id, hedge=True)
    profile = filling.profile(owner, lead_account_id=found.id, name=f"alice-{number}", about="", price=Decimal(25))
    return Lead(found, profile, place, is_hedged, ("BTCUSDT", "ETHUSDT")[: number % 2 + 1])


def _copy_account(control: Control, lead: Lead, owner: UUID, is_paper: bool) -> Account | None:
    if is_paper:
        return None
    return account(control, owner, role=Role.COPY, name=_name(lead, owner), place=lead.place)


def _name(lead: Lead, owner: UUID) -> str:
    return f"{owner}-{lead.account.key.account_id}"[-40:]


def _paper_account(world: World, lead: Lead, owner: UUID) -> Account:
    id = filling.paper_account(owner, place=lead.place, label=_name(lead, owner), funds=FUNDS)
    return on_paper(world.control, id, owner, place=lead.place)


def on_paper(control: Control, id: UUID, owner: UUID, *, place: Place) -> Account:
    """Return a paper account as the sandbox knows it, whose key nobody sees."""
    number = next(row["account_id"] for row in control.accounts() if row["name"] == f"paper:{place[0]}:{id}")
    return Account(id, owner, Key(number, "", "", venue=place[0], market=place[1]), is_paper=True)


def clean(control: Control) -> None:
    """Begin with a venue that keeps its word, and prices that stand where they are found."""
    control.clear_faults()
    control.latency(in_ms=2, out_ms=2)
    control.limits(weight_per_minute=1_000_000, spot_weight_per_minute=1_000_000)
    control.limits(venue=Venue.BYBIT.value, requests_per_5s=1_000_000, reads_per_s=1_000_000)
    control.limits(venue=Venue.BITGET.value, user_percent=1_000_000)


def wait_for_quiet(world: World, *, meanwhile: Callable[[], object], timeout: float) -> list[str]:
    """Wait until nothing is to be done any more, doing something `meanwhile`; return what was not done in time."""
    told = {"leads": [lead.account.id for lead in world.leads], "since": clock.now()}

    def undone() -> list[str]:
        meanwhile()
        with reading() as session:
            rows = session.connection().execute(text(_UNDONE), told).all()
        found = [f"{count} {what}" for what, count in rows if count]
        unplanned = world.unplanned()
        return [*found, f"{unplanned} fills not planned"] if unplanned else found

    try:
        wait_until(lambda: not undone(), timeout=timeout, every=0.25, what="quiet")
    except AssertionError:
        return undone()
    return []


_UNDONE = """
select 'orders without an end', count(*) from trades.copy_orders o join trades.legs l on l.id = o.leg_id
 where l.lead_account_id = any(:leads) and o.state in ('planned', 'sending', 'unknown', 'placed')
union all select 'legs that are due', count(*) from trades.legs
 where lead_account_id = any(:leads) and due_at is not null and target <> held
union all select 'leads not polled since', count(*) from trades.capture_states
 where exchange_account_id = any(:leads) and (poll_began_at is null or poll_began_at < :since)
union all select 'positions in doubt', count(*) from trades.lead_positions
 where exchange_account_id = any(:leads) and (odd_since is not null or rebase_to is not null)
union all select 'subscriptions that end', count(*) from people.subscriptions
 where lead_account_id = any(:leads) and state = 'canceled' and finished_at is null and end_mode <> 'follow_exits'
"""
_PLANNED = """
select count(*) from trades.fills
where exchange_account_id = any(:leads) and not is_history and planned_at is not null
"""
