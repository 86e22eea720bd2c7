"""What the history and the wallet show of copies: filters in the address, receipts in full, doubts, skips, drifts."""

import asyncio
import base64
import re
from collections.abc import Generator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlmodel import Session

from copytrade import clock
from copytrade.accounts import queries as accounts
from copytrade.copying import outcomes, service, skip_results
from copytrade.copying.models import CopyDrift, DriftKind, Resolution, SymbolTerms
from copytrade.copying.outcomes import Told
from copytrade.domain.orders import Outcome, OutcomeKind
from copytrade.domain.sizing import CopySettings
from copytrade.state.copies import Copies
from copytrade.state.copy_sheet import COLUMNS
from copytrade.state.wallet import Wallet
from tests.integration.copying.desk import BTC, Desk, desk, placed
from tests.integration.users.people import mallory
from tests.ui.asking import loaded, opened, sent, signed_in

UNKNOWN = Outcome(OutcomeKind.UNKNOWN, message="no answer in time")
HALF = CopySettings(max_leverage=Decimal(100), max_position_notional=Decimal(30_000))


@pytest.fixture(autouse=True)
def still() -> Generator[None]:
    yield
    clock.set_offset(timedelta(0))


@pytest.fixture
def on(session: Session) -> Desk:
    return desk(session, settings=HALF)


def shown(on: Desk, **query: str) -> Copies:
    """Return the history as Bob's browser shows it."""
    page = opened(Copies, cookie=signed_in(on.session, on.market.bob), path="/copies", **query)
    asyncio.run(loaded(page))
    return page


def receipt(page: Copies) -> Any:
    asyncio.run(sent(page, "open", page.rows[0].id))
    return page.receipt


def exported(page: Copies) -> str:
    """Return the table that the page gives."""
    event = asyncio.run(sent(page, "export"))
    found = re.search(r"data:text/plain;base64,([A-Za-z0-9+/=]*)", str(event))
    assert found, event
    return base64.b64decode(found[1]).decode()


def test_a_receipt_shows_its_stages_its_sum_and_its_place(on: Desk) -> None:
    on.lead("1")
    on.filled(on.sending())
    page = shown(on)
    told = receipt(page)
    assert [step.name for step in told.steps] == ["trader's fill", "captured", "planned", "sent", "accepted", "filled"]
    assert told.sums == "1 BTC asked = 0.5 copied + 0.5 skipped"
    assert ("Your place among the subscribers", "1 of 1; the order rotates from fill to fill") in told.pairs
    [order] = told.orders
    assert (order.what, order.state, order.doubt) == ("0.5 BTC, limit 60,300.00", "filled", "")
    [skip] = told.skips
    assert skip.startswith("0.5 BTC: beyond your largest position")
    assert "is known when the trader has left it" in skip


def test_a_doubt_is_told_while_it_lasts_and_how_it_ended(on: Desk) -> None:
    on.lead("1")
    sending = on.sending()
    on.tell(sending, UNKNOWN)
    page = shown(on)
    [order] = receipt(page).orders
    assert order.state == "outcome unknown"
    assert order.doubt.startswith("Nobody knows its outcome since")
    on.later(2)
    outcomes.write(on.session, [Told(sending.order_id, found=placed(sending).order, by=Resolution.LOOK_UP)])
    [order] = receipt(shown(on)).orders
    assert order.doubt.startswith("Its outcome was unknown from")
    assert order.doubt.endswith("found at the exchange by its id.")


def test_an_open_receipt_goes_on_with_its_copy(on: Desk) -> None:
    on.lead("1")
    page = shown(on)
    assert receipt(page).sums == "1 BTC asked = 0.5 skipped + 0.5 waiting"
    on.filled(on.sending())
    asyncio.run(loaded(page))
    assert page.receipt.sums == "1 BTC asked = 0.5 copied + 0.5 skipped"
    assert page.opened == page.rows[0].id


def test_the_address_says_which_copies_are_shown(on: Desk) -> None:
    on.lead("1")
    on.filled(on.sending())
    on.lead("1")
    assert [row.state for row in shown(on).rows] == ["skipped", "copied"]
    assert [row.state for row in shown(on, state="copied").rows] == ["copied"]
    assert [row.state for row in shown(on, reason="max_position", trader=on.market.slug).rows] == ["skipped", "copied"]
    assert shown(on, reason="paused").rows == []
    page = shown(on, state="nonsense", reason="nonsense", trader="nobody")
    assert (len(page.rows), page.only, page.reason, page.trader) == (2, "", "", "")
    assert [one.value for one in page.reasons] == ["max_position"]
    assert [(one.value, one.text) for one in page.traders] == [(on.market.slug, "Nordwind")]


def test_a_filter_leads_to_an_address_that_keeps_the_others(on: Desk) -> None:
    on.lead("1")
    page = shown(on, state="skipped")
    [there] = asyncio.run(sent(page, "choose", "reason", "max_position"))
    assert "/copies?state=skipped&reason=max_position" in str(there)
    [back] = asyncio.run(sent(shown(on, state="skipped"), "choose", "state", "every"))
    assert "/copies?" not in str(back)


def listed(on: Desk) -> None:
    """Let the exchange's step be known: 0.001 BTC."""
    account = accounts.refs(on.session, [on.market.copy])[on.market.copy]
    on.session.add(
        SymbolTerms(
            venue=account.venue, market=account.market, mode=account.mode, symbol=BTC, base="BTC", quote="USDT",
            quantity_step=Decimal("0.001"), price_tick=Decimal("0.1"), min_quantity=Decimal("0.001"),
            max_quantity=Decimal(1000), min_notional=Decimal(5), exits_exempt=True, price=on.price,
            read_at=clock.now(),
        )
    )  # fmt: skip


