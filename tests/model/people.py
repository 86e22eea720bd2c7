"""What the lead, the subscriber and the venue do of their own accord while a run lasts."""

from dataclasses import dataclass, replace
from decimal import Decimal

from copytrade.copying.models import SwitchMode, SwitchScope
from copytrade.copying.standing import Held
from copytrade.copying.switches import PLATFORM, Switches
from copytrade.domain.instruments import PositionSide
from copytrade.domain.quantities import ZERO, sign
from copytrade.domain.sizing import EndMode
from copytrade.domain.skips import SkipReason
from tests.model.chance import Place, Trouble
from tests.model.hands import Hands
from tests.model.service import COPY

RARE = {
    Trouble.DEAF: (5, 60), Trouble.NO_POLL: (10, 80), Trouble.UNREPORTED: (10, 90), Trouble.HALT: (5, 80),
    Trouble.OWN_TRADES: (20, 60), Trouble.LIQUIDATION: (20, 120), Trouble.SWITCHES: (3, 60), Trouble.PAUSES: (3, 60),
    Trouble.SETTINGS: (5, 60), Trouble.END: (20, 120), Trouble.STOPS: (5, 100), Trouble.TRANSFERS: (2, 60),
    Trouble.MEDDLING: (2, 40), Trouble.MODES: (2, 60),
}  # fmt: skip
"""Between which seconds such a thing happens, and again after it did."""
OF_ALL = {Trouble.SWITCHES, Trouble.PAUSES, Trouble.SETTINGS, Trouble.END, Trouble.STOPS}
"""What befalls the whole subscription, whatever it copies."""


