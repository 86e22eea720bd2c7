"""What a quantity that was not copied would have made, against a stack of single units that is sold one by one."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from copytrade.domain.missed import Later, Missed, Opening, missed_pnl, stretch

D = Decimal
START = datetime(2026, 3, 1, 12, tzinfo=UTC)


def at(second: int) -> datetime:
    return START + timedelta(seconds=second)


def bought(before: str, after: str, *, asked: str = "1", price: str = "60000") -> Opening:
    return Opening(D(before), D(after), D(asked), D(price), START)


def test_a_skip_is_priced_by_the_exit_of_what_was_opened() -> None:
    assert missed_pnl(bought("0", "1"), [Missed(D(1), START)], [Later(D(0), D(61000), at(9))]) == [D(1000)]


def test_a_short_that_was_skipped_makes_money_when_the_price_falls() -> None:
    opened = bought("0", "-2", asked="0.5")
    assert missed_pnl(opened, [Missed(D("0.5"), START)], [Later(D(0), D(59000), at(9))]) == [D(500)]


def test_it_is_not_known_before_the_lead_has_left_all_of_it() -> None:
    skip = [Missed(D(1), START)]
    assert missed_pnl(bought("0", "1"), skip, []) == [None]
    assert missed_pnl(bought("0", "1"), skip, [Later(D("0.5"), D(61000), at(1))]) == [None]
    later = [Later(D("0.5"), D(61000), at(1)), Later(D("-1"), D(59000), at(2))]
    assert missed_pnl(bought("0", "1"), skip, later) == [D(0)]


def test_what_he_bought_before_and_after_is_not_its_exit() -> None:
    later = [Later(D(5), D(62000), at(1)), Later(D(3), D(70000), at(2)), Later(D(2), D(61500), at(3))]
    assert missed_pnl(bought("2", "3"), [Missed(D(1), START)], later) == [D(1500)]


def test_what_a_limit_cut_lies_on_top_of_what_was_copied() -> None:
    # Half was copied and half was skipped: the first half that he sells is the skipped one, as in example 11.
    assert missed_pnl(bought("0", "1"), [Missed(D("0.5"), START)], [Later(D("0.5"), D(61000), at(1))]) == [D(500)]


def test_what_is_skipped_later_lies_under_what_was_skipped_before() -> None:
    skips = [Missed(D("0.5"), START), Missed(D("0.5"), at(60))]
    later = [Later(D("0.5"), D(61000), at(1)), Later(D(0), D(59000), at(90))]
    assert missed_pnl(bought("0", "1"), skips, later) == [D(500), D(-500)]


def test_what_he_left_before_it_was_skipped_is_priced_at_his_exit() -> None:
    later = [Later(D(0), D(61000), at(1))]
    assert missed_pnl(bought("0", "1"), [Missed(D(1), at(60))], later) == [D(1000)]


def test_an_opening_without_a_size_has_no_result() -> None:
    assert missed_pnl(bought("0", "1", asked="0"), [Missed(D(1), START)], [Later(D(0), D(1), at(1))]) == [None]


def test_a_change_reaches_from_where_he_was_to_zero_and_from_zero_on() -> None:
    assert stretch(D(1), D("-0.5"), opens=False) == (D(1), D(0))
    assert stretch(D(1), D("-0.5"), opens=True) == (D(0), D("-0.5"))
    assert stretch(D(1), D("0.4"), opens=False) == (D(1), D("0.4"))
    assert stretch(D(1), D(2), opens=True) == (D(1), D(2))
    assert stretch(D(1), D(2), opens=False) == (D(1), D(1))


@dataclass
class _Unit:
    part: int
    skip: int | None = None


@dataclass
class _Stack:
    """The oracle: every unit of the lead's position lies on a stack and is sold from its top."""

    position: int = 0
    units: list[_Unit] = field(default_factory=list)
    openings: dict[int, Opening] = field(default_factory=dict)
    skips: dict[int, list[tuple[int, Missed]]] = field(default_factory=dict)
    later: list[tuple[int, Later]] = field(default_factory=list)
    sold: dict[int, list[Decimal]] = field(default_factory=dict)
    sizes: dict[int, int] = field(default_factory=dict)

    def move(self, to: int, *, price: int, second: int, skipped: float) -> None:
        before, self.position = self.position, to
        crosses = before * to < 0
        if crosses or abs(to) < abs(before):
            _, reached = stretch(D(before), D(to), opens=False)
            for _ in range(int(abs(before) - abs(reached))):
                unit = self.units.pop()
                if unit.skip is not None:
                    entry = self.openings[unit.part].price
                    self.sold.setdefault(unit.skip, []).append((price - entry) * (1 if before > 0 else -1))
            self.later.append((second, Later(reached, D(price), at(second))))
        if crosses or abs(to) > abs(before):
            low, high = stretch(D(before), D(to), opens=True)
            size = int(abs(high) - abs(low))
            self.openings[second] = Opening(low, high, D(size), D(price), at(second))
            self.skips[second] = []
            self.units += [_Unit(second) for _ in range(size)]
            self.later.append((second, Later(high, D(price), at(second))))
            self.skip(second, second=second, share=skipped)

    def skip(self, part: int, *, second: int, share: float) -> None:
        mine = [unit for unit in reversed(self.units) if unit.part == part and unit.skip is None]
        chosen = mine[: int(len(mine) * share)]
        if chosen:
            name = len(self.sizes)
            self.sizes[name] = len(chosen)
            self.skips[part].append((name, Missed(D(len(chosen)), at(second))))
            for unit in chosen:
                unit.skip = name


@given(
    st.lists(
        st.tuples(
            st.integers(-6, 6), st.integers(90, 110), st.floats(0, 1), st.integers(0, 30), st.sampled_from((0, 0.5, 1))
        ),
        max_size=30,
    )
)
def test_every_skip_makes_what_its_units_made_on_the_stack(moves: list[tuple[int, int, float, int, float]]) -> None:
    stack = _Stack()
    for turn, (to, price, skipped, stepped, share) in enumerate(moves):
        stack.move(to, price=price, second=2 * turn, skipped=skipped)
        if 2 * (stepped % (turn + 1)) in stack.openings:
            stack.skip(2 * (stepped % (turn + 1)), second=2 * turn + 1, share=share)
    for part, opening in stack.openings.items():
        names = [name for name, _ in stack.skips[part]]
        later = [change for second, change in stack.later if second > part]
        told = missed_pnl(opening, [skip for _, skip in stack.skips[part]], later)
        for name, pnl in zip(names, told, strict=True):
            sold = stack.sold.get(name, [])
            assert pnl == (sum(sold, D(0)) if len(sold) == stack.sizes[name] else None)
