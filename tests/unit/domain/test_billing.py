"""Where a subscription stands: every transition of the table, and every order of arrival."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copytrade.domain.billing import (
    MAY_ENTER,
    TRANSITIONS,
    Facts,
    Happening,
    Patience,
    State,
    access_ends,
    after,
    happening,
)

DAY = timedelta(days=1)
START = datetime(2028, 1, 31, 12, tzinfo=UTC)
PATIENCE = Patience(grace=3 * DAY, unpaid=7 * DAY)

# What each happening leads to, from each state; `=` stays where it is.
EXPECTED = """
              incomplete trialing active   past_due unpaid   paused   disputed canceled
trial_started trialing   =        trialing trialing trialing trialing trialing =
paid          active     active   =        active   active   active   active   =
payment_failed past_due  past_due past_due =        past_due past_due past_due =
grace_over    unpaid     unpaid   unpaid   unpaid   =        unpaid   unpaid   =
paused        paused     paused   paused   paused   paused   =        paused   =
disputed      disputed   disputed disputed disputed disputed disputed =        =
dispute_lost  canceled   canceled canceled canceled canceled canceled canceled =
refunded      canceled   canceled canceled canceled canceled canceled canceled =
period_over   canceled   canceled canceled canceled canceled canceled canceled =
given_up      canceled   canceled canceled canceled canceled canceled canceled =
stopped       canceled   canceled canceled canceled canceled canceled canceled =
trader_gone   canceled   canceled canceled canceled canceled canceled canceled =
replaced      canceled   canceled canceled canceled canceled canceled canceled =
forgotten     canceled   =        =        =        =        =        =        =
"""


def _expected() -> dict[tuple[str, str], str]:
    header, *lines = EXPECTED.strip().splitlines()
    states = header.split()
    return {
        (state, words[0]): state if word == "=" else word
        for words in (line.split() for line in lines)
        for state, word in zip(states, words[1:], strict=True)
    }


@pytest.mark.parametrize(("state", "what"), list(product(State, Happening)))
def test_every_happening_leads_from_every_state_where_the_page_says(state: State, what: Happening) -> None:
    assert after(state, what) == _expected()[state, what]


def test_the_page_speaks_of_every_state_and_happening() -> None:
    assert set(_expected()) == set(product(State, Happening))
    assert all(_expected()[pair] == to for pair, to in TRANSITIONS.items())


def test_nothing_leads_out_of_the_end() -> None:
    assert {after(State.CANCELED, what) for what in Happening} == {State.CANCELED}


def _facts(**known: object) -> Facts:
    return replace(Facts(created_at=START, paid_until=START + 30 * DAY), **known)  # pyright: ignore[reportArgumentType]


def _at(days: float, **known: object) -> Happening | None:
    return happening(_facts(**known), now=START + days * DAY, patience=PATIENCE)


@pytest.mark.parametrize(
    ("days", "known", "what"),
    [
        (1, {"paid_until": None}, None),
        (1.99, {"paid_until": None}, None),
        (2, {"paid_until": None}, "forgotten"),
        (1, {"paid_until": None, "is_gone": True}, "forgotten"),
        (1, {}, "paid"),
        (1, {"is_trial": True}, "trial_started"),
        (30.1, {}, "paid"),
        (30.1, {"is_late": True}, "payment_failed"),
        (30.1, {"is_late": True, "has_given_up": True}, "payment_failed"),
        (30.1, {"is_late": True, "is_trial": True}, "payment_failed"),
        (32.99, {"is_late": True}, "payment_failed"),
        (33, {"is_late": True}, "grace_over"),
        (33, {}, "grace_over"),
        (39.99, {"is_late": True}, "grace_over"),
        (33, {"is_late": True, "has_given_up": True}, "given_up"),
        (40, {"is_late": True}, "given_up"),
        (40, {}, "given_up"),
        (29.99, {"is_ending": True}, "paid"),
        (30, {"is_ending": True}, "period_over"),
        (29.99, {"is_gone": True}, "paid"),
        (30, {"is_gone": True}, "period_over"),
        (1, {"is_paused": True}, "paused"),
        (50, {"is_paused": True}, "paused"),
        (30, {"is_paused": True, "is_ending": True}, "period_over"),
        (1, {"is_disputed": True}, "disputed"),
        (50, {"is_disputed": True, "is_paused": True, "is_late": True}, "disputed"),
        (1, {"is_disputed": True, "is_lost": True}, "dispute_lost"),
        (1, {"is_lost": True, "is_refunded": True, "is_gone": True}, "dispute_lost"),
        (1, {"is_refunded": True}, "refunded"),
    ],
)
def test_the_facts_amount_to_one_happening(days: float, known: dict[str, object], what: str | None) -> None:
    assert _at(days, **known) == what


HISTORY: Sequence[tuple[float, dict[str, object]]] = (
    (0.0, {"paid_until": None}),
    (0.1, {"paid_until": START + 7 * DAY, "is_trial": True}),
    (7.1, {"paid_until": START + 7 * DAY, "is_late": True}),
    (8.0, {}),
    (12.0, {"is_disputed": True}),
    (20.0, {}),
    (21.0, {"is_paused": True}),
    (29.0, {}),
    (30.5, {"is_late": True}),
    (33.5, {"is_late": True}),
    (34.0, {"paid_until": START + 60 * DAY}),
    (40.0, {"paid_until": START + 60 * DAY, "is_ending": True}),
    (60.0, {"paid_until": START + 60 * DAY, "is_ending": True}),
)


def _lived(moments: Sequence[int]) -> State:
    """Go through the moments of the history at which news were worked on; what is read is how things are then."""
    state = State.INCOMPLETE
    for moment in moments:
        days, known = HISTORY[moment]
        what = _at(days, **known)
        state = after(state, what) if what else state
    return state


@given(last=st.integers(min_value=0, max_value=len(HISTORY) - 1), data=st.data())
def test_whatever_news_were_lost_doubled_or_late_the_state_is_that_of_the_last_facts(
    last: int, data: st.DataObject
) -> None:
    heard = sorted(data.draw(st.lists(st.integers(min_value=0, max_value=last), max_size=20)))
    assert _lived([*heard, last]) == _lived(range(last + 1))


@given(
    state=st.sampled_from([state for state in State if state is not State.CANCELED]),
    what=st.lists(st.sampled_from(Happening), max_size=8),
    last=st.sampled_from([what for what in Happening if what is not Happening.FORGOTTEN]),
)
def test_the_last_happening_decides_wherever_one_comes_from(
    state: State, what: list[Happening], last: Happening
) -> None:
    for one in what:
        state = after(state, one)
    if state is not State.CANCELED:
        assert after(state, last) == _expected()["incomplete", last]


def test_grace_is_for_those_who_go_on() -> None:
    until, grace = datetime(2028, 2, 29, tzinfo=UTC), timedelta(days=3)
    assert access_ends(until, grace=grace, is_ending=False) == until + grace
    assert access_ends(until, grace=grace, is_ending=True) == until


def test_only_three_states_open_positions() -> None:
    assert set(MAY_ENTER) == {State.TRIALING, State.ACTIVE, State.PAST_DUE}
