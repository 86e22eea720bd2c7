"""The stream process: private websockets of the lead accounts that it holds leases of."""

import asyncio
import signal

from copytrade import logs
from copytrade.capture import streaming
from workers.loop import WarmLoop


async def main() -> None:
    """Run until told to stop."""
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    await WarmLoop([streaming.run]).run(stop)


if __name__ == "__main__":
    logs.configure("stream")
    asyncio.run(main())
