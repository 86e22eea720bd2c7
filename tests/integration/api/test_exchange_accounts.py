import base64
import json
from collections.abc import Generator
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from redis import Redis
from starlette.testclient import TestClient

from copytrade.accounts import checking, handover, sealed_box, vault
from copytrade.api.app import api
from copytrade.db.session import transaction
from copytrade.engines import Engines
from copytrade.settings import Settings, settings
from copytrade.users.service_tokens import issue
from tests.conftest import Sandbox
from tests.integration.api.working import working
from tests.integration.users.people import PASSWORD, bob, mallory

RIGHTS: dict[str, Any] = {"reading": True, "futures": True, "withdrawals": False}
ACCOUNT = {"venue": "binance", "market": "perpetual", "role": "copy", "label": "Main"}


@pytest.fixture
def web(committed: Engines) -> Generator[TestClient]:
    """The API as a program sees it, over a database that other threads see too."""
    with TestClient(api, base_url=settings().web_url, follow_redirects=False) as client:
        yield client


def sign_in(web: TestClient, person: str) -> None:
    web.cookies.clear()
    answer = web.post("/api/v1/login", json={"email": f"{person}@copytrade.example", "password": PASSWORD})
    assert answer.status_code == 200


def people() -> UUID:
    with transaction() as session:
        mallory(session)
        return bob(session).id


def key_of(sandbox: Sandbox, **rights: Any) -> dict[str, str]:
    made = sandbox.control.create_account("test", deposit=1000, **(RIGHTS | rights))
    return {"api_key": made["api_key"], "api_secret": made["api_secret"]}


def everything_stored(committed: Engines) -> str:
    """Return all rows of all our tables and everything in Redis as text."""
    with psycopg.connect(dbname="copytrade", user="postgres", host=str(committed.run)) as connection:
        tables = connection.execute(
            "select schemaname, tablename from pg_tables where schemaname in ('people', 'trades')"
        )
        rows = [
            str(connection.execute(f'select t::text from "{schema}"."{table}" t').fetchall())  # pyright: ignore[reportArgumentType, reportCallIssue]
            for schema, table in tables.fetchall()
        ]
    with Redis.from_url(committed.redis_url) as valkey:
        rows += [str(valkey.dump(name)) for name in valkey.keys()]  # noqa: SIM118 - a method of Redis  # pyright: ignore[reportGeneralTypeIssues]
    return "".join(rows)


def test_bob_links_a_key_that_mallory_never_sees(web: TestClient, committed: Engines, sandbox: Sandbox) -> None:
    people()
    sign_in(web, "bob")
    key = key_of(sandbox)
    with working(checking.run):
        made = web.post("/api/v1/accounts", json=ACCOUNT | key)
    assert made.status_code == 201, made.text
    shown = made.json()
    assert (shown["state"], shown["key_hint"], Decimal(shown["equity"])) == ("active", key["api_key"][-4:], 1000)
    assert key["api_key"] not in made.text
    assert key["api_secret"] not in made.text
    assert [one["id"] for one in web.get("/api/v1/accounts").json()] == [shown["id"]]
    stored = everything_stored(committed)
    assert key["api_secret"] not in stored
    assert key["api_key"] not in stored
    sign_in(web, "mallory")
    assert web.get("/api/v1/accounts").json() == []


