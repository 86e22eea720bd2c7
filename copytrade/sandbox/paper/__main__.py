"""`python -m copytrade.sandbox.paper binance`: a venue's exchange for paper accounts, at the venue's public prices."""

import argparse
import asyncio
import os
import signal

import uvloop

from copytrade.sandbox.paper import listing
from copytrade.settings import settings


async def _main(venue: str) -> None:
    from copytrade.sandbox.paper.serving import PaperExchange

    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(sign, ended.set)
    await PaperExchange(venue, settings()).run(ended)


def main() -> None:
    """Run a paper exchange, unless anybody could open accounts at it."""
    parser = argparse.ArgumentParser(prog="python -m copytrade.sandbox.paper", description=__doc__)
    parser.add_argument("venue", choices=listing.VENUES)
    venue: str = parser.parse_args().venue
    if not settings().paper_token.get_secret_value():
        raise SystemExit("The paper exchange needs a token (COPYTRADE_PAPER_TOKEN; `copytrade keys` makes one).")
    try:
        file = asyncio.run(listing.refresh(venue, settings()))
        # The exchange's modules read the list when they are imported, so that comes after it.
        os.environ["COPYTRADE_PAPER_LISTING"] = str(file)
        settings.cache_clear()
        uvloop.run(_main(venue))
    except (OSError, listing.NoListing) as error:
        raise SystemExit(f"The paper exchange could not run: {error}") from error


if __name__ == "__main__":
    main()
