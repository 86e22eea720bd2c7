"""Where a subscription stands, and what becomes of its positions in the end."""

from enum import StrEnum


class State(StrEnum):
    """Where a subscription stands; `past_due` is active with a payment that failed."""

    INCOMPLETE = "incomplete"
    ACTIVE = "active"
    PAST_DUE = "past_due"
    ENDED = "ended"


class EndMode(StrEnum):
    """What becomes of the copied positions when a subscription ends."""

    CLOSE = "close"
    KEEP = "keep"
    FOLLOW_EXITS = "follow_exits"


LIVE = (State.ACTIVE, State.PAST_DUE)
OPEN = (State.INCOMPLETE, *LIVE)
