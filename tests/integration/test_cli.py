"""The operator's command."""

import pytest
from sqlmodel import Session

from copytrade.cli import main
from copytrade.users import queries
from copytrade.users.service_tokens import caller_of


def test_an_operator_is_added_with_a_password_shown_once(session: Session, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["operator", "add", "Ops@Example.org"]) == 0
    said = capsys.readouterr().out
    assert "ops@example.org is an operator now." in said
    assert "Its password, shown only now: " in said
    assert [person.email for person in queries.operators(session)] == ["ops@example.org"]

    assert main(["operator", "add", "ops@example.org"]) == 0
    assert "password" not in capsys.readouterr().out


def test_a_malformed_address_is_one_sentence(session: Session, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["operator", "add", "not an address"]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert queries.operators(session) == []


def test_a_token_carries_its_scopes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["token", "reports", "--scope", "traders:read"]) == 0
    caller = caller_of(capsys.readouterr().out.strip())
    assert (caller.name, set(caller.scopes)) == ("reports", {"traders:read"})


def test_an_unknown_scope_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["token", "reports", "--scope", "everything"]) == 1
    assert capsys.readouterr().out == ""


def test_migrating_twice_changes_nothing(session: Session) -> None:
    assert main(["migrate"]) == 0


def test_keys_are_made_anew_and_complete(capsys: pytest.CaptureFixture[str]) -> None:
    def made() -> dict[str, str]:
        assert main(["keys"]) == 0
        lines = capsys.readouterr().out.splitlines()
        return dict(line.split("=", 1) for line in lines if not line.startswith("#"))

    first, second = made(), made()
    names = ("KEYRING", "SEALING_KEY", "PEPPER", "SERVICE_TOKEN_KEY", "PAPER_TOKEN", "INSTALLATION_NONCE")
    assert set(first) == {f"COPYTRADE_{name}" for name in names}
    assert not set(first.values()) & set(second.values())
