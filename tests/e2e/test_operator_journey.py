"""An operator holds a venue back, lets it go on, and decides an order that nobody could find out about."""

from datetime import timedelta
from decimal import Decimal

import pytest
from playwright.sync_api import Browser, expect
from sqlmodel import Session

from copytrade import clock
from copytrade.accounts.models import ExchangeAccount
from copytrade.accounts.reasons import State
from copytrade.copying.models import CopyOrder, OrderState
from copytrade.db.session import bound, engine
from copytrade.users import service as users
from copytrade.users.service import cookie_name
from tests.e2e.walking import Look, Walker, walking
from tests.integration.accounts.linking import linked

EMAIL = "olga-operator@copytrade.example"


@pytest.fixture(scope="module")
def cookie(web: str) -> str:
    """An operator's session; an order of his own stands there that has been unknown for two hours."""
    assert web
    with engine().connect() as connection:
        # The workers see it when it is complete, with an account that they leave alone.
        outer, token = connection.begin(), bound.set(connection)
        try:
            with Session(connection, join_transaction_mode="create_savepoint") as session:
                opened = _written(session)
            outer.commit()
        finally:
            bound.reset(token)
    return opened


def _written(session: Session) -> str:
    person, _ = users.make_operator(session, email=EMAIL)
    account_id = linked(session, person.id, api_key="o" * 64)
    session.get_one(ExchangeAccount, account_id).state = State.PAUSED
    session.add(
        CopyOrder(
            subscriber_id=person.id, exchange_account_id=account_id, symbol="BTC/USDT:USDT", position_side="net",
            side="buy", purpose="entry", kind="limit", quantity=Decimal("0.5"), price=Decimal(60_000),
            reduce_only=False, reference=Decimal(60_000), client_order_id="ctunknownforlong",
            state=OrderState.UNKNOWN, created_at=clock.now() - timedelta(hours=2),
            sent_at=clock.real_now() - timedelta(hours=2), unknown_at=clock.now() - timedelta(hours=2),
        )
    )  # fmt: skip
    token = users.start_session(session, user_id=person.id, address="127.0.0.1", user_agent="test")
    session.commit()
    return token


@pytest.mark.timeout(240)
@pytest.mark.parametrize("look", [Look("en", "dark", "desktop"), Look("ru", "light", "phone")], ids=str)
def test_a_venue_is_held_back_and_let_go_on(browser: Browser, web: str, cookie: str, look: Look) -> None:
    with walking(browser, web, look, who="olga") as walker:
        _enter(walker, cookie)
        walker.part("select[name=scope]").select_option("venue")
        walker.part("select[name=target]").select_option("bitget")
        walker.part("form.fields [name=reason]").fill(f"a drill in {look.locale}")
        walker.press("See what it reaches")
        walker.press("Do it")
        held = walker.part("#switches .notice")
        expect(held).to_contain_text("Bitget")
        walker.fits()
        walker.picture("operator-held")
        held.locator("[name=reason]").fill("the drill is over")
        held.get_by_role("button").click()
        expect(held).to_have_count(0)
        turned = walker.part("[data-testid=switched] tbody tr")
        expect(turned.nth(0)).to_contain_text("the drill is over")
        expect(turned.nth(0)).to_contain_text(walker.say("let go on"))
        expect(turned.nth(1)).to_contain_text(f"a drill in {look.locale}")
        expect(turned.nth(1)).to_contain_text(EMAIL)
        walker.fits()
        walker.picture("operator-switched")


@pytest.mark.timeout(240)
def test_an_unknown_order_is_decided_where_it_stands(browser: Browser, web: str, cookie: str) -> None:
    with walking(browser, web, Look("ru", "dark", "phone"), who="olga") as walker:
        _enter(walker, cookie)
        order = walker.part(".notice").filter(has_text="ctunknownforlong")
        expect(order).to_have_count(1)
        walker.fits()
        walker.picture("operator-unknown")
        order.locator("[name=filled]").fill("0.6")
        order.get_by_role("button").click()
        walker.sees("The filled quantity lies between what is known and the order's quantity.")
        order.locator("[name=filled]").fill("0")
        order.get_by_role("button").click()
        expect(order).to_have_count(0)


def _enter(walker: Walker, cookie: str) -> None:
    walker.page.context.add_cookies([{"name": cookie_name(), "value": cookie, "url": walker.web}])
    walker.go("/operator")
    expect(walker.part("#switches")).to_be_visible()
