"""A secret that goes through every failure of linking and reading, and must not be found anywhere afterwards."""

import asyncio
import logging
import traceback
from collections.abc import Generator
from typing import Any

import pytest
import structlog
from sqlalchemy import text
from sqlmodel import Session

from copytrade import logs
from copytrade.accounts import checking, queries, service, snapshots, vault
from copytrade.accounts.models import ExchangeSecret
from copytrade.db.bell import bell
from copytrade.domain.instruments import Role
from copytrade.errors import CopyTradeError
from copytrade.exchanges.pool import Pool
from copytrade.exchanges.port import AccountRef
from tests.conftest import Sandbox
from tests.integration.accounts.linking import leave_no_limits, taken
from tests.integration.users.people import bob

FAULTS: list[dict[str, Any]] = [
    {"answer": "drop"},
    {"answer": "status", "status": 500},
    {"answer": "status", "status": 503, "message": "Unknown error, please check your request or try again later."},
    {"answer": "status", "status": 429, "code": -1003, "retry_after": 1},
    {"answer": "status", "status": 401, "code": -2015},
    {"answer": "truncated"},
    {"answer": "html"},
    {"answer": "broken_json"},
    {"answer": "garbage"},
    {"answer": "bad_gzip"},
]


@pytest.fixture
def logged(capfd: pytest.CaptureFixture[str]) -> Generator[pytest.CaptureFixture[str]]:
    """Everything at the most talkative level, as a process would write it."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    logs.configure("canary")
    for name in ("", *logs.QUIET):
        logging.getLogger(name).setLevel(logging.DEBUG)
    yield capfd
    for name in logs.QUIET:
        logging.getLogger(name).setLevel(logging.NOTSET)
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)
    structlog.reset_defaults()


@pytest.fixture(autouse=True)
def _calm(sandbox: Sandbox) -> Generator[None]:
    yield
    sandbox.control.clear_faults()
    leave_no_limits()


def stored(session: Session) -> str:
    """Return every row of ours as text."""
    session.expire_all()
    connection = session.connection()
    tables = connection.execute(
        text(
            "select table_schema, table_name from information_schema.tables where table_schema in ('people', 'trades')"
        )
    ).all()
    return "".join(
        str(connection.execute(text(f'select t::text from "{schema}"."{table}" t')).all()) for schema, table in tables
    )


async def _everything_fails(ref: AccountRef) -> str:
    """Check and read the account as workers do; return what an exception would show of itself."""
    pool = Pool(vault.opener())
    told = ""
    try:
        await checking.check(pool, ref, role=Role.COPY)
        await snapshots.read(pool, ref, role=Role.COPY, slots=asyncio.Semaphore(1))
        try:
            client = await pool.get(ref)
            told += (
                repr(client) + repr(vars(client)) + await _trying(client.equity()) + await _trying(client.positions())
            )
        except CopyTradeError as error:
            told += "".join(traceback.format_exception(error))
    finally:
        await pool.close()
        await bell().close()
    return told


async def _trying(work: Any) -> str:
    try:
        return repr(await work)
    except CopyTradeError as error:
        return "".join(traceback.format_exception(error)) + str(vars(error))


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault['answer']}-{fault.get('status', '')}")
def test_no_failure_of_the_exchange_shows_a_secret(
    session: Session, sandbox: Sandbox, logged: pytest.CaptureFixture[str], fault: dict[str, Any]
) -> None:
    owner = bob(session)
    made = sandbox.control.create_account("canary", deposit=1000, reading=True, futures=True, withdrawals=False)
    account_id = taken(session, owner.id, api_key=made["api_key"], secret=made["api_secret"])
    ref = queries.ref(session, account_id)
    sandbox.control.fault(key=made["api_key"], count=-1, **fault)
    shown = asyncio.run(_everything_fails(ref))
    seen = shown + "".join(logged.readouterr()) + stored(session)
    assert "check." in seen, "the failure was logged"
    assert made["api_secret"] not in seen
    assert made["api_key"] not in seen


def test_no_damage_of_the_vault_shows_a_secret(session: Session, logged: pytest.CaptureFixture[str]) -> None:
    owner = bob(session)
    account_id = taken(session, owner.id, secret="CANARY_SECRET_0123456789")
    row = session.get_one(ExchangeSecret, account_id)
    row.sealed = row.sealed[:-1] + bytes([row.sealed[-1] ^ 1])
    session.commit()
    ref = queries.ref(session, account_id)
    shown = asyncio.run(_everything_fails(ref))
    seen = shown + "".join(logged.readouterr()) + stored(session)
    assert "vault.damaged" in seen
    assert "CANARY" not in seen
    assert service.result(session, owner=owner.id, account_id=account_id).reason == "secret_unreadable"
