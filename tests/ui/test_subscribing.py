"""Choosing, settling and paying as handlers see it: what was typed stays, nonsense is told, nobody takes another's."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
from sqlmodel import Session

from copytrade.copying import queries as copying
from copytrade.copying import service
from copytrade.domain.instruments import Role
from copytrade.domain.sizing import CopySettings
from copytrade.state import routes
from copytrade.state.copies import Copies
from copytrade.state.guide import CHOOSE, DONE, LINK, PAY, Guide
from copytrade.state.subscribe import Subscribe
from copytrade.state.subscriptions import Subscriptions
from copytrade.state.wallet import Wallet
from copytrade.subscriptions import queries as subscriptions
from copytrade.subscriptions.profiles import publish, save_profile
from copytrade.subscriptions.rows import ProfileRow
from copytrade.users.queries import Person
from tests.integration.accounts.linking import KEY, linked
from tests.integration.users.people import alice, bob, mallory
from tests.ui.asking import loaded, opened, sent, signed_in

LEAD_KEY = "l" * 60 + "9876"


def published(session: Session, trader: Person) -> ProfileRow:
    account_id = linked(session, trader.id, role=Role.LEAD, api_key=LEAD_KEY)
    made = save_profile(session, owner=trader.id, lead_account_id=account_id, name="nordwind", about="", price="25")
    publish(session, owner=trader.id, profile_id=made.id)
    session.commit()
    return subscriptions.profile_by_slug(session, "nordwind")


def page_of(session: Session, person: Person, profile: ProfileRow, **query: str) -> Subscribe:
    page = opened(Subscribe, cookie=signed_in(session, person), path=routes.subscribe(profile.slug), **query)
    object.__setattr__(page, "slug", profile.slug)
    asyncio.run(loaded(page))
    return page


def taken(session: Session, person: Person, profile: ProfileRow) -> UUID:
    account_id = linked(session, person.id, api_key=KEY)
    made = service.subscribe(
        session, owner=person.id, profile_id=profile.id, copy_account_id=account_id, settings=CopySettings()
    )
    session.commit()
    return made


def test_the_steps_keep_what_was_chosen(session: Session) -> None:
    profile, person = published(session, alice(session)), bob(session)
    account_id = linked(session, person.id)
    page = page_of(session, person, profile)
    assert (page.name, page.price, page.step) == ("nordwind", "$25", 1)
    assert [choice.id for choice in page.choices] == [str(account_id)]
    asyncio.run(sent(page, "take_account", {"account": str(account_id)}))
    asyncio.run(sent(page, "settle", {"mode": "ratio", "factor": "0,1", "max_order_notional": "1000"}))
    assert page.problem == ""
    assert page.step == 3
    assert page.summary[:2] == [
        "Each copy is 0.1 × the quantity that nordwind traded.",
        "At most 1,000.00\N{NO-BREAK SPACE}USDT per order · leverage up to 5",
    ]
    asyncio.run(sent(page, "back", 2))
    draft = page.draft
    assert (page.step, draft.mode, draft.factor, draft.max_order_notional) == (2, "ratio", "0,1", "1000")


def test_nobody_copies_to_anothers_account(session: Session) -> None:
    profile = published(session, alice(session))
    foreign = linked(session, bob(session).id)
    page = page_of(session, mallory(session), profile)
    asyncio.run(sent(page, "take_account", {"account": str(foreign)}))
    assert page.problem == "There is no such exchange account."
    page.account_id = str(foreign)
    asyncio.run(sent(page, "pay", {"consent": "yes"}))
    assert page.problem == "There is no such exchange account."
    assert subscriptions.subscriptions_of(session, owner=mallory_id(session)) == []


def mallory_id(session: Session) -> UUID:
    from copytrade.users.queries import person_by_email

    found = person_by_email(session, "mallory@copytrade.example")
    assert found is not None
    return found.id


def test_nothing_is_made_without_consent(session: Session) -> None:
    profile, person = published(session, alice(session)), bob(session)
    account_id = linked(session, person.id)
    page = page_of(session, person, profile)
    asyncio.run(sent(page, "take_account", {"account": str(account_id)}))
    asyncio.run(sent(page, "pay", {}))
    assert page.problem == "Please read and accept the risk notice."
    assert subscriptions.subscriptions_of(session, owner=person.id) == []


def test_coming_back_from_a_closed_payment_page_offers_it_again(session: Session) -> None:
    profile, person = published(session, alice(session)), bob(session)
    subscription_id = taken(session, person, profile)
    page = page_of(session, person, profile, subscription=str(subscription_id), payment="closed")
    assert (page.step, page.paid) == (4, "open")
    page = page_of(session, person, profile, subscription=str(subscription_id), payment="paid")
    assert (page.step, page.paid) == (4, "processing")


def test_anothers_subscription_is_not_found_after_payment(session: Session) -> None:
    profile = published(session, alice(session))
    subscription_id = taken(session, bob(session), profile)
    page = page_of(session, mallory(session), profile, subscription=str(subscription_id), payment="paid")
    assert page.problem == "There is no such subscription."
    assert page.paid == ""


@pytest.mark.parametrize(("handler", "arguments"), [("pause", ()), ("resume", ()), ("stop", ("close",)), ("pay", ())])
def test_nobody_touches_anothers_subscription(session: Session, handler: str, arguments: tuple[Any, ...]) -> None:
    profile, person = published(session, alice(session)), bob(session)
    subscription_id = taken(session, person, profile)
    before = subscriptions.subscription(session, owner=person.id, subscription_id=subscription_id)
    page = opened(Subscriptions, cookie=signed_in(session, mallory(session)))
    asyncio.run(sent(page, handler, str(subscription_id), *arguments))
    assert page.problem == "There is no such subscription."
    session.expire_all()
    assert subscriptions.subscription(session, owner=person.id, subscription_id=subscription_id) == before
    assert not copying.settings_of(session, owner=person.id)[subscription_id].is_paused


def test_an_end_that_nobody_offers_is_refused(session: Session) -> None:
    profile, person = published(session, alice(session)), bob(session)
    subscription_id = taken(session, person, profile)
    page = opened(Subscriptions, cookie=signed_in(session, person))
    asyncio.run(sent(page, "stop", str(subscription_id), "everything"))
    assert page.problem == "Please choose one of the list."


def test_settings_are_changed_and_shown(session: Session) -> None:
    profile, person = published(session, alice(session)), bob(session)
    subscription_id = taken(session, person, profile)
    page = opened(Subscriptions, cookie=signed_in(session, person))
    asyncio.run(loaded(page))
    (line,) = page.rows
    assert (line.name, line.state, line.next) == ("nordwind", "incomplete", "Nothing was charged yet.")
    asyncio.run(sent(page, "edit", str(subscription_id)))
    asyncio.run(sent(page, "save", {"mode": "ratio", "factor": "0.25", "max_order_notional": ""}))
    assert page.problem == ""
    asyncio.run(loaded(page))
    assert page.rows[0].settings[0] == "Each copy is 0.25 × the quantity that nordwind traded."


def test_a_first_visit_is_led_step_by_step(session: Session) -> None:
    profile, person = published(session, alice(session)), bob(session)
    guide = opened(Guide, cookie=signed_in(session, person))
    asyncio.run(loaded(guide))
    assert (guide.stage, guide.way) == (LINK, routes.ACCOUNTS)
    account_id = linked(session, person.id)
    asyncio.run(loaded(guide))
    assert guide.stage == CHOOSE
    service.subscribe(
        session, owner=person.id, profile_id=profile.id, copy_account_id=account_id, settings=CopySettings()
    )
    session.commit()
    asyncio.run(loaded(guide))
    assert (guide.stage, guide.way) == (PAY, routes.SUBSCRIPTIONS)


def test_strangers_and_traders_are_not_led(session: Session) -> None:
    for cookie in ("", signed_in(session, alice(session))):
        guide = opened(Guide, cookie=cookie)
        asyncio.run(loaded(guide))
        assert guide.stage == DONE


def test_an_empty_wallet_and_history_say_so(session: Session) -> None:
    cookie = signed_in(session, bob(session))
    wallet, copies = opened(Wallet, cookie=cookie), opened(Copies, cookie=cookie)
    asyncio.run(loaded(wallet))
    asyncio.run(loaded(copies))
    assert (wallet.loaded, wallet.has_account, wallet.positions) == (True, False, [])
    assert (copies.loaded, copies.rows, copies.summary.copied) == (True, [], "0")


def test_a_receipt_that_is_not_ones_own_is_not_found(session: Session) -> None:
    page = opened(Copies, cookie=signed_in(session, mallory(session)))
    asyncio.run(sent(page, "open", "01890000-0000-7000-8000-000000000000"))
    assert (page.problem, page.opened) == ("There is no such copy.", "")


def test_a_trader_who_copies_nobody_is_led_to_his_desk(session: Session) -> None:
    wallet = opened(Wallet, cookie=signed_in(session, alice(session)))
    assert routes.DESK in str(asyncio.run(loaded(wallet)))
