"""The queue of other copiers: one RQ job an order, each in a fork of its own with a ccxt client of its own.

Favourable to it: the workers have imported ccxt and read the markets before the first fork, and two of them share the
queue, as many as our own processes.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from typing import Any

import ccxt
from redis import Redis
from rq import Queue, Worker
from rq.job import JobStatus
from rq.serializers import JSONSerializer

WORKERS = 2
QUEUE = "benchmark-forked"
_markets: dict[str, Any] = {}


def order(api_url: str, api_key: str, api_secret: str, symbol: str, side: str, quantity: str, tag: str) -> None:
    """Place one order by a client that is made for it: what a job of such a copier does."""
    client = _client(api_url, api_key, api_secret)
    client.set_markets(_markets["markets"])
    client.create_order(symbol, "market", side, float(quantity), None, {"newClientOrderId": tag})  # pyright: ignore[reportArgumentType]


def main() -> None:
    """Read the job as JSON from standard input, print the seconds; with an address as argument be a worker."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", metavar="API_URL")
    asked = parser.parse_args()
    if asked.work:
        _work(asked.work)
        return
    job = json.load(sys.stdin)
    workers = [
        subprocess.Popen([sys.executable, "-m", "benchmarks.forked", "--work", job["api_url"]], stdout=subprocess.PIPE)
        for _ in range(WORKERS)
    ]
    try:
        for worker in workers:
            assert worker.stdout is not None
            worker.stdout.readline()
        print(json.dumps({"seconds": _seconds(job)}))
    finally:
        for worker in workers:
            worker.send_signal(signal.SIGTERM)
        for worker in workers:
            worker.wait(timeout=20)


def _seconds(job: dict[str, Any]) -> float:
    queue = Queue(QUEUE, connection=_redis(), serializer=JSONSerializer)
    started = time.perf_counter()
    jobs = [
        queue.enqueue(
            "benchmarks.forked.order",
            *(job["api_url"], key["api_key"], key["api_secret"]),
            *(job["symbol"], job["side"], job["quantity"], f"{job['tag']}-{number}"),
            result_ttl=600,
        )
        for number, key in enumerate(job["keys"])
    ]
    waiting = list(jobs)
    while waiting:
        status = waiting[-1].get_status()
        if status is JobStatus.FAILED:
            raise RuntimeError(f"order failed: {waiting[-1].latest_result()}")
        if status is JobStatus.FINISHED:
            waiting.pop()
        else:
            time.sleep(0.005)
    return time.perf_counter() - started


def _work(api_url: str) -> None:
    client = _client(api_url, "", "")
    client.load_markets()
    _markets["markets"] = client.markets
    # Under its own name: a job is found by its dotted path, and this module runs as __main__.
    sys.modules["benchmarks.forked"] = sys.modules["__main__"]
    print("ready", flush=True)
    Worker([QUEUE], connection=_redis(), serializer=JSONSerializer).work(logging_level="ERROR")


def _client(api_url: str, api_key: str, api_secret: str) -> ccxt.binanceusdm:
    from benchmarks.sequential import urls_of

    return ccxt.binanceusdm(
        {
            "apiKey": api_key,
            "secret": api_secret,
            "enableRateLimit": False,
            "urls": {"api": urls_of(api_url)},
            "options": {"fetchCurrencies": False, "fetchMargins": False, "fetchMarkets": {"types": ["linear"]}},
        }
    )


def _redis() -> Redis:
    return Redis.from_url(os.environ["COPYTRADE_REDIS_URL"])


if __name__ == "__main__":
    main()
