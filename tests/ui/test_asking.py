"""Who asks decides what is answered: pages of the signed in, numbers formatted for them, refusals in their words."""

import asyncio
from typing import Any

import pytest
from reflex.utils.exceptions import LockExpiredError
from sqlmodel import Session

from copytrade.state import asking, routes
from copytrade.state.asking import Who, admit, topics_for
from copytrade.state.desk import Desk
from copytrade.state.gate import Gate
from copytrade.state.language import Language
from copytrade.state.notices import Notices
from copytrade.state.preferences import Preferences
from copytrade.state.settings import Settings
from copytrade.state.traders import Traders
from copytrade.state.visitor import Visitor
from copytrade.users import queries as users
from tests.integration.accounts.linking import linked
from tests.integration.payments.books import onboarded
from tests.integration.users.people import PASSWORD, alice, bob, mallory
from tests.ui.asking import loaded, opened, sent, signed_in


def _speak(page: Any, locale: str) -> None:
    asyncio.run(page.get_state(Language)).locale = locale


def test_a_stranger_is_nobody_and_a_person_has_his_name(session: Session) -> None:
    stranger = opened(Visitor)
    asyncio.run(loaded(stranger))
    assert (stranger.known, stranger.signed_in, stranger.name) == (True, False, "")

    person = bob(session)
    visitor = opened(Visitor, cookie=signed_in(session, person))
    asyncio.run(loaded(visitor))
    assert (visitor.signed_in, visitor.name, visitor.is_subscriber, visitor.is_trader) == (True, "bob", True, False)


def test_a_session_that_was_revoked_is_a_strangers_at_the_next_event(session: Session) -> None:
    person = bob(session)
    page = opened(Settings, cookie=signed_in(session, person))
    asyncio.run(loaded(page))
    (line,) = page.sessions
    assert line.is_this
    asyncio.run(sent(page, "revoke", line.id))
    assert "/login" in str(asyncio.run(loaded(page)))


def test_a_persons_settings_are_his_alone(session: Session) -> None:
    person, other = bob(session), mallory(session)
    signed_in(session, person)
    foreign = users.sessions(session, user_id=person.id)[0]
    page = opened(Settings, cookie=signed_in(session, other))
    asyncio.run(sent(page, "revoke", str(foreign.id)))
    assert page.problem == "There is no such session."
    assert len(users.sessions(session, user_id=person.id)) == 1


def test_a_password_is_changed_with_the_old_one_only(session: Session) -> None:
    page = opened(Settings, cookie=signed_in(session, bob(session)))
    asyncio.run(sent(page, "change_password", {"old": "wrong", "new": "another long secret"}))
    assert page.problem == "The old password is wrong."
    asyncio.run(sent(page, "change_password", {"old": PASSWORD, "new": "another long secret"}))
    assert page.problem == ""
    assert "another long secret" not in str(page.dict())


@pytest.mark.parametrize(
    ("price", "problem"),
    [
        ("0", "The price for a month is a number from {least} to {most}, in whole cents."),
        ("-1", "The price for a month is a number from {least} to {most}, in whole cents."),
        ("1e9", "The price for a month is a number from {least} to {most}, in whole cents."),
        ("abc", "The price for a month is a number from {least} to {most}, in whole cents."),
        ("NaN", "The price for a month is a number from {least} to {most}, in whole cents."),
    ],
)
def test_a_price_that_is_none_is_told_and_nothing_is_stored(session: Session, price: str, problem: str) -> None:
    person = alice(session)
    from copytrade.domain.instruments import Role

    account_id = linked(session, person.id, role=Role.LEAD)
    page = opened(Desk, cookie=signed_in(session, person))
    asyncio.run(loaded(page))
    asyncio.run(sent(page, "edit", "new"))
    asyncio.run(sent(page, "save", {"name": "nordwind", "price": price, "lead_account_id": str(account_id)}))
    assert page.problem == problem.replace("{least}", "1").replace("{most}", "10000")
    asyncio.run(loaded(page))
    assert page.profiles == []


def test_a_trader_publishes_and_stands_in_the_list_in_the_readers_language(session: Session) -> None:
    person = alice(session)
    from copytrade.domain.instruments import Role

    account_id = linked(session, person.id, role=Role.LEAD)
    desk = opened(Desk, cookie=signed_in(session, person))
    asyncio.run(loaded(desk))
    asyncio.run(sent(desk, "edit", "new"))
    asyncio.run(sent(desk, "save", {"name": "nordwind", "price": "25", "lead_account_id": str(account_id)}))
    asyncio.run(loaded(desk))
    asyncio.run(sent(desk, "publish", desk.profiles[0].id))
    assert desk.problem.startswith("Set up your payouts first")
    onboarded(session, person.id)
    asyncio.run(sent(desk, "publish", desk.profiles[0].id))
    assert desk.problem == ""

    traders = opened(Traders, path=routes.TRADERS)
    _speak(traders, "ru")
    asyncio.run(loaded(traders))
    (row,) = traders.rows
    assert (row.name, row.price, row.place) == ("nordwind", "25\N{NO-BREAK SPACE}$", "Binance бессрочные")
    assert row.rank == "без места: меньше 30 дней"


