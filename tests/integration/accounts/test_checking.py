"""Keys of every kind, checked against the sandbox's Binance by the worker's own code over real clients."""

import asyncio
from collections.abc import Awaitable, Callable, Generator
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import Session, select

from copytrade import clock
from copytrade.accounts import checking, queries, service, snapshots, vault
from copytrade.accounts.models import ExchangeAccount, ExchangeSecret
from copytrade.accounts.reasons import Reason, State
from copytrade.accounts.rows import AccountRow
from copytrade.db.bell import bell
from copytrade.domain.instruments import Role
from copytrade.exchanges.pool import Pool
from copytrade.exchanges.port import ClientPool
from tests.conftest import Sandbox
from tests.integration.accounts.linking import leave_no_limits, taken
from tests.integration.users.people import alice, bob

RIGHTS: dict[str, Any] = {"reading": True, "futures": True, "withdrawals": False}


@pytest.fixture(autouse=True)
def _calm(sandbox: Sandbox) -> Generator[None]:
    yield
    sandbox.control.clear_faults()
    leave_no_limits()
    sandbox.control.skew(0)


def with_pool(work: Callable[[ClientPool], Awaitable[None]]) -> None:
    """Run what a worker does, over a pool of real clients."""

    async def run() -> None:
        pool = Pool(vault.opener())
        try:
            await work(pool)
        finally:
            await pool.close()
            await bell().close()

    asyncio.run(run())


def checked(
    session: Session, sandbox: Sandbox, *, role: Role = Role.COPY, hedge: bool = False, **rights: Any
) -> AccountRow:
    """Link a key of the sandbox with these rights, let a worker check it, return how it came out."""
    owner = alice(session) if role is Role.LEAD else bob(session)
    made = sandbox.control.create_account("test", deposit=1000, hedge=hedge, **(RIGHTS | rights))
    account_id = taken(session, owner.id, role=role, api_key=made["api_key"], secret=made["api_secret"])
    ref = queries.ref(session, account_id)
    with_pool(lambda pool: checking.check(pool, ref, role=role))
    session.expire_all()
    return service.result(session, owner=owner.id, account_id=account_id)


@pytest.mark.parametrize("role", list(Role))
def test_a_key_that_may_trade_and_nothing_more_is_linked(session: Session, sandbox: Sandbox, role: Role) -> None:
    row = checked(session, sandbox, role=role)
    assert (row.state, row.reason) == (State.ACTIVE, "")
    assert row.permissions["may_trade"] is True
    assert row.permissions["may_withdraw"] is False
    assert queries.equities(session, [row.id])[row.id].total == 1000


@pytest.mark.parametrize("role", list(Role))
def test_an_account_in_hedge_mode_is_welcome(session: Session, sandbox: Sandbox, role: Role) -> None:
    assert checked(session, sandbox, role=role, hedge=True).state == State.ACTIVE


def test_a_lead_account_is_content_with_a_key_that_only_reads(session: Session, sandbox: Sandbox) -> None:
    assert checked(session, sandbox, role=Role.LEAD, futures=False).state == State.ACTIVE


@pytest.mark.parametrize(
    ("rights", "reason"),
    [
        ({"withdrawals": True}, Reason.MAY_WITHDRAW),
        ({"internal_transfer": True}, Reason.MAY_TRANSFER),
        ({"universal_transfer": True}, Reason.MAY_TRANSFER),
        ({"futures": False}, Reason.READ_ONLY),
        ({"revoked": True}, Reason.WRONG_KEY),
        ({"expires_in_s": -60}, Reason.WRONG_KEY),
        ({"addresses": ["203.0.113.9"]}, Reason.WRONG_KEY),
    ],
)
def test_a_key_that_may_too_much_or_too_little_is_refused(
    session: Session, sandbox: Sandbox, rights: dict[str, Any], reason: Reason
) -> None:
    row = checked(session, sandbox, **rights)
    assert (row.state, row.reason) == (State.REFUSED, reason)
    session.commit()
    assert session.exec(select(ExchangeAccount)).all() == []
    assert session.exec(select(ExchangeSecret)).all() == []


@pytest.mark.parametrize("wrong", ["api_key", "secret"])
def test_a_wrong_key_or_secret_is_refused(session: Session, sandbox: Sandbox, wrong: str) -> None:
    owner = bob(session)
    made = sandbox.control.create_account("test", deposit=1000, **RIGHTS)
    typed: dict[str, str] = {"api_key": made["api_key"], "secret": made["api_secret"]} | {wrong: "x" * 64}
    account_id = taken(session, owner.id, api_key=typed["api_key"], secret=typed["secret"])
    ref = queries.ref(session, account_id)
    with_pool(lambda pool: checking.check(pool, ref, role=Role.COPY))
    session.expire_all()
    assert service.result(session, owner=owner.id, account_id=account_id).reason == Reason.WRONG_KEY


def test_an_exchange_whose_clock_is_far_off_is_told(session: Session, sandbox: Sandbox) -> None:
    sandbox.control.skew(5000)
    assert checked(session, sandbox).reason == Reason.CLOCK_SKEW


def test_a_linked_key_that_is_revoked_pauses_its_account(session: Session, sandbox: Sandbox) -> None:
    owner = bob(session)
    made = sandbox.control.create_account("test", deposit=1000, **RIGHTS)
    account_id = taken(session, owner.id, api_key=made["api_key"], secret=made["api_secret"])
    ref = queries.ref(session, account_id)

    async def work(pool: ClientPool) -> None:
        await checking.check(pool, ref, role=Role.COPY)
        sandbox.control.revoke_key(made["api_key"])
        await snapshots.read(pool, ref, role=Role.COPY, slots=asyncio.Semaphore(1))

    with_pool(work)
    session.expire_all()
    row = queries.account(session, owner=owner.id, account_id=account_id)
    assert (row.state, row.reason) == (State.PAUSED, Reason.WRONG_KEY)
    service.recheck(session, owner=owner.id, account_id=account_id)
    session.commit()
    sandbox.control.change_key(made["api_key"], revoked=False)
    with_pool(lambda pool: checking.check(pool, ref, role=Role.COPY))
    session.expire_all()
    assert queries.account(session, owner=owner.id, account_id=account_id).state == State.ACTIVE


def test_snapshots_follow_the_account(session: Session, sandbox: Sandbox) -> None:
    owner = bob(session)
    made = sandbox.control.create_account("test", deposit=1000, **RIGHTS)
    account_id = taken(session, owner.id, api_key=made["api_key"], secret=made["api_secret"])
    ref = queries.ref(session, account_id)

    async def work(pool: ClientPool) -> None:
        await checking.check(pool, ref, role=Role.COPY)
        sandbox.control.transfer(made["account_id"], 500)
        sandbox.control.place(made["account_id"], "BTCUSDT", "BUY", "0.01")
        await snapshots.read(pool, ref, role=Role.COPY, slots=asyncio.Semaphore(1))

    with_pool(work)
    session.expire_all()
    worth = queries.equities(session, [account_id])[account_id]
    assert 1490 < worth.total < 1505
    assert abs(clock.now() - worth.read_at) < timedelta(seconds=20)
    (held,) = queries.positions(session, account_id)
    assert (held.symbol, str(held.quantity)) == ("BTC/USDT:USDT", "0.010")
    assert held.mark_price > 0
