"""The loop of other copiers: one ccxt client an account, warm, one order after the other."""

import argparse
import json
import sys
import time

import ccxt


def urls_of(api_url: str) -> dict[str, str]:
    """Return where ccxt finds each part of the exchange at the sandbox."""
    return {
        "fapiPublic": f"{api_url}/fapi/v1",
        "fapiPublicV2": f"{api_url}/fapi/v2",
        "fapiPublicV3": f"{api_url}/fapi/v3",
        "fapiPrivate": f"{api_url}/fapi/v1",
        "fapiPrivateV2": f"{api_url}/fapi/v2",
        "fapiPrivateV3": f"{api_url}/fapi/v3",
        "public": f"{api_url}/api/v3",
        "private": f"{api_url}/api/v3",
        "sapi": f"{api_url}/sapi/v1",
        "dapiPublic": f"{api_url}/dapi/v1",
    }


def clients(api_url: str, keys: list[dict[str, str]]) -> list[ccxt.binanceusdm]:
    """Build the clients over one set of markets, with their connections open: nothing cold is counted."""
    urls = urls_of(api_url)
    made: list[ccxt.binanceusdm] = []
    for key in keys:
        client = ccxt.binanceusdm(
            {
                "apiKey": key["api_key"],
                "secret": key["api_secret"],
                "enableRateLimit": False,
                "urls": {"api": urls},
                "options": {"fetchCurrencies": False, "fetchMargins": False, "fetchMarkets": {"types": ["linear"]}},
            }
        )
        if made:
            client.set_markets_from_exchange(made[0])
        else:
            client.load_markets()
        made.append(client)
    return made


def main() -> None:
    """Read the job as JSON from standard input, print the seconds."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    job = json.load(sys.stdin)
    loop = clients(job["api_url"], job["keys"])
    for client in loop[:1]:
        client.fapiPublicGetPing()
    started = time.perf_counter()
    for number, client in enumerate(loop):
        client.create_order(
            job["symbol"],
            "market",
            job["side"],
            float(job["quantity"]),
            None,
            {"newClientOrderId": f"{job['tag']}-{number}"},
        )
    print(json.dumps({"seconds": time.perf_counter() - started}))


if __name__ == "__main__":
    main()
