"""How long Stripe waits for our answer: a signed event that tells nothing, again and again while others storm in."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from benchmarks.billing_books import PROBE
from copytrade.db.model import new_id
from copytrade.sandbox.stripe.delivery import signature

EVERY_S = 0.1


@contextmanager
def answers(url: str, secret: str) -> Iterator[list[float]]:
    """Ask as long as the block runs; the list that is given holds the milliseconds of each answer."""
    found: list[float] = []
    stop = threading.Event()
    asking = threading.Thread(target=_ask, args=(url, secret, found, stop), daemon=True)
    asking.start()
    try:
        yield found
    finally:
        stop.set()
        asking.join()


def _ask(url: str, secret: str, found: list[float], stop: threading.Event) -> None:
    with httpx.Client(timeout=30, trust_env=False) as client:
        while not stop.wait(EVERY_S):
            body = json.dumps({"id": f"evt_{new_id().hex}", "type": PROBE, "data": {"object": {"id": "probe"}}})
            signed = signature(body, secret, at=int(time.time()))
            began = time.perf_counter()
            answer = client.post(url, content=body, headers={"Stripe-Signature": signed})
            found.append((time.perf_counter() - began) * 1000)
            answer.raise_for_status()
