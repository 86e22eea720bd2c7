"""What a person sees of a bug: that it is ours, and an id to quote; the traceback stays in the log."""

import reflex as rx
import structlog

from copytrade.db.model import new_id

log = structlog.get_logger()


def tell_of_bug(exception: Exception) -> rx.event.EventSpec:
    """Log an unexpected error under an id and show that id; no detail reaches the browser."""
    quoted = str(new_id())[-12:]
    log.error("page.bug", id=quoted, exc_info=exception)
    return rx.toast.error(
        "Something went wrong on our side; nothing was traded because of it. "
        f"Что-то сломалось у нас; сделок из-за этого не было. № {quoted}",
        duration=15_000,
    )
