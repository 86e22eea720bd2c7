"""Limits over several processes (budgets of their own here) on a real Valkey, and clients that keep to them."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from decimal import Decimal

import pytest

from copytrade import clock
from copytrade.domain.instruments import Role, Side, Venue
from copytrade.domain.orders import OrderKind, OrderRequest, Outcome, OutcomeKind
from copytrade.errors import Unavailable
from copytrade.exchanges.budget import Budget
from copytrade.exchanges.gate import Ban
from copytrade.exchanges.limits import Lane, Limit, lane_of, lane_of_reads, reading_in
from copytrade.exchanges.meters import Charge
from copytrade.exchanges.pool import Pool
from copytrade.exchanges.port import ExchangeClient
from copytrade.settings import settings
from tests.conftest import Sandbox
from tests.integration.exchanges.conftest import Person

HOUR = Limit("weight", 100, 3600, ("get",))
AWAY = "redis://127.0.0.1:9"


def with_budgets(count: int, work: Callable[[list[Budget]], Awaitable[None]], *, url: str = "") -> None:
    async def main() -> None:
        budgets = [Budget(url or settings().redis_url) for _ in range(count)]
        try:
            await work(budgets)
        finally:
            for budget in budgets:
                await budget.close()

    asyncio.run(main())


async def spent(budgets: list[Budget], *, lane: Lane, calls: int, limit: Limit = HOUR, patience: float = 0) -> int:
    """Return how many of so many calls at once were let through."""
    meters = [budget.shared("test", limit, factor=1) for budget in budgets]
    waits = await asyncio.gather(
        *(
            budgets[number % len(budgets)].charge(
                [Charge(meters[number % len(budgets)], 1)], lane=lane, patience=patience
            )
            for number in range(calls)
        )
    )
    return sum(not wait for wait in waits)


def test_processes_share_a_limit_and_leave_room_for_what_matters_more() -> None:
    async def work(budgets: list[Budget]) -> None:
        assert 50 <= await spent(budgets, lane=Lane.READ, calls=200) <= 70
        assert await spent(budgets, lane=Lane.READ, calls=200) <= 12
        assert 0 < await spent(budgets, lane=Lane.LEAD, calls=200) <= 22
        used = await spent(budgets, lane=Lane.ENTRY, calls=200)
        assert 0 < used <= 22
        assert await spent(budgets, lane=Lane.EXIT, calls=200) >= 8

    with_budgets(3, work)


def test_one_process_gets_all_that_its_lane_may_have() -> None:
    async def work(budgets: list[Budget]) -> None:
        limit = Limit("hour", 1000, 3600, ("get",))
        assert await spent(budgets, lane=Lane.READ, calls=1200, limit=limit) == 700
        assert await spent(budgets, lane=Lane.LEAD, calls=1200, limit=limit) == 100
        assert await spent(budgets, lane=Lane.ENTRY, calls=1200, limit=limit) == 100
        assert await spent(budgets, lane=Lane.EXIT, calls=1200, limit=limit) == 100
        assert await spent(budgets, lane=Lane.EXIT, calls=1, limit=limit) == 0

    with_budgets(1, work)


def test_a_read_waits_for_the_next_window_as_long_as_its_patience() -> None:
    async def work(budgets: list[Budget]) -> None:
        limit = Limit("second", 10, 1, ("get",))
        began = time.monotonic()
        assert await spent(budgets, lane=Lane.READ, calls=20, limit=limit, patience=10) == 20
        assert 0.9 < time.monotonic() - began < 10
        slow = Limit("slow", 1, 60, ("get",))
        began = time.monotonic()
        assert await spent(budgets, lane=Lane.EXIT, calls=3, limit=slow, patience=0.3) == 1
        assert time.monotonic() - began < 20

    with_budgets(2, work)


def test_a_sliding_limit_is_kept_at_any_time() -> None:
    """Also by bursts: one at the end of a second and one at the beginning of the next."""

    async def work(budgets: list[Budget]) -> None:
        limit = Limit("sliding", 40, 1, ("get",), slides=True)
        meters = [budget.shared("test", limit, factor=1) for budget in budgets]
        at: list[float] = []

        async def burst(calls: int) -> None:
            charges = (
                (budgets[number % len(budgets)], Charge(meters[number % len(budgets)], 1)) for number in range(calls)
            )
            waits = await asyncio.gather(*(one.charge([cost], lane=Lane.EXIT, patience=0) for one, cost in charges))
            at.extend([time.monotonic()] * sum(not wait for wait in waits))

        for pause in (0.0, 0.05, 0.3, 0.45, 0.15, 0.05, 0.4, 0.6, 0.1, 0.2, 0.9, 0.05, 0.05):
            await asyncio.sleep(pause)
            await burst(60)
        assert max(sum(start <= other < start + 1 for other in at) for start in at) == 40
        assert len(at) >= 3 * 40, "and most of it is used"

    with_budgets(2, work)


def test_who_finds_a_sliding_limit_used_up_gets_his_turn() -> None:
    async def work(budgets: list[Budget]) -> None:
        limit = Limit("sliding", 20, 1, ("get",), slides=True)
        began = time.monotonic()
        assert await spent(budgets, lane=Lane.EXIT, calls=60, limit=limit, patience=20) == 60
        assert 2 <= time.monotonic() - began < 6

    with_budgets(2, work)


def test_without_redis_reads_keep_to_a_part_and_exits_go_on() -> None:
    async def work(budgets: list[Budget]) -> None:
        assert await spent(budgets, lane=Lane.READ, calls=100) == 25
        assert await spent(budgets, lane=Lane.EXIT, calls=100) == 100

    with_budgets(1, work, url=AWAY)


def test_what_the_venue_counts_is_believed() -> None:
    async def work(budgets: list[Budget]) -> None:
        first, second = budgets
        limit = Limit("hour", 100, 3600, ("get",))
        assert await spent([first], lane=Lane.READ, calls=1, limit=limit) == 1
        first.shared("test", limit, factor=1).learn(95)
        assert await spent([first], lane=Lane.READ, calls=1, limit=limit) == 0
        assert await spent([second], lane=Lane.ENTRY, calls=1, limit=limit) == 0, "the other process knows it too"
        assert await spent([second], lane=Lane.EXIT, calls=9, limit=limit) == 5

    with_budgets(2, work)


def test_a_budget_that_is_in_use_closes_at_once() -> None:
    async def main() -> None:
        limit = Limit("busy", 100, 1, ("get",))
        for number in range(40):
            budget = Budget(settings().redis_url)
            budget.follow("test", lambda seconds, is_ban: None)
            charges = [Charge(budget.shared("test", limit, factor=1), 1)]
            calls = [asyncio.create_task(budget.charge(charges, lane=Lane.READ, patience=0)) for _ in range(5)]
            await asyncio.sleep(number / 4000)  # at another point of its first words with Redis each time
            async with asyncio.timeout(5):
                await budget.close()
            await asyncio.gather(*calls)
            await budget.close()

    asyncio.run(main())


def test_all_processes_obey_what_the_venue_told_one(sandbox: Sandbox) -> None:
    person = Person(sandbox)

    async def main() -> None:
        first, second = Pool(person.credentials), Pool(person.credentials)
        try:
            client, other = await first.get(person.ref), await second.get(person.ref)
            sandbox.control.fault(key=person.made["api_key"], answer="status", status=429, code=-1003, retry_after=30)
            with pytest.raises(Unavailable):
                await client.equity()
            async with asyncio.timeout(5):
                with pytest.raises(Unavailable) as told:
                    await asked_for_ever(other)
            assert told.value.retry_after
            assert 20 < told.value.retry_after <= 30
        finally:
            await first.close()
            await second.close()

    asyncio.run(main())


def test_a_ban_stops_everything_and_raises_an_alarm(sandbox: Sandbox) -> None:
    person = Person(sandbox)
    told: list[Ban] = []

    async def main() -> None:
        pool = Pool(person.credentials, alarm=told.append)
        try:
            client = await pool.get(person.ref)
            sandbox.control.fault(key=person.made["api_key"], answer="status", status=418, code=-1003, retry_after=60)
            with pytest.raises(Unavailable):
                await client.equity()
            with pytest.raises(Unavailable):
                await client.look_up("BTC/USDT:USDT", "x-unknown")
            outcome = await client.place(order("a"), not_after=clock.real_now() + timedelta(seconds=5))
            assert outcome.kind is OutcomeKind.NOT_SENT
            assert outcome.retry_after
        finally:
            await pool.close()

    asyncio.run(main())
    (ban,) = told
    assert (ban.venue, ban.mode, ban.seconds) == ("binance", "sandbox", 60)


def test_orders_keep_to_their_accounts_limit_and_never_wait_beyond_their_time(sandbox: Sandbox) -> None:
    person = Person(sandbox, venue=Venue.BYBIT)

    async def main() -> list[Outcome]:
        pool = Pool(person.credentials)
        try:
            client = await pool.get(person.ref)
            not_after = clock.real_now() + timedelta(seconds=0.5)
            began = time.monotonic()
            outcomes = await asyncio.gather(*(client.place(order(f"t{n}"), not_after=not_after) for n in range(60)))
            assert time.monotonic() - began < 10
            return outcomes
        finally:
            await pool.close()

    outcomes = asyncio.run(main())
    sent = [outcome for outcome in outcomes if outcome.kind is OutcomeKind.PLACED]
    # ten in a second, and no more than two seconds began; what is kept for exits was not used
    assert 5 <= len(sent) <= 22
    assert {outcome.kind for outcome in outcomes if outcome.kind is not OutcomeKind.PLACED} == {OutcomeKind.NOT_SENT}
    assert len(sandbox.control.orders(person.made["account_id"])) == len(sent)


def test_the_past_is_read_behind_everything_else() -> None:
    async def work(budgets: list[Budget]) -> None:
        limit = Limit("hour", 100, 3600, ("get",))
        assert await spent(budgets, lane=Lane.PAST, calls=200, limit=limit) == 50
        assert await spent(budgets, lane=Lane.READ, calls=200, limit=limit) == 20

    with_budgets(1, work)
    assert lane_of_reads() is Lane.READ
    with reading_in(lane_of(Role.LEAD)):
        assert lane_of_reads() is Lane.LEAD
        with reading_in(Lane.PAST):
            assert lane_of_reads() is Lane.PAST
    assert lane_of_reads() is lane_of(Role.COPY) is Lane.READ


def order(client_order_id: str) -> OrderRequest:
    return OrderRequest(
        symbol="BTC/USDT:USDT",
        side=Side.BUY,
        quantity=Decimal("0.002"),
        kind=OrderKind.MARKET,
        client_order_id=client_order_id,
    )


async def asked_for_ever(client: ExchangeClient) -> None:
    while True:
        await client.equity()
        await asyncio.sleep(0.05)  # the sandbox has its limits too
