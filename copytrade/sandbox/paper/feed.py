"""A small websocket client: keeps one public stream of a venue open and hands on what it tells."""

import asyncio
import contextlib
import sys

import aiohttp
import orjson

from copytrade.sandbox.paper.prices import Prices
from copytrade.sandbox.paper.sources import Line

PING_EVERY_S = 20.0
SILENT_S = 60.0
"""A stream that says nothing for so long, not even to a ping, is dialled anew."""
SHORTEST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0
_ODD = (KeyError, IndexError, TypeError, ValueError, AttributeError)
"""What reading a frame of another shape raises."""


class Stream:
    """One public stream, dialled again whatever breaks it."""

    def __init__(self, line: Line, prices: Prices) -> None:
        self._line = line
        self._prices = prices
        self._pause = SHORTEST_PAUSE_S

    async def follow(self, session: aiohttp.ClientSession) -> None:
        """Hand on what the stream tells, for ever."""
        while True:
            reason = await self._once(session)
            self._prices.went(self._line)
            sys.stdout.write(f"paper: {self._line.url} is gone ({reason}), again in {self._pause:g} s\n")
            sys.stdout.flush()
            await asyncio.sleep(self._pause)
            self._pause = min(self._pause * 2, LONGEST_PAUSE_S)

    async def _once(self, session: aiohttp.ClientSession) -> str:
        """Stay until the connection ends and return why it did."""
        try:
            async with session.ws_connect(self._line.url, max_msg_size=2**22, heartbeat=PING_EVERY_S) as socket:
                for message in self._line.asked:
                    await socket.send_str(message)
                pinging = asyncio.create_task(self._ping(socket))
                try:
                    return await self._hear(socket)
                finally:
                    pinging.cancel()
                    with contextlib.suppress(asyncio.CancelledError, ConnectionError):
                        await pinging
        except TimeoutError:
            return "it was silent"
        except (aiohttp.ClientError, OSError) as error:
            return type(error).__name__

    async def _hear(self, socket: aiohttp.ClientWebSocketResponse) -> str:
        while True:
            message = await socket.receive(timeout=SILENT_S)
            if message.type is not aiohttp.WSMsgType.TEXT:
                return "it was closed"
            if self._take(message.data):
                self._prices.came(self._line)
                self._pause = SHORTEST_PAUSE_S

    def _take(self, text: str) -> bool:
        """Hand on what a frame tells; tell whether it told anything."""
        try:
            found = list(self._line.read(orjson.loads(text))) if text.startswith("{") else []
        except _ODD:
            return False
        for told in found:
            self._prices.hear(self._line, told)
        return bool(found)

    async def _ping(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        while self._line.ping:
            await asyncio.sleep(PING_EVERY_S)
            await socket.send_str(self._line.ping)
