from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from copytrade.domain.instruments import PositionSide
from copytrade.domain.trip_book import TripBook, replay
from copytrade.domain.trips import ZERO, Execution, Funding

START = datetime(2026, 1, 1, tzinfo=UTC)
NEAR = Decimal("1e-20")
SYMBOLS = ("BTC/USDT:USDT", "ETH/USDT:USDT")

quantities = st.integers(-5000, 5000).filter(bool).map(lambda value: Decimal(value) / 1000)
prices = st.integers(1, 1_000_000).map(lambda value: Decimal(value) / 100)
fees = st.integers(-100, 1000).map(lambda value: Decimal(value) / 10_000)


@st.composite
def histories(draw: st.DrawFn, symbols: tuple[str, ...] = SYMBOLS) -> list[Execution]:
    rows = draw(st.lists(st.tuples(st.sampled_from(symbols), quantities, prices, fees), max_size=30))
    return [
        Execution(symbol, quantity, price, START + timedelta(minutes=index), fee=fee)
        for index, (symbol, quantity, price, fee) in enumerate(rows)
    ]


@given(histories(), st.lists(st.tuples(st.integers(0, 30), fees), max_size=5), prices)
def test_result_and_money_agree_for_any_history(
    executions: list[Execution], paid: list[tuple[int, Decimal]], mark: Decimal
) -> None:
    fundings = [Funding(SYMBOLS[0], amount, START + timedelta(minutes=at)) for at, amount in sorted(paid)]
    book, booked, counted = TripBook(), list[Funding](), ZERO
    for event in sorted([*fundings, *executions], key=lambda event: event.at):
        if isinstance(event, Funding):
            booked.extend([event] if book.fund(event) else [])
        elif closed := book.apply(event).closed:
            counted += closed.net
    counted += sum((trip.net + trip.unrealized(mark) for trip in book.trips.values()), ZERO)
    money = sum((-each.quantity * each.price - each.fee + each.quantity * mark for each in executions), ZERO)
    assert abs(counted - money - sum((each.amount for each in booked), ZERO)) < NEAR


@given(histories(), st.integers(1, 999))
def test_splitting_every_fill_in_two_changes_nothing(executions: list[Execution], per_mille: int) -> None:
    share = Decimal(per_mille) / 1000
    halves: list[Execution] = []
    for each in executions:
        first = replace(each, quantity=each.quantity * share, fee=each.fee * share)
        halves += [first, replace(each, quantity=each.quantity - first.quantity, fee=each.fee - first.fee)]
    one, two = TripBook(), TripBook()
    whole, split = replay(one, executions=executions), replay(two, executions=halves)
    assert [trip.closed_at for trip in whole] == [trip.closed_at for trip in split]
    assert all(abs(a.net - b.net) < NEAR for a, b in zip(whole, split, strict=True))
    assert {key: trip.quantity for key, trip in one.trips.items()} == {k: t.quantity for k, t in two.trips.items()}


@given(histories())
def test_a_short_is_the_mirror_of_a_long(executions: list[Execution]) -> None:
    mirrored = [replace(each, quantity=-each.quantity, fee=ZERO) for each in executions]
    plain = [replace(each, fee=ZERO) for each in executions]
    ours, theirs = replay(TripBook(), executions=plain), replay(TripBook(), executions=mirrored)
    assert all(abs(a.gross + b.gross) < NEAR for a, b in zip(ours, theirs, strict=True))
    assert [trip.is_long for trip in ours] == [not trip.is_long for trip in theirs]


@given(histories(symbols=SYMBOLS[:1]), prices)
def test_average_cost_and_first_in_first_out_agree_when_the_position_ends_flat(
    executions: list[Execution], price: Decimal
) -> None:
    left = sum((each.quantity for each in executions), ZERO)
    if left:
        executions = [*executions, Execution(SYMBOLS[0], -left, price, START + timedelta(days=1))]
    trips = replay(TripBook(), executions=executions)
    assert abs(sum((trip.gross for trip in trips), ZERO) - _first_in_first_out(executions)) < NEAR


@given(histories(), st.integers(0, 30))
def test_a_stored_book_goes_on_like_one_that_never_stopped(executions: list[Execution], cut: int) -> None:
    whole, first = TripBook(), TripBook()
    expected = replay(whole, executions=executions)
    before = replay(first, executions=executions[:cut])
    second = TripBook.load(first.dump())
    assert [*before, *replay(second, executions=executions[cut:])] == expected
    assert second == whole


@given(quantities, prices, fees)
def test_reduce_only_never_opens(quantity: Decimal, price: Decimal, fee: Decimal) -> None:
    book = TripBook()
    result = book.apply(Execution(SYMBOLS[0], quantity, price, START, fee=fee, only_closes=True))
    assert (result.missing, book.trips) == (abs(quantity), {})


@given(quantities, quantities, prices)
def test_a_hedge_side_never_crosses_zero(first: Decimal, second: Decimal, price: Decimal) -> None:
    book = TripBook()
    for quantity in (first, second):
        book.apply(Execution(SYMBOLS[0], quantity, price, START, position_side=PositionSide.LONG))
    assert all(trip.is_long for trip in book.trips.values())


def _first_in_first_out(executions: list[Execution]) -> Decimal:
    lots: list[list[Decimal]] = []
    total = ZERO
    for each in executions:
        left = each.quantity
        while left and lots and (lots[0][0] > 0) != (left > 0):
            taken = min(abs(left), abs(lots[0][0])) * (1 if lots[0][0] > 0 else -1)
            total += taken * (each.price - lots[0][1])
            lots[0][0] -= taken
            left += taken
            if not lots[0][0]:
                lots.pop(0)
        if left:
            lots.append([left, each.price])
    return total
