"""Money as tables: each sees his own, operators see all, no formula gets through, and nothing is cut off."""

import csv
import io
from collections.abc import Generator

import pytest
from sqlmodel import Session
from starlette.testclient import TestClient

from copytrade import clock
from copytrade.api.app import api
from copytrade.payments import connect, payouts, sheets
from copytrade.payments.ledger_models import MoneyDifference
from copytrade.users import service as users
from copytrade.users.person import Person
from tests.conftest import Sandbox
from tests.integration.api.test_contracts import sign_in
from tests.integration.payments.books import Books, chosen, onboarded
from tests.integration.payments.paying import Stripe, stripe_at
from tests.integration.payments.test_connect import go_through
from tests.integration.users import people


@pytest.fixture
def stripe(sandbox: Sandbox) -> Generator[Stripe]:
    with stripe_at(sandbox.url) as made:
        yield made


@pytest.fixture
def alice(session: Session) -> Person:
    return people.alice(session)


@pytest.fixture
def books(session: Session, alice: Person) -> Books:
    made = Books(session, alice.id)
    made.pay(2999, days_ago=9)
    made.pay(1000, days_ago=9)
    made.refund(0, 1001)
    onboarded(session, alice.id)
    with chosen(payout_every="daily", payout_minimum="10"):
        assert payouts.plan(session, trader_id=alice.id, currency="usd")
    session.commit()
    return made


def told(web: TestClient, name: str) -> list[list[str]]:
    answer = web.get(f"/api/v1/payments/sheets/{name}")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"].startswith(f'attachment; filename="{name}-2')
    return list(csv.reader(io.StringIO(answer.text)))


def column(rows: list[list[str]], name: str) -> list[str]:
    return [row[rows[0].index(name)] for row in rows[1:]]


def test_a_trader_gets_what_he_earned_every_entry_and_his_payouts(
    browser: TestClient, books: Books, alice: Person
) -> None:
    sign_in(browser, alice.email)
    earned = told(browser, "earnings")
    assert (column(earned, "paid"), column(earned, "share")) == (["29.99", "10.00"], ["23.99", "8.00"])
    assert column(earned, "refunded") == ["10.01", "0.00"]
    entries = told(browser, "entries")
    assert column(entries, "kind") == ["paid", "paid", "refund", "payout"]
    assert column(entries, "amount") == ["23.99", "8.00", "-8.01", "-23.98"]
    assert [column(told(browser, "payouts"), name) for name in ("amount", "state")] == [["23.98"], ["planned"]]


def test_a_subscriber_gets_what_he_paid_and_nobody_elses(
    browser: TestClient, books: Books, session: Session, alice: Person
) -> None:
    bob = people.bob(session)
    [first, _] = books.all_periods()
    first.subscriber_id = bob.id
    session.add(first)
    session.commit()
    sign_in(browser, bob.email)
    assert column(told(browser, "payments"), "paid") == ["29.99"]
    for name in ("earnings", "entries", "payouts"):
        assert len(told(browser, name)) == 1
    assert "share" not in told(browser, "payments")[0]


@pytest.mark.parametrize("name", sorted(sheets.OF_OPERATORS))
def test_only_operators_get_everybodys(browser: TestClient, books: Books, session: Session, name: str) -> None:
    mallory = people.mallory(session)
    sign_in(browser, mallory.email)
    refused = browser.get(f"/api/v1/payments/sheets/{name}")
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "not_allowed")
    users.make_operator(session, email=mallory.email)
    session.commit()
    sign_in(browser, mallory.email)
    rows = told(browser, name)
    assert len(rows) == {"ledger": 12, "periods": 3, "disputes": 1, "differences": 1}[name]


def test_the_ledger_as_a_table_adds_up_to_zero_however_long_it_is(
    books: Books, session: Session, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    users.make_operator(session, email=alice.email)
    session.commit()
    whole = list(sheets.rows_of(sheets.Sheet.LEDGER, asker=alice.id))
    monkeypatch.setattr(sheets, "AT_ONCE", 2)
    assert list(sheets.rows_of(sheets.Sheet.LEDGER, asker=alice.id)) == whole
    assert sum(row[6] for row in whole[1:]) == 0  # pyright: ignore[reportArgumentType, reportCallIssue]


def test_what_somebody_wrote_is_no_formula(browser: TestClient, session: Session, alice: Person) -> None:
    users.make_operator(session, email=alice.email)
    session.add(
        MoneyDifference(kind="transfer", stripe_id="=HYPERLINK(1)", ours="@x", theirs="-5", found_at=clock.now())
    )
    session.commit()
    sign_in(browser, alice.email)
    [row] = told(browser, "differences")[1:]
    assert row[3:] == ["'=HYPERLINK(1)", "'@x", "'-5"]


def test_nobody_without_a_session_gets_anything(browser: TestClient, alice: Person) -> None:
    for path in ("payments/sheets/ledger", "payments/sheets/payments", "payouts/onboarding", "payouts/onboarded"):
        assert browser.get(f"/api/v1/{path}").status_code == 401
    sign_in(browser, alice.email)
    assert browser.get("/api/v1/payments/sheets/secrets").status_code == 404


def test_the_ways_to_and_from_stripes_onboarding(
    browser: TestClient, session: Session, stripe: Stripe, alice: Person
) -> None:
    sign_in(browser, alice.email)
    there = browser.get(connect.AGAIN)
    assert (there.status_code, "/stripe/connect/" in there.headers["location"]) == (303, True)
    go_through(session, alice.id)
    back = browser.get(connect.BACK)
    assert (back.status_code, back.headers["location"].endswith("/earnings")) == (303, True)
    session.expire_all()
    assert connect.may_be_paid(session, user_id=alice.id)


def test_the_document_tells_of_the_tables() -> None:
    paths = api.openapi()["paths"]
    assert {"/api/v1/payments/sheets/{name}", connect.AGAIN, connect.BACK} <= set(paths)
