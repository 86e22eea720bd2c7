from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlmodel import Session, select

from copytrade import clock
from copytrade.accounts import checking, queries, service, vault
from copytrade.accounts.checking import Examined
from copytrade.accounts.models import ExchangeAccount, ExchangeSecret
from copytrade.accounts.reasons import Reason, State
from copytrade.accounts.service import AlreadyLinked
from copytrade.db.events import Event
from copytrade.domain.instruments import Role
from copytrade.errors import BadCredentials, InvalidInput, LimitReached, NotFound
from tests.integration.accounts.linking import KEY, MAY_TRADE, SECRET, equity, linked, position, taken
from tests.integration.users.people import alice, bob, mallory


def kinds(session: Session) -> list[str]:
    return [kind for kind in session.exec(select(Event.kind).order_by(Event.id)) if kind.startswith("account.")]  # pyright: ignore[reportArgumentType]


def test_bob_links_a_key_and_a_worker_opens_what_nobody_else_can_read(session: Session) -> None:
    owner = bob(session)
    account_id = linked(session, owner.id)
    row = queries.account(session, owner=owner.id, account_id=account_id)
    assert (row.state, row.key_hint, row.label, row.ip_restricted) == ("active", "1234", "Main", True)
    assert row.equity == 1000
    assert row.permissions == {
        "may_read": True,
        "may_trade": True,
        "may_withdraw": False,
        "may_transfer": False,
        "ip_restricted": True,
    }
    opened = vault.opener()(account_id)
    assert (opened.api_key, opened.api_secret, opened.passphrase) == (KEY, SECRET, "")
    assert SECRET not in repr(opened)
    assert kinds(session) == ["account.linked"]


def test_the_secret_stands_nowhere_in_the_database(session: Session) -> None:
    account_id = linked(session, bob(session).id)
    assert account_id
    tables = session.connection().execute(
        text(
            "select table_schema, table_name from information_schema.tables where table_schema in ('people', 'trades')"
        )
    )
    for schema, table in tables.all():
        rows = session.connection().execute(text(f'select t::text from "{schema}"."{table}" t')).scalars().all()
        assert not any("CANARY" in row or KEY in row or b"CANARY".hex() in row for row in rows), table


def test_a_secret_moved_to_another_row_does_not_open(session: Session) -> None:
    owner = bob(session)
    mine, other = linked(session, owner.id), linked(session, mallory(session).id, api_key="m" * 64)
    stolen = session.get_one(ExchangeSecret, mine)
    target = session.get_one(ExchangeSecret, other)
    target.sealed, target.kek_id = stolen.sealed, stolen.kek_id
    session.commit()
    with pytest.raises(BadCredentials) as told:
        vault.opener()(other)
    assert "CANARY" not in str(told.value)


def test_a_secret_whose_account_changed_hands_does_not_open(session: Session) -> None:
    account_id = linked(session, bob(session).id)
    session.get_one(ExchangeAccount, account_id).user_id = mallory(session).id
    session.commit()
    with pytest.raises(BadCredentials):
        vault.opener()(account_id)


@pytest.mark.parametrize("reason", [Reason.WRONG_KEY, Reason.MAY_WITHDRAW, Reason.READ_ONLY, Reason.HEDGE_MODE])
def test_a_refused_key_is_told_once_and_leaves_nothing(session: Session, reason: Reason) -> None:
    owner = bob(session)
    account_id = taken(session, owner.id)
    checking.settle(account_id, Examined(reason=reason))
    session.expire_all()
    assert session.exec(select(ExchangeSecret)).all() == []
    told = service.result(session, owner=owner.id, account_id=account_id)
    session.commit()
    assert (told.state, told.reason) == (State.REFUSED, reason)
    assert session.exec(select(ExchangeAccount)).all() == []
    assert kinds(session) == ["account.refused"]
    assert taken(session, owner.id), "the same key may be tried again"


def test_a_refusal_that_nobody_read_is_dropped_after_a_while(session: Session) -> None:
    owner = bob(session)
    account_id = taken(session, owner.id)
    checking.settle(account_id, Examined(reason=Reason.WRONG_KEY))
    checking.tidy()
    session.expire_all()
    assert queries.accounts(session, owner=owner.id)
    try:
        clock.set_offset(timedelta(hours=2))
        checking.tidy()
    finally:
        clock.set_offset(timedelta())
    session.expire_all()
    assert queries.accounts(session, owner=owner.id) == []


def test_an_exchange_that_does_not_answer_is_asked_again_then_given_up(session: Session) -> None:
    owner = bob(session)
    account_id = taken(session, owner.id)
    for attempt in range(checking.ATTEMPTS):
        account = session.get_one(ExchangeAccount, account_id)
        assert account.state == State.CHECKING, attempt
        account.check_attempts += 1
        session.commit()
        checking.settle(account_id, Examined(reason=Reason.EXCHANGE_AWAY))
        session.expire_all()
    assert service.result(session, owner=owner.id, account_id=account_id).reason == Reason.EXCHANGE_AWAY


def test_a_linked_account_outlives_an_exchange_that_does_not_answer(session: Session) -> None:
    owner = bob(session)
    account_id = linked(session, owner.id)
    for _ in range(10):
        checking.settle(account_id, Examined(reason=Reason.EXCHANGE_AWAY))
    session.expire_all()
    assert queries.account(session, owner=owner.id, account_id=account_id).state == State.ACTIVE


