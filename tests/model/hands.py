"""What is done to accounts by hand, or by their venues: trades of his own, transfers, changed modes, liquidations."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from copytrade.copying.models import LegState
from copytrade.domain.instruments import PositionSide
from copytrade.domain.quantities import ZERO, sign
from copytrade.domain.sizing import DriftModes
from copytrade.domain.skips import SkipReason
from tests.model.chance import START, Place
from tests.model.service import COPY
from tests.model.world import World

NEXT_READINGS = timedelta(seconds=75)
"""By then two readings of the copy account have been held against its legs."""


@dataclass(slots=True)
class Hands:
    """Whoever touches the accounts of a world."""

    world: World
    unit: Decimal
    is_first: bool = True
    """Whether it is also them who act upon the whole subscription: only one of them does."""
    quiet_until: datetime = START
    touched_at: datetime = START - NEXT_READINGS
    """When the account was last touched: between two readings only one thing happens, or nobody could tell whose."""
    has_own_hand: bool = False
    """Whether the subscriber or the venue touched what was copied."""

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

    def wake(self) -> None:
        """Have the legs looked at, as whoever throws a switch does."""
        for service in self.world.service.shared.services:
            for leg in service.store.legs.values():
                if leg.state is LegState.FOLLOWING:
                    leg.due_at = self.world.now

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
        opening = [
            [part for part in leg.leg.parts if part.opens or part.unsized]
            for leg in self.world.service.store.legs.values()
        ]
        # Parts too small alone are entered together.
        return any(
            any(part.unsized for part in parts) or sum(abs(part.pending) for part in parts) >= step for parts in opening
        )

    def _sellable(self, side: PositionSide) -> Decimal:
        held, step = self.world.lead.held.get(side, ZERO), self.world.venue.rules.quantity_step
        return held // step * step if self.world.lead.place is Place.SPOT else held
