"""Linking and keeping exchange accounts: nothing secret stays, nothing typed is lost, nobody touches another's."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
from sqlmodel import Session

from copytrade.accounts import checking, queries
from copytrade.accounts.checking import Examined
from copytrade.accounts.reasons import Reason
from copytrade.domain.instruments import Role
from copytrade.settings import settings
from copytrade.state import routes
from copytrade.state.accounts import Accounts
from copytrade.state.language import Language
from copytrade.state.linking import Linking
from copytrade.users.queries import Person
from tests.integration.accounts.linking import KEY, MAY_TRADE, SECRET, equity, linked
from tests.integration.users.people import alice, bob, mallory
from tests.ui.asking import loaded, opened, sent, signed_in

TYPED = {"label": "Main", "api_key": KEY, "api_secret": SECRET}


def linking(session: Session, person: Person, **query: str) -> Linking:
    page = opened(Linking, cookie=signed_in(session, person), path=routes.ACCOUNTS, **query)
    asyncio.run(sent(page, "open"))
    asyncio.run(loaded(page))
    return page


def accounts_of(session: Session, person: Person) -> Accounts:
    page = opened(Accounts, cookie=signed_in(session, person), path=routes.ACCOUNTS)
    asyncio.run(loaded(page))
    return page


def settled(page: Linking, session: Session, person: Person, found: Examined) -> None:
    (row,) = [row for row in queries.accounts(session, owner=person.id) if row.state == "checking"]
    checking.settle(row.id, found)
    session.expire_all()
    asyncio.run(loaded(page))


def test_linking_keeps_nothing_of_the_secret_in_the_state(session: Session) -> None:
    person = bob(session)
    page = linking(session, person)
    asyncio.run(sent(page, "link", {**TYPED, "passphrase": "PASS_CANARY"}))
    asyncio.run(loaded(page))
    assert (page.problem, page.outcome, page.title) == ("", "checking", "Main")
    for secret in (SECRET, KEY, "PASS_CANARY"):
        assert secret not in str(page.dict())
        assert secret not in str(vars(page))
    listed = accounts_of(session, person)
    (row,) = listed.rows
    assert (row.state, row.state_text, row.key) == ("checking", "being checked", "…1234")
    assert SECRET not in str(listed.dict())


def test_the_form_is_emptied_once_the_key_works_and_not_before(session: Session) -> None:
    person = bob(session)
    page = linking(session, person)
    asyncio.run(sent(page, "link", TYPED))
    asyncio.run(loaded(page))
    assert (page.outcome, page.form_round) == ("checking", 0)
    settled(page, session, person, Examined(reason=Reason.READ_ONLY))
    assert (page.outcome, page.form_round) == ("refused", 0)
    asyncio.run(sent(page, "link", TYPED))
    asyncio.run(loaded(page))
    settled(page, session, person, Examined(permissions=MAY_TRADE, equity=equity()))
    assert (page.outcome, page.form_round, page.refusal) == ("linked", 1, "")
    assert [row.state for row in accounts_of(session, person).rows] == ["active"], "the refused try is put aside"


@pytest.mark.parametrize(
    ("reason", "told", "hint"),
    [
        (Reason.MAY_WITHDRAW, "may withdraw money", "untick “Enable Withdrawals”"),
        (Reason.MAY_TRANSFER, "may transfer money", "untick “Permits Universal Transfer”"),
        (Reason.READ_ONLY, "may not trade this market", "Edit restrictions"),
        (Reason.NOT_READABLE, "may not read the account", "tick “Enable Reading”"),
        (Reason.RIGHTS_UNKNOWN, "did not tell what this key may do", ""),
        (Reason.WRONG_KEY, "does not accept this key and secret", "Copy both again"),
        (Reason.EXPIRED, "has expired", ""),
        (Reason.CLOCK_SKEW, "clock and ours differ", ""),
        (Reason.NOT_UNIFIED, "no unified trading account", ""),
        (Reason.UNIFIED, "is a unified trading account", ""),
    ],
)
def test_each_refusal_says_why_and_what_to_click(session: Session, reason: Reason, told: str, hint: str) -> None:
    person = bob(session)
    page = linking(session, person)
    asyncio.run(sent(page, "link", TYPED))
    settled(page, session, person, Examined(reason=reason))
    assert page.outcome == "refused"
    assert told in page.refusal
    assert hint in page.hint
    assert bool(hint) == bool(page.hint)


@pytest.mark.parametrize(
    ("form", "wrong", "problem"),
    [
        ({}, "api_key", "Please copy it from the exchange again."),
        ({"api_key": KEY}, "api_secret", "Please copy it from the exchange again."),
        ({"api_key": "two words", "api_secret": SECRET}, "api_key", "Please copy it from the exchange again."),
        ({"api_key": KEY, "api_secret": "ключ"}, "api_secret", "Please copy it from the exchange again."),
        ({"api_key": KEY, "api_secret": "s" * 600}, "api_secret", "Please copy it from the exchange again."),
        ({**TYPED, "label": "n" * 61}, "label", "The name is too long: at most 60 characters."),
    ],
)
def test_what_cannot_be_a_key_is_told_and_the_form_kept(
    session: Session, form: dict[str, str], wrong: str, problem: str
) -> None:
    person = bob(session)
    page = linking(session, person)
    asyncio.run(sent(page, "link", form))
    assert (page.problem, page.wrong, page.outcome, page.form_round) == (problem, wrong, "", 0)
    assert queries.accounts(session, owner=person.id) == []


def test_a_key_that_somebody_else_has_linked_is_told_without_saying_who(session: Session) -> None:
    linked(session, bob(session).id)
    page = linking(session, mallory(session))
    asyncio.run(sent(page, "link", TYPED))
    assert page.problem == "This key is linked already. Make another one on the exchange for this account."


def test_the_address_chooses_exchange_market_and_role(session: Session) -> None:
    page = linking(session, mallory(session), venue="binance", market="perpetual", role="lead")
    assert (page.venue, page.market, page.role, page.place) == ("binance", "perpetual", "lead", "Binance perpetuals")
    assert not any("sub-account" in step for step in page.steps)


def test_an_address_that_nobody_made_offers_what_there_is(session: Session) -> None:
    page = linking(session, bob(session), venue="nowhere", market="'; --", role="lead")
    assert (page.venue, page.market, page.role) == ("binance", "perpetual", "copy")
    asyncio.run(sent(page, "choose", "venue", "x" * 5000))
    asyncio.run(sent(page, "choose", "mode", "live"))
    asyncio.run(sent(page, "choose", "_account_id", "x"))
    assert (page.venue, page.mode, page.problem) == ("binance", "sandbox", "")


def test_money_is_chosen_where_the_installation_allows_several_kinds(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COPYTRADE_EXCHANGE_MODES", '["sandbox", "testnet"]')
    settings.cache_clear()
    try:
        person = bob(session)
        page = linking(session, person)
        assert [(offer.value, offer.name) for offer in page.modes] == [
            ("sandbox", "our practice exchange"),
            ("testnet", "the exchange's demo trading"),
        ]
        asyncio.run(sent(page, "choose", "mode", "testnet"))
        assert any("demo trading" in step for step in page.steps)
        asyncio.run(sent(page, "link", TYPED))
        (row,) = accounts_of(session, person).rows
        assert row.role.startswith("Binance perpetuals, demo trading · ")
    finally:
        monkeypatch.undo()
        settings.cache_clear()


def test_a_trader_links_lead_accounts_only(session: Session) -> None:
    page = linking(session, alice(session), role="copy")
    assert page.role == "lead"
    asyncio.run(sent(page, "choose", "role", "copy"))
    assert page.role == "lead"


@pytest.mark.parametrize("handler", ["unlink", "recheck", "put_aside", "examine", "drop_replacement"])
def test_nobody_touches_anothers_account(session: Session, handler: str) -> None:
    account_id = linked(session, bob(session).id)
    page = accounts_of(session, mallory(session))
    before = queries.account(session, owner=owner_of(session, account_id), account_id=account_id)
    asyncio.run(sent(page, handler, str(account_id)))
    assert page.problem == "There is no such exchange account."
    assert page.rows == []
    session.expire_all()
    assert queries.account(session, owner=owner_of(session, account_id), account_id=account_id) == before


@pytest.mark.parametrize(("handler", "form"), [("rename", {"label": "mine"}), ("replace_key", TYPED)])
def test_nobody_changes_anothers_account(session: Session, handler: str, form: dict[str, Any]) -> None:
    account_id = linked(session, bob(session).id)
    page = accounts_of(session, mallory(session))
    page.opened, page.part = str(account_id), "name"
    asyncio.run(sent(page, handler, form))
    assert page.problem == "There is no such exchange account."
    kept = queries.account(session, owner=owner_of(session, account_id), account_id=account_id)
    assert (kept.label, kept.key_hint, kept.replacing) == ("Main", "1234", None)


def test_what_unlinking_anothers_account_would_do_is_not_told(session: Session) -> None:
    account_id = linked(session, bob(session).id)
    page = accounts_of(session, mallory(session))
    asyncio.run(sent(page, "open", str(account_id), "unlink"))
    assert (page.problem, page.effects, page.part) == ("There is no such exchange account.", [], "")


@pytest.mark.parametrize("id", ["", "x", "'; drop table people.users; --", 7, None, {"a": 1}])
def test_what_is_no_id_is_not_found(session: Session, id: object) -> None:
    page = accounts_of(session, bob(session))
    asyncio.run(sent(page, "unlink", id))
    assert page.problem == "There is nothing at this address."


def test_a_name_is_changed_and_an_empty_one_told(session: Session) -> None:
    person = bob(session)
    account_id = linked(session, person.id)
    page = accounts_of(session, person)
    asyncio.run(sent(page, "open", str(account_id), "name"))
    asyncio.run(sent(page, "rename", {"label": " "}))
    assert (page.problem, page.part) == ("Please give the account a name.", "name")
    asyncio.run(sent(page, "rename", {"label": "Copying"}))
    asyncio.run(loaded(page))
    assert (page.rows[0].title, page.part, page.problem) == ("Copying", "", "")


def test_unlinking_says_first_what_it_does(session: Session) -> None:
    person = bob(session)
    account_id = linked(session, person.id)
    page = accounts_of(session, person)
    asyncio.run(sent(page, "open", str(account_id), "unlink"))
    assert (page.part, page.title) == ("unlink", "Main")
    assert page.effects[-1] == "Its key is destroyed here; its past stays."
    asyncio.run(sent(page, "unlink", str(account_id)))
    asyncio.run(loaded(page))
    assert (page.rows, page.part) == ([], "")


def test_an_examination_opens_its_findings_and_is_not_asked_for_twice(session: Session) -> None:
    person = bob(session)
    account_id = linked(session, person.id)
    page = accounts_of(session, person)
    asyncio.run(sent(page, "examine", str(account_id)))
    asyncio.run(loaded(page))
    assert (page.opened, page.part, page.rows[0].examination) == (str(account_id), "findings", "running")
    asyncio.run(sent(page, "examine", str(account_id)))
    assert page.problem == "It was examined a moment ago. Please wait a little."


def test_a_new_key_is_checked_while_the_old_one_stays(session: Session) -> None:
    person = bob(session)
    account_id = linked(session, person.id)
    page = accounts_of(session, person)
    asyncio.run(sent(page, "open", str(account_id), "key"))
    asyncio.run(sent(page, "replace_key", {"api_key": "", "api_secret": SECRET}))
    assert (page.problem, page.part) == ("Please copy it from the exchange again.", "key")
    asyncio.run(sent(page, "replace_key", {"api_key": "n" * 60 + "9876", "api_secret": SECRET}))
    asyncio.run(loaded(page))
    (row,) = page.rows
    assert (row.state, row.key, row.new_key, page.part) == ("active", "…1234", "checking", "")
    assert SECRET not in str(page.dict())
    asyncio.run(sent(page, "drop_replacement", str(account_id)))
    asyncio.run(loaded(page))
    assert page.rows[0].key == "…1234"


def test_a_card_says_in_the_persons_language_that_it_can_copy(session: Session) -> None:
    person = bob(session)
    linked(session, person.id)
    page = opened(Accounts, cookie=signed_in(session, person))
    asyncio.run(page.get_state(Language)).locale = "ru"
    asyncio.run(loaded(page))
    (row,) = page.rows
    assert (row.can_work, row.work_told, row.obstacles) == (True, "Можно копировать.", [])
    assert row.rights == "ключ может: читать, торговать"


def test_a_lead_card_is_told_apart(session: Session) -> None:
    person = alice(session)
    linked(session, person.id, role=Role.LEAD)
    (row,) = accounts_of(session, person).rows
    assert row.is_lead
    assert row.role == "Binance perpetuals · lead account: your trades are copied"


def owner_of(session: Session, account_id: UUID) -> UUID:
    return queries.owner_of(session, account_id)
