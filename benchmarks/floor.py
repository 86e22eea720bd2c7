"""The floor: the same orders by bare aiohttp and HMAC, all at once, with nothing around them.

Runs in a process of its own, as our workers do, so that both meet the sandbox under the same conditions.
"""

import argparse
import asyncio
import hashlib
import hmac
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

import aiohttp

ORDER_PATH = "/fapi/v1/order"


@dataclass(frozen=True, slots=True)
class Key:
    """One account's key at the sandbox."""

    api_key: str
    api_secret: str


def signed_body(key: Key, **fields: str) -> str:
    """Return a signed Binance form body."""
    query = urlencode({**fields, "timestamp": str(int(time.time() * 1000)), "recvWindow": "5000"})
    signature = hmac.new(key.api_secret.encode(), query.encode(), hashlib.sha256).hexdigest()
    return f"{query}&signature={signature}"


async def send(session: aiohttp.ClientSession, url: str, key: Key, **fields: str) -> dict[str, object]:
    """Place one order and return the venue's answer."""
    async with session.post(
        url,
        data=signed_body(key, **fields),
        headers={"X-MBX-APIKEY": key.api_key, "Content-Type": "application/x-www-form-urlencoded"},
    ) as response:
        body = await response.json(content_type=None)
        if response.status != 200:
            raise RuntimeError(f"order was refused: {response.status} {body}")
        return body


async def fan_out(api_url: str, keys: Sequence[Key], *, symbol: str, quantity: str, side: str, tag: str) -> float:
    """Send one market order an account, all at once; return the seconds until the last was accepted."""
    url = f"{api_url}{ORDER_PATH}"
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as session:
        await asyncio.gather(*(_warm(session, api_url) for _ in keys))
        started = time.perf_counter()
        await asyncio.gather(
            *(
                send(
                    session,
                    url,
                    key,
                    symbol=symbol,
                    side=side,
                    type="MARKET",
                    quantity=quantity,
                    newOrderRespType="RESULT",
                    newClientOrderId=f"{tag}-{number}",
                )
                for number, key in enumerate(keys)
            )
        )
        return time.perf_counter() - started


async def _warm(session: aiohttp.ClientSession, api_url: str) -> None:
    async with session.get(f"{api_url}/fapi/v1/ping") as response:
        await response.read()


def main() -> None:
    """Read the job as JSON from standard input, print the seconds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.parse_args()
    job = json.load(sys.stdin)
    keys = [Key(**key) for key in job.pop("keys")]
    print(json.dumps({"seconds": asyncio.run(fan_out(job.pop("api_url"), keys, **job))}))


if __name__ == "__main__":
    main()
