from urllib.parse import parse_qs, urlsplit

import pytest
from sqlmodel import Session, select
from starlette.testclient import TestClient

from copytrade.settings import settings
from copytrade.users import queries
from copytrade.users.models import User
from tests.integration.users.people import PASSWORD, alice

ALICE = {"email": "alice@copytrade.example", "password": PASSWORD}
NEW = ALICE | {"roles": ["trader", "subscriber"], "accepted_terms": True}


def test_a_form_registers_signs_in_and_leads_onwards(session: Session, browser: TestClient) -> None:
    answer = browser.post("/api/v1/register", data=NEW | {"accepted_terms": "on", "next": "/accounts"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/accounts")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    person = queries.person_of_token(session, answer.cookies["session"])
    assert person
    assert (person.is_trader, person.is_subscriber, person.is_operator) == (True, True, False)


def test_json_registers_and_signs_in(session: Session, program: TestClient) -> None:
    made = program.post("/api/v1/register", json=NEW, headers={"Accept-Language": "ru"})
    assert made.status_code == 201
    assert made.json()["email"] == ALICE["email"]
    assert made.json()["locale"] == "ru"
    program.cookies.clear()
    signed = program.post("/api/v1/login", json=ALICE)
    assert signed.status_code == 200
    assert queries.person_of_token(session, signed.cookies["session"])
    assert "password" not in signed.text


def test_nobody_makes_himself_an_operator(session: Session, program: TestClient) -> None:
    answer = program.post("/api/v1/register", json=NEW | {"roles": ["operator", "trader"], "is_operator": True})
    assert answer.status_code == 201
    assert answer.json()["is_operator"] is False
    assert queries.operators(session) == []


def test_a_refused_form_goes_back_with_the_reason_and_what_was_typed(session: Session, browser: TestClient) -> None:
    alice(session)
    answer = browser.post("/api/v1/register", data=NEW | {"accepted_terms": "on", "next": "/wallet"})
    assert answer.status_code == 303
    page, told = urlsplit(answer.headers["location"]).path, parse_qs(urlsplit(answer.headers["location"]).query)
    assert page == "/register"
    assert told == {
        "error": ["email_taken"],
        "email": [ALICE["email"]],
        "next": ["/wallet"],
        "roles": ["trader,subscriber"],
    }
    assert PASSWORD not in answer.headers["location"]
    wrong = browser.post("/api/v1/login", data=ALICE | {"password": "wrong password"})
    assert parse_qs(urlsplit(wrong.headers["location"]).query)["error"] == ["wrong_login"]
    assert "set-cookie" not in wrong.headers


def test_a_refused_program_gets_the_reason_in_its_language(session: Session, program: TestClient) -> None:
    answer = program.post("/api/v1/register", json=NEW | {"email": "a" * 300}, headers={"Accept-Language": "en"})
    assert answer.status_code == 422
    assert answer.json() == {
        "error": {
            "code": "email_invalid",
            "message": "That is not an e-mail address. Please check it.",
            "field": "email",
            "facts": {},
        }
    }
    assert session.exec(select(User)).all() == []


@pytest.mark.parametrize(
    "target", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:1", "", "\t//x"]
)
def test_signing_in_never_leads_to_another_site(session: Session, browser: TestClient, target: str) -> None:
    alice(session)
    assert browser.post("/api/v1/login", data=ALICE | {"next": target}).headers["location"] == "/"


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": settings().web_url, "Sec-Fetch-Site": "cross-site"},
        {},
    ],
)
def test_another_sites_form_is_refused(session: Session, program: TestClient, headers: dict[str, str]) -> None:
    alice(session)
    for path in ("/api/v1/login", "/api/v1/register", "/api/v1/logout"):
        answer = program.post(path, data=ALICE, headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "cross_site"), path
        assert "set-cookie" not in answer.headers


def test_both_names_of_this_machine_are_our_own(session: Session, program: TestClient) -> None:
    alice(session)
    for origin in settings().web_origins:
        answer = program.post("/api/v1/login", data=ALICE, headers={"Origin": origin, "Sec-Fetch-Site": "same-origin"})
        assert "set-cookie" in answer.headers


def test_signing_in_again_ends_the_session_before(session: Session, browser: TestClient) -> None:
    alice(session)
    first = browser.post("/api/v1/login", json=ALICE).cookies["session"]
    second = browser.post("/api/v1/login", json=ALICE).cookies["session"]
    assert first != second
    assert queries.person_of_token(session, first) is None
    assert queries.person_of_token(session, second)


def test_signing_out_ends_the_session_and_drops_the_cookie(session: Session, browser: TestClient) -> None:
    alice(session)
    token = browser.post("/api/v1/login", json=ALICE).cookies["session"]
    answer = browser.post("/api/v1/logout", data={"x": ""})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert 'session=""' in answer.headers["set-cookie"]
    assert queries.person_of_token(session, token) is None
    assert browser.post("/api/v1/logout", json={}).status_code == 204


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'"x"', b"\xff\xfe", b'{"email": 1, "password": []}'])
def test_what_is_no_registration_is_told_so(program: TestClient, body: bytes) -> None:
    for path in ("/api/v1/login", "/api/v1/register"):
        answer = program.post(path, content=body, headers={"Content-Type": "application/json"})
        assert (answer.status_code, answer.json()["error"]["code"]) == (422, "invalid_input")


def test_what_was_typed_is_never_echoed(program: TestClient) -> None:
    answer = program.post("/api/v1/login", json={"email": "alice@copytrade.example", "password": ["CANARY_TYPED"]})
    assert answer.status_code == 422
    assert "CANARY" not in answer.text


def test_an_unknown_address_has_the_same_form(program: TestClient) -> None:
    answer = program.get("/api/v1/login")
    assert (answer.status_code, answer.json()["error"]["code"]) == (405, "method_not_allowed")
