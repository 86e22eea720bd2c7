from datetime import timedelta

from copytrade.domain.readings import AGAIN, UNSEEN, Doubt, judge, may_be_ours
from tests.unit.domain.copying import START, D

LATER = START + AGAIN


def test_two_equal_readings_far_enough_apart_are_acted_upon() -> None:
    doubt, acts = judge(None, D(1), at=START)
    assert (doubt, acts) == (Doubt(D(1), START), False)
    assert judge(doubt, D(1), at=LATER - timedelta(microseconds=1)) == (doubt, False)
    assert judge(doubt, D(1), at=LATER) == (None, True)
    assert judge(doubt, D(2), at=LATER) == (Doubt(D(2), LATER), False)
    assert judge(doubt, None, at=LATER) == (None, False)


def test_a_doubt_from_before_the_legs_last_order_confirms_nothing() -> None:
    """Found by the model: a nonsense reading, an order, and another nonsense reading had the copy taken for gone."""
    doubt = Doubt(D(0), START)
    assert judge(doubt, D(0), at=LATER, ended_at=START + timedelta(seconds=1)) == (Doubt(D(0), LATER), False)
    assert judge(doubt, D(0), at=LATER, ended_at=START - timedelta(seconds=1)) == (None, True)


def test_an_order_judged_lost_explains_what_lacks_on_its_side_for_a_while() -> None:
    lost = [(D(-1), START)]
    assert may_be_ours(D(-1), lost, at=LATER)
    assert not may_be_ours(D(1), lost, at=LATER)
    assert not may_be_ours(D(-1), lost, at=START + UNSEEN)
