"""Fault switches of the API: what the control interface asked to go wrong, and how often."""

import asyncio
import contextlib
from enum import StrEnum

from copytrade.sandbox.stripe.errors import ApiError, Json
from copytrade.sandbox.stripe.world import World


class Fault(StrEnum):
    """What goes wrong with one request."""

    ERROR_BEFORE = "error_before"
    """500, nothing was done."""
    ERROR_AFTER = "error_after"
    """500, but it was done and the same idempotency key gives the real answer."""
    TIMEOUT_BEFORE = "timeout_before"
    """No answer for `seconds`, nothing was done."""
    TIMEOUT_AFTER = "timeout_after"
    """No answer for `seconds`, but it was done."""
    RATE_LIMIT = "rate_limit"
    """429."""


def take(world: World, request: str) -> Json | None:
    """Use up one fault that fits this request, if any is set."""
    faults: list[Json] = world.store.switch("faults", [])
    for fault in faults:
        if request.startswith(fault.get("match", "")):
            fault["count"] = fault.get("count", 1) - 1
            world.store.set_switch("faults", [one for one in faults if one["count"] > 0])
            return fault
    return None


async def before(world: World, fault: Json | None) -> None:
    """Do what the fault does before the request is handled."""
    match fault and fault["kind"]:
        case Fault.ERROR_BEFORE:
            raise _error()
        case Fault.RATE_LIMIT:
            raise ApiError(429, "Request rate limit exceeded.", code="rate_limit")
        case Fault.TIMEOUT_BEFORE:
            await _hang(world, fault)
        case _:
            return


async def after(world: World, fault: Json | None) -> None:
    """Do what the fault does once the request was handled and committed."""
    match fault and fault["kind"]:
        case Fault.ERROR_AFTER:
            raise _error()
        case Fault.TIMEOUT_AFTER:
            await _hang(world, fault)
        case _:
            return


async def _hang(world: World, fault: Json | None) -> None:
    seconds = float((fault or {}).get("seconds", 30))
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(world.stopping.wait(), seconds)
    raise _error()


def _error() -> ApiError:
    return ApiError(500, "An unknown error occurred", type="api_error")
