"""Webhooks: each event is signed and posted to each endpoint, and again with growing pauses until it is taken."""

import asyncio
import hashlib
import hmac
import json
import random
import time
from typing import Any

import httpx

from copytrade.sandbox.stripe.errors import Json
from copytrade.sandbox.stripe.world import World

PAUSES = (1, 2, 4, 8, 15, 30, 60, 120, 300, 900, 3_600, 10_800, 21_600, 43_200, 86_400)
"""Seconds between the tries of one delivery: the first ones quick, so that a restarted app is found soon."""
_IDLE = 5.0


def signature(payload: str, secret: str, *, at: int) -> str:
    """Return the Stripe-Signature header; `at` is real time, as the receiver checks it."""
    mac = hmac.new(secret.encode(), f"{at}.{payload}".encode(), hashlib.sha256).hexdigest()
    return f"t={at},v1={mac}"


async def run(world: World) -> None:
    """Deliver until the sandbox stops."""
    async with httpx.AsyncClient(timeout=10, trust_env=False) as client:
        while not world.stopping.is_set():
            world.rung.clear()
            await deliver_due(world, client)
            try:
                await asyncio.wait_for(world.rung.wait(), _pause(world))
            except TimeoutError:
                continue


def _pause(world: World) -> float:
    row = world.store.db.execute("select min(due) from deliveries where state = 'pending'").fetchone()
    if row[0] is None or world.store.switch("webhooks", {}).get("hold"):
        return _IDLE
    return min(max(row[0] - time.time(), 0.05), _IDLE)


async def deliver_due(world: World, client: httpx.AsyncClient) -> None:
    """Post everything that is due, in order unless the control interface shuffles it."""
    switches: Json = world.store.switch("webhooks", {})
    if switches.get("hold"):
        return
    rows: list[tuple[Any, ...]] = world.store.db.execute(
        "select seq, event, endpoint, attempt from deliveries where state = 'pending' and due <= ?"
        " order by seq limit 200",
        (time.time(),),
    ).fetchall()
    if switches.get("shuffle"):
        random.shuffle(rows)
    for seq, event, endpoint, attempt in rows:
        if world.stopping.is_set():
            return
        await _deliver(world, client, seq, event, endpoint, attempt)


async def _deliver(world: World, client: httpx.AsyncClient, seq: int, event: str, endpoint: str, attempt: int) -> None:
    target, body = world.store.get(endpoint), world.store.get(event)
    if target is None or body is None or target["status"] != "enabled":
        _settle(world, seq, "dropped", attempt, "endpoint gone")
        return
    copies = 1 + int(world.store.switch("webhooks", {}).get("duplicates", 0))
    answers = [await _post(world, client, target, body) for _ in range(copies)]
    if all(200 <= status < 300 for status, _ in answers):
        _settle(world, seq, "delivered", attempt + 1, str(answers[0][0]))
        return
    if attempt >= len(PAUSES):
        _settle(world, seq, "failed", attempt + 1, answers[-1][1])
        return
    world.store.db.execute(
        "update deliveries set attempt = ?, due = ?, answer = ? where seq = ?",
        (attempt + 1, time.time() + PAUSES[attempt], answers[-1][1], seq),
    )


async def _post(world: World, client: httpx.AsyncClient, target: Json, body: Json) -> tuple[int, str]:
    payload = json.dumps(body, separators=(",", ":"))
    header = signature(payload, world.store.switch(f"secret:{target['id']}", ""), at=int(time.time()))
    headers = {
        "Stripe-Signature": header,
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": "Stripe/1.0",
    }
    try:
        answer = await client.post(target["url"], content=payload.encode(), headers=headers)
    except httpx.HTTPError as error:
        return 0, type(error).__name__
    return answer.status_code, str(answer.status_code)


def _settle(world: World, seq: int, state: str, attempt: int, answer: str) -> None:
    world.store.db.execute(
        "update deliveries set state = ?, attempt = ?, answer = ? where seq = ?", (state, attempt, answer, seq)
    )
