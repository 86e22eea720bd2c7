"""Parsing and storing fills in batches, everything on one core: the frames' JSON, our types, PostgreSQL's work too."""

import json
import os
import time
from typing import TYPE_CHECKING, Any

from benchmarks.ground import ground

if TYPE_CHECKING:
    from uuid import UUID

FILLS = 20_000
ACCOUNTS = 50
ROUNDS = 3


def measure() -> dict[str, float]:
    """Return `capture.store_fills_per_s`: the best of a few rounds, since the machine may be doing other things."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})  # the engines inherit it
    with ground():
        accounts = _accounts()
        return {"capture.store_fills_per_s": max(_round(accounts, number=n) for n in range(ROUNDS))}


def _accounts() -> "list[UUID]":
    from copytrade import clock
    from copytrade.capture.models import CaptureState
    from copytrade.db.model import new_id
    from copytrade.db.session import transaction

    with transaction() as session:
        made = [new_id() for _ in range(ACCOUNTS)]
        for account_id in made:
            session.add(
                CaptureState(
                    exchange_account_id=account_id,
                    user_id=new_id(),
                    venue="binance",
                    market="perpetual",
                    role="lead",
                    created_at=clock.now(),
                    baseline_at=clock.now(),
                )
            )
    return made


def _round(accounts: "list[UUID]", *, number: int) -> float:
    from copytrade import clock
    from copytrade.capture import streaming
    from copytrade.db.session import transaction
    from copytrade.exchanges.binance.chain import Chain

    frames = [json.dumps(_frame(number * FILLS + one)) for one in range(FILLS)]
    chain = Chain(lambda symbol: f"{symbol[:-4]}/USDT:USDT")
    chain.start([])
    began = time.perf_counter()
    batch: list[streaming.Heard] = []
    for index, frame in enumerate(frames):
        at = clock.now()
        account = accounts[index % len(accounts)]
        batch += [streaming.Heard(account, message, at) for message in chain.messages(json.loads(frame))]
        if len(batch) >= streaming.BATCH or index == FILLS - 1:
            with transaction() as session:
                streaming.store(session, batch)
            batch = []
    return FILLS / (time.perf_counter() - began)


def _frame(number: int) -> dict[str, Any]:
    at = time.time_ns() // 1_000_000
    order = {
        "s": "BTCUSDT", "c": f"web_{number}", "S": "BUY" if number % 2 else "SELL", "o": "MARKET", "f": "GTC",
        "q": "0.500", "p": "0", "ap": "60000.10", "sp": "0", "x": "TRADE", "X": "FILLED", "i": 8_000_000 + number,
        "l": "0.500", "z": "0.500", "L": "60000.10", "n": "12.00002000", "N": "USDT", "T": at, "t": 1 + number,
        "b": "0", "a": "0", "m": False, "R": False, "wt": "CONTRACT_PRICE", "ot": "MARKET", "ps": "BOTH",
        "cp": False, "rp": "0", "pP": False, "si": 0, "ss": 0, "V": "EXPIRE_MAKER", "pm": "NONE", "gtd": 0,
    }  # fmt: skip
    return {"e": "ORDER_TRADE_UPDATE", "E": at, "T": at, "o": order}
