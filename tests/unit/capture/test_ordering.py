"""When a lead's fill may be planned, and how P is taken from the venue when something is missing."""

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from copytrade.capture.ordering import Known, Moment, Ordered, Waiting, order, rebasing
from copytrade.db.model import new_id
from copytrade.domain.changes import ChangeKind

START = datetime(2026, 1, 1, tzinfo=UTC)
SPARE = timedelta(seconds=5)
SECOND = timedelta(seconds=1)


def fill(trade: int, signed: str, *, at: float = 0, after: str | None = None, received: float | None = None) -> Waiting:
    return Waiting(
        id=new_id(),
        trade_id=str(trade),
        signed=Decimal(signed),
        price=Decimal(60000),
        venue_time=START + at * SECOND,
        received_at=START + (at if received is None else received) * SECOND,
        position_after=None if after is None else Decimal(after),
    )


def planned(known: Known, *fills: Waiting, now: float = 0, polled: float | None = None) -> Ordered:
    until = None if polled is None else START + polled * SECOND
    return order(known, fills, moment=Moment(now=START + now * SECOND, polled_until=until, spare=SPARE))


def trades(ordered: Ordered) -> list[str]:
    return [step.fill.trade_id for step in ordered.steps if step.fill is not None]


def moves(ordered: Ordered) -> list[tuple[ChangeKind, Decimal, Decimal]]:
    return [(step.kind, step.before, step.after) for step in ordered.steps]


def test_a_fill_that_leads_to_the_venues_position_is_planned_at_once() -> None:
    assert moves(planned(Known(), fill(1, "1", after="1"))) == [(ChangeKind.FILL, 0, 1)]


def test_a_fill_with_something_missing_before_it_waits() -> None:
    """Worked example 17: P = 0, the buy was lost, the sell was heard."""
    assert planned(Known(), fill(2, "-1", after="0"), now=4.9).steps == []


def test_the_missing_fill_frees_the_waiting_one() -> None:
    ordered = planned(Known(), fill(2, "-1", at=1, after="0"), fill(1, "1", at=0))
    assert moves(ordered) == [(ChangeKind.FILL, 0, 1), (ChangeKind.FILL, 1, 0)]


def test_after_its_wait_the_position_before_the_fill_is_taken_from_the_venue() -> None:
    ordered = planned(Known(), fill(2, "-1", after="0"), now=5)
    assert moves(ordered) == [(ChangeKind.MISSED, 0, 1), (ChangeKind.FILL, 1, 0)]


def test_a_fill_that_says_no_position_waits_for_a_poll() -> None:
    lonely = fill(1, "1")
    assert planned(Known(), lonely, now=60).steps == []
    assert planned(Known(), lonely, polled=4.9).steps == []
    assert trades(planned(Known(), lonely, polled=5)) == ["1"]


def test_a_reading_that_all_waiting_fills_explain_proves_them() -> None:
    seen = Known(seen_quantity=Decimal("0.6"), seen_at=START + 2 * SECOND)
    assert trades(planned(seen, fill(1, "1"), fill(2, "-0.4", at=1))) == ["1", "2"]
    assert trades(planned(seen, fill(2, "-0.4", at=1))) == []


def test_fills_after_the_reading_are_not_proven_by_it() -> None:
    seen = Known(seen_quantity=Decimal(1), seen_at=START + 1 * SECOND)
    assert trades(planned(seen, fill(1, "1"), fill(2, "1", at=2))) == ["1"]


def test_a_reading_older_than_what_is_planned_proves_nothing() -> None:
    seen = Known(
        quantity=Decimal(2),
        planned_until=START + 3 * SECOND,
        seen_quantity=Decimal(1),
        seen_at=START + 2 * SECOND,
    )
    assert trades(planned(seen, fill(1, "-1", at=1))) == []


def test_a_later_fills_position_proves_those_before_it() -> None:
    assert trades(planned(Known(), fill(1, "0.6"), fill(2, "0.4", after="1"))) == ["1", "2"]


def test_trades_of_one_millisecond_go_by_number() -> None:
    ordered = planned(Known(), fill(10, "1", after="3"), fill(9, "2", after="2"))
    assert trades(ordered) == ["9", "10"]


def test_a_fill_older_than_one_already_planned_is_late() -> None:
    known = Known(quantity=Decimal(1), planned_until=START + 5 * SECOND)
    ordered = planned(known, fill(1, "-1", at=1), polled=20)
    assert [step.is_late for step in ordered.steps] == [True]
    assert ordered.steps[0].after == 0


