"""The last look before an order's request leaves, after all waiting: whoever sends it may hold it back."""

from collections.abc import Awaitable, Callable
from contextvars import ContextVar

LastLook = Callable[[], Awaitable[bool]]

last_look: ContextVar[LastLook | None] = ContextVar("last_look", default=None)
"""Asked by the task that sends; False: the order must not leave any more."""


async def may_leave() -> bool:
    """Tell whether the order that this task sends may still leave."""
    look = last_look.get()
    return look is None or await look()
