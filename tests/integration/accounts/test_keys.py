"""New keys for linked accounts, keys that expire, keys that are doubted: over real clients and the sandbox."""

import asyncio
from collections.abc import Generator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import Session, col, select

from copytrade import clock
from copytrade.accounts import checking, expiry, new_keys, queries, service, snapshots, vault
from copytrade.accounts.acceptance import Examined
from copytrade.accounts.models import ExchangeAccount, KeyReplacement
from copytrade.accounts.reasons import Reason, State
from copytrade.accounts.service import AlreadyLinked
from copytrade.db.bell import bell
from copytrade.db.events import Event
from copytrade.domain.instruments import Role
from copytrade.errors import InvalidInput, NotFound
from copytrade.exchanges.pool import Pool
from copytrade.exchanges.port import ClientPool
from copytrade.notifications.queries import inbox
from copytrade.notifications.service import deliver_due
from tests.conftest import Sandbox
from tests.integration.accounts.linking import MAY_TRADE, equity, leave_no_limits, linked, taken
from tests.integration.users.people import alice, bob, mallory

RIGHTS: dict[str, Any] = {"reading": True, "futures": True, "withdrawals": False}


@pytest.fixture(autouse=True)
def _calm(sandbox: Sandbox) -> Generator[None]:
    yield
    sandbox.control.clear_faults()
    leave_no_limits()


class Bobs:
    """Bob's account, linked with a real key of the sandbox, and a worker that checks what is due."""

    def __init__(self, session: Session, sandbox: Sandbox, *, deposit: int = 1000) -> None:
        self.session, self.control = session, sandbox.control
        self.owner = bob(session).id
        self.made = sandbox.control.create_account("bob", deposit=deposit, **RIGHTS)
        self.account_id = taken(session, self.owner, api_key=self.made["api_key"], secret=self.made["api_secret"])
        self.work()

    def another_key(self, **rights: Any) -> dict[str, str]:
        """Return a second key of the same account at the exchange."""
        return self.control.add_key(self.made["account_id"], **(RIGHTS | rights))

    def replace(self, made: dict[str, str]) -> None:
        service.replace_key(
            self.session,
            owner=self.owner,
            account_id=self.account_id,
            api_key=made["api_key"],
            api_secret=made["api_secret"],
        )
        self.session.commit()

    def work(self) -> None:
        """Check accounts and new keys that are due, as a worker does."""

        async def run() -> None:
            pool = Pool(vault.opener())
            try:
                for work in await asyncio.to_thread(checking.due, pool):
                    await work
            finally:
                await pool.close()
                await bell().close()

        asyncio.run(run())
        self.session.expire_all()

    @property
    def row(self) -> Any:
        return queries.account(self.session, owner=self.owner, account_id=self.account_id)


def kinds(session: Session) -> list[str]:
    rows = session.exec(select(Event.kind).where(col(Event.kind).startswith("account.")).order_by(col(Event.id)))
    return list(rows)


def test_a_new_key_takes_the_old_ones_place_once_it_was_checked(session: Session, sandbox: Sandbox) -> None:
    bobs = Bobs(session, sandbox)
    fresh = bobs.another_key()
    before = queries.ref(session, bobs.account_id)
    bobs.replace(fresh)
    assert (bobs.row.replacing.state, bobs.row.replacing.key_hint) == ("checking", fresh["api_key"][-4:])
    assert vault.opener()(bobs.account_id).api_key == bobs.made["api_key"], "the old one goes on until then"
    bobs.work()
    assert bobs.row.replacing is None
    assert (bobs.row.state, bobs.row.key_hint) == (State.ACTIVE, fresh["api_key"][-4:])
    assert vault.opener()(bobs.account_id).api_key == fresh["api_key"]
    assert queries.ref(session, bobs.account_id) != before, "clients of the old key are not used any more"
    assert kinds(session)[-1] == "account.key_replaced"
    assert session.exec(select(KeyReplacement)).all() == []
    assert taken(session, mallory(session).id, api_key=bobs.made["api_key"]), "the old one is forgotten"


