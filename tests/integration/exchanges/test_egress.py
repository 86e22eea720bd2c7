"""Accounts go out by the proxy that they are bound to: requests and streams, one budget an address."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from uuid import uuid4

import pytest

from copytrade.errors import Unavailable
from copytrade.exchanges import egress
from copytrade.exchanges.pool import Pool
from copytrade.exchanges.port import Credentials, ExchangeClient
from tests.conftest import Sandbox
from tests.integration.exchanges.conftest import Configured, Person
from tests.integration.exchanges.proxying import PASSWORD, running_proxy


def out_by(configured: Configured, *ways: str) -> None:
    configured(egress_proxies=json.dumps(list(ways)), egress_in_sandbox="true")


async def used(person: Person, use: Callable[[ExchangeClient], Awaitable[object]]) -> None:
    pool = Pool(person.credentials)
    try:
        await use(await pool.get(person.ref))
    finally:
        await pool.close()


async def heard(client: ExchangeClient, sandbox: Sandbox, account: int) -> None:
    """Open the stream, trade by hand and wait until the fill came through it."""
    async with asyncio.timeout(10), client.stream() as messages:
        async for message in messages:
            if message.connected:
                await asyncio.to_thread(sandbox.control.place, account, "BTCUSDT", "BUY", "0.01")
            if message.fill is not None:
                return


def test_requests_and_the_stream_of_an_account_go_by_its_proxy(sandbox: Sandbox, configured: Configured) -> None:
    async def main() -> None:
        async with running_proxy() as first, running_proxy() as second:
            out_by(configured, first.url, second.url)
            person = Person(sandbox, egress=second.name)

            async def use(client: ExchangeClient) -> None:
                before = len(first.seen)
                assert (await client.equity()).total == 1000
                await heard(client, sandbox, person.made["account_id"])
                assert len(first.seen) == before, "only what all share went by the first"

            await used(person, use)
            assert any("/fapi/v3/account" in line for line in second.seen)
            assert any("/ws/" in line or "/ws?" in line for line in second.seen), second.seen
            assert any("exchangeInfo" in line for line in first.seen)

    asyncio.run(main())


def test_a_proxy_that_refuses_us_is_an_exchange_that_does_not_answer(sandbox: Sandbox, configured: Configured) -> None:
    async def main() -> None:
        async with running_proxy() as proxy:
            out_by(configured, proxy.url.replace(PASSWORD, "CANARY_wrong"))
            person = Person(sandbox)
            with pytest.raises(Unavailable) as told:
                await used(person, lambda client: client.equity())
            assert proxy.refused
            assert proxy.seen == []
            assert "CANARY" not in repr(told.value) + str(vars(told.value))

    asyncio.run(main())


def test_what_a_venue_told_one_address_does_not_close_the_other(sandbox: Sandbox, configured: Configured) -> None:
    async def main() -> None:
        async with running_proxy() as first, running_proxy() as second:
            out_by(configured, first.url, second.url)
            unlucky, other = Person(sandbox, egress=first.name), Person(sandbox, egress=second.name)
            keys: dict[object, Credentials] = {one.ref.id: one.credentials(one.ref.id) for one in (unlucky, other)}
            pool = Pool(lambda account_id: keys[account_id])
            try:
                client, untouched = await pool.get(unlucky.ref), await pool.get(other.ref)
                sandbox.control.fault(
                    key=unlucky.made["api_key"], answer="status", status=429, code=-1003, retry_after=30
                )
                with pytest.raises(Unavailable):
                    await client.equity()
                with pytest.raises(Unavailable) as told:
                    await client.equity()
                assert told.value.retry_after
                assert told.value.retry_after > 20
                assert (await untouched.equity()).total == 1000
            finally:
                await pool.close()

    asyncio.run(main())


def test_an_account_stays_on_its_way_while_it_is_there(configured: Configured) -> None:
    out_by(configured, "http://a.example:1", "http://user:CANARY@b.example:2", "direct")
    person = uuid4()
    bound = egress.choose(person)
    assert bound in egress.ways()
    assert {egress.choose(uuid4()) for _ in range(100)} == {"a.example:1", "b.example:2", ""}
    assert egress.bound(bound, person=person) == bound
    assert egress.bound("gone.example:3", person=person) == bound
    assert "CANARY" not in repr(egress.ways())
    out_by(configured, "ftp://user:CANARY@b.example:2")
    with pytest.raises(ValueError, match="egress proxy") as told:
        egress.ways()
    assert "CANARY" not in str(told.value)


def test_paper_accounts_go_directly_unless_told(configured: Configured) -> None:
    configured(egress_proxies=json.dumps(["http://a.example:1"]))
    assert egress.way_of("a.example:1", mode="live", otherwise=uuid4()).name == "a.example:1"
    assert egress.way_of("a.example:1", mode="sandbox", otherwise=uuid4()).url == ""
