"""Where a subscription stands, and what becomes of its positions in the end."""

from enum import StrEnum

from copytrade.domain.billing import LIVE, MAY_ENTER, OPEN, State

__all__ = ["LIVE", "MAY_ENTER", "OPEN", "EndMode", "State"]


class EndMode(StrEnum):
    """What becomes of the copied positions when a subscription ends."""

    CLOSE = "close"
    KEEP = "keep"
    FOLLOW_EXITS = "follow_exits"