@dataclass(slots=True, kw_only=True)
class People(Hands):
    """Whoever acts upon a world."""

    actions: int
    has_moved_unseen: bool = False
    """Whether the lead's position moved without any fill that tells of it."""

    def begin(self) -> None:
        """Have things happen."""
        world = self.world
        world.soon(self.lead_acts, least=0.5, most=8)
        world.soon(self.market_moves, least=0.5, most=4)
        acts = {
            Trouble.DEAF: self.stream_breaks, Trouble.NO_POLL: self.polls_fail, Trouble.UNREPORTED: self.vanishes,
            Trouble.HALT: self.halts, Trouble.OWN_TRADES: self.trades_himself, Trouble.LIQUIDATION: self.liquidated,
            Trouble.SWITCHES: self.switches, Trouble.PAUSES: self.pauses, Trouble.SETTINGS: self.changes_settings,
            Trouble.END: self.ends, Trouble.STOPS: self.stops,
            Trouble.TRANSFERS: self.transfers,
            Trouble.MEDDLING: self.meddles, Trouble.MODES: self.changes_modes,
        }  # fmt: skip
        for trouble, act in acts.items():
            if trouble in world.chance.troubles and (self.is_first or trouble not in OF_ALL):
                least, most = RARE[trouble]
                world.soon(act, least=least, most=most)

    def lead_acts(self) -> None:
        """The lead buys, sells, closes or turns round."""
        world, rng = self.world, self.world.chance.rng
        if self.actions <= 0:
            return
        if world.now < self.quiet_until:
            world.later(self.quiet_until - world.now, self.lead_acts)
            return
        if not world.venue.is_meddled and self._is_own_untold():
            world.soon(self.lead_acts, least=5, most=6)
            return
        self.actions -= 1
        side = rng.choice(list(world.lead.sides))
        self._trade(side, self._quantity(side))
        pause = rng.choice([(2.5, 4), (2.5, 4), (3, 20), (20, 70)])
        world.soon(self.lead_acts, least=pause[0], most=pause[1])

    def _is_own_untold(self) -> bool:
        """Tell whether he did something that is not adopted yet, or that an entry in one-way mode may meet."""
        if self.has_own_hand and any(leg.drift_reading is not None for leg in self.world.service.store.legs.values()):
            return True
        ready = self.world.service.ready.get((COPY, self.world.venue.rules.symbol))
        own = self.world.venue.own.get(PositionSide.NET, ZERO)
        return self.world.lead.place is Place.ONE_WAY and ready is not None and ready.own != sign(own)

    def closes(self) -> None:
        """The lead goes home."""
        for side in self.world.lead.sides:
            if self.world.lead.held.get(side):
                self._trade(side, -self._sellable(side))

    def _trade(self, side: PositionSide, signed: Decimal) -> None:
        world = self.world
        if not signed:
            return
        fills = world.lead.order(
            side, signed, price=world.venue.price, now=world.now, step=world.venue.rules.quantity_step
        )
        world.say("lead", side.value, [str(fill.signed) for fill in fills])
        for fill in fills:
            world.later(fill.at - world.now, world.stream, fill)

    def _quantity(self, side: PositionSide) -> Decimal:
        rng, held = self.world.chance.rng, self.world.lead.held.get(side, ZERO)
        step = self.world.venue.rules.quantity_step
        quantity = max(rng.randint(1, 40) * self.unit / 20 // step * step, step)
        if self.world.lead.place is Place.ONE_WAY:
            kind = rng.random()
            if held and kind < 0.15:
                return -held
            if held and kind < 0.3:
                return -held - quantity * sign(held)
            return quantity if rng.random() < 0.5 else -quantity
        way = -1 if side is PositionSide.SHORT else 1
        if not held or rng.random() < 0.5:
            return quantity * way
        there = self._sellable(side)
        return -there if rng.random() < 0.3 else -min(quantity, abs(there)) * way

    def market_moves(self) -> None:
        """The price walks, or jumps."""
        world, rng = self.world, self.world.chance.rng
        by = Decimal(rng.randint(-20, 20)) / 10000
        if world.chance.strikes(Trouble.WILD):
            by *= 20
        tick = world.venue.rules.price_tick
        world.venue.price = (world.venue.price * (1 + by) // tick) * tick
        world.soon(self.market_moves, least=1, most=15)

    def stream_breaks(self) -> None:
        world = self.world
        world.capture.cut(until=world.now + world.chance.seconds(1, 20), now=world.now)
        world.soon(self.stream_breaks, least=20, most=90)

    def polls_fail(self) -> None:
        world = self.world
        world.no_poll_until = world.now + world.chance.seconds(5, 40)
        world.soon(self.polls_fail, least=50, most=120)

    def vanishes(self) -> None:
        """The lead is liquidated in part, or gets a position from nowhere, and nothing ever tells of it."""
        world, rng = self.world, self.world.chance.rng
        if world.lead.place is Place.SPOT or self.actions <= 0:
            return
        side = rng.choice(list(world.lead.sides))
        held, step = world.lead.held.get(side, ZERO), world.venue.rules.quantity_step
        part = rng.randint(0, int(abs(held) / step)) * step * (sign(held) or 1)
        if part:
            self.has_moved_unseen = True
            world.lead.vanish(side, part if rng.random() < 0.3 else -part, price=world.venue.price, now=world.now)
            world.say("vanishes", side.value, part)

    def halts(self) -> None:
        world = self.world
        world.venue.halted_until = world.now + world.chance.seconds(2, 80)

    def switches(self) -> None:
        """An operator throws a switch, and back."""
        world, rng = self.world, self.world.chance.rng
        mode = rng.choice(list(SwitchMode))
        modes = {} if mode is SwitchMode.ON else {(SwitchScope.PLATFORM.value, PLATFORM): mode}
        world.service.shared.switches = Switches(modes)
        self.wake()
        world.soon(self.switches, least=3, most=40)

    def stops(self) -> None:
        """A loss is reached or the lead falls silent, and some time later entries go on."""
        service, rng = self.world.service, self.world.chance.rng
        reason = rng.choice([SkipReason.DAILY_LOSS, SkipReason.DRAWDOWN, SkipReason.SILENT])
        service.shared.held = None if service.shared.held else Held(reason, rng.random() < 0.4)
        self.wake()
        self.world.soon(self.stops, least=5, most=40)

    def pauses(self) -> None:
        world = self.world
        world.service.shared.settings = replace(world.service.settings, is_paused=not world.service.settings.is_paused)
        world.soon(self.pauses, least=3, most=40)

    def changes_settings(self) -> None:
        """The subscriber changes how he copies; it counts for openings from then on."""
        world, rng = self.world, self.world.chance.rng
        factor = world.service.settings.factor * rng.choice([Decimal(2), Decimal("0.5")])
        age = rng.choice([20, 60])
        world.service.shared.settings = replace(world.service.settings, factor=factor, max_entry_age_s=age)
        world.soon(self.changes_settings, least=10, most=60)

    def ends(self) -> None:
        """The subscription ends."""
        service = self.world.service
        service.shared.may_enter = False
        service.shared.is_gone = service.settings.end_mode is not EndMode.FOLLOW_EXITS
        self.world.say("ends", service.settings.end_mode.value)

    def calm_down(self) -> None:
        """From now on nothing goes wrong any more, and what was held up goes on."""
        world = self.world
        world.chance.is_calm = True
        self.actions = 0
        world.timeline.forget(self)
        world.venue.halted_until = world.no_poll_until = None
        world.service.shared.switches, world.service.shared.held = Switches({}), None
        self.wake()
        world.service.shared.settings = replace(world.service.settings, is_paused=False)
        for leg in world.service.store.legs.values():
            leg.is_halted = False
        for at, ready in world.service.ready.items():
            world.service.ready[at] = replace(ready, hold=None)
