"""A price that is held is the last one of the day, however long the sandbox takes to say so."""

from copytrade.sandbox.exchange.clock import Clock
from copytrade.sandbox.exchange.engine import Exchange
from copytrade.sandbox.exchange.instruments import INSTRUMENTS

BTC = INSTRUMENTS[0]


class Hurrying(Clock):
    """A clock that goes on by a millisecond at each look."""

    looks = 0

    def now(self) -> int:
        self.looks += 1
        return super().now() + self.looks


def test_the_days_last_price_is_the_one_that_is_held() -> None:
    exchange = Exchange(seed=7)
    exchange.market.clock = Hurrying()
    exchange.market.held[BTC.index] = 12_345
    assert exchange.market.day(BTC.index).close == 12_345
