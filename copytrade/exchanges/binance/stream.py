"""The user-data stream of Binance's perpetuals: a listen key in the address, renewed in time."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

from copytrade.domain.fills import Position
from copytrade.errors import ExchangeError
from copytrade.exchanges.binance.chain import Chain
from copytrade.exchanges.naming import symbol_of
from copytrade.exchanges.port import StreamMessage
from copytrade.exchanges.streaming import Frames, dial
from copytrade.exchanges.wire import Wire

_KEY_EXPIRED = "listenKeyExpired"
_KIND = "linear"
"""ccxt's name of this user stream; its renewal of the listen key looks for a subscription called so."""


class PerpetualUser:
    """The dialect of one account's perpetual user-data stream."""

    mixin = Frames

    def __init__(self, wire: Wire, *, positions: Callable[[], Awaitable[list[Position]]]) -> None:
        self._positions = positions
        self._chain = Chain(partial(symbol_of, wire.ground))

    async def connect(self, exchange: Any) -> "asyncio.Future[Any]":
        """Take a listen key and dial its address; nothing is to be subscribed."""
        await exchange.authenticate({})
        url = exchange.get_private_ws_url(_KIND, exchange.options[_KIND]["listenKey"])
        ended = await dial(exchange, url, name=_KIND)
        renewing = asyncio.create_task(_renew(exchange))
        ended.add_done_callback(lambda _: renewing.cancel())
        return ended

    def ends(self, frame: Any) -> str:
        """Return a reason where the listen key expired: the socket stays open and says nothing any more."""
        return _KEY_EXPIRED if frame.get("e") == _KEY_EXPIRED else ""

    async def begin(self) -> None:
        """Read the positions that the next events will change."""
        try:
            held = await self._positions()
        except ExchangeError:
            held = None
        self._chain.start(held)

    def messages(self, frame: Any) -> Sequence[StreamMessage]:
        """Return what an event says."""
        return self._chain.messages(frame)


async def _renew(exchange: Any) -> None:
    """Renew the listen key again and again: ccxt.pro does it once, since it takes its own clients for no dicts."""
    while True:
        await asyncio.sleep(exchange.options["listenKeyRefreshRate"] / 1000)
        await exchange.keep_alive_listen_key({})
