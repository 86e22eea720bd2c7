"""When traders are paid: days, Mondays, firsts; over the ends of months and years, whatever the clocks on walls do."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copytrade.domain.payout_dates import last_date, least, next_date, paid_on

EVERY = ("daily", "weekly", "monthly")
TIMES = st.datetimes(datetime(2024, 1, 1), datetime(2031, 12, 31)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001 - made aware here


@pytest.mark.parametrize(
    ("now", "every", "last", "next"),
    [
        ("2026-11-23T02:00", "daily", "2026-11-23", "2026-11-24"),
        ("2026-11-23T00:00", "weekly", "2026-11-23", "2026-11-30"),
        ("2026-11-29T23:59", "weekly", "2026-11-23", "2026-11-30"),
        ("2026-12-31T23:59", "monthly", "2026-12-01", "2027-01-01"),
        ("2028-02-29T12:00", "monthly", "2028-02-01", "2028-03-01"),
        ("2028-02-29T12:00", "daily", "2028-02-29", "2028-03-01"),
        ("2026-03-29T01:30", "daily", "2026-03-29", "2026-03-30"),
    ],
)
def test_dates(now: str, every: str, last: str, next: str) -> None:
    at = datetime.fromisoformat(now).replace(tzinfo=UTC)
    assert last_date(at, every=every).isoformat() == f"{last}T00:00:00+00:00"
    assert next_date(at, every=every).isoformat() == f"{next}T00:00:00+00:00"


@given(at=TIMES, every=st.sampled_from(EVERY))
def test_a_sum_is_paid_on_the_first_date_on_which_it_is_free(at: datetime, every: str) -> None:
    date = paid_on(at, every=every)
    assert date >= at
    assert last_date(date, every=every) == date
    assert last_date(date - timedelta(seconds=1), every=every) < at or date == at


def test_a_date_is_the_same_wherever_the_clock_hangs() -> None:
    east = datetime(2026, 11, 23, 1, 0, tzinfo=timezone(timedelta(hours=3)))
    assert last_date(east, every="weekly") == datetime(2026, 11, 16, tzinfo=UTC)


@pytest.mark.parametrize(
    ("amount", "currency", "minor"), [("25", "usd", 2500), ("25.5", "jpy", 26), ("25", "kwd", 25_000), ("0", "usd", 0)]
)
def test_a_minimum_is_rounded_up_to_what_the_currency_has(amount: str, currency: str, minor: int) -> None:
    assert least(Decimal(amount), currency=currency) == minor


def test_another_rhythm_is_refused() -> None:
    with pytest.raises(ValueError, match="not daily"):
        last_date(datetime(2026, 1, 1, tzinfo=UTC), every="hourly")