def test_a_late_fill_is_never_a_reason_to_take_the_venues_position() -> None:
    known = Known(quantity=Decimal(1), planned_until=START + 5 * SECOND)
    assert planned(known, fill(1, "-1", at=1, after="7"), now=60).steps == []


def test_a_fill_not_after_the_mark_changes_nothing() -> None:
    known = Known(marked_at=START + 2 * SECOND)
    ordered = planned(known, fill(1, "-1", at=2, after="0"), polled=60, now=60)
    assert ordered.steps == []
    assert [one.trade_id for one in ordered.contained] == ["1"]


def test_a_mark_set_by_a_fill_contains_only_what_came_before_it() -> None:
    known = Known(marked_at=START, marked_before="9")
    ordered = planned(known, fill(8, "1"), fill(10, "1", after="1"))
    assert [one.trade_id for one in ordered.contained] == ["8"]
    assert trades(ordered) == ["10"]


@pytest.mark.parametrize(
    ("position", "to", "expected"),
    [
        ("1", "0.4", [(ChangeKind.REBASE_REDUCE, "1", "0.4")]),
        ("1", "0", [(ChangeKind.REBASE_REDUCE, "1", "0")]),
        ("1", "3", [(ChangeKind.MISSED, "1", "3")]),
        ("0", "-2", [(ChangeKind.MISSED, "0", "-2")]),
        ("1", "-2", [(ChangeKind.REBASE_REDUCE, "1", "0"), (ChangeKind.MISSED, "0", "-2")]),
        ("-1", "-0.5", [(ChangeKind.REBASE_REDUCE, "-1", "-0.5")]),
        ("2", "2", []),
    ],
)
def test_nearer_zero_reduces_and_further_away_opens_nothing(
    position: str, to: str, expected: list[tuple[ChangeKind, str, str]]
) -> None:
    steps = rebasing(Decimal(position), to=Decimal(to), price=Decimal(1))
    assert [(step.kind, step.before, step.after) for step in steps] == [
        (kind, Decimal(before), Decimal(after)) for kind, before, after in expected
    ]


def test_what_two_readings_agreed_on_comes_first() -> None:
    known = Known(quantity=Decimal(1), rebase_to=Decimal(0), rebase_price=Decimal(5), marked_at=START)
    ordered = planned(known, fill(1, "-1"), fill(2, "2", at=1, after="2"))
    assert moves(ordered) == [(ChangeKind.REBASE_REDUCE, 1, 0), (ChangeKind.FILL, 0, 2)]


@given(
    quantities=st.lists(st.integers(-5, 5).filter(bool), min_size=1, max_size=12),
    lost=st.sets(st.integers(0, 11)),
    seed=st.integers(0, 1000),
)
@settings(max_examples=200, deadline=None)
def test_whatever_is_heard_in_whatever_order_p_ends_at_the_venues_position(
    quantities: Sequence[int], lost: set[int], seed: int
) -> None:
    """The stream loses and shuffles; the poll brings the rest later. P walks without a gap and no fill counts twice."""
    position, truth = 0, list[Waiting]()
    for number, quantity in enumerate(quantities):
        position += quantity
        truth.append(fill(number, str(quantity), at=number, after=str(position)))
    heard = [one for number, one in enumerate(truth) if number not in lost]
    random.Random(seed).shuffle(heard)
    known, waiting, seen = Known(), list[Waiting](), set[str]()

    def plan(polled: float | None) -> None:
        nonlocal known, waiting
        ordered = planned(known, *waiting, now=len(truth), polled=polled)
        before = known.quantity
        for step in ordered.steps:
            assert step.before == before
            before = step.after
        done = trades(ordered)
        assert not seen & set(done)
        seen.update(done)
        times = [step.fill.venue_time for step in ordered.steps if step.fill is not None]
        newest = max([known.planned_until, *times] if known.planned_until else times, default=None)
        known = replace(known, quantity=before, planned_until=newest)
        waiting = [one for one in waiting if one.trade_id not in seen]

    for one in heard:
        waiting.append(replace(one, received_at=START + len(truth) * SECOND))
        plan(None)
    waiting += [replace(one, position_after=None) for number, one in enumerate(truth) if number in lost]
    plan(len(truth) + 5)
    assert waiting == []
    assert known.quantity == position
