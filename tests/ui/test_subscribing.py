"""Choosing, settling and paying as handlers see it: what was typed stays, nonsense is told, nobody takes another's."""

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from sqlmodel import Session

from copytrade import clock
from copytrade.accounts import checking
from copytrade.accounts.checking import Examined
from copytrade.copying import queries as copying
from copytrade.copying import service
from copytrade.copying.models import CopySetting, CopyStand, LegRow
from copytrade.domain.instruments import Role
from copytrade.domain.sizing import CopySettings
from copytrade.state import routes
from copytrade.state.copies import Copies
from copytrade.state.guide import CHOOSE, DONE, LINK, PAY, Guide
from copytrade.state.subscribe import Subscribe
from copytrade.state.subscriptions import Subscriptions
from copytrade.state.trader import Trader
from copytrade.state.wallet import Wallet
from copytrade.subscriptions import queries as subscriptions
from copytrade.subscriptions.models import Subscription
from copytrade.subscriptions.profiles import publish, save_profile
from copytrade.subscriptions.rows import ProfileRow
from copytrade.users.queries import Person
from tests import paid
from tests.integration.accounts.linking import KEY, MAY_TRADE, equity, linked
from tests.integration.users.people import alice, bob, mallory
from tests.ui.asking import loaded, opened, sent, signed_in

LEAD_KEY = "l" * 60 + "9876"


def published(session: Session, trader: Person) -> ProfileRow:
    account_id = linked(session, trader.id, role=Role.LEAD, api_key=LEAD_KEY)
    made = save_profile(session, owner=trader.id, lead_account_id=account_id, name="nordwind", about="", price="25")
    publish(session, owner=trader.id, profile_id=made.id, may_be_paid=True)
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
    asyncio.run(sent(page, "pay", {"consent": "yes", "country": "DE"}))
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


def on_paper(session: Session, person: Person, profile: ProfileRow) -> tuple[Subscribe, UUID]:
    """Return the page of somebody who opened a paper account, which a worker has made ready."""
    page = page_of(session, person, profile, paper="1")
    assert (page.is_paper, page.choices) == (True, [])
    asyncio.run(sent(page, "open_paper", {"funds": "2 000"}))
    assert (page.problem, page.account_id != "") == ("", True)
    asyncio.run(loaded(page))
    assert page.opening
    account_id = UUID(page.account_id)
    checking.settle(account_id, Examined(permissions=MAY_TRADE, equity=equity("2000"), positions=[]))
    session.expire_all()
    asyncio.run(loaded(page))
    assert (page.opening, [choice.id for choice in page.choices]) == (False, [str(account_id)])
    return page, account_id


def test_a_trader_is_tried_on_paper_without_consent_or_payment(session: Session) -> None:
    profile, person = published(session, alice(session)), bob(session)
    page, account_id = on_paper(session, person, profile)
    asyncio.run(sent(page, "take_account", {"account": str(account_id)}))
    asyncio.run(sent(page, "settle", {"mode": "ratio", "factor": "0.1"}))
    assert (page.problem, page.step) == ("", 3)
    asyncio.run(sent(page, "pay", {}))
    assert (page.problem, page.step, page.paid) == ("", 4, "active")
    [row] = subscriptions.subscriptions_of(session, owner=person.id)
    assert (row.is_paper, row.state) == (True, "active")
    mine = opened(Subscriptions, cookie=signed_in(session, person))
    asyncio.run(loaded(mine))
    assert mine.rows == [], "nothing of it is money"
    [line] = mine.papers
    assert (line.is_paper, line.next) == (True, "free, until you stop it")
    wallet = opened(Wallet, cookie=signed_in(session, person))
    asyncio.run(loaded(wallet))
    assert (wallet.money, wallet.has_money, wallet.worth.equity) == ("paper", False, "2,000.00\N{NO-BREAK SPACE}USDT")
    linked(session, person.id)
    asyncio.run(sent(wallet, "choose_money", "real"))
    assert not wallet.loaded, "money must not stand under the mark of paper"
    asyncio.run(loaded(wallet))
    assert (wallet.money, wallet.has_paper, wallet.worth.equity) == ("real", True, "1,000.00\N{NO-BREAK SPACE}USDT")
    seen = opened(Trader, cookie=signed_in(session, person), path=routes.trader(profile.slug))
    object.__setattr__(seen, "slug", profile.slug)
    asyncio.run(loaded(seen))
    assert (seen.head.is_on_paper, seen.head.is_subscribed) == (True, False)