@pytest.mark.parametrize(
    ("rights", "reason"),
    [
        ({"withdrawals": True}, Reason.MAY_WITHDRAW),
        ({"futures": False}, Reason.READ_ONLY),
        ({"revoked": True}, Reason.WRONG_KEY),
    ],
)
def test_a_new_key_that_is_refused_changes_nothing(
    session: Session, sandbox: Sandbox, rights: dict[str, Any], reason: Reason
) -> None:
    bobs = Bobs(session, sandbox)
    bobs.replace(bobs.another_key(**rights))
    bobs.work()
    assert (bobs.row.replacing.state, bobs.row.replacing.reason) == ("refused", reason)
    assert session.get_one(KeyReplacement, bobs.account_id).sealed == b"", "nothing of it is kept"
    assert bobs.row.state == State.ACTIVE
    assert vault.opener()(bobs.account_id).api_key == bobs.made["api_key"]
    service.drop_replacement(session, owner=bobs.owner, account_id=bobs.account_id)
    session.commit()
    assert bobs.row.replacing is None


def test_a_paused_account_works_again_with_a_new_key(session: Session, sandbox: Sandbox) -> None:
    bobs = Bobs(session, sandbox)
    fresh = bobs.another_key()
    sandbox.control.revoke_key(bobs.made["api_key"])
    service.doubt(session, account_id=bobs.account_id)
    session.commit()
    bobs.replace(fresh)
    bobs.work()
    assert (bobs.row.state, bobs.row.reason) == (State.ACTIVE, "")


def test_a_key_of_another_account_is_no_replacement(session: Session) -> None:
    owner = bob(session).id
    account_id = linked(session, owner)
    session.get_one(ExchangeAccount, account_id).uid = "1"
    for uid, reason in (("2", Reason.OTHER_ACCOUNT), ("1", None)):
        service.replace_key(session, owner=owner, account_id=account_id, api_key="n" * 64, api_secret="s" * 64)
        session.commit()
        new_keys.settle(account_id, passed(uid=uid))
        session.expire_all()
        found = queries.account(session, owner=owner, account_id=account_id).replacing
        assert (found.reason if found else None) == reason


def test_a_key_that_is_linked_elsewhere_is_no_replacement_and_its_owner_is_not_told(session: Session) -> None:
    owner, outsider = bob(session).id, mallory(session).id
    account_id = linked(session, owner)
    linked(session, outsider, api_key="m" * 64)
    with pytest.raises(AlreadyLinked):
        service.replace_key(session, owner=owner, account_id=account_id, api_key="m" * 64, api_secret="s" * 64)
    session.rollback()
    # linked by somebody else while the new key was being checked
    service.replace_key(session, owner=owner, account_id=account_id, api_key="n" * 64, api_secret="s" * 64)
    session.commit()
    taken(session, outsider, api_key="n" * 64)
    new_keys.settle(account_id, passed())
    session.expire_all()
    found = queries.account(session, owner=owner, account_id=account_id).replacing
    assert found is not None
    assert found.reason == Reason.KEY_KNOWN


def test_mallory_replaces_nobodys_key(session: Session) -> None:
    owner, outsider = bob(session).id, mallory(session).id
    account_id = linked(session, owner)
    with pytest.raises(NotFound):
        service.replace_key(session, owner=outsider, account_id=account_id, api_key="n" * 64, api_secret="s" * 64)
    with pytest.raises(NotFound):
        service.drop_replacement(session, owner=outsider, account_id=account_id)
    with pytest.raises(InvalidInput):
        service.replace_key(session, owner=owner, account_id=account_id, api_key="", api_secret="")


def test_an_unlinked_account_forgets_its_new_key_too(session: Session) -> None:
    owner = bob(session).id
    account_id = linked(session, owner)
    service.replace_key(session, owner=owner, account_id=account_id, api_key="n" * 64, api_secret="s" * 64)
    service.unlink(session, owner=owner, account_id=account_id)
    session.commit()
    assert session.exec(select(KeyReplacement)).all() == []