@pytest.mark.parametrize(
    ("rights", "code"),
    [({"withdrawals": True}, "may_withdraw"), ({"futures": False}, "read_only"), ({"revoked": True}, "wrong_key")],
)
def test_a_refused_key_is_told_why_and_leaves_nothing(
    web: TestClient,
    committed: Engines,
    sandbox: Sandbox,
    capfd: pytest.CaptureFixture[str],
    rights: dict[str, Any],
    code: str,
) -> None:
    people()
    sign_in(web, "bob")
    key = key_of(sandbox, **rights)
    with working(checking.run):
        refused = web.post("/api/v1/accounts", json=ACCOUNT | key, headers={"Accept-Language": "en"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (422, code)
    assert refused.json()["error"]["message"]
    assert web.get("/api/v1/accounts").json() == []
    stored = everything_stored(committed) + refused.text + "".join(capfd.readouterr())
    assert key["api_secret"] not in stored
    assert key["api_key"] not in stored


def test_without_a_worker_the_check_goes_on(web: TestClient, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    from datetime import timedelta

    from copytrade.accounts import service

    monkeypatch.setattr(service, "LINK_CHECK_TIMEOUT", timedelta(seconds=0.3))
    people()
    sign_in(web, "bob")
    waits = web.post("/api/v1/accounts", json=ACCOUNT | key_of(sandbox))
    assert (waits.status_code, waits.json()["state"]) == (202, "checking")


def test_a_lead_account_needs_a_trader(web: TestClient, sandbox: Sandbox) -> None:
    people()
    sign_in(web, "bob")
    refused = web.post("/api/v1/accounts", json=ACCOUNT | {"role": "lead"} | key_of(sandbox))
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "not_allowed")


def test_bob_opens_an_account_on_paper_and_its_key_is_nowhere(
    web: TestClient, committed: Engines, sandbox: Sandbox
) -> None:
    people()
    sign_in(web, "bob")
    with working(checking.run):
        made = web.post("/api/v1/accounts/paper", json={"venue": "bitget", "market": "spot", "funds": "250"})
    assert made.status_code == 201, made.text
    shown = made.json()
    assert (shown["state"], shown["mode"], shown["role"], Decimal(shown["equity"])) == ("active", "paper", "copy", 250)
    key = vault.opener()(UUID(shown["id"]))
    stored = everything_stored(committed) + made.text
    for secret in (key.api_key, key.api_secret, key.passphrase):
        assert secret not in stored
    refused = web.post("/api/v1/accounts/paper", json={"venue": "bitget", "market": "spot", "funds": "99"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (422, "invalid_input")
    sign_in(web, "mallory")
    assert web.get("/api/v1/accounts").json() == []


def test_nobody_links_or_lists_without_signing_in(web: TestClient) -> None:
    assert web.post("/api/v1/accounts", json=ACCOUNT | {"api_key": "k", "api_secret": "s"}).status_code == 401
    assert web.get("/api/v1/accounts").status_code == 401
    assert web.post("/api/v1/accounts/paper", json={"venue": "binance"}).status_code == 401


def test_another_sites_page_cannot_link(web: TestClient) -> None:
    people()
    sign_in(web, "bob")
    headers = {"Origin": "https://evil.example"}
    refused = web.post("/api/v1/accounts", json=ACCOUNT | {"api_key": "k", "api_secret": "s"}, headers=headers)
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "cross_site")


def test_a_secret_in_the_wrong_place_is_never_echoed(web: TestClient) -> None:
    people()
    sign_in(web, "bob")
    for body in (
        ACCOUNT | {"api_key": ["CANARY"], "api_secret": "s"},
        ACCOUNT | {"api_key": "CANARY CANARY", "api_secret": "s"},
        ACCOUNT | {"api_key": "k", "api_secret": "CANARY" * 500},
    ):
        refused = web.post("/api/v1/accounts", json=body)
        assert refused.status_code == 422
        assert "CANARY" not in refused.text


@pytest.fixture
def _handing_over(monkeypatch: pytest.MonkeyPatch) -> None:
    allowed = Settings(api_account_secrets_enabled=True)
    monkeypatch.setattr("copytrade.api.exchange_accounts.settings", lambda: allowed)


def service_token(*scopes: str) -> tuple[dict[str, str], X25519PrivateKey, str]:
    private = X25519PrivateKey.generate()
    public = base64.urlsafe_b64encode(private.public_key().public_bytes_raw()).decode()
    token = issue(name="copier", scopes=set(scopes), public_key=public)
    return {"Authorization": f"Bearer {token}"}, private, public


@pytest.mark.usefixtures("_handing_over")
def test_a_service_gets_secrets_that_only_its_own_key_opens(
    web: TestClient, committed: Engines, sandbox: Sandbox
) -> None:
    owner, key = people(), key_of(sandbox)
    sign_in(web, "bob")
    headers, private, public = service_token("accounts:secrets")
    with working(checking.run):
        web.post("/api/v1/accounts", json=ACCOUNT | key)
        web.cookies.clear()
        given = web.get(f"/api/v1/accounts/{owner}", headers=headers)
    assert given.status_code == 200, given.text
    assert key["api_secret"] not in given.text
    (one,) = given.json()
    binding = handover.binding(account_id=UUID(one["id"]), public_key=public)
    opened = json.loads(sealed_box.unseal(base64.b64decode(one["sealed"]), by=private, bound_to=binding))
    assert (opened["api_key"], opened["api_secret"]) == (key["api_key"], key["api_secret"])
    assert one["sealed"] not in everything_stored(committed), "the answer is forgotten once it was given"


def test_secrets_for_services_are_off_unless_configured(web: TestClient) -> None:
    headers, _, _ = service_token("accounts:secrets")
    refused = web.get(f"/api/v1/accounts/{people()}", headers=headers)
    assert (refused.status_code, refused.json()["error"]["code"]) == (404, "not_found")


@pytest.mark.usefixtures("_handing_over")
def test_secrets_need_their_scope_and_a_key(web: TestClient) -> None:
    owner = people()
    headers, _, _ = service_token("traders:read")
    assert web.get(f"/api/v1/accounts/{owner}", headers=headers).status_code == 403
    keyless = issue(name="copier", scopes={"accounts:secrets"})
    refused = web.get(f"/api/v1/accounts/{owner}", headers={"Authorization": f"Bearer {keyless}"})
    assert refused.status_code == 422
    sign_in(web, "bob")
    assert web.get(f"/api/v1/accounts/{owner}").status_code == 401, "a person never gets secrets, not even his own"