def test_filters_come_from_the_address_and_go_there(session: Session) -> None:
    page = opened(Traders, path=routes.TRADERS, window="30d", sort="price", search="nobody")
    asyncio.run(loaded(page))
    assert (page.window, page.sort, page.search, page.rows) == ("30d", "price", "nobody", [])
    answer = str(asyncio.run(sent(page, "choose", "window", "7d")))
    assert "window=7d" in answer
    assert "search=nobody" in answer


def test_an_address_that_nobody_made_is_no_error(session: Session) -> None:
    page = opened(Traders, path=routes.TRADERS, window="1000y", sort="';--", **{"from": "-7"})
    asyncio.run(loaded(page))
    assert (page.window, page.sort, page.at, page.problem) == ("90d", "risk", 0, "")


@pytest.mark.parametrize("then", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:1"])
def test_the_door_leads_only_to_our_own_pages(session: Session, then: str) -> None:
    page = opened(Gate, path=routes.LOGIN, next=then)
    asyncio.run(sent(page, "open"))
    assert page.next == routes.WALLET


def test_the_door_says_why_in_the_persons_language(session: Session) -> None:
    page = opened(Gate, path=routes.LOGIN, error="wrong_login", email="bob@copytrade.example")
    _speak(page, "ru")
    asyncio.run(sent(page, "open"))
    assert (page.problem, page.email) == ("Неверный адрес или пароль.", "bob@copytrade.example")


def test_the_language_is_kept_for_mails_too(session: Session) -> None:
    person = bob(session)
    page = opened(Preferences, cookie=signed_in(session, person))
    asyncio.run(sent(page, "choose_language", "ru"))
    session.expire_all()
    assert users.person(session, person.id).locale == "ru"


def test_notices_are_read_by_their_owner_only(session: Session) -> None:
    from copytrade.notifications import queries, service

    person = bob(session)
    service.notify(session, user_id=person.id, kind="account.linked", facts={"label": "Main"})
    session.commit()
    (notice,) = queries.inbox(session, owner=person.id)
    foreign = opened(Notices, cookie=signed_in(session, mallory(session)))
    asyncio.run(sent(foreign, "read_one", str(notice.id)))
    assert queries.unread(session, owner=person.id) == 1

    page = opened(Notices, cookie=signed_in(session, person))
    _speak(page, "ru")
    asyncio.run(loaded(page))
    assert page.rows[0].title == "Счёт на бирже привязан"
    asyncio.run(sent(page, "read_one", str(notice.id)))
    assert queries.unread(session, owner=person.id) == 0


def test_a_stranger_hears_what_is_for_all_and_a_person_what_is_his_too(session: Session) -> None:
    topics = ("leaderboard", "user:{asker}")
    assert topics_for(None, topics) == ["leaderboard"]
    person = bob(session)
    assert topics_for(person, topics) == ["leaderboard", f"user:{person.id}"]


def test_roles_are_held_by_one_function(session: Session) -> None:
    from copytrade.errors import NotAllowed, NotSignedIn

    person = bob(session)
    admit(None, Who.PUBLIC)
    admit(person, Who.SUBSCRIBER)
    with pytest.raises(NotSignedIn):
        admit(None, Who.USER)
    for who in (Who.TRADER, Who.OPERATOR):
        with pytest.raises(NotAllowed):
            admit(person, who)


class _Starved:
    """A page whose lock lasts too short once, as on a machine that does much else."""

    def __init__(self, page: Any) -> None:
        self._page = page
        self._exits = 0

    async def __aenter__(self) -> Any:
        return self._page

    async def __aexit__(self, *error: object) -> None:
        self._exits += 1
        if self._exits == 1:
            raise LockExpiredError("the lock has expired")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._page, name)


def test_a_page_that_could_not_be_told_in_time_is_told_again(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "AGAIN_S", 0.0)
    told = list[str]()

    async def load(_page: Any, asker: Any, _voice: Any) -> None:
        told.append(asker.email)

    page = opened(Visitor, cookie=signed_in(session, bob(session)))
    asyncio.run(asking._loaded(_Starved(page), Who.USER, load))
    assert told == ["bob@copytrade.example"] * 2
