"""When a look-up is due and when absence proves that an order never arrived (copy-engine, Never twice, 4). Pure."""

from datetime import datetime, timedelta

SCHEDULE_S = (0.5, 1, 2, 4, 8, 15, 30, 60, 300)
"""Pauses between the look-ups of one order; the last for ever."""
LOST_IS_WATCHED_S = (5, 15, 30, 60, 120, 300, 900, 3600, 21_600)
"""Pauses between the look-ups of an order that was judged lost; then none."""
PROVABLE_S = 15
"""The longest pause once absence would be a proof: a process that died with it must not cost the leg five minutes."""
SHORTEST = timedelta(seconds=1)
AFTER_PROOF = timedelta(milliseconds=100)


def proof_at(
    *, sent_at: datetime | None, lease_until: datetime | None, window: timedelta, lost_after: timedelta
) -> datetime | None:
    """Return from when on an order that is nowhere can no longer arrive; None while that cannot be told.

    It may arrive for `window` after the time it was signed with, or, where nobody recorded that, after its sender's
    lease; `lost_after` is how much later a venue may still show it.
    """
    sent = sent_at or lease_until
    return None if sent is None else sent + window + lost_after


def is_proof(*, until: datetime | None, real_now: datetime) -> bool:
    """Tell whether a search that found nothing now proves that the order is lost."""
    return until is not None and real_now >= until


def next_look_up(*, checks: int, is_lost: bool, until: datetime | None, real_now: datetime) -> datetime | None:
    """Return when to look again after the `checks`-th look; None: never."""
    if is_lost:
        pause = LOST_IS_WATCHED_S[checks] if checks < len(LOST_IS_WATCHED_S) else None
    else:
        pause = SCHEDULE_S[min(checks, len(SCHEDULE_S) - 1)]
    if pause is None:
        return None
    if is_proof(until=until, real_now=real_now):
        pause = min(pause, PROVABLE_S)
    next_at = real_now + max(timedelta(seconds=pause), SHORTEST)
    if until is not None and real_now < until < next_at:
        # As soon as absence is a proof the leg may go on: an entry ages meanwhile.
        return until + AFTER_PROOF
    return next_at
