"""Whom a lead's changes concern and in which order they are served: paper after money, a new first one each time."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from copytrade.copying.records import Place
from copytrade.domain.changes import LeadChange
from copytrade.domain.fairness import rotated
from copytrade.subscriptions.rows import ActiveSubscription

At = tuple[str, str]
"""Symbol and position side."""
Group = tuple[list[UUID], list[UUID]]
"""Subscriptions that copy with money and those on paper, each in the order of their ids."""


@dataclass(frozen=True, slots=True)
class Serving:
    """Whom changes of each instrument concern."""

    lead_account_id: UUID
    concerned: Mapping[At, Group]

    @property
    def size(self) -> int:
        """Return how many the instrument that concerns most of them concerns."""
        return max(sum(map(len, groups)) for groups in self.concerned.values())

    def places(self, change: LeadChange) -> dict[UUID, Place]:
        """Return the place of each subscription that a change concerns, the first one first."""
        at = change.instrument
        groups = self.concerned[at.symbol, at.position_side.value]
        seed = f"{self.lead_account_id}:{at.symbol}:{at.position_side}"
        left, places = sum(map(len, groups)), dict[UUID, Place]()
        for group in groups:
            for rank, subscription_id in enumerate(rotated(group, turn=change.turn, seed=seed), start=1):
                left -= 1
                places[subscription_id] = Place(rank, len(group), left)
        return places


def serving(
    lead_account_id: UUID,
    changes: Sequence[LeadChange],
    copies: Sequence[ActiveSubscription],
    *,
    legs: Collection[tuple[UUID, str, str]],
) -> Serving:
    """Return whom these changes concern: who has a leg (`legs`: subscription, symbol, side), or may begin one."""
    newest = {(one.instrument.symbol, one.instrument.position_side.value): one.venue_time for one in changes}
    for one in changes:
        at = one.instrument.symbol, one.instrument.position_side.value
        newest[at] = max(newest[at], one.venue_time)
    concerned = dict[At, Group]()
    for at, venue_time in newest.items():
        groups: Group = ([], [])
        for copy in copies:
            if (copy.id, *at) in legs or (copy.may_enter and venue_time > copy.started_at):
                groups[copy.is_paper].append(copy.id)
        concerned[at] = groups
    return Serving(lead_account_id, concerned)


def in_turn(serving: Serving, changes: Sequence[LeadChange]) -> list[UUID]:
    """Return all whom any of these changes concerns, in the order of the first one that does."""
    order = dict[UUID, None]()
    for change in changes:
        order |= dict.fromkeys(serving.places(change))
    return list(order)