def test_consent_to_play_money_is_none_to_real_money(session: Session) -> None:
    profile, person = published(session, alice(session)), bob(session)
    page, paper_id = on_paper(session, person, profile)
    real_id = linked(session, person.id)
    asyncio.run(sent(page, "take_account", {"account": str(paper_id)}))
    asyncio.run(sent(page, "settle", {"factor": "1"}))
    page.account_id = str(real_id)
    asyncio.run(sent(page, "pay", {}))
    assert page.problem == "Please choose the account once more."
    assert subscriptions.subscriptions_of(session, owner=person.id) == []
    asyncio.run(sent(page, "choose_paper", False))
    assert (page.is_paper, page.step, [choice.id for choice in page.choices]) == (False, 1, [str(real_id)])


@pytest.mark.parametrize("funds", ["", "99", "1000001", "abc", "100.001", "-5"])
def test_play_money_has_bounds_too(session: Session, funds: str) -> None:
    profile, person = published(session, alice(session)), bob(session)
    page = page_of(session, person, profile, paper="1")
    asyncio.run(sent(page, "open_paper", {"funds": funds}))
    assert page.problem
    assert (page.account_id, page.funds) == ("", funds)


def test_nobody_tries_on_anothers_paper(session: Session) -> None:
    profile = published(session, alice(session))
    _, account_id = on_paper(session, bob(session), profile)
    page = page_of(session, mallory(session), profile, paper="1")
    assert page.choices == []
    asyncio.run(sent(page, "take_account", {"account": str(account_id)}))
    assert page.problem == "There is no such exchange account."


def test_each_way_to_end_and_the_big_stop_tell_their_numbers(session: Session) -> None:
    profile, person = published(session, alice(session)), bob(session)
    subscription_id = taken(session, person, profile)
    paid.entitle(session, subscription_id=subscription_id, until=clock.now() + timedelta(days=30))
    held(session, subscription_id, "0.02", halted=True)
    session.commit()
    page = opened(Subscriptions, cookie=signed_in(session, person))
    asyncio.run(loaded(page))
    [line] = page.rows
    worth = "1,200.00\N{NO-BREAK SPACE}USDT"
    assert line.ways.close == f"Closes 1 position worth about {worth} at the market's price at once."
    assert line.ways.keep == f"1 position worth about {worth} becomes your own; nobody closes it but you."
    assert page.ways == line.ways
    session.get_one(Subscription, subscription_id).is_paper = True
    session.commit()
    asyncio.run(loaded(page))
    assert (page.rows, page.papers[0].ways) == ([], line.ways)
    assert page.ways.close == f"Nothing is open, so nothing is closed. On paper: 1 position worth about {worth}."
    session.get_one(Subscription, subscription_id).is_paper = False
    session.commit()
    asyncio.run(loaded(page))
    assert page.rows[0].halted == "BTC/USDT"
    asyncio.run(sent(page, "release", str(subscription_id)))
    asyncio.run(loaded(page))
    assert page.rows[0].halted == ""


def test_a_reached_loss_is_told_and_let_go_on(session: Session) -> None:
    profile, person = published(session, alice(session)), bob(session)
    subscription_id = taken(session, person, profile)
    paid.entitle(session, subscription_id=subscription_id, until=clock.now() + timedelta(days=30))
    limits = CopySettings(max_daily_loss=Decimal(50), max_drawdown=Decimal(80))
    service.save_settings(session, owner=person.id, subscription_id=subscription_id, settings=limits)
    now = clock.now()
    stand = CopyStand(subscription_id=subscription_id, day=now.date(), day_pnl=Decimal(0), pnl=Decimal(-60),
                      peak_pnl=Decimal(30), read_at=now, daily_stopped_at=now)  # fmt: skip
    session.add(stand)
    session.commit()
    page = opened(Subscriptions, cookie=signed_in(session, person))
    asyncio.run(loaded(page))
    [line] = page.rows
    assert line.stopped.startswith(
        "The loss that you allow for a day was reached (60.00\N{NO-BREAK SPACE}USDT). Entries go on in "
    )
    assert not line.may_resume
    stand.drawdown_stopped_at = now
    session.add(stand)
    session.commit()
    asyncio.run(loaded(page))
    assert page.rows[0].may_resume
    asyncio.run(sent(page, "go_on", str(subscription_id)))
    assert page.problem == ""
    asyncio.run(loaded(page))
    assert not page.rows[0].may_resume


def held(session: Session, subscription_id: UUID, quantity: str, *, halted: bool) -> None:
    setting = session.get_one(CopySetting, subscription_id)
    session.add(
        LegRow(
            subscription_id=subscription_id,
            subscriber_id=setting.subscriber_id,
            profile_id=setting.profile_id,
            lead_account_id=setting.lead_account_id,
            copy_account_id=setting.copy_account_id,
            venue="binance",
            market="perpetual",
            symbol="BTC/USDT:USDT",
            position_side="net",
            target=Decimal(quantity),
            held=Decimal(quantity),
            price=Decimal(60_000),
            is_halted=halted,
            changed_at=clock.now(),
        )
    )
