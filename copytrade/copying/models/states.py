"""The closed sets that the rows of copying speak in."""

from enum import StrEnum


class OrderState(StrEnum):
    """Life of a copy order; the first four are live."""

    PLANNED = "planned"
    SENDING = "sending"
    UNKNOWN = "unknown"
    PLACED = "placed"
    """At the venue and not ended."""
    FILLED = "filled"
    ENDED = "ended"
    """Cancelled or expired at the venue, with or without a part filled."""
    REFUSED = "refused"
    LOST = "lost"
    """Proven never to have arrived."""
    DROPPED = "dropped"
    """Never sent."""


LIVE = (OrderState.PLANNED, OrderState.SENDING, OrderState.UNKNOWN, OrderState.PLACED)


class LegState(StrEnum):
    """Whether a leg still follows its lead."""

    FOLLOWING = "following"
    CLOSED = "closed"
    """Ended and flat."""
    KEPT = "kept"
    """Ended; what it held is the subscriber's own."""


class SwitchMode(StrEnum):
    """What an operator's or subscriber's switch lets through."""

    ON = "on"
    ENTRIES_OFF = "entries_off"
    HANDS_OFF = "hands_off"
    FLATTEN = "flatten"
    """No entries, and what is copied is closed."""


class SwitchScope(StrEnum):
    """How far a switch reaches."""

    PLATFORM = "platform"
    VENUE = "venue"
    TRADER = "trader"
    SUBSCRIBER = "subscriber"


class DriftKind(StrEnum):
    """In which way an account is not what its legs say."""

    LESS = "less"
    MORE = "more"
    LIQUIDATED = "liquidated"
    MODES = "modes"
    """Leverage, margin or position mode are not the lead's any more."""


class Resolution(StrEnum):
    """What told how an order ended whose outcome nobody knew."""

    ANSWER = "answer"
    """The venue's own answer, late."""
    LOOK_UP = "look_up"
    ORDER_LIST = "order_list"
    ABSENCE = "absence"
    """It was nowhere when it could no longer arrive."""
    LATE_FILL = "late_fill"
    """A fill showed up after it had been judged lost."""
    OPERATOR = "operator"
