from datetime import UTC, datetime, timedelta
from decimal import Decimal

from copytrade.domain.instruments import PositionSide
from copytrade.domain.trip_statistics import exposure, net_by_symbol, per_week, statistics
from copytrade.domain.trips import Trip

START = datetime(2026, 1, 1, tzinfo=UTC)
RESULTS = (100, 200, 50, -150, 300, -100, 80, -30)


def trip(net: str | int, *, begins: float = 0, hours: float | None = 1, symbol: str = "BTC") -> Trip:
    opened = START + timedelta(hours=begins)
    closed = opened + timedelta(hours=hours) if hours is not None else None
    return Trip(
        symbol, PositionSide.NET, True, opened, closed, gross=Decimal(net) + 2, fee=Decimal(3), funding=Decimal(1)
    )


def test_the_numbers_of_a_known_record() -> None:
    result = statistics([trip(net) for net in RESULTS])
    assert (result.count, result.wins, result.losses, result.net) == (8, 5, 3, 450)
    assert (result.win_rate, result.expectancy) == (Decimal("0.625"), Decimal("56.25"))
    assert result.profit_factor is not None
    assert round(result.profit_factor, 9) == Decimal("2.607142857")
    assert result.payoff is not None
    assert round(result.payoff, 9) == Decimal("1.564285714")
    assert result.expectancy_ratio is not None
    assert round(result.expectancy_ratio, 8) == Decimal("0.60267857")
    assert result.best_share is not None
    assert round(result.best_share, 6) == round(Decimal(300) / 730, 6)


def test_returns_as_results() -> None:
    result = statistics([trip(net) for net in (1, 10, -4, 2, 3, 2, 1, -10)])
    assert result.profit_factor is not None
    assert result.payoff is not None
    assert (result.win_rate, round(result.profit_factor, 9)) == (Decimal("0.75"), Decimal("1.357142857"))
    assert round(result.payoff, 9) == Decimal("0.452380952")


def test_break_even_is_neither_win_nor_loss_but_counts() -> None:
    result = statistics([trip(5), trip("0.000000001"), trip("-0.000000001"), trip(-5)])
    assert (result.count, result.wins, result.losses, result.win_rate) == (4, 1, 1, Decimal("0.25"))


def test_nothing_is_divided_by_zero() -> None:
    empty, winning = statistics([]), statistics([trip(1)])
    assert (empty.win_rate, empty.expectancy, empty.average_holding, empty.best_share) == (None, None, None, None)
    assert (winning.profit_factor, winning.payoff, winning.best_share) == (None, None, 1)


def test_holding_is_from_flat_to_flat() -> None:
    result = statistics([trip(1, hours=1), trip(1, hours=2), trip(1, hours=9)])
    assert (result.average_holding, result.median_holding) == (timedelta(hours=4), timedelta(hours=2))


def test_exposure_is_the_union_of_the_spans() -> None:
    trips = [trip(1, begins=-5, hours=6), trip(1, begins=0.5, hours=1.5), trip(1, begins=8, hours=None)]
    assert exposure(trips, begins=START, ends=START + timedelta(hours=10)) == 0.4
    assert exposure([], begins=START, ends=START) is None
    assert exposure([trip(1, begins=-5, hours=1)], begins=START, ends=START + timedelta(hours=1)) == 0


def test_results_by_symbol_are_ordered_by_money() -> None:
    trips = [trip(5, symbol="ETH"), trip(-9, symbol="XRP"), trip(8, symbol="BTC"), trip(4, symbol="ETH")]
    assert list(net_by_symbol(trips).items()) == [("ETH", 9), ("BTC", 8), ("XRP", -9)]


def test_frequency() -> None:
    assert (per_week(10, days=35), per_week(1, days=0)) == (2, None)
