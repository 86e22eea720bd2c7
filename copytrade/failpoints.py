"""Labelled places at which a process of a test installation kills itself, to prove that the next one goes on.

Nothing happens unless `COPYTRADE_FAILPOINTS` is set, which production refuses. Then a file `var/failpoints/LABEL` that
holds a number n arms a label: whoever reaches it takes the file, exactly one process, and dies at its n-th time.
"""

import os
import signal
from contextlib import suppress
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

from copytrade.settings import settings

FOLDER = "failpoints"


class Label(StrEnum):
    """Where a process may die."""

    STREAM_HEARD = "capture.stream.heard"
    """Messages of a private stream were taken from the queue and are not stored."""
    STREAM_STORED = "capture.stream.before_commit"
    """They are written, not committed."""
    STREAM_COMMITTED = "capture.stream.after_commit"
    """They are committed; the stream process goes with whatever lies in its queue."""
    POLL_READ = "capture.poll.read"
    """A page of fills was read and is not stored."""
    POLL_STORED = "capture.poll.before_commit"
    """The page and the cursor behind it are written, not committed."""
    POLL_COMMITTED = "capture.poll.after_commit"
    """The page is committed; what is left of the poll is not done."""
    READING_HELD = "capture.reading.before_commit"
    """A reading of positions was held against P (the baseline included), not committed."""
    PLAN_LOCKED = "plan.locked"
    """The changes are known and the legs locked; nothing is written."""
    PLAN_WRITTEN = "plan.before_commit"
    """All legs of the changes and the marks on the fills are written, not committed."""
    PLAN_COMMITTED = "plan.after_commit"
    """The plan is committed; nobody was woken by this process."""
    CLAIM_WRITTEN = "claim.before_commit"
    """Orders are written as `sending`, not committed."""
    CLAIM_COMMITTED = "claim.after_commit"
    """Orders are `sending` in the database and none of them has left."""
    SEND_READY = "send.before_request"
    """One order is about to leave; others of its batch may have."""
    SEND_ANSWERED = "send.after_answer"
    """The venue's answer came and nobody was told."""
    RECORD_WRITTEN = "record.before_commit"
    """Outcomes are booked to their legs, not committed."""
    RECORD_COMMITTED = "record.after_commit"
    """Outcomes are committed; the legs were not looked at again."""
    RESOLVE_CLAIMED = "resolve.claimed"
    """Orders that nobody knows of are claimed for a look-up that was not made."""
    RESOLVE_FOUND = "resolve.found"
    """The venue told what became of them; it is not written."""
    RECONCILE_READ = "reconcile.read"
    """A copy account was read and not compared."""
    RECONCILE_COMPARED = "reconcile.before_commit"
    """A drift was noted or adopted, not committed."""
    RECONCILE_COMMITTED = "reconcile.after_commit"
    """It is committed; orders of ours that may be behind it were not looked for."""
    PREPARE_SET = "prepare.set"
    """Leverage and modes of an account were set at the venue; it is not written."""
    START_JUDGED = "start.before_commit"
    """Positions that the lead held at the start were joined, not committed."""
    ENDING_STEPPED = "ending.before_commit"
    """Legs of an ended subscription were moved towards their end, not committed."""
    GUARD_JUDGED = "guard.before_commit"
    """Losses were held against their limits, stops that were reached are written, not committed."""
    SILENCE_BEGUN = "silence.before_commit"
    """Leads who fell silent are noted and their subscribers told, not committed."""
    SILENCE_PROTECTED = "silence.protected.before_commit"
    """Prices of a silence are kept, copies that it hurt are closed, not committed."""
    DRIFT_NOTED = "drift.noted"
    """A drift stands in the subscriber's history, his leg is not saved."""
    PAPER_ISSUED = "paper.issued"
    """The paper exchange gave an account its key, which is not kept."""
    PAYOUT_PLANNED = "payout.plan.before_commit"
    """A payout with its lines and its booking is written, not committed."""
    PAYOUT_COMMITTED = "payout.plan.after_commit"
    """It is committed; Stripe knows nothing of it."""
    PAYOUT_CLAIMED = "payout.claimed"
    """It is this process's to send, and Stripe was not asked."""
    PAYOUT_ASKED = "payout.asked"
    """Stripe has no transfer for it, and none was requested."""
    PAYOUT_MOVED = "payout.moved"
    """Stripe moved the money, and nobody was told."""
    PAYOUT_SENT = "payout.sent.before_commit"
    """It is written as sent, not committed."""
    PAYOUT_TOLD = "payout.sent.after_commit"
    """It is committed; others are still to be sent."""
    REVERSAL_ASKED = "reversal.asked"
    """Stripe has not reversed what is to be taken back, and was not asked to."""
    REVERSAL_DONE = "reversal.done"
    """Stripe reversed it, and nobody was told."""
    REVERSAL_WRITTEN = "reversal.before_commit"
    """It is booked, not committed."""


OF_MONEY = frozenset(label for label in Label if label.startswith(("payout.", "reversal.")))
"""Reached by payouts, not by trades."""

_counting: dict[Label, int] = {}
"""What this process took: how often it may still reach a label before it dies."""


@lru_cache(maxsize=1)
def folder() -> Path | None:
    """Return where labels are armed; None where failpoints are off."""
    return settings().var / FOLDER if settings().failpoints else None


def arm(label: Label, *, var: Path, times: int = 1) -> None:
    """Have the process of the installation at `var` that reaches `label` die at its n-th time."""
    where = var / FOLDER
    where.mkdir(parents=True, exist_ok=True)
    fresh = where / f"{label}.new"
    fresh.write_text(str(times))
    fresh.rename(where / label)


def disarm(*, var: Path) -> None:
    """Take away what is armed and not yet taken, and the traces of what was taken."""
    for file in (var / FOLDER).glob("*"):
        file.unlink(missing_ok=True)


def armed(*, var: Path) -> set[Label]:
    """Return the labels that nobody has reached since they were armed."""
    return {label for label in Label if (var / FOLDER / label).exists()}


def reach(label: Label) -> None:
    """Die here if this process is the one that was chosen."""
    where = folder()
    if where is None:
        return
    if label not in _counting:
        # Renaming is what makes exactly one process the chosen one.
        mine = where / f"{label}.{os.getpid()}"
        with suppress(FileNotFoundError):
            (where / label).rename(mine)
            _counting[label] = int(mine.read_text())
    if label in _counting:
        _counting[label] -= 1
        if _counting[label] <= 0:
            os.kill(os.getpid(), signal.SIGKILL)
