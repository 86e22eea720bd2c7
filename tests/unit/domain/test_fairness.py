"""The order in which subscribers are served."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from copytrade.domain.fairness import rotated


@given(count=st.integers(1, 40), blocks=st.integers(1, 6), start=st.integers(0, 50), seed=st.text(max_size=8))
def test_in_as_many_turns_as_there_are_members_everybody_has_each_rank_once(
    count: int, blocks: int, start: int, seed: str
) -> None:
    members = list(range(count))
    ranks: Counter[tuple[int, int]] = Counter()
    for turn in range(start * count, (start + blocks) * count):
        served = rotated(members, turn=turn, seed=seed)
        assert sorted(served) == members
        ranks.update((member, rank) for rank, member in enumerate(served))
    assert set(ranks.values()) == {blocks}
    assert len(ranks) == count * count


def test_the_same_turn_gives_the_same_order_and_another_seed_another() -> None:
    members = list(range(100))
    assert rotated(members, turn=7, seed="BTC") == rotated(members, turn=7, seed="BTC")
    assert len({tuple(rotated(members, turn=7, seed=str(seed))) for seed in range(20)}) > 10


def test_a_trader_who_enters_at_every_fourth_fill_does_not_favour_anybody() -> None:
    members = ["Bob", "Carol"]
    first = Counter(rotated(members, turn=turn, seed="BTC")[0] for turn in range(0, 8000, 4))
    # Two thousand fair draws: five standard deviations are 112.
    assert abs(first["Bob"] - 1000) < 112


def test_one_or_nobody_is_served_as_he_is() -> None:
    assert list(rotated([], turn=3, seed="")) == []
    assert list(rotated(["Bob"], turn=3, seed="")) == ["Bob"]
