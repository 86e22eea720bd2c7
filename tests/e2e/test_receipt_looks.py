"""Receipts, skips, doubts and drifts with rows in them, in both languages and on both devices."""

from decimal import Decimal

import httpx
import pytest
from playwright.sync_api import Browser, expect
from sqlmodel import Session, col, select

from copytrade import clock
from copytrade.accounts.models import ExchangeAccount
from copytrade.accounts.reasons import State
from copytrade.copying import outcomes, skip_results
from copytrade.copying.models import CopyDrift, DriftKind, LegRow, Resolution
from copytrade.copying.outcomes import Told
from copytrade.db.session import bound, engine
from copytrade.domain.orders import Outcome, OutcomeKind
from copytrade.domain.sizing import CopySettings
from copytrade.subscriptions import service as subscriptions
from copytrade.users.service import cookie_name
from tests.e2e.test_looks import LOOKS
from tests.e2e.walking import Look, walking
from tests.integration.copying.desk import Desk, desk, placed
from tests.integration.users.people import PASSWORD

UNKNOWN = Outcome(OutcomeKind.UNKNOWN, message="no answer in time")


@pytest.fixture(scope="module")
def cookie(web: str) -> str:
    """Bob's session, after copies with everything in them."""
    with engine().connect() as connection:
        # The workers see it when it is complete, with accounts that they leave alone.
        outer, token = connection.begin(), bound.set(connection)
        try:
            with Session(connection, join_transaction_mode="create_savepoint") as session:
                email = _written(session)
            outer.commit()
        finally:
            bound.reset(token)
    answer = httpx.post(
        f"{web}/api/v1/login",
        json={"email": email, "password": PASSWORD},
        headers={"origin": web},
        trust_env=False,
        timeout=30,
    )
    assert answer.status_code == 200, answer.text
    return answer.cookies[cookie_name()]


def _written(session: Session) -> str:
    """Put everything into the tables; return Bob's address."""
    on = desk(session, settings=CopySettings(max_leverage=Decimal(100), max_position_notional=Decimal(30_000)))
    _copies(on)
    session.commit()
    skip_results.price_lately()
    subscriptions.unpublish(session, owner=on.market.alice.id, profile_id=on.market.profile_id)
    mine = col(ExchangeAccount.id).in_((on.market.lead, on.market.copy))
    for account in session.exec(select(ExchangeAccount).where(mine)):
        account.state = State.PAUSED
        session.add(account)
    session.commit()
    return on.market.bob.email


def _copies(on: Desk) -> None:
    """A copy of half, its order unknown for a while; its exit; an entry that waits; a drift that holds entries."""
    on.lead("1")
    sending = on.sending()
    on.tell(sending, UNKNOWN)
    outcomes.write(on.session, [Told(sending.order_id, found=placed(sending).order, by=Resolution.LOOK_UP)])
    on.price = Decimal(61_000)
    on.lead("-1")
    on.filled(on.sending())
    on.lead("1")
    on.session.flush()
    mine = select(LegRow).where(LegRow.subscription_id == on.subscription_id)
    leg = on.session.exec(mine.execution_options(populate_existing=True)).one()
    leg.is_halted, leg.due_at = True, None
    on.session.add(leg)
    for kind, policy, expected, found in (
        (DriftKind.LESS, "halt", "1", "0.4"),
        (DriftKind.MODES, "hold", "5x cross one-way", "20x isolated one-way"),
    ):
        on.session.add(
            CopyDrift(
                leg_id=leg.id, subscription_id=leg.subscription_id, subscriber_id=leg.subscriber_id, symbol=leg.symbol,
                position_side="net", kind=kind, policy=policy, expected=expected, found=found, at=clock.now(),
            )
        )  # fmt: skip


@pytest.mark.parametrize("look", LOOKS[1::2], ids=str)
def test_a_receipt_with_everything_in_it_fits(browser: Browser, web: str, cookie: str, look: Look) -> None:
    with walking(browser, web, look, who="history") as walker:
        walker.page.context.add_cookies([{"name": cookie_name(), "value": cookie, "url": web}])
        walker.go("/copies")
        expect(walker.part("[data-testid=skips]")).to_be_visible()
        walker.part("[data-testid=copies] [data-state=copied] button").last.click()
        expect(walker.part("[data-list=orders] .doubt")).to_be_visible()
        walker.fits()
        walker.picture("receipt")
        walker.page.locator("select[name=reason]").select_option("max_position")
        walker.page.wait_for_url("**/copies?reason=max_position")
        walker.go("/wallet")
        expect(walker.part("[data-testid=drifts] tbody tr")).to_have_count(2)
        walker.fits()
        walker.picture("drifts")
