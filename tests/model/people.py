"""What the lead, the subscriber and the venue do of their own accord while a run lasts."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from copytrade.copying.models import LegState, SwitchMode, SwitchScope
from copytrade.copying.standing import Held
from copytrade.copying.switches import PLATFORM, Switches
from copytrade.domain.instruments import PositionSide
from copytrade.domain.quantities import ZERO, sign
from copytrade.domain.sizing import DriftModes, EndMode
from copytrade.domain.skips import SkipReason
from tests.model.chance import START, Place, Trouble
from tests.model.service import COPY
from tests.model.world import World

NEXT_READINGS = timedelta(seconds=75)
"""By then two readings of the copy account have been held against its legs."""
RARE = {
    Trouble.DEAF: (5, 60), Trouble.NO_POLL: (10, 80), Trouble.UNREPORTED: (10, 90), Trouble.HALT: (5, 80),
    Trouble.OWN_TRADES: (20, 60), Trouble.LIQUIDATION: (20, 120), Trouble.SWITCHES: (3, 60), Trouble.PAUSES: (3, 60),
    Trouble.SETTINGS: (5, 60), Trouble.END: (20, 120), Trouble.STOPS: (5, 100), Trouble.TRANSFERS: (2, 60),
    Trouble.MEDDLING: (2, 40), Trouble.MODES: (2, 60),
}  # fmt: skip
"""Between which seconds such a thing happens, and again after it did."""
OF_ALL = {Trouble.SWITCHES, Trouble.PAUSES, Trouble.SETTINGS, Trouble.END, Trouble.STOPS}
"""What befalls the whole subscription, whatever it copies."""


@dataclass(slots=True)
class People:
    """Whoever acts upon a world."""

    world: World
    unit: Decimal
    actions: int
    is_first: bool = True
    """Whether it is also them who act upon the whole subscription: only one of them does."""
    quiet_until: datetime = START
    touched_at: datetime = START - NEXT_READINGS
    """When the account was last touched: between two readings only one thing happens, or nobody could tell whose."""
    has_moved_unseen: bool = False
    """Whether the lead's position moved without any fill that tells of it."""
    has_own_hand: bool = False
    """Whether the subscriber or the venue touched what was copied."""

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

    def _sellable(self, side: PositionSide) -> Decimal:
        held, step = self.world.lead.held.get(side, ZERO), self.world.venue.rules.quantity_step
        return held // step * step if self.world.lead.place is Place.SPOT else held

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

    def trades_himself(self) -> None:
        """The subscriber trades in the account, while the leg rests."""
        world, rng = self.world, self.world.chance.rng
        world.soon(self.trades_himself, least=90, most=200)
        side = rng.choice(list(world.lead.sides))
        if not self.is_at_rest() or self._is_entering() or world.now < self.touched_at + NEXT_READINGS:
            return
        quantity = self._by_hand(side)
        if quantity:
            self.has_own_hand, self.touched_at = True, world.now
            world.venue.trade_himself(side, quantity, now=world.now)
            if world.lead.place is Place.ONE_WAY:
                # What he opens is seen at the next readings, not before: until then an entry may meet it.
                self.quiet_until = world.now + NEXT_READINGS
            world.say("himself", side.value, quantity, world.venue.held, world.venue.own)

    def _by_hand(self, side: PositionSide) -> Decimal:
        world, rng = self.world, self.world.chance.rng
        held, step = world.venue.held.get(side, ZERO), world.venue.rules.quantity_step
        quantity = rng.randint(1, 30) * self.unit / 20 // step * step * rng.choice([1, -1])
        is_beyond = sign(held + quantity) * (-1 if side is PositionSide.SHORT else 1) < 0
        return -held // step * step if world.lead.place is not Place.ONE_WAY and is_beyond else quantity

    def meddles(self) -> None:
        """The subscriber trades in the account whatever goes on there."""
        world, rng = self.world, self.world.chance.rng
        world.soon(self.meddles, least=0.5, most=30)
        side = rng.choice(list(world.lead.sides))
        quantity = self._by_hand(side)
        if quantity:
            self.has_own_hand = world.venue.is_meddled = True
            world.venue.trade_himself(side, quantity, now=world.now)
            world.say("meddles", side.value, quantity, world.venue.held)

    def changes_modes(self) -> None:
        """The subscriber changes modes by hand, and a look at them tells; later he sets them back."""
        service, symbol = self.world.service, self.world.venue.rules.symbol
        ready = service.ready.get((COPY, symbol))
        if ready is not None and self.world.lead.place is not Place.SPOT:
            if ready.hold is None and service.settings.drift_modes is DriftModes.RESET:
                del service.ready[COPY, symbol]
            else:
                hold = None if ready.hold else SkipReason.MODES_CHANGED
                service.ready[COPY, symbol] = replace(ready, hold=hold)
            self.wake()
        self.world.soon(self.changes_modes, least=5, most=40)

    def transfers(self) -> None:
        """Money or coins come into an account or leave it."""
        world = self.world
        kinds = [self._lead_pays, self._subscriber_pays] if self.is_first else []
        if world.lead.place is Place.SPOT:
            kinds += [self._lead_moves_coins, self._subscriber_moves_coins]
        if kinds:
            world.chance.rng.choice(kinds)()
        world.soon(self.transfers, least=2, most=40)

    def _lead_pays(self) -> None:
        equities, rng = self.world.service.equities, self.world.chance.rng
        equities.true_lead = equities.true_lead * Decimal(rng.choice(["0.05", "0.3", "3", "20"]))
        self.world.say("lead is worth", equities.true_lead)
        # A transfer that is told is read at once, else the next reading is up to half a minute away.
        self.world.soon(self.world.read_lead_equity, least=0.1, most=30)

    def _subscriber_pays(self) -> None:
        equities, rng = self.world.service.equities, self.world.chance.rng
        equities.true_copy = equities.true_copy * Decimal(rng.choice(["0.3", "0.7", "3"]))
        self.world.soon(self.world.read_copy_equity, least=0.1, most=60)

    def _lead_moves_coins(self) -> None:
        world, side = self.world, PositionSide.NET
        rng, step, held = world.chance.rng, world.venue.rules.quantity_step, self._sellable(side)
        change = rng.randint(1, 40) * self.unit / 20 // step * step
        if rng.random() < 0.6:
            change = -held if rng.random() < 0.3 else -min(change, held)
        if change:
            world.lead.transfer(side, change, now=world.now)
            world.say("lead transfers", change, world.lead.held)

    def _subscriber_moves_coins(self) -> None:
        world, side = self.world, PositionSide.NET
        rng, step, held = world.chance.rng, world.venue.rules.quantity_step, world.venue.held.get(side, ZERO)
        is_free = self.is_at_rest() and not self._is_entering() and world.now >= self.touched_at + NEXT_READINGS
        change = rng.randint(1, 30) * self.unit / 20 // step * step
        if rng.random() < 0.5:
            change = -min(change, held // step * step)
        # What comes in touches nothing that is copied; but between two readings only one thing can be told.
        if not change or not (is_free or (change > 0 and not self.has_own_hand)):
            return
        self.has_own_hand, self.touched_at = True, world.now
        world.venue.trade_himself(side, change, now=world.now)
        world.say("subscriber transfers", change, world.venue.held, world.venue.own)

    def liquidated(self) -> None:
        """The venue closes the copy account's positions."""
        world = self.world
        if world.lead.place is Place.SPOT or not self.is_at_rest() or world.now < self.touched_at + NEXT_READINGS:
            world.soon(self.liquidated, least=2, most=10)
            return
        self.has_own_hand, self.touched_at = True, world.now
        world.venue.liquidate(now=world.now)
        world.say("liquidated")

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

    def wake(self) -> None:
        """Have the legs looked at, as whoever throws a switch does."""
        for service in self.world.service.shared.services:
            for leg in service.store.legs.values():
                if leg.state is LegState.FOLLOWING:
                    leg.due_at = self.world.now

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

    def is_at_rest(self) -> bool:
        """Tell whether nothing of ours moves at the venue or may still turn up."""
        world = self.world
        booked = all(
            (row := world.service.store.orders.get(order_id)) is not None and row.filled == abs(execution.signed)
            for order_id, execution in world.venue.executions.items()
        )
        legs = [leg for leg in world.service.store.legs.values() if leg.state is LegState.FOLLOWING]
        quiet = all(
            leg.last_order_ended_at is None or world.now - leg.last_order_ended_at > timedelta(seconds=20)
            for leg in legs
        )
        told = world.capture.unplanned or len(world.capture.stored) < sum(fill.is_reported for fill in world.lead.fills)
        known = all(leg.leg.held == world.venue.ours(leg.instrument.position_side) for leg in legs)
        return booked and quiet and known and not told and not world.service.live() and not world.service.store.checks

    def _is_entering(self) -> bool:
        """Tell whether something may still be opened without the lead's doing."""
        step = self.world.venue.rules.quantity_step
        legs = self.world.service.store.legs.values()
        return any(part.unsized or (part.opens and abs(part.pending) >= step) for leg in legs for part in leg.leg.parts)

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
