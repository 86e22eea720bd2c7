"""Switches that hold copying back: read at send time, for the platform, a venue, a trader or a subscriber."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlmodel import Session

from copytrade.copying.models import SwitchMode, SwitchScope
from copytrade.copying.records import LegRecord
from copytrade.db.trips import Ask, Asking, answered

PLATFORM = "all"
"""`scope_id` of the platform's own switch."""
_STRICTEST = (SwitchMode.ON, SwitchMode.ENTRIES_OFF, SwitchMode.FLATTEN, SwitchMode.HANDS_OFF)


@dataclass(frozen=True, slots=True)
class Switches:
    """All switches that are not on."""

    modes: Mapping[tuple[str, str], SwitchMode]
    read_at: float = 0.0
    """By this process's own clock, before they were read."""

    def of(self, leg: LegRecord) -> SwitchMode:
        """Return the strictest mode that reaches a leg."""
        return self.strictest(leg.instrument.venue.value, profile_id=leg.profile_id, person_id=leg.subscriber_id)

    def strictest(self, venue: str, *, profile_id: UUID | None = None, person_id: UUID | None = None) -> SwitchMode:
        """Return the strictest mode for a venue and, where named, a profile and a person."""
        if not self.modes:
            return SwitchMode.ON
        places = (
            (SwitchScope.PLATFORM, PLATFORM),
            (SwitchScope.VENUE, venue),
            (SwitchScope.TRADER, str(profile_id)),
            (SwitchScope.SUBSCRIBER, str(person_id)),
        )
        return max((self.modes.get(place, SwitchMode.ON) for place in places), key=_STRICTEST.index)


def load(session: Session) -> Switches:
    """Return the switches as they stand now."""
    return answered(session, asking())


def asking() -> Asking[Switches]:
    """Ask for what `load` returns."""
    read_at = time.monotonic()
    [rows] = yield [Ask("SELECT scope, scope_id, mode FROM trades.copy_switches WHERE mode <> %(on)s", _ON)]
    return Switches({(scope, scope_id): SwitchMode(mode) for scope, scope_id, mode in rows}, read_at)


_ON = {"on": SwitchMode.ON.value}
