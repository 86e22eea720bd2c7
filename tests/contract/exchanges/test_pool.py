"""The pool of warm clients: one an account, the oldest goes, nothing is served that the settings do not allow."""

import asyncio
from dataclasses import replace

import pytest

from copytrade.db.model import new_id
from copytrade.errors import Unavailable
from copytrade.exchanges import pool as module
from copytrade.exchanges.pool import Pool
from copytrade.exchanges.port import Credentials
from copytrade.settings import settings
from tests.contract.exchanges.places import Account


def test_one_client_an_account_and_the_oldest_goes(alice: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    small = settings().model_copy(update={"warm_clients": 2})
    monkeypatch.setattr(module, "settings", lambda: small)
    opened: list[object] = []

    def opener(account_id: object) -> Credentials:
        opened.append(account_id)
        return alice.credentials

    async def main() -> None:
        pool = Pool(opener)
        refs = [replace(alice.ref, id=new_id()) for _ in range(3)]
        first, again = await asyncio.gather(pool.get(refs[0]), pool.get(refs[0]))
        assert first is again
        await pool.get(refs[1])
        await pool.get(refs[0])
        await pool.get(refs[2])
        assert await pool.get(refs[0]) is first
        assert opened == [refs[0].id, refs[1].id, refs[2].id]
        await pool.get(refs[1])
        assert opened[-1] == refs[1].id
        await pool.forget(refs[1].id)
        await pool.get(refs[1])
        assert opened[-2:] == [refs[1].id, refs[1].id]
        with pytest.raises(Unavailable):
            await pool.get(replace(alice.ref, id=new_id(), mode="live"))
        await pool.close()

    asyncio.run(main())


@pytest.mark.parametrize("answer", ["empty", "truncated", "html", "broken_json", "garbage", "bad_gzip", "drop"])
def test_a_venue_that_says_nonsense_when_its_markets_are_asked_for_is_unavailable(alice: Account, answer: str) -> None:
    async def main() -> None:
        pool = Pool(lambda account_id: alice.credentials)
        for skip in range(3):  # of the clock, of the markets, of what else is asked for
            alice.control.fault(method="GET", answer=answer, skip=skip)
            try:
                await pool.get(replace(alice.ref, id=new_id()))
            except Unavailable:
                alice.control.clear_faults()
        assert await (await pool.get(alice.ref)).rules()
        await pool.close()

    asyncio.run(main())
