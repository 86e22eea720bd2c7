"""Frames of Bitget's private channels, read into messages of ours."""

import asyncio
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, cast

import pytest

from copytrade.domain.fills import Position
from copytrade.domain.instruments import Market, PositionSide
from copytrade.exchanges.bitget.stream import PrivateChannels, TextPongs, perpetual_channels, spot_channels
from copytrade.exchanges.rows import ODD
from copytrade.exchanges.wire import Wire
from tests.unit.exchanges.test_bitget_shapes import FILL, SPOT_FILL

TS = 1700000000000
HELD_QUANTITY = Decimal("0.5")
HELD = {
    "instId": "BTCUSDT", "holdSide": "long", "posMode": "hedge_mode", "total": "0.5", "openPriceAvg": "60000",
    "unrealizedPL": "0", "leverage": 10,
}  # fmt: skip


def ground(market: Market, symbol: str) -> Wire:
    return cast("Wire", SimpleNamespace(ground=SimpleNamespace(symbols={"BTCUSDT": symbol}, market=market)))


@pytest.fixture
def perpetual() -> PrivateChannels:
    return perpetual_channels(ground(Market.PERPETUAL, "BTC/USDT:USDT"))


@pytest.fixture
def spot() -> PrivateChannels:
    return spot_channels(ground(Market.SPOT, "BTC/USDT"))


def frame(channel: str, *rows: Any) -> dict[str, Any]:
    return {"action": "snapshot", "arg": {"instType": "X", "channel": channel}, "data": list(rows), "ts": TS}


def test_fills_of_one_frame_come_in_the_venues_order(perpetual: PrivateChannels) -> None:
    rows = [FILL | {"tradeId": number} for number in ("1001", "999", "1000")]
    told = perpetual.messages(frame("fill", *rows))
    assert [message.fill.trade_id for message in told if message.fill is not None] == ["999", "1000", "1001"]


def test_a_row_that_cannot_be_read_is_kept_beside_its_neighbours(
    perpetual: PrivateChannels, spot: PrivateChannels
) -> None:
    for channels, row in ((perpetual, FILL), (spot, SPOT_FILL)):
        told = channels.messages(frame("fill", row | {"side": "up"}, row))
        assert [(message.fill is not None, bool(message.spoiled)) for message in told] == [(True, False), (False, True)]


def test_a_position_that_is_told_no_more_is_flat(perpetual: PrivateChannels) -> None:
    def positions(*rows: Any) -> list[Position]:
        told = perpetual.messages(frame("positions", *rows))
        return [message.position for message in told if message.position is not None]

    short = HELD | {"holdSide": "short", "total": "0.25"}
    assert [(one.position_side, one.quantity) for one in positions(HELD, short)] == [
        (PositionSide.LONG, HELD_QUANTITY),
        (PositionSide.SHORT, -HELD_QUANTITY / 2),
    ]
    assert [(one.position_side, one.quantity) for one in positions(HELD)] == [
        (PositionSide.LONG, HELD_QUANTITY),
        (PositionSide.SHORT, 0),
    ]
    assert [(one.position_side, one.quantity) for one in positions()] == [(PositionSide.LONG, 0)]
    assert positions() == []


def test_an_odd_position_makes_no_other_flat(perpetual: PrivateChannels) -> None:
    perpetual.messages(frame("positions", HELD))
    told = perpetual.messages(frame("positions", {**HELD, "total": None}))
    assert [(message.position, bool(message.spoiled)) for message in told] == [(None, True)]


def test_balances_are_told_as_positions_without_the_quote(spot: PrivateChannels) -> None:
    rows = [{"coin": coin, "available": "1", "frozen": "0.5", "locked": "0"} for coin in ("BTC", "USDT")]
    (message,) = spot.messages(frame("account", *rows))
    assert message.position is not None
    assert (message.position.symbol, message.position.quantity) == ("BTC/USDT", HELD_QUANTITY * 3)


def test_confirmations_say_nothing_errors_end_and_the_unknown_is_odd(perpetual: PrivateChannels) -> None:
    for event in ("login", "subscribe", "unsubscribe"):
        assert perpetual.messages({"event": event, "arg": {"channel": "fill"}}) == []
        assert perpetual.ends({"event": event}) == ""
    assert perpetual.ends({"event": "error", "code": 30001}) == "error 30001"
    for odd in (frame("weather"), {"arg": None}, "garbage", {"action": "snapshot", "arg": {"channel": "fill"}}):
        with pytest.raises(ODD):
            perpetual.messages(odd)


def test_a_text_pong_is_noted_and_not_passed_on() -> None:
    class Here(TextPongs):
        def milliseconds(self) -> int:
            return TS

    async def run() -> None:
        exchange, client = Here(), SimpleNamespace(lastPong=0)
        exchange.inbox = asyncio.Queue()
        for message in ("pong", {"event": "login"}, "ping?"):
            exchange.handle_message(client, message)
        assert client.lastPong == TS
        assert [exchange.inbox.get_nowait() for _ in range(2)] == [{"event": "login"}, "ping?"]
        assert exchange.inbox.empty()

    asyncio.run(run())
