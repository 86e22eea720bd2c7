"""One run: a world made from a case, some minutes of trouble, a calm end, and the checks."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from random import Random

from copytrade.domain.changes import ChangeKind, LeadChange
from copytrade.domain.instruments import MarketRules, PositionSide, Venue
from copytrade.domain.quantities import ONE, ZERO
from copytrade.domain.sizing import SizingMode, StartMode
from copytrade.exchanges.port import AccountRef
from tests.model import checks
from tests.model.broken import Broken
from tests.model.capture import Capture
from tests.model.chance import START, Case, Chance, Trouble, chance_of, rules_of, settings_of
from tests.model.lead import Lead
from tests.model.people import People
from tests.model.service import COPY, LEAD, Service
from tests.model.shared import Equities, Shared, Timeline
from tests.model.venue import Venue as CopyVenue
from tests.model.world import World

CALM = timedelta(seconds=300)
"""As long as an execution may take to show up, a doubt to wait for it, two readings, and all attempts of an exit."""
PAUSE = timedelta(seconds=15)


@dataclass(frozen=True, slots=True)
class Failure:
    """A run that broke an invariant."""

    case: Case
    what: str


def run(case: Case, *, trace: list[str] | None = None) -> Failure | None:
    """Run a case; return what broke, None where all held. What happens is told to `trace`."""
    all_people = _people(case)
    first = all_people[0].world
    timeline = first.timeline
    try:
        for people in all_people:
            people.world.trace = trace
            people.world.begin()
            _joins(people.world)
            people.begin()
        length = first.chance.seconds(40, 160)
        timeline.run(until=START + length)
        for people in all_people:
            people.calm_down()
        timeline.run(until=timeline.now + timedelta(seconds=3))
        if first.chance.rng.random() < 0.5:
            for people in all_people:
                people.closes()
        _come_to_rest(timeline, [people.world for people in all_people])
        for people in all_people:
            checks.end(people.world, people)
    except Broken as error:
        return Failure(case, str(error))
    return None


def _come_to_rest(timeline: Timeline, worlds: Sequence[World]) -> None:
    """Let time go by until nothing is to come any more."""
    end = timeline.now + CALM
    while timeline.now < end and not all(world.is_settled() for world in worlds):
        timeline.run(until=min(timeline.now + PAUSE, end))


def _people(case: Case) -> list[People]:
    """Make the world of each symbol that the lead trades."""
    chance = chance_of(case)
    rules, price = rules_of(chance, case.place)
    unit = max(Decimal(chance.rng.choice([20, 200, 2000])) / price // rules.quantity_step, ONE) * rules.quantity_step
    settings = settings_of(chance, case, unit=unit, price=price)
    lead = _lead(case, rules, chance)
    worth = unit * price * 10
    equities = Equities(copy=worth, lead=worth * chance.rng.choice([1, 3, 50]))
    if case.sizing is SizingMode.FIXED_PERCENT:
        settings = replace(settings, max_position_notional=settings.max_position_notional or worth)
    shared, timeline = Shared(settings, equities), Timeline()
    found = [_person(lead, rules, price=price, unit=unit, chance=chance, shared=shared, timeline=timeline)]
    if Trouble.TWO_SYMBOLS in chance.troubles:
        other = Chance(Random(f"{case}/second"), chance.troubles)
        rules, price = rules_of(other, case.place, base="ETH")
        unit = max(worth / 10 / price // rules.quantity_step, ONE) * rules.quantity_step
        lead = _lead(case, rules, other)
        found.append(_person(lead, rules, price=price, unit=unit, chance=other, shared=shared, timeline=timeline))
    return found


def _lead(case: Case, rules: MarketRules, chance: Chance) -> Lead:
    lead = Lead(case.place, rules.symbol, chance, tells_position=chance.rng.random() < 0.5)
    if chance.rng.random() < 0.3:
        for side in lead.sides:
            way = -1 if side is PositionSide.SHORT else 1
            lead.held[side] = chance.quantity(0, 20, rules.quantity_step) * way
    lead.held_before = dict(lead.held)
    return lead


def _person(
    lead: Lead,
    rules: MarketRules,
    *,
    price: Decimal,
    unit: Decimal,
    chance: Chance,
    shared: Shared,
    timeline: Timeline,
) -> People:
    account = AccountRef(COPY, Venue.BINANCE, lead.place.market, "sandbox")
    capture = Capture(lead, chance, LEAD)
    service = Service(rules, chance, capture, shared, account)
    service.store.check = checks.step
    shared.services.append(service)
    world = World(chance, lead, CopyVenue(lead.place, rules, chance, price), capture, service, timeline)
    world.read_every = timedelta(seconds=chance.rng.choice([12, 60]))
    return People(world, unit, actions=chance.rng.randint(2, 16), is_first=len(shared.services) == 1)


def _joins(world: World) -> None:
    """Join what the lead holds when the subscription starts, where it is set so."""
    if world.service.settings.start_mode is StartMode.NEW_ONLY:
        return
    changes = [
        LeadChange(
            fill_id=None,
            instrument=world.service.instrument(side),
            before=ZERO,
            after=held,
            price=world.venue.price,
            venue_time=START + timedelta(milliseconds=1),
            received_at=START,
            kind=ChangeKind.JOIN,
            order_share=ONE,
            lead_fill_quantity=abs(held),
        )
        for side, held in world.lead.held.items()
        if held
    ]
    if changes:
        world._act(world.service.plan_changes(changes, now=world.now))
