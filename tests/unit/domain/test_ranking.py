from dataclasses import replace
from uuid import UUID

import pytest

from copytrade.domain.ranking import Candidate, Unranked, rank, reason_unranked, score

STEADY = Candidate(UUID(int=1), age_days=90, closed_positions=50, sharpe=2.0, max_drawdown=0.1, is_reconciled=True)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({}, None),
        ({"age_days": 29}, Unranked.TOO_YOUNG),
        ({"age_days": 30}, None),
        ({"closed_positions": 9}, Unranked.TOO_FEW_POSITIONS),
        ({"closed_positions": 10}, None),
        ({"is_reconciled": False}, Unranked.UNRECONCILED),
        ({"max_drawdown": 0.95}, Unranked.BLOWN_UP),
        ({"sharpe": None}, Unranked.NO_RISK_SEEN),
    ],
)
def test_who_may_be_ranked(change: dict[str, object], reason: Unranked | None) -> None:
    assert reason_unranked(replace(STEADY, **change)) is reason  # pyright: ignore[reportArgumentType]


def test_a_long_record_beats_a_short_one_of_the_same_ratio() -> None:
    young = replace(STEADY, profile_id=UUID(int=2), age_days=30)
    assert [row.profile_id.int for row in rank([young, STEADY])] == [1, 2]
    assert (score(STEADY), score(young)) == (1.0, 0.5)


def test_a_short_record_does_not_hide_a_loss() -> None:
    assert score(replace(STEADY, age_days=30, sharpe=-1.0)) == -1.0


def test_the_unranked_follow_and_the_blown_up_come_last() -> None:
    ruined = replace(STEADY, profile_id=UUID(int=2), max_drawdown=1.0, age_days=400)
    young = replace(STEADY, profile_id=UUID(int=3), age_days=5)
    losing = replace(STEADY, profile_id=UUID(int=4), sharpe=-3.0)
    rows = rank([ruined, young, losing, STEADY])
    assert [(row.profile_id.int, row.place) for row in rows] == [(1, 1), (4, 2), (3, None), (2, None)]
    assert [row.reason for row in rows] == [None, None, Unranked.TOO_YOUNG, Unranked.BLOWN_UP]
