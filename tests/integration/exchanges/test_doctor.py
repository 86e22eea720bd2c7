"""The doctor by the command line and on an account's page: what it finds, and that it places nothing."""

import asyncio
import io
from typing import Any
from uuid import UUID

import pytest
from sqlmodel import Session

from copytrade.accounts import checking, examining, queries, service, vault
from copytrade.accounts.rows import ExaminationRow
from copytrade.cli import main
from copytrade.db.bell import bell
from copytrade.errors import LimitReached, NotFound
from copytrade.exchanges.pool import Pool
from tests.conftest import Sandbox
from tests.integration.accounts.linking import taken
from tests.integration.users.people import bob, mallory

RIGHTS_TO_READ: dict[str, Any] = {"reading": True, "futures": False}
RIGHTS: dict[str, Any] = {"reading": True, "futures": True}


def told(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], **rights: Any
) -> tuple[int, dict[str, str]]:
    made = sandbox.control.create_account("doctor", deposit=1000, **(RIGHTS | rights))
    monkeypatch.setenv("COPYTRADE_DOCTOR_KEY", made["api_key"])
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{made['api_secret']}\n"))
    code = main(["doctor", "binance", "--market", "perpetual"])
    said = capsys.readouterr()
    assert made["api_secret"] not in said.out + said.err
    assert sandbox.control.orders(made["account_id"]) == []
    lines: dict[str, str] = {}
    for line in said.out.splitlines():
        what = line.split()[0]
        lines[what] = lines.get(what, "") + line
    return code, lines


def test_a_good_key_has_no_problem(
    session: Session, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, lines = told(sandbox, monkeypatch, capsys)
    assert code == 0
    assert set(lines) == {"binance", "clock", "permissions", "balances", "positions", "rules", "settings", "stream"}
    assert "1000.00 USDT" in lines["balances"]
    assert "connected in" in lines["stream"]


@pytest.mark.parametrize(
    ("rights", "line", "word"),
    [
        ({"withdrawals": True}, "permissions", "may withdraw"),
        ({"internal_transfer": True}, "permissions", "may transfer"),
        ({"revoked": True}, "permissions", "does not accept"),
    ],
)
def test_a_bad_key_is_a_problem_and_an_exit_code(
    session: Session,
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    rights: dict[str, Any],
    line: str,
    word: str,
) -> None:
    code, lines = told(sandbox, monkeypatch, capsys, **rights)
    assert code == 1
    assert word in lines[line]


def test_a_mode_that_is_not_allowed_here_is_one_sentence(session: Session, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "bitget", "--mode", "live"]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1


def examined(session: Session, account_id: UUID, owner: UUID) -> ExaminationRow:
    """Let a worker do what is due; return what the page then shows."""

    async def work() -> None:
        pool = Pool(vault.opener())
        try:
            for ref, role in await asyncio.to_thread(examining.claim, examining.clock.now()):
                await examining.examine(pool, ref, role=role)
        finally:
            await pool.close()
            await bell().close()

    asyncio.run(work())
    session.expire_all()
    found = queries.account(session, owner=owner, account_id=account_id).examination
    assert found is not None
    return found


def test_the_button_on_the_accounts_page_shows_the_same(
    session: Session, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner, outsider = bob(session), mallory(session)
    made = sandbox.control.create_account("doctor", deposit=1000, **RIGHTS_TO_READ)
    account_id = taken(session, owner.id, api_key=made["api_key"], secret=made["api_secret"])
    with pytest.raises(NotFound):
        service.request_examination(session, owner=outsider.id, account_id=account_id)
    service.request_examination(session, owner=owner.id, account_id=account_id)
    session.commit()
    running = queries.account(session, owner=owner.id, account_id=account_id).examination
    assert running is not None
    assert running.state == "running"
    done = examined(session, account_id, owner.id)
    assert (done.state, done.finished_at is not None) == ("done", True)
    verdicts = {(finding.what, finding.verdict) for finding in done.findings}
    assert {("clock", "ok"), ("stream", "ok"), ("rules", "ok")} <= verdicts
    assert ("permissions", "problem") in verdicts, "a copy account's key has to trade"
    with pytest.raises(LimitReached):
        service.request_examination(session, owner=owner.id, account_id=account_id)


def test_an_account_whose_secret_is_gone_is_told(session: Session, sandbox: Sandbox) -> None:
    owner = bob(session)
    account_id = taken(session, owner.id)
    service.request_examination(session, owner=owner.id, account_id=account_id)
    session.commit()
    checking.settle(account_id, checking.Examined(reason=checking.Reason.WRONG_KEY))
    session.expire_all()
    found = examined(session, account_id, owner.id)
    assert [finding.verdict for finding in found.findings] == ["problem"]