def test_a_revoked_key_pauses_its_account_is_checked_at_once_and_told(session: Session, sandbox: Sandbox) -> None:
    bobs = Bobs(session, sandbox)
    account = session.get_one(ExchangeAccount, bobs.account_id)
    account.checked_at = clock.now() - timedelta(hours=5)
    session.commit()
    sandbox.control.revoke_key(bobs.made["api_key"])
    read(bobs)
    assert (bobs.row.state, bobs.row.reason) == (State.PAUSED, Reason.WRONG_KEY)
    assert bobs.row.check_due_at <= clock.now()
    bobs.work()
    assert (bobs.row.state, bobs.row.reason) == (State.PAUSED, Reason.WRONG_KEY)
    deliver_due()
    assert [notice.kind for notice in inbox(session, owner=bobs.owner)].count("account.paused") == 1


def test_a_doubt_that_was_wrong_is_over_with_the_check_at_once(session: Session, sandbox: Sandbox) -> None:
    bobs = Bobs(session, sandbox)
    session.get_one(ExchangeAccount, bobs.account_id).checked_at = clock.now() - timedelta(hours=5)
    service.doubt(session, account_id=bobs.account_id)
    session.commit()
    bobs.work()
    assert bobs.row.state == State.ACTIVE
    service.doubt(session, account_id=bobs.account_id)
    session.commit()
    assert bobs.row.check_due_at > clock.now() + timedelta(minutes=30), "it does not go on and off"


def test_a_key_whose_time_is_over_is_told_as_expired(session: Session, sandbox: Sandbox) -> None:
    bobs = Bobs(session, sandbox)
    sandbox.control.change_key(bobs.made["api_key"], expires_in_s=3600)
    service.recheck(session, owner=bobs.owner, account_id=bobs.account_id)
    session.commit()
    bobs.work()
    assert bobs.row.days_left == 0
    assert bobs.row.check_due_at < clock.now() + timedelta(minutes=61), "checked again when its time is over"
    session.get_one(ExchangeAccount, bobs.account_id).key_expires_at = clock.now() - timedelta(seconds=1)
    session.commit()
    sandbox.control.change_key(bobs.made["api_key"], expires_in_s=-1)
    read(bobs)
    assert (bobs.row.state, bobs.row.reason) == (State.PAUSED, Reason.EXPIRED)
    bobs.work()
    assert bobs.row.reason == Reason.EXPIRED, "the exchange calls it a wrong key"


def test_the_owner_is_warned_fourteen_days_three_days_and_a_day_before(session: Session) -> None:
    owner = alice(session).id
    account_id = linked(session, owner, role=Role.LEAD)
    account = session.get_one(ExchangeAccount, account_id)
    start = clock.now()
    account.key_expires_at = start + timedelta(days=30)
    told: list[int] = []
    now = start
    while now < account.key_expires_at:
        expiry.warn(session, account, now=now)
        expiry.warn(session, account, now=now)
        session.flush()
        if kinds(session).count("account.key_expires") > len(told):
            told.append((account.key_expires_at - now) // timedelta(days=1))
        now = expiry.next_check(account.key_expires_at, now=now, usual=timedelta(days=1))
    assert told == [14, 3, 1]
    session.commit()
    deliver_due()
    notices = [notice for notice in inbox(session, owner=owner) if notice.kind == "account.key_expires"]
    assert len(notices) == 3
    assert "Main" in notices[0].body


def test_a_key_linked_late_brings_only_the_most_urgent_warning(session: Session) -> None:
    account = session.get_one(ExchangeAccount, linked(session, alice(session).id, role=Role.LEAD))
    account.key_expires_at = clock.now() + timedelta(hours=30)
    for _ in range(3):
        expiry.warn(session, account, now=clock.now())
    assert kinds(session).count("account.key_expires") == 1


def passed(*, uid: str = "") -> Examined:
    return Examined(permissions=replace(MAY_TRADE, uid=uid), equity=equity(), positions=[])


def read(bobs: Bobs) -> None:
    """Read the account as the snapshots do."""

    async def run() -> None:
        pool: ClientPool = Pool(vault.opener())
        try:
            await snapshots.read(
                pool, queries.ref(bobs.session, bobs.account_id), role=Role.COPY, slots=asyncio.Semaphore(1)
            )
        finally:
            await pool.close()
            await bell().close()

    asyncio.run(run())
    bobs.session.expire_all()
