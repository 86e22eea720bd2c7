"""Webhooks: each event is signed and posted to each endpoint, and again with growing pauses until it is taken.

Some lanes post at once, each over a connection that stays open; what is about one customer keeps to one lane, and so
keeps its order, unless the control interface shuffles.
"""

import asyncio
import hashlib
import hmac
import random
import time
from typing import NamedTuple

import aiohttp

from copytrade.sandbox.stripe.errors import Json
from copytrade.sandbox.stripe.world import LANES, World

PAUSES = (1, 2, 4, 8, 15, 30, 60, 120, 300, 900, 3_600, 10_800, 21_600, 43_200, 86_400)
"""Seconds between the tries of one delivery: the first ones quick, so that a restarted app is found soon."""
_IDLE = 5.0
_QUEUED = 512
"""So many deliveries are taken out of the store at a time."""


class Row(NamedTuple):
    """A delivery that is due."""

    seq: int
    event: str
    endpoint: str
    attempt: int
    lane: int


def signature(payload: str, secret: str, *, at: int) -> str:
    """Return the Stripe-Signature header; `at` is real time, as the receiver checks it."""
    mac = hmac.new(secret.encode(), f"{at}.{payload}".encode(), hashlib.sha256).hexdigest()
    return f"t={at},v1={mac}"


async def run(world: World) -> None:
    """Deliver until the sandbox stops."""
    timeout = aiohttp.ClientTimeout(total=10)
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=30)
    async with aiohttp.ClientSession(timeout=timeout, connector=connector, trust_env=False) as client:
        post = Post(world, client)
        lanes = [asyncio.create_task(post.lane(number)) for number in range(LANES)]
        while not world.stopping.is_set():
            world.rung.clear()
            post.fill()
            try:
                await asyncio.wait_for(world.rung.wait(), _pause(world, post))
            except TimeoutError:
                continue
        for lane in lanes:
            lane.cancel()
        await asyncio.gather(*lanes, return_exceptions=True)


def _pause(world: World, post: "Post") -> float:
    if world.store.switch("webhooks", {}).get("hold") or len(post.taken) >= _QUEUED // 2:
        return _IDLE
    rows = world.store.db.execute("select seq, due from deliveries where state = 'pending' order by seq limit 2000")
    first = min((due for seq, due in rows if seq not in post.taken), default=None)
    return _IDLE if first is None else min(max(first - time.time(), 0.01), _IDLE)


class Post:
    """The lanes and what is on its way."""

    def __init__(self, world: World, client: aiohttp.ClientSession) -> None:
        self.world = world
        self.client = client
        self.taken: set[int] = set()
        self._lanes: list[asyncio.Queue[Row]] = [asyncio.Queue() for _ in range(LANES)]

    def fill(self) -> None:
        """Put what is due on the lanes."""
        switches: Json = self.world.store.switch("webhooks", {})
        room = _QUEUED - len(self.taken)
        if switches.get("hold") or room <= 0:
            return
        rows = self.world.store.db.execute(
            "select seq, event, endpoint, attempt, lane from deliveries where state = 'pending' and due <= ?"
            " order by seq limit ?",
            (time.time(), _QUEUED + len(self.taken)),
        )
        due = [Row(*row) for row in rows if row[0] not in self.taken][:room]
        if switches.get("shuffle"):
            random.shuffle(due)
            due = [row._replace(lane=random.randrange(LANES)) for row in due]
        for row in due:
            self.taken.add(row.seq)
            self._lanes[row.lane % LANES].put_nowait(row)

    async def lane(self, number: int) -> None:
        """Post one after another."""
        queue = self._lanes[number]
        while True:
            row = await queue.get()
            try:
                if not self.world.store.switch("webhooks", {}).get("hold"):
                    await self._deliver(row)
            finally:
                self.taken.discard(row.seq)
            if len(self.taken) == _QUEUED // 2 or not self.taken:
                self.world.rung.set()

    async def _deliver(self, row: Row) -> None:
        store = self.world.store
        target = store.get(row.endpoint)
        found = store.db.execute("select body from objects where id = ?", (row.event,)).fetchone()
        if target is None or found is None or target["status"] != "enabled":
            self._settle(row.seq, "dropped", row.attempt, "endpoint gone")
            return
        copies = 1 + int(store.switch("webhooks", {}).get("duplicates", 0))
        answers = await asyncio.gather(*(self._post(target, found[0]) for _ in range(copies)))
        if all(200 <= status < 300 for status, _ in answers):
            self._settle(row.seq, "delivered", row.attempt + 1, str(answers[0][0]))
        elif row.attempt >= len(PAUSES):
            self._settle(row.seq, "failed", row.attempt + 1, answers[-1][1])
        else:
            store.db.execute(
                "update deliveries set attempt = ?, due = ?, answer = ? where seq = ?",
                (row.attempt + 1, time.time() + PAUSES[row.attempt], answers[-1][1], row.seq),
            )
            self.world.rung.set()

    async def _post(self, target: Json, payload: str) -> tuple[int, str]:
        secret = self.world.store.switch(f"secret:{target['id']}", "")
        headers = {
            "Stripe-Signature": signature(payload, secret, at=int(time.time())),
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Stripe/1.0",
        }
        try:
            async with self.client.post(
                target["url"], data=payload.encode(), headers=headers, allow_redirects=False
            ) as answer:
                await answer.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            return 0, type(error).__name__
        return answer.status, str(answer.status)

    def _settle(self, seq: int, state: str, attempt: int, answer: str) -> None:
        self.world.store.db.execute(
            "update deliveries set state = ?, attempt = ?, answer = ? where seq = ?", (state, attempt, answer, seq)
        )
