"""The default order of the leaderboard: return for the risk taken, trusted the more the longer the record."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

MIN_AGE_DAYS = 30
MIN_CLOSED_POSITIONS = 10
RUIN = 0.95
"""A fall as deep as this is a blow-up: listed, never ranked."""
TRUST_DAYS = 90
"""A record this long counts for half of its Sharpe ratio; a much longer one for nearly all of it."""


class Unranked(StrEnum):
    """Why a trader has no rank."""

    TOO_YOUNG = "too_young"
    TOO_FEW_POSITIONS = "too_few_positions"
    UNRECONCILED = "unreconciled"
    BLOWN_UP = "blown_up"
    NO_RISK_SEEN = "no_risk_seen"


@dataclass(frozen=True, slots=True)
class Candidate:
    """What the order needs of a profile; `max_drawdown` over its whole record."""

    profile_id: UUID
    age_days: int
    closed_positions: int
    sharpe: float | None
    max_drawdown: float | None
    is_reconciled: bool


@dataclass(frozen=True, slots=True)
class Rank:
    """A place from 1 on and its score, or the reason why there is none."""

    profile_id: UUID
    place: int | None
    score: float | None
    reason: Unranked | None


def score(candidate: Candidate) -> float | None:
    """Return Sharpe × days / (days + 90) for a gain; a loss is not made smaller by a short record."""
    if candidate.sharpe is None:
        return None
    trust = candidate.age_days / (candidate.age_days + TRUST_DAYS)
    return candidate.sharpe * trust if candidate.sharpe > 0 else candidate.sharpe


def reason_unranked(candidate: Candidate) -> Unranked | None:
    """Return why a profile may not be ranked; None if it may."""
    if candidate.max_drawdown is not None and candidate.max_drawdown >= RUIN:
        return Unranked.BLOWN_UP
    if not candidate.is_reconciled:
        return Unranked.UNRECONCILED
    if candidate.age_days < MIN_AGE_DAYS:
        return Unranked.TOO_YOUNG
    if candidate.closed_positions < MIN_CLOSED_POSITIONS:
        return Unranked.TOO_FEW_POSITIONS
    return Unranked.NO_RISK_SEEN if candidate.sharpe is None else None


def rank(candidates: Sequence[Candidate]) -> list[Rank]:
    """Return all profiles: the ranked by score, then the others, oldest first and the blown-up last."""
    reasons = {candidate.profile_id: reason_unranked(candidate) for candidate in candidates}
    ranked = [candidate for candidate in candidates if reasons[candidate.profile_id] is None]
    ranked.sort(key=lambda candidate: (-(score(candidate) or 0.0), candidate.profile_id))
    others = [candidate for candidate in candidates if reasons[candidate.profile_id] is not None]
    others.sort(key=lambda each: (reasons[each.profile_id] is Unranked.BLOWN_UP, -each.age_days, each.profile_id))
    placed = [Rank(each.profile_id, place, score(each), None) for place, each in enumerate(ranked, start=1)]
    return placed + [Rank(each.profile_id, None, None, reasons[each.profile_id]) for each in others]
