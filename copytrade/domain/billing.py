"""Where a subscription stands, by one table: what is known of its payments decides, never the order of the news."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class State(StrEnum):
    """Where a subscription stands."""

    INCOMPLETE = "incomplete"
    TRIALING = "trialing"
    ACTIVE = "active"
    PAST_DUE = "past_due"
    """A renewal was not paid, and the days of grace run: copying goes on."""
    UNPAID = "unpaid"
    """The grace is over: exits are followed, nothing is opened."""
    PAUSED = "paused"
    """Stripe collects nothing for a while: exits are followed, nothing is opened."""
    DISPUTED = "disputed"
    """The payer's bank holds the money: exits are followed, nothing is opened."""
    CANCELED = "canceled"


class Happening(StrEnum):
    """What the facts of a subscription amount to, or what somebody did with it."""

    TRIAL_STARTED = "trial_started"
    PAID = "paid"
    PAYMENT_FAILED = "payment_failed"
    GRACE_OVER = "grace_over"
    PAUSED = "paused"
    DISPUTED = "disputed"
    DISPUTE_LOST = "dispute_lost"
    REFUNDED = "refunded"
    PERIOD_OVER = "period_over"
    """The paid time of one that is not renewed has passed."""
    GIVEN_UP = "given_up"
    """It stayed unpaid for too long, or Stripe tries no more."""
    STOPPED = "stopped"
    """Its subscriber ended it at once."""
    TRADER_GONE = "trader_gone"
    """Its trader takes no subscribers any more, and what was paid for the rest goes back."""
    REPLACED = "replaced"
    """Another goes on in its place, onto another copy account or at another price."""
    FORGOTTEN = "forgotten"
    """It was never paid."""


_BEGUN = (State.TRIALING, State.ACTIVE, State.PAST_DUE, State.UNPAID, State.PAUSED, State.DISPUTED)
_OPEN = (State.INCOMPLETE, *_BEGUN)

# A happening says how things are, not what changed: from wherever the last news left us, the same facts lead to the
# same state. That is what makes every order of arrival, and every loss on the way, end alike.
TRANSITIONS: Mapping[tuple[State, Happening], State] = {
    **{(state, Happening.TRIAL_STARTED): State.TRIALING for state in _OPEN},
    **{(state, Happening.PAID): State.ACTIVE for state in _OPEN},
    **{(state, Happening.PAYMENT_FAILED): State.PAST_DUE for state in _OPEN},
    **{(state, Happening.GRACE_OVER): State.UNPAID for state in _OPEN},
    **{(state, Happening.PAUSED): State.PAUSED for state in _OPEN},
    **{(state, Happening.DISPUTED): State.DISPUTED for state in _OPEN},
    **{(state, Happening.DISPUTE_LOST): State.CANCELED for state in _OPEN},
    **{(state, Happening.REFUNDED): State.CANCELED for state in _OPEN},
    **{(state, Happening.PERIOD_OVER): State.CANCELED for state in _OPEN},
    **{(state, Happening.GIVEN_UP): State.CANCELED for state in _OPEN},
    **{(state, Happening.STOPPED): State.CANCELED for state in _OPEN},
    **{(state, Happening.TRADER_GONE): State.CANCELED for state in _OPEN},
    **{(state, Happening.REPLACED): State.CANCELED for state in _OPEN},
    (State.INCOMPLETE, Happening.FORGOTTEN): State.CANCELED,
}
MAY_ENTER = (State.TRIALING, State.ACTIVE, State.PAST_DUE)
"""New positions are copied in these, until the time of access is over."""
LIVE = _BEGUN
"""It has begun and has not ended: entered or, at the least, exits followed."""
OPEN = _OPEN


def after(state: State, happening: Happening) -> State:
    """Return where a happening leads; the same state where it leads nowhere."""
    return TRANSITIONS.get((state, happening), state)


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a subscription's payments, all at one moment."""

    created_at: datetime
    paid_until: datetime | None = None
    """End of the last paid period or of the trial, the later one; None before either."""
    is_trial: bool = False
    is_late: bool = False
    """A renewal is open and could not be charged."""
    has_given_up: bool = False
    """Stripe tries to charge that renewal no more."""
    is_ending: bool = False
    """Nothing is renewed at the end of the paid time."""
    is_gone: bool = False
    """Stripe has ended it."""
    is_paused: bool = False
    is_disputed: bool = False
    is_lost: bool = False
    """A bank took the money of the running period back for good."""
    is_refunded: bool = False
    """All that was paid for the running period went back."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long we wait for money."""

    grace: timedelta
    unpaid: timedelta
    """After the grace, until it ends."""
    incomplete: timedelta = timedelta(hours=48)
    """For a first payment; a payment page lives for 24 hours."""


def happening(facts: Facts, *, now: datetime, patience: Patience) -> Happening | None:
    """Return what the facts amount to at a moment; None where there is nothing to tell yet."""
    if facts.is_lost:
        return Happening.DISPUTE_LOST
    if facts.is_refunded:
        return Happening.REFUNDED
    if facts.paid_until is None:
        is_over = facts.is_gone or now >= facts.created_at + patience.incomplete
        return Happening.FORGOTTEN if is_over else None
    is_ending = facts.is_ending or facts.is_gone
    if is_ending and now >= facts.paid_until:
        return Happening.PERIOD_OVER
    if facts.is_disputed:
        return Happening.DISPUTED
    if facts.is_paused:
        return Happening.PAUSED
    return _of_payment(facts, facts.paid_until, now=now, patience=patience)


def _of_payment(facts: Facts, paid_until: datetime, *, now: datetime, patience: Patience) -> Happening:
    if now >= paid_until + patience.grace:
        is_given_up = facts.has_given_up or now >= paid_until + patience.grace + patience.unpaid
        return Happening.GIVEN_UP if is_given_up else Happening.GRACE_OVER
    if facts.is_late:
        return Happening.PAYMENT_FAILED
    return Happening.TRIAL_STARTED if facts.is_trial else Happening.PAID


def access_ends(paid_until: datetime, *, grace: timedelta, is_ending: bool) -> datetime:
    """Return until when new positions are copied: the paid time, and the grace for a payment that is late."""
    return paid_until if is_ending else paid_until + grace