def test_a_linked_account_whose_key_may_withdraw_now_is_paused_and_told_once(session: Session) -> None:
    owner = bob(session)
    account_id = linked(session, owner.id)
    for _ in range(2):
        checking.settle(account_id, Examined(reason=Reason.MAY_WITHDRAW))
    session.expire_all()
    row = queries.account(session, owner=owner.id, account_id=account_id)
    assert (row.state, row.reason) == (State.PAUSED, Reason.MAY_WITHDRAW)
    assert kinds(session) == ["account.linked", "account.paused"]
    assert queries.active(session, role=Role.COPY) == []
    service.recheck(session, owner=owner.id, account_id=account_id)
    session.commit()
    checking.settle(account_id, Examined(permissions=MAY_TRADE, equity=equity(), positions=[position()]))
    session.expire_all()
    assert queries.account(session, owner=owner.id, account_id=account_id).state == State.ACTIVE
    assert kinds(session) == ["account.linked", "account.paused"], "working again is no second linking"


def test_a_key_that_is_linked_is_refused_whoever_comes_with_it(session: Session) -> None:
    owner, outsider = bob(session), mallory(session)
    account_id = taken(session, owner.id)
    for person, role in ((owner, Role.COPY), (owner, Role.LEAD), (outsider, Role.COPY)):
        with pytest.raises(AlreadyLinked) as told:
            taken(session, person.id, role=role)
        session.rollback()
        assert "bob" not in str(told.value).lower()
    service.unlink(session, owner=owner.id, account_id=account_id)
    session.commit()
    assert taken(session, outsider.id)


def test_an_unlinked_account_forgets_its_secret_for_good(session: Session) -> None:
    owner = bob(session)
    account_id = linked(session, owner.id)
    service.unlink(session, owner=owner.id, account_id=account_id)
    session.commit()
    assert session.exec(select(ExchangeSecret)).all() == []
    assert queries.accounts(session, owner=owner.id) == []
    with pytest.raises(BadCredentials):
        vault.opener()(account_id)
    with pytest.raises(NotFound):
        service.recheck(session, owner=owner.id, account_id=account_id)
    checking.settle(account_id, Examined(permissions=MAY_TRADE, equity=equity(), positions=[]))
    session.expire_all()
    assert queries.states(session, [account_id]) == {account_id: State.UNLINKED}


def test_mallory_reaches_nobodys_account(session: Session) -> None:
    owner, outsider = bob(session), mallory(session)
    account_id = linked(session, owner.id)
    tries: list[Any] = [
        lambda: queries.account(session, owner=outsider.id, account_id=account_id),
        lambda: service.result(session, owner=outsider.id, account_id=account_id),
        lambda: service.recheck(session, owner=outsider.id, account_id=account_id),
        lambda: service.rename(session, owner=outsider.id, account_id=account_id, label="mine"),
        lambda: service.unlink(session, owner=outsider.id, account_id=account_id),
        lambda: service.unlink(session, owner=outsider.id, account_id=UUID(int=1)),
    ]
    for attempt in tries:
        with pytest.raises(NotFound):
            attempt()
    assert queries.accounts(session, owner=outsider.id) == []
    assert queries.account(session, owner=owner.id, account_id=account_id).label == "Main"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"venue": "mtgox"}, "venue"),
        ({"venue": "bitget"}, "passphrase"),
        ({"market": "margin"}, "market"),
        ({"role": "owner"}, "role"),
        ({"mode": "live"}, "mode"),
        ({"api_key": ""}, "api_key"),
        ({"api_key": "k k"}, "api_key"),
        ({"api_key": "ключ"}, "api_key"),
        ({"api_key": "k\x00k"}, "api_key"),
        ({"api_secret": ""}, "api_secret"),
        ({"api_secret": "s" * 600}, "api_secret"),
        ({"label": "x" * 61}, "label"),
    ],
)
def test_what_cannot_be_a_key_is_refused_before_it_is_stored(
    session: Session, change: dict[str, str], field: str
) -> None:
    typed = {
        "venue": "binance",
        "market": "perpetual",
        "role": "copy",
        "label": "",
        "api_key": KEY,
        "api_secret": SECRET,
    }
    owner = bob(session)
    with pytest.raises(InvalidInput) as told:
        service.link(session, owner=owner.id, **(typed | change))
    assert told.value.field == field
    assert "CANARY" not in str(told.value)
    assert session.exec(select(ExchangeAccount)).all() == []


def test_spaces_around_a_copied_key_do_not_matter(session: Session) -> None:
    account_id = taken(session, bob(session).id, api_key=f" {KEY}\n", secret=f"\t{SECRET} ")
    assert vault.opener()(account_id).api_secret == SECRET


def test_nobody_links_accounts_without_end(session: Session) -> None:
    owner = bob(session)
    for number in range(service.MOST_ACCOUNTS):
        taken(session, owner.id, api_key=f"key-number-{number:04d}")
    with pytest.raises(LimitReached):
        taken(session, owner.id, api_key="one-more")


def test_active_accounts_are_listed_by_role(session: Session) -> None:
    lead = linked(session, alice(session).id, role=Role.LEAD)
    copy = linked(session, bob(session).id, api_key="b" * 64)
    taken(session, mallory(session).id, api_key="m" * 64)
    assert [ref.id for ref in queries.active(session, role="lead", venue="binance")] == [lead]
    assert [ref.id for ref in queries.active(session, role=Role.COPY)] == [copy]
    assert queries.active(session, role=Role.LEAD, venue="bybit") == []
    assert queries.refs(session, [lead, copy])[lead].mode == "sandbox"
