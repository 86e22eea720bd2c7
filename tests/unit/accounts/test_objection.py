from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from copytrade.accounts.reasons import SENTENCES, Reason, objection
from copytrade.domain.fills import KeyPermissions
from copytrade.domain.instruments import Role

NOW = datetime(2026, 3, 1, tzinfo=UTC)
TRADES = KeyPermissions(may_read=True, may_trade=True, may_withdraw=False, may_transfer=False)
READS = replace(TRADES, may_trade=False)


def refused(permissions: KeyPermissions, role: Role) -> Reason | None:
    return objection(permissions, role=role, now=NOW)


def test_a_lead_key_needs_only_to_read() -> None:
    assert refused(READS, Role.LEAD) is None
    assert refused(TRADES, Role.LEAD) is None
    assert refused(replace(READS, may_trade=None), Role.LEAD) is None


def test_a_copy_key_must_trade() -> None:
    assert refused(TRADES, Role.COPY) is None
    assert refused(READS, Role.COPY) is Reason.READ_ONLY


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"may_withdraw": True}, Reason.MAY_WITHDRAW),
        ({"may_transfer": True}, Reason.MAY_TRANSFER),
        ({"may_read": False}, Reason.NOT_READABLE),
        ({"may_withdraw": None}, Reason.RIGHTS_UNKNOWN),
        ({"may_transfer": None}, Reason.RIGHTS_UNKNOWN),
        ({"may_read": None}, Reason.RIGHTS_UNKNOWN),
        ({"may_read": None, "may_withdraw": True}, Reason.MAY_WITHDRAW),
        ({"expires_at": NOW}, Reason.EXPIRED),
        ({"expires_at": NOW - timedelta(days=1)}, Reason.EXPIRED),
        ({"expires_at": NOW + timedelta(days=1)}, None),
    ],
)
def test_what_could_move_money_or_is_not_told_is_refused(
    role: Role, change: dict[str, object], reason: Reason | None
) -> None:
    assert refused(replace(TRADES, **change), role) is reason  # pyright: ignore[reportArgumentType]


def test_a_copy_key_whose_right_to_trade_is_unknown_is_refused() -> None:
    assert refused(replace(TRADES, may_trade=None), Role.COPY) is Reason.RIGHTS_UNKNOWN


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize(("unfit", "reason"), [("not_unified", Reason.NOT_UNIFIED), ("unified", Reason.UNIFIED)])
def test_accounts_of_an_unfit_kind_are_refused_before_anything_else(role: Role, unfit: str, reason: Reason) -> None:
    assert refused(replace(TRADES, unfit=unfit, may_read=None), role) is reason


def test_every_reason_has_a_sentence() -> None:
    assert set(SENTENCES) == set(Reason)
