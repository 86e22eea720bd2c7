from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from copytrade.domain.instruments import PositionSide
from copytrade.domain.trip_book import TripBook, replay
from copytrade.domain.trips import Execution, Funding, Trip

START = datetime(2026, 1, 1, tzinfo=UTC)
BTC = "BTC/USDT:USDT"


def fills(text: str, *, rate: str = "0", only_closes: bool = False) -> list[Execution]:
    """Read fills such as `+100@10 -50@12`, one minute apart, each with a fee of `rate` times its notional."""
    rows: list[Execution] = []
    for index, word in enumerate(text.split()):
        quantity, price = (Decimal(part) for part in word.split("@"))
        fee = abs(quantity) * price * Decimal(rate)
        closes = only_closes and quantity < 0
        rows.append(Execution(BTC, quantity, price, START + timedelta(minutes=index), fee=fee, only_closes=closes))
    return rows


def realized(text: str, *, rate: str = "0") -> list[Decimal]:
    book = TripBook()
    results = (book.apply(fill).realized for fill in fills(text, rate=rate))
    return [result.net for result in results if result]


@pytest.mark.parametrize(
    ("text", "rate", "expected"),
    [
        ("+100@10 +100@15 -50@12 -100@20 -50@5", "0", ["-25", "750", "-375"]),
        ("+100@10 +100@15 -50@12 -100@20 -50@5", "0.0025", ["-28.0625", "741.875", "-377.1875"]),
        ("+100@3 +100@7 -100@11 +150@15 -100@19 -150@23", "0.0025", ["596", "792.5", "1787.25"]),
        ("+100@8 +100@9 -100@10 +150@11 -100@12 -150@14", "0", ["150", "200", "600"]),
    ],
)
def test_added_positions_realize_at_average_cost(text: str, rate: str, expected: list[str]) -> None:
    assert realized(text, rate=rate) == [Decimal(value) for value in expected]


def test_a_trip_totals_what_its_parts_realized() -> None:
    [trip] = replay(TripBook(), executions=fills("+100@10 +100@15 -50@12 -100@20 -50@5", rate="0.0025"))
    assert (trip.net, trip.gross, trip.fee) == (Decimal("336.625"), Decimal(350), Decimal("13.375"))
    assert (trip.peak_quantity, trip.fills, trip.holding) == (200, 5, timedelta(minutes=4))
    assert (trip.entry_price, trip.exit_price) == (Decimal("12.5"), Decimal("14.25"))


def test_the_average_price_changes_by_increases_only() -> None:
    book, averages = TripBook(), list[Decimal | None]()
    for fill in fills("+100@3 +100@7 -100@11 +150@15"):
        book.apply(fill)
        averages.append(book.trips[BTC, PositionSide.NET].average_price)
    assert averages == [3, 5, 5, 11]


@pytest.mark.parametrize(
    ("text", "funding", "net"),
    [
        ("+30@2.0 -30@2.1", "0", "2.6925"),
        ("+30@2.0 -30@2.1", "1", "3.6925"),
        ("+30@2.0 -30@2.1", "-1", "1.6925"),
        ("-30@2.0 +30@2.1", "0", "-3.3075"),
        ("-30@2.0 +30@2.1", "1", "-2.3075"),
        ("-30@2.0 +30@2.1", "-1", "-4.3075"),
        ("+30@2.0 -30@1.9", "0", "-3.2925"),
        ("-30@2.0 +30@1.9", "0", "2.7075"),
    ],
)
def test_funding_and_fees_are_in_the_net_result(text: str, funding: str, net: str) -> None:
    paid = Funding(BTC, Decimal(funding), START + timedelta(seconds=30))
    [trip] = replay(TripBook(), executions=fills(text, rate="0.0025"), fundings=[paid])
    assert trip.net == Decimal(net)


def test_average_cost_runs_through_partial_sales_on_spot() -> None:
    text = "+2@10 -1@15 +1@30 -1.5@10 +3@20 -2@30 -1.5@10 +1@10 -.5@5"
    assert realized(text) == [Decimal(value) for value in ("5", "-15", "20", "-15", "-2.5")]


def test_a_sale_beyond_the_holding_reports_what_is_missing_and_invents_no_profit() -> None:
    book = TripBook()
    results = [book.apply(fill) for fill in fills("+.5@10 -.6@5 -.5@5", only_closes=True)]
    assert [result.missing for result in results] == [0, Decimal("0.1"), Decimal("0.5")]
    assert results[1].realized is not None
    assert results[1].realized.net == Decimal("-2.5")
    assert (results[2].realized, book.trips) == (None, {})


def test_a_flip_closes_and_opens_with_the_fee_shared_by_quantity() -> None:
    book = TripBook()
    trips = replay(book, executions=fills("+1@1 +.1@2 -1@3 -.1@4 +1@6 -2@7 +2@8", rate="0.01"))
    expected = [Decimal("2.154") - Decimal(0), Decimal("0.87"), Decimal("-1.15")]
    assert [trip.net for trip in trips] == expected
    parts = realized("+1@1 +.1@2 -1@3 -.1@4", rate="0.01")
    assert [round(part, 8) for part in parts] == [Decimal("1.86818182"), Decimal("0.28581818")]
    open_trip = book.trips[BTC, PositionSide.NET]
    assert (open_trip.is_long, open_trip.quantity, open_trip.net) == (True, 1, Decimal("-0.08"))


