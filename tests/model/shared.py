"""What all symbols of one subscription have in common, and the one time in which everything happens."""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from copytrade.copying.standing import Held
from copytrade.copying.switches import Switches
from copytrade.domain.quantities import ZERO
from copytrade.domain.sizing import CopySettings
from tests.model.chance import START

if TYPE_CHECKING:
    from tests.model.service import Service


@dataclass(slots=True)
class Equities:
    """What both accounts were worth when they were read, and are worth now."""

    copy: Decimal
    lead: Decimal
    true_copy: Decimal = ZERO
    true_lead: Decimal = ZERO
    asked: datetime | None = None
    """When the lead's was asked for, since it did not explain a fill."""

    def __post_init__(self) -> None:
        self.true_copy, self.true_lead = self.copy, self.lead


@dataclass(slots=True)
class Shared:
    """The subscription, whatever is copied under it."""

    settings: CopySettings
    equities: Equities
    switches: Switches = field(default_factory=lambda: Switches({}))
    held: Held | None = None
    """What holds the subscription back: a loss that was reached, a lead that is silent."""
    may_enter: bool = True
    is_gone: bool = False
    """Ended and not following exits: nothing is planned any more."""
    services: list["Service"] = field(default_factory=list)


@dataclass(slots=True)
class Timeline:
    """Virtual time and the events that are to come."""

    now: datetime = START
    events: list[tuple[datetime, int, Callable[..., None], tuple[Any, ...]]] = field(default_factory=list)
    count: int = 0

    def later(self, pause: timedelta, work: Callable[..., None], facts: tuple[Any, ...]) -> None:
        """Have something happen after a pause."""
        self.count += 1
        heapq.heappush(self.events, (self.now + pause, self.count, work, facts))

    def run(self, *, until: datetime) -> None:
        """Let time go by."""
        while self.events and self.events[0][0] <= until:
            self.now, _, work, facts = heapq.heappop(self.events)
            work(*facts)
        self.now = until

    def forget(self, whose: object) -> None:
        """Have nothing happen any more that somebody had in mind."""
        self.events = [event for event in self.events if getattr(event[2], "__self__", None) is not whose]
        heapq.heapify(self.events)
