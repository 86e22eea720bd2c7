"""The judge of the seeds itself: it finds what is wrong, and lets through what no receipt tells more closely."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

from copytrade.domain.sizing import SizingMode
from tests.chaos.seeds.oracle import Told, replay
from tests.chaos.seeds.sizes import Rule, Traded

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
HALF = [Rule(SizingMode.RATIO, Decimal("0.5"), None)]
FIXED = [Rule(SizingMode.FIXED_QUOTE, Decimal(600), Decimal(6000))]


def at(seconds: float) -> datetime:
    return BEGAN + timedelta(seconds=seconds)


def fills(*signed: int, ordered: int | None = None) -> dict[str, Traded]:
    rows = [
        Traded(str(number), "BTC", Fraction(quantity), Fraction(60_000), Fraction(ordered or abs(quantity)))
        for number, quantity in enumerate(signed, 1)
    ]
    return {row.id: row for row in rows}


def told(
    fill: str, kind: str, asked: str, *, seconds: float, skips: tuple[tuple[float, str], ...] = (), after: int = 0
) -> Told:
    """Tell of a part that was planned so many seconds after the beginning, as one of several of a transaction."""
    made_ms = int(at(seconds).timestamp() * 1000)
    steps = tuple((at(when), Decimal(quantity)) for when, quantity in skips)
    return Told(UUID(int=(made_ms << 80) + after), fill, kind, Decimal(asked), at(seconds), steps)


def test_what_was_asked_too_little_for_an_exit_is_found() -> None:
    parts = [told("1", "opening", "1", seconds=0), told("2", "reducing", "-0.4", seconds=20)]
    assert replay(Fraction(0), fills(2, -1), parts, rules=HALF, target=Decimal("0.6")) == [
        "fill 2: its exit asked for -0.4, should be -0.5"
    ]


def test_a_wrong_size_and_a_wrong_target_are_found() -> None:
    parts = [told("1", "opening", "2", seconds=0)]
    [wrong] = replay(Fraction(0), fills(2), parts, rules=HALF, target=Decimal(2))
    assert "2 was asked for 2.0 by ratio 0.5" in wrong
    parts = [told("1", "opening", "1", seconds=0)]
    [wrong] = replay(Fraction(0), fills(2), parts, rules=HALF, target=Decimal("1.1"))
    assert wrong.startswith("target 1.1, should be 1.0")


def test_a_step_back_and_a_plan_of_the_same_moment_may_come_in_either_order() -> None:
    # Stepped back first: nothing was copied for what he takes back. Planned first: half of it is given up.
    for exit_asked, target in (("0", "0"), ("-0.5", "0")):
        parts = [
            told("1", "opening", "1", seconds=0, skips=((20, "1" if exit_asked == "0" else "0.5"),)),
            told("2", "reducing", exit_asked, seconds=20.5),
        ]
        assert replay(Fraction(0), fills(2, -1), parts, rules=HALF, target=Decimal(target)) == []


def test_a_step_back_long_before_a_plan_came_before_it() -> None:
    parts = [
        told("1", "opening", "1", seconds=0, skips=((5, "0.5"),)),
        told("2", "reducing", "-0.5", seconds=60),
    ]
    [wrong] = replay(Fraction(0), fills(2, -1), parts, rules=HALF, target=Decimal(0))
    assert wrong == "fill 2: its exit asked for -0.5, should be 0.0"


def test_a_step_back_reaches_older_lots_where_exits_took_the_parts_own() -> None:
    # The exit of fill 3 took what stands for fill 2 from the stack, and was traded by selling older coins.
    parts = [
        told("1", "opening", "1", seconds=0),
        told("2", "opening", "1", seconds=1, skips=((40, "1"),)),
        told("3", "reducing", "-1", seconds=2),
        told("4", "reducing", "0", seconds=80),
    ]
    assert replay(Fraction(0), fills(2, 2, -2, -2), parts, rules=HALF, target=Decimal(0)) == []


def test_what_the_lead_took_back_before_it_could_be_sized_is_not_asked_for() -> None:
    parts = [told("1", "opening", "0.005", seconds=0), told("2", "reducing", "0", seconds=1)]
    assert replay(Fraction(0), fills(2, -1), parts, rules=FIXED, target=Decimal("0.005")) == []
    [wrong] = replay(Fraction(0), fills(2), parts[:1], rules=FIXED, target=Decimal("0.005"))
    assert "sized late too little: True" in wrong


def test_a_stop_closes_what_is_copied_and_nothing_else() -> None:
    parts = [
        told("1", "opening", "1", seconds=0),
        told("", "stop", "-1", seconds=5),
        told("2", "reducing", "0", seconds=9),
        told("3", "opening", "0.5", seconds=12),
    ]
    assert replay(Fraction(0), fills(2, -1, 1), parts, rules=HALF, target=Decimal("0.5")) == []
    [wrong] = replay(
        Fraction(0), fills(2), [parts[0], told("", "stop", "-0.9", seconds=5)], rules=HALF, target=Decimal(0)
    )
    assert wrong == "a stop asked for -0.9"


def test_what_was_skipped_in_the_moment_of_a_plan_was_cut_or_stepped_back_at_its_end() -> None:
    # Cut by a limit when it was opened: his exit finds half. Stepped back after the exit: the exit finds it all.
    for exit_asked, target in (("0", "0.5"), ("-0.5", "0")):
        parts = [
            told("1", "opening", "1", seconds=0, skips=((0, "0.5"),)),
            told("2", "reducing", exit_asked, seconds=0, after=1),
        ]
        assert replay(Fraction(0), fills(2, -1), parts, rules=HALF, target=Decimal(target)) == []
    parts = [
        told("1", "opening", "1", seconds=0, skips=((0, "0.5"),)),
        told("2", "reducing", "-0.4", seconds=0, after=1),
    ]
    assert replay(Fraction(0), fills(2, -1), parts, rules=HALF, target=Decimal("0.1"))
