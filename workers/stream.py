"""The stream process: private websockets of the lead accounts that it holds leases of."""

import asyncio
import gc
import signal

from copytrade import logs
from copytrade.capture import streaming
from workers.loop import WarmLoop, run

YOUNG, MIDDLE, OLD = 700, 10, 1000
"""A full collection over a thousand streams stops the process for 0.3 s: a hundred times rarer than Python would."""


async def main() -> None:
    """Run until told to stop."""
    gc.set_threshold(YOUNG, MIDDLE, OLD)
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    await WarmLoop([streaming.run]).run(stop)


if __name__ == "__main__":
    logs.configure("stream")
    run(main())