def test_the_entry_price_is_weighted_by_quantity() -> None:
    book = TripBook()
    replay(book, executions=fills("+.5@5000 +.3@6000"))
    assert book.trips[BTC, PositionSide.NET].average_price == 5375


def test_a_short_gains_from_a_falling_price_after_fees_and_funding() -> None:
    executions = [
        Execution(BTC, Decimal("-0.4"), Decimal(6000), START, fee=Decimal("1.32")),
        Execution(BTC, Decimal("0.4"), Decimal(5000), START + timedelta(hours=9), fee=Decimal("1.10")),
    ]
    [trip] = replay(
        TripBook(), executions=executions, fundings=[Funding(BTC, Decimal("-2.10"), START + timedelta(hours=8))]
    )
    assert (trip.gross, trip.net) == (400, Decimal("395.48"))


def test_a_fee_taken_in_base_lowers_the_quantity_and_is_told_at_the_price_of_its_fill() -> None:
    book = TripBook()
    book.apply(Execution("BTC/USDT", Decimal(1), Decimal(100), START, base_fee=Decimal("0.2")))
    trip = book.trips["BTC/USDT", PositionSide.NET]
    assert (trip.quantity, trip.cost, trip.average_price, trip.fee) == (Decimal("0.8"), 80, 100, 20)


def test_hedge_sides_are_apart_and_funding_is_shared_by_cost() -> None:
    book = TripBook()
    book.apply(Execution(BTC, Decimal(3), Decimal(100), START, position_side=PositionSide.LONG))
    book.apply(Execution(BTC, Decimal(-1), Decimal(100), START, position_side=PositionSide.SHORT))
    assert book.fund(Funding(BTC, Decimal(-4), START))
    shares = {side: trip.funding for (_, side), trip in book.trips.items()}
    assert shares == {PositionSide.LONG: -3, PositionSide.SHORT: -1}
    result = book.apply(Execution(BTC, Decimal(-5), Decimal(110), START, position_side=PositionSide.LONG))
    assert (result.missing, result.closed and result.closed.gross) == (2, 30)


def test_funding_without_a_position_is_told() -> None:
    assert not TripBook().fund(Funding(BTC, Decimal(1), START))


def test_a_position_from_before_the_history_is_marked_as_estimated() -> None:
    book = TripBook()
    book.seed(BTC, quantity=Decimal(-2), price=Decimal(100), at=START, position_side=PositionSide.NET)
    result = book.apply(Execution(BTC, Decimal(2), Decimal(90), START, is_liquidation=True))
    assert result.closed is not None
    assert (result.closed.gross, result.closed.is_estimated, result.closed.is_liquidated) == (20, True, True)


def test_a_book_survives_being_stored() -> None:
    whole, first = TripBook(), TripBook()
    rows = fills("+1@3 +2@7 -1@11 -5@9 +1@4", rate="0.0004")
    expected = replay(whole, executions=rows)
    before = replay(first, executions=rows[:3])
    second = TripBook.load(first.dump())
    assert [*before, *replay(second, executions=rows[3:])] == expected
    assert second == whole


def test_unrealized_is_marked_against_the_average() -> None:
    book = TripBook()
    replay(book, executions=fills("-2@10 -2@20 +1@12"))
    assert book.unrealized({BTC: Decimal(10)}) == 15
    assert isinstance(book.trips[BTC, PositionSide.NET], Trip)


def test_a_rest_that_cannot_be_sold_ends_a_trip_on_spot_and_goes_into_the_next() -> None:
    book = TripBook()
    first, second = "+10@100 -9.99@110", "+10@100 -10.01@120"
    closed = [applied.closed for fill in fills(first, rate="0.001", only_closes=True) if (applied := book.apply(fill))]
    dust = book.trips[BTC, PositionSide.NET]
    assert closed[0] is None
    assert closed[1] is not None
    assert (closed[1].gross, closed[1].quantity, closed[1].entry_quantity) == (Decimal("99.9"), 0, Decimal("9.99"))
    assert (dust.is_dust, dust.quantity, dust.cost, dust.fee) == (True, Decimal("0.01"), Decimal(1), Decimal("0.001"))
    later = [replace(fill, at=fill.at + timedelta(hours=1)) for fill in fills(second, rate="0.001", only_closes=True)]
    [trip] = replay(book, executions=later)
    assert (trip.opened_at, trip.entry_quantity, trip.gross) == (later[0].at, Decimal("10.01"), Decimal("200.2"))
    whole = sum((fill.fee for fill in (*fills(first, rate="0.001"), *later)), Decimal(0))
    assert closed[1].fee + trip.fee == whole
    assert not book.trips


@pytest.mark.parametrize(
    ("text", "closes"),
    [
        ("+1@100 -0.5@100", True),  # much of it is left
        ("+1000@100 -999@100", True),  # a small share, but worth selling
        ("+10@100 -9.99@110", False),  # on perpetuals nothing is too small to be closed
    ],
)
def test_a_position_that_is_not_dust_stays_open(text: str, closes: bool) -> None:
    book = TripBook()
    assert not replay(book, executions=fills(text, only_closes=closes))
    assert not book.trips[BTC, PositionSide.NET].is_dust
