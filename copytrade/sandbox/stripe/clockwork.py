"""The account's clock: what falls due is done in order, in real time or when the control interface advances it."""

import asyncio
import time

from copytrade.sandbox.stripe import billing, checkout
from copytrade.sandbox.stripe.errors import Json
from copytrade.sandbox.stripe.world import World


def advance(world: World, until: int) -> int:
    """Move the clock to `until`, doing all that falls due at its own time; return how many things were done."""
    done = 0
    while (found := world.store.next_due(until)) is not None:
        due, body = found
        _set(world, max(due, world.now()))
        with world.store.transaction():
            _do(world, body)
        done += 1
    _set(world, max(until, world.now()))
    return done


def _set(world: World, moment: int) -> None:
    offset = moment - int(time.time())
    if offset > int(world.store.switch("clock_offset", 0)):
        world.store.set_switch("clock_offset", offset)


def _do(world: World, body: Json) -> None:
    match body["object"]:
        case "subscription":
            billing.renew(world, body)
        case "invoice":
            billing.retry(world, body)
        case "checkout.session" if body["status"] == "open":
            checkout.expire(world, body)
        case _:
            world.save(body)


async def run(world: World) -> None:
    """Do what falls due in real time, until the sandbox stops."""
    while not world.stopping.is_set():
        while (found := world.store.next_due(world.now())) is not None:
            with world.store.transaction():
                _do(world, found[1])
        try:
            await asyncio.wait_for(world.stopping.wait(), 2)
        except TimeoutError:
            continue
