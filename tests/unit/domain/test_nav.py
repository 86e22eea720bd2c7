from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from copytrade.domain.nav import (
    Cash,
    DayEquity,
    Flow,
    Holding,
    NavDay,
    daily_nav,
    opening_quantities,
    period_return,
    rebuild_daily_equity,
    unexplained,
)
from copytrade.domain.trips import Execution

FIRST = date(2026, 1, 1)
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
BTC = "BTC/USDT:USDT"


def series(equities: list[str], *, flows: list[Flow] | None = None) -> list[NavDay]:
    closes = [DayEquity(FIRST + timedelta(days=index), Decimal(equity)) for index, equity in enumerate(equities)]
    return daily_nav(closes, flows=flows or [])


def at(day: int) -> datetime:
    return NOON + timedelta(days=day)


def test_a_deposit_is_no_profit() -> None:
    days = series(["500", "400", "1400", "1550"], flows=[Flow(at(2), Decimal(1000), equity_before=Decimal(400))])
    assert [round(day.nav, 6) for day in days] == [1, Decimal("0.8"), Decimal("0.8"), Decimal("0.885714")]
    assert [day.change for day in days] == [0, -100, 0, 150]
    assert sum(day.change for day in days) / (500 + 1000) == Decimal(50) / 1500


@pytest.mark.parametrize(
    ("opening", "closing", "flows", "expected"),
    [
        ("10", "106", [("95", "5")], "-0.47"),
        ("400", "55.75", [("0", "79.94")], "-0.860625"),
        ("1000", "1025", [("0", "1020"), ("0", "1055")], "0.025"),
    ],
)
def test_revaluing_at_each_flow_chains_the_parts(
    opening: str, closing: str, flows: list[tuple[str, str]], expected: str
) -> None:
    known = [Flow(at(index), Decimal(amount), Decimal(before)) for index, (amount, before) in enumerate(flows)]
    result = period_return(Decimal(opening), closing=Decimal(closing), flows=known, begins=at(-1), ends=at(9))
    assert round(result, 12) == Decimal(expected)


def test_modified_dietz_weighs_a_flow_by_its_time() -> None:
    flow = Flow(at(45), Decimal(10_000))
    result = period_return(Decimal(100_000), closing=Decimal(112_000), flows=[flow], begins=at(0), ends=at(90))
    assert round(result, 10) == Decimal("0.0190476190")


def test_a_withdrawal_of_all_is_no_loss() -> None:
    days = series(["1000", "0", "0"], flows=[Flow(at(1), Decimal(-1000))])
    assert [day.nav for day in days] == [1, 1, 1]


def test_a_liquidation_ends_the_epoch_and_a_deposit_starts_a_new_one() -> None:
    days = series(["1000", "-3", "0", "500", "550"], flows=[Flow(at(3), Decimal(500))])
    assert [(day.nav, day.epoch) for day in days] == [(1, 1), (0, 1), (0, 1), (1, 2), (Decimal("1.1"), 2)]
    assert days[1].day_return == -1


def test_a_loss_after_a_withdrawal_still_ends_at_zero() -> None:
    days = series(["1000", "0"], flows=[Flow(at(1), Decimal(-900))])
    assert days[-1].nav == 0


def test_nav_is_frozen_below_the_dust_floor() -> None:
    days = series(["1000", "5", "9", "1009", "2018"], flows=[Flow(at(3), Decimal(1000))])
    assert [day.nav for day in days] == [1, Decimal("0.005"), Decimal("0.005"), Decimal("0.005"), Decimal("0.010")]
    assert {day.epoch for day in days} == {1}


def test_an_account_that_starts_empty_begins_with_its_first_deposit() -> None:
    days = series(["0", "0", "1100"], flows=[Flow(at(2), Decimal(1000))])
    assert [day.nav for day in days] == [1, 1, Decimal("1.1")]


def test_days_without_a_reading_are_carried_and_keep_their_flows() -> None:
    closes = [DayEquity(FIRST, Decimal(100)), DayEquity(FIRST + timedelta(days=3), Decimal(160))]
    days = daily_nav(closes, flows=[Flow(at(1), Decimal(50), equity_before=Decimal(100))])
    assert [(day.equity, day.flow) for day in days] == [(100, 0), (100, 0), (100, 0), (160, 50)]
    assert days[-1].nav == Decimal(160) / 150


def test_a_series_can_be_continued() -> None:
    equities = ["1000", "1100", "990", "1200"]
    whole = series(equities)
    rest = [DayEquity(FIRST + timedelta(days=2), Decimal(990)), DayEquity(FIRST + timedelta(days=3), Decimal(1200))]
    assert [*whole[:2], *daily_nav(rest, flows=[], last=whole[1])] == whole


@pytest.mark.parametrize(
    ("closing", "pnl", "flow", "expected"),
    [("1010", "10", "0", "0"), ("1011", "10", "0", "0"), ("1012", "10", "0", "2"), ("500", "0", "-400", "-100")],
)
def test_a_change_that_nothing_explains_is_told(closing: str, pnl: str, flow: str, expected: str) -> None:
    gap = unexplained(Decimal(1000), closing=Decimal(closing), pnl=Decimal(pnl), flow=Decimal(flow))
    assert gap == Decimal(expected)


def test_a_large_account_may_differ_by_a_thousandth() -> None:
    assert unexplained(Decimal(100_000), closing=Decimal(100_099), pnl=Decimal(0), flow=Decimal(0)) == 0


def test_equity_is_rebuilt_backwards_at_daily_closes() -> None:
    """Deposit 1000, buy 2 at 100 (fee 1), close at 110, funding −3, sell 1 at 120 (fee 1), close 130, now 125."""
    executions = [
        Execution(BTC, Decimal(2), Decimal(100), at(1), fee=Decimal(1)),
        Execution(BTC, Decimal(-1), Decimal(120), at(2), fee=Decimal(1)),
    ]
    cash = [Cash(at(0), Decimal(1000)), Cash(at(2), Decimal(-3))]
    closes = {(BTC, FIRST + timedelta(days=1)): Decimal(110), (BTC, FIRST + timedelta(days=2)): Decimal(130)}
    rows = rebuild_daily_equity(
        Decimal(1040), at=at(3), holdings={BTC: Holding(Decimal(1), Decimal(125))}, executions=executions, cash=cash,
        closes=closes,
    )  # fmt: skip
    assert [(row.day, row.equity) for row in rows] == [
        (FIRST - timedelta(days=1), 0),
        (FIRST, 1000),
        (FIRST + timedelta(days=1), 1019),
        (FIRST + timedelta(days=2), 1045),
    ]
    assert all(row.is_rebuilt for row in rows)


def test_a_missing_close_uses_the_last_price_known_before_it() -> None:
    executions = [Execution(BTC, Decimal(1), Decimal(100), at(0))]
    rows = rebuild_daily_equity(
        Decimal(1025), at=at(3), holdings={BTC: Holding(Decimal(1), Decimal(125))}, executions=executions, cash=[],
        closes={(BTC, FIRST + timedelta(days=1)): Decimal(110)},
    )  # fmt: skip
    assert [row.equity for row in rows] == [1000, 1000, 1010, 1010]


def test_a_position_older_than_the_history_is_found() -> None:
    executions = [Execution(BTC, Decimal(-1), Decimal(100), at(0)), Execution("ETH", Decimal(2), Decimal(5), at(0))]
    assert opening_quantities({BTC: Decimal(3), "ETH": Decimal(2)}, executions=executions) == {BTC: Decimal(4)}
