import base64
import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copytrade import clock
from copytrade.errors import InvalidInput, NotSignedIn
from copytrade.settings import Settings
from copytrade.users import service_tokens
from copytrade.users.service_tokens import Scope, caller_of, issue

TOKEN = issue(name="copier", scopes={"traders:read", "trades:read"})


def test_a_token_tells_who_calls_and_what_for() -> None:
    caller = caller_of(TOKEN)
    assert (caller.name, caller.scopes) == ("copier", {Scope.TRADERS_READ, Scope.TRADES_READ})
    assert caller.public_key is None


@given(where=st.integers(min_value=0, max_value=10_000), letter=st.sampled_from("ABab01._-"))
def test_a_changed_token_is_refused(where: int, letter: str) -> None:
    place = where % len(TOKEN)
    changed = TOKEN[:place] + letter + TOKEN[place + 1 :]
    # The last letter of base64 may differ in bits that stand for nothing; what it says is then the same.
    if changed == TOKEN or place == len(TOKEN) - 1:
        return
    with pytest.raises(NotSignedIn):
        caller_of(changed)


@pytest.mark.parametrize("token", ["", ".", "v1", "v1..", "v1.e30.", "v2." + TOKEN[3:], "ключ", TOKEN + "x" * 5000])
def test_what_is_no_token_is_refused(token: str) -> None:
    with pytest.raises(NotSignedIn):
        caller_of(token)


def test_claims_cannot_be_widened_without_the_key() -> None:
    _, claims, signature = TOKEN.split(".")
    told = json.loads(base64.urlsafe_b64decode(claims + "=="))
    told["scopes"].append("orders:place")
    wider = base64.urlsafe_b64encode(json.dumps(told).encode()).decode().rstrip("=")
    with pytest.raises(NotSignedIn):
        caller_of(f"v1.{wider}.{signature}")


def test_a_token_runs_out() -> None:
    assert caller_of(issue(name="copier", scopes={"traders:read"}, days=1))
    with pytest.raises(NotSignedIn):
        caller_of(issue(name="copier", scopes={"traders:read"}, days=-1))


def test_moving_the_services_clock_revives_no_token() -> None:
    try:
        clock.set_offset(timedelta(days=-30))
        with pytest.raises(NotSignedIn):
            caller_of(issue(name="copier", scopes={"traders:read"}, days=-1))
    finally:
        clock.set_offset(timedelta())


@pytest.mark.parametrize("key", ["", "short"])
def test_without_a_key_nobody_is_let_in(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    bare = Settings(service_token_key=key)  # pyright: ignore[reportArgumentType]
    monkeypatch.setattr(service_tokens, "settings", lambda: bare)
    with pytest.raises(NotSignedIn):
        caller_of(TOKEN)
    with pytest.raises(NotSignedIn):
        issue(name="copier", scopes={"traders:read"})


@pytest.mark.parametrize("wrong", [{"scopes": {"everything"}}, {"scopes": set[str]()}, {"name": ""}])
def test_only_known_scopes_are_issued(wrong: dict[str, object]) -> None:
    with pytest.raises(InvalidInput):
        issue(**({"name": "copier", "scopes": {"traders:read"}} | wrong))  # pyright: ignore[reportArgumentType]


def test_a_key_to_seal_to_must_be_one() -> None:
    with pytest.raises(InvalidInput):
        issue(name="copier", scopes={"accounts:secrets"}, public_key="bm8ga2V5")
