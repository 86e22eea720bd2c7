"""One run: a world made from a case, some minutes of trouble, a calm end, and the checks."""

from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal

from copytrade.domain.changes import ChangeKind, LeadChange
from copytrade.domain.instruments import PositionSide, Venue
from copytrade.domain.quantities import ONE, ZERO
from copytrade.domain.sizing import SizingMode, StartMode
from copytrade.exchanges.port import AccountRef
from tests.model import checks
from tests.model.broken import Broken
from tests.model.capture import Capture
from tests.model.chance import START, Case, chance_of, rules_of, settings_of
from tests.model.lead import Lead
from tests.model.people import People
from tests.model.service import COPY, LEAD, Equities, Service
from tests.model.venue import Venue as CopyVenue
from tests.model.world import World

CALM = timedelta(seconds=300)
"""As long as an execution may take to show up, a doubt to wait for it, two readings, and all attempts of an exit."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A run that broke an invariant."""

    case: Case
    what: str


def run(case: Case, *, trace: list[str] | None = None) -> Failure | None:
    """Run a case; return what broke, None where all held. What happens is told to `trace`."""
    world, people = _world(case)
    world.trace = trace
    try:
        world.begin()
        _joins(world)
        people.begin()
        length = world.chance.seconds(40, 160)
        world.run(until=START + length)
        people.calm_down()
        world.run(until=world.now + timedelta(seconds=3))
        if world.chance.rng.random() < 0.5:
            people.closes()
        world.run(until=world.now + CALM)
        checks.end(world, people)
    except Broken as error:
        return Failure(case, str(error))
    return None


def _world(case: Case) -> tuple[World, People]:
    chance = chance_of(case)
    rules, price = rules_of(chance, case.place)
    unit = max(Decimal(chance.rng.choice([20, 200, 2000])) / price // rules.quantity_step, ONE) * rules.quantity_step
    settings = settings_of(chance, case, unit=unit, price=price)
    lead = Lead(case.place, rules.symbol, chance, tells_position=chance.rng.random() < 0.5)
    if chance.rng.random() < 0.3:
        for side in lead.sides:
            way = -1 if side is PositionSide.SHORT else 1
            lead.held[side] = chance.quantity(0, 20, rules.quantity_step) * way
    lead.held_before = dict(lead.held)
    account = AccountRef(COPY, Venue.BINANCE, case.place.market, "sandbox")
    capture = Capture(lead, chance, LEAD)
    worth = unit * price * 10
    equities = Equities(copy=worth, lead=worth * chance.rng.choice([1, 3, 50]))
    service = Service(rules, chance, capture, settings, equities, account)
    if case.sizing is SizingMode.FIXED_PERCENT:
        service.settings = replace(settings, max_position_notional=settings.max_position_notional or worth)
    service.store.check = checks.step
    venue = CopyVenue(case.place, rules, chance, price)
    world = World(chance, lead, venue, capture, service)
    world.read_every = timedelta(seconds=chance.rng.choice([12, 60]))
    return world, People(world, unit, actions=chance.rng.randint(2, 16))


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
