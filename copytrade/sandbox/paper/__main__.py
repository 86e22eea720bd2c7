"""`python -m copytrade.sandbox.paper`: the exchanges of paper accounts, one process, at the venues' public prices."""

import asyncio
import signal
import sys

import uvloop

from copytrade.sandbox.exchange.engine import BadState
from copytrade.sandbox.paper.serving import PaperExchange
from copytrade.settings import settings


async def _main() -> None:
    config = settings()
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(sign, ended.set)
    exchange = PaperExchange(config)
    await exchange.run(ended)


def main() -> None:
    """Run the paper exchange, unless anybody could open accounts at it."""
    if not settings().paper_token.get_secret_value():
        raise SystemExit("The paper exchange needs a token (COPYTRADE_PAPER_TOKEN; `copytrade keys` makes one).")
    try:
        uvloop.run(_main())
    except (OSError, BadState) as error:
        raise SystemExit(f"The paper exchange could not run: {error}") from error


if __name__ == "__main__":
    sys.exit(main())