def test_less_than_the_exchange_can_trade_is_told_by_the_receipt_alone(on: Desk) -> None:
    on.lead("0.0504")
    on.filled(on.sending())
    assert shown(on).rows[0].reason == "0.0004 BTC of it wait and go with the next fill"
    listed(on)
    page = shown(on)
    assert (page.rows[0].state, page.rows[0].reason) == ("copied", "")
    told = receipt(page)
    assert told.sums == "0.0504 BTC asked = 0.05 copied + 0.0004 waiting"
    assert told.rest.startswith("0.0004 BTC of it are less than the exchange's step of 0.001 BTC")
    on.claim()
    wallet = opened(Wallet, cookie=signed_in(on.session, on.market.bob), path="/wallet")
    asyncio.run(loaded(wallet))
    assert wallet.legs.legs[0].why == "less than the exchange's step of 0.001 BTC, goes with the next fill"
    on.lead("-0.0504")
    on.filled(on.sending())
    page = shown(on)
    assert [row.reason for row in page.rows] == ["", ""]
    assert receipt(page).sums == "0.0504 BTC asked = 0.05 copied + 0.0004 evened out"


def test_dust_that_was_skipped_is_told_by_the_receipt_alone(on: Desk) -> None:
    listed(on)
    on.lead("0.5004")
    on.filled(on.sending())
    page = shown(on)
    assert [(row.state, row.reason) for row in page.rows] == [("copied", "")]
    [skip] = receipt(page).skips
    assert skip.startswith("0.0004 BTC: beyond your largest position")


def test_what_could_have_been_traded_is_told_on_the_line_too(on: Desk) -> None:
    listed(on)
    on.lead("0.05")
    on.filled(on.sending(), Decimal("0.03"))
    on.lead("-0.05")
    on.filled(on.sending())
    reason = "0.02 BTC of it were taken back by the trader before they could be traded"
    assert [row.reason for row in shown(on).rows] == [reason, reason]


def test_an_exit_of_what_was_never_copied_says_so(on: Desk) -> None:
    service.pause(on.session, owner=on.market.bob.id, subscription_id=on.subscription_id)
    on.lead("1")
    on.lead("-1")
    row = shown(on).rows[0]
    assert (row.amount, row.state, row.reason) == ("0 BTC", "skipped", "there was nothing of it on your account")


def test_what_skips_would_have_made_is_told_per_line_and_in_sum(on: Desk) -> None:
    on.lead("1")
    on.filled(on.sending())
    on.price = Decimal(58_000)
    on.lead("-1")
    skip_results.price_lately()
    page = shown(on, state="copied")
    assert "it would have made −1,000.00" in page.rows[-1].reason
    [total] = [one for one in page.skips if one.reason == "max_position"]
    assert (total.count, total.made.tone, total.note) == ("1", "loss", "")
    assert "1,000.00" in total.made.text


def test_the_history_goes_out_as_a_table(on: Desk) -> None:
    on.lead("1")
    on.filled(on.sending())
    text = exported(shown(on))
    assert "time_utc,trader,symbol,side" in text
    assert "Nordwind,BTC/USDT:USDT,buy,opening,copied,max_position,1,60000,1,0.5,0.5,0,0,60300" in text


def test_mallory_sees_no_receipt_and_exports_nothing_of_bobs(on: Desk, session: Session) -> None:
    on.lead("1")
    part = on.parts()[0].id
    page = opened(Copies, cookie=signed_in(session, mallory(session)), path="/copies", trader=on.market.slug)
    asyncio.run(loaded(page))
    asyncio.run(sent(page, "open", str(part)))
    assert (page.opened, page.problem, page.rows, page.traders) == ("", "There is no such copy.", [], [])
    assert exported(page).splitlines() == [",".join(COLUMNS)]


def test_the_wallet_says_why_a_position_is_not_what_it_should_be_and_lets_entries_go_on(on: Desk) -> None:
    on.lead("1")
    leg = on.leg()
    leg.is_halted = True
    on.session.add(leg)
    on.session.add(
        CopyDrift(
            leg_id=leg.id, subscription_id=leg.subscription_id, subscriber_id=leg.subscriber_id, symbol=leg.symbol,
            position_side="net", kind=DriftKind.LESS, policy="halt", expected="1", found="0.4", at=clock.now(),
        )
    )  # fmt: skip
    on.session.flush()
    cookie = signed_in(on.session, on.market.bob)
    page = opened(Wallet, cookie=cookie, path="/wallet")
    asyncio.run(loaded(page))
    assert [line.why for line in page.legs.legs] == [
        "entries are held: waits for you after a difference on the account"
    ]
    [drift] = page.legs.drifts
    assert (drift.what, drift.found, drift.is_open) == (
        "the account held less than was copied", "1 BTC expected, 0.4 BTC found", True,
    )  # fmt: skip
    [held] = page.legs.held
    assert (held.trader, held.symbols) == ("Nordwind", "BTC/USDT")
    stranger = opened(Wallet, cookie=signed_in(on.session, mallory(on.session)), path="/wallet")
    asyncio.run(sent(stranger, "release", held.subscription_id))
    asyncio.run(loaded(page))
    assert len(page.legs.held) == 1
    asyncio.run(sent(page, "release", held.subscription_id))
    asyncio.run(loaded(page))
    assert page.legs.held == []
