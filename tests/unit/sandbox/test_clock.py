"""The sandbox's clock: an order is one moment, however long its matching takes."""

import time

from copytrade.sandbox.exchange.clock import Clock


def test_all_that_happens_in_one_moment_has_one_time() -> None:
    clock = Clock()
    with clock.one_moment():
        first = clock.now()
        time.sleep(0.005)
        with clock.one_moment():
            assert clock.now() == first
        assert clock.now() == first
    assert clock.now() >= first + 5


def test_a_moment_in_fast_time_leaves_it_fixed() -> None:
    clock = Clock()
    clock.fix(clock.now() + 60_000)
    fixed = clock.now()
    with clock.one_moment():
        time.sleep(0.002)
    assert clock.now() == fixed
