from datetime import timedelta

from copytrade.domain.instruments import Market
from copytrade.domain.readings import AGAIN, JUST_READ, QUIET, UNSEEN, Doubt, is_reconciled, judge, may_be_ours, missing
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


def test_what_was_sold_of_his_own_coins_is_no_drift() -> None:
    """Found by the model: a sale judged lost was done twice, the second time of his; H below 0 was adopted to 0."""
    assert missing([D("-0.75")], D(0), market=Market.SPOT) == [None]
    assert missing([D("-0.75")], D("-0.5"), market=Market.PERPETUAL) == [D("-0.5")]


def test_coins_of_another_leg_that_were_sold_come_back_to_it() -> None:
    assert missing([D("-0.75"), D(1)], D("0.25"), market=Market.SPOT) == [None, None]
    assert missing([D("-0.75"), D(1)], D("0.05"), market=Market.SPOT) == [None, D("0.8")]


def test_a_reading_reconciles_a_quiet_leg_for_some_seconds() -> None:
    assert is_reconciled(read_at=START, ended_at=None, now=START + JUST_READ)
    assert not is_reconciled(read_at=START, ended_at=None, now=START + JUST_READ + timedelta(microseconds=1))
    assert is_reconciled(read_at=START, ended_at=START - QUIET, now=START)
    assert not is_reconciled(read_at=START, ended_at=START - QUIET / 2, now=START)
