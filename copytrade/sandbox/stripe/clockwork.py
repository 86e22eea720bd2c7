"""The clocks: what falls due is done in order, in real time, or when a test clock or the account's is advanced."""

import asyncio
import time
from contextlib import nullcontext

from copytrade.sandbox.stripe import billing, checkout, disputes, testclocks, transfers
from copytrade.sandbox.stripe.errors import Json
from copytrade.sandbox.stripe.world import World

_AT_ONCE = 20
"""So many things are done in one transaction, then others may have their turn."""
_PAUSE_S = 2
_SAME_MOMENT = 5
"""More than so many things of one object cannot fall on one second: its time would stand still."""


async def advance(world: World, until: int) -> int:
    """Move the account's clock to `until`, doing all that falls due at its own time; return how many things."""
    async with world.advancing:
        done = await _work_off(world, until, clock="")
        _set(world, until)
    return done


async def _work_off(world: World, until: int, *, clock: str) -> int:
    done = 0
    while number := _some(world, until, clock=clock):
        done += number
        await asyncio.sleep(0)
    return done


def _some(world: World, until: int, *, clock: str) -> int:
    """Do the next few things that are due."""
    again, same = (0, ""), 0
    with world.asked():
        for number in range(_AT_ONCE):
            found = world.store.next_due(until, clock=clock)
            if found is None:
                return number
            due, body, world.owner = found
            if not clock:
                _set(world, due)
            with world.at(due) if clock else nullcontext():
                _do(world, body)
            if again == (due, body["id"]):
                same += 1
                if same > _SAME_MOMENT:
                    raise RuntimeError(f"{body['id']} stays due at {due}")
            else:
                again, same = (due, body["id"]), 0
    return _AT_ONCE


def _set(world: World, moment: int) -> None:
    if moment > world.account_now():
        world.store.set_switch("clock_offset", moment - int(time.time()))


def _do(world: World, body: Json) -> None:
    match body["object"]:
        case "subscription":
            billing.happen(world, body)
        case "invoice":
            billing.retry(world, body)
        case "checkout.session":
            checkout.expire(world, body)
        case "dispute":
            disputes.let_lapse(world, body)
        case "account":
            transfers.pay_out(world, body)
        case "payout":
            transfers.arrive_at_bank(world, body)
        case kind:
            raise RuntimeError(f"nothing falls due of a {kind}")


async def run(world: World) -> None:
    """Do what falls due in real time, and advance test clocks, until the sandbox stops."""
    while not world.stopping.is_set():
        world.woken.clear()
        async with world.advancing:
            await _work_off(world, world.account_now(), clock="")
            for clock in world.store.find(testclocks.KIND, status="advancing"):
                await _work_off(world, clock["status_details"]["advancing"]["target_frozen_time"], clock=clock["id"])
                with world.asked():
                    testclocks.ready(world, clock["id"])
        try:
            await asyncio.wait_for(world.woken.wait(), _PAUSE_S)
        except TimeoutError:
            continue
