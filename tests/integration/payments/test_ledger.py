"""The ledger on the real database: booked once, adding up whatever comes, never changed."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, select

from copytrade import clock
from copytrade.db.model import new_id
from copytrade.payments import ledger
from copytrade.payments.entries import Booking, write
from copytrade.payments.ledger_models import EntryKind, LedgerEntry
from tests.integration.payments.books import Books, chosen


@pytest.fixture
def books(session: Session) -> Books:
    return Books(session)


def test_a_payment_is_divided_80_to_20_and_held_for_a_week(books: Books) -> None:
    books.pay(2999)
    assert books.accounts() == {"stripe": 2999, "platform": -600, "trader": -2399}
    balance = books.balance()
    assert (balance.total, balance.held, balance.available, balance.debt) == (2399, 2399, 0, 0)
    books.pay(1000, days_ago=8)
    assert (books.balance().held, books.balance().available) == (2399, 800)


def test_what_is_booked_twice_counts_once(books: Books) -> None:
    first = books.pay(2900)
    books.pay(2900, number=first)
    assert books.fee(first, 114)
    assert not books.fee(first, 114)
    assert (books.refund(first, 1000), books.refund(first, 1000)) == (800, 0)
    period, taken = books.taken(first, 1900)
    assert ledger.book_dispute_lost(books.session, period=period, taken=taken) == 1520
    assert ledger.book_dispute_lost(books.session, period=period, taken=taken) == 0
    assert books.accounts() == {"stripe": -114, "fees": 114}


def test_money_of_each_currency_is_kept_apart_and_in_its_own_units(books: Books) -> None:
    books.pay(2999)
    books.pay(2999, currency="jpy")
    books.pay(10_005, currency="kwd")
    assert books.accounts("jpy") == {"stripe": 2999, "platform": -600, "trader": -2399}
    assert books.accounts("kwd") == {"stripe": 10_005, "platform": -2001, "trader": -8004}
    assert books.imbalance() == {}


def test_an_agreed_share_counts_for_what_is_paid_from_then_on(books: Books) -> None:
    books.pay(1000)
    books.agree("0.9", by=new_id())
    books.pay(1000)
    books.agree("0.85", by=new_id())
    books.pay(1000)
    assert [period.trader_minor for period in books.all_periods()] == [800, 900, 850]


def test_a_fee_lowers_the_traders_share_where_the_settings_say_so(books: Books) -> None:
    with chosen(stripe_fees_by="trader"):
        number = books.pay(2900)
        books.fee(number, 114)
        assert books.accounts() == {"stripe": 2786, "platform": -580, "trader": -2206}
        assert (books.balance().held, books.balance().available) == (2206, 0)


def test_a_refund_that_failed_gives_both_their_parts_back(books: Books) -> None:
    number = books.pay(2999)
    books.refund(number, 1001)
    assert books.refund(number, 1001, failed=True) == 801
    assert books.refund(number, 1001, failed=True) == 0
    assert books.accounts() == {"stripe": 2999, "platform": -600, "trader": -2399}
    assert books.period(number).refunded_minor == 0


def test_what_a_failed_refund_never_took_is_not_given_back(books: Books) -> None:
    number = books.pay(2999)
    assert books.refund(number, 1001, failed=True) == 0
    assert books.accounts()["stripe"] == 2999


def test_no_more_is_booked_as_refunded_than_stripe_gave_back_in_all(books: Books) -> None:
    number = books.pay(2900)
    books.refund(number, 2900, name="first")
    books.refund(number, 2900, name="second")
    assert books.accounts() == {}


def test_a_dispute_in_any_order_of_news_ends_the_same(books: Books) -> None:
    won, lost = books.pay(2900), books.pay(2900)
    period, taken = books.taken(won, 2900)
    ledger.book_dispute_won(books.session, period=period, taken=taken)
    ledger.book_disputed(books.session, period=period, taken=taken)
    assert ledger.book_dispute_lost(books.session, period=period, taken=taken) == 0
    period, taken = books.taken(lost, 2900)
    ledger.book_dispute_lost(books.session, period=period, taken=taken)
    ledger.book_disputed(books.session, period=period, taken=taken)
    assert books.accounts() == {"stripe": 2900, "platform": -580, "trader": -2320}
    assert ledger.book_dispute_won(books.session, period=period, taken=taken) == 2320
    assert books.accounts() == {"stripe": 5800, "platform": -1160, "trader": -4640}


@pytest.mark.parametrize("change", ["update people.ledger_entries set minor = 0", "delete from people.ledger_entries"])
def test_the_database_lets_nobody_change_an_entry(books: Books, change: str) -> None:
    books.pay(2900)
    with pytest.raises(DBAPIError, match="never changed and never deleted"), books.session.begin_nested():
        books.session.connection().execute(text(change))
    assert books.accounts()["stripe"] == 2900


def test_the_database_refuses_a_booking_that_does_not_add_up_whoever_writes_it(books: Books) -> None:
    books.pay(2900)
    with pytest.raises(DBAPIError, match="does not add up to zero"):
        _written(books, ("usd", "stripe", 100))


def test_two_currencies_do_not_make_up_for_each_other(books: Books) -> None:
    with pytest.raises(ArithmeticError):
        write(books.session, _by_hand("usd"), sums={"stripe": 100, "platform": -99})
    with pytest.raises(DBAPIError, match="does not add up to zero"):
        _written(books, ("usd", "stripe", 100), ("eur", "platform", -100))


def test_a_booking_that_is_there_with_other_accounts_is_a_bug_and_crashes(books: Books) -> None:
    write(books.session, _by_hand("usd"), sums={"stripe": 100, "platform": -100})
    assert not write(books.session, _by_hand("usd"), sums={"stripe": 100, "platform": -100})
    with pytest.raises(ArithmeticError, match="other accounts"):
        write(books.session, _by_hand("usd"), sums={"fees": 100, "platform": -100})
    booked = books.session.exec(select(LedgerEntry.account).where(LedgerEntry.booking == "paid:by hand")).all()
    assert "platform" in booked


def _by_hand(currency: str) -> Booking:
    return Booking("paid:by hand", EntryKind.PAID, currency, clock.now())


def _written(books: Books, *sides: tuple[str, str, int]) -> None:
    """Write entries past the service, as somebody with a database console would, and commit."""
    now = clock.now()
    with books.session.begin_nested():
        for currency, account, minor in sides:
            times = {"available_at": now, "happened_at": now, "booked_at": now}
            values = {"booking": "by hand", "kind": "paid", "account": account, "minor": minor, "currency": currency}
            books.session.add(LedgerEntry.model_validate(values | times))
        books.session.flush()
        books.session.connection().execute(text("set constraints all immediate"))
