"""Numbers, times and rows as the venues write them."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copytrade.exchanges.rows import as_sent, read_rows
from copytrade.exchanges.values import flag, moment, ms_of, number, plain, positive, text, truth


@pytest.mark.parametrize(
    ("told", "value"),
    [("1.50", "1.5"), ("6E+4", "60000"), ("1e-8", "0.00000001"), (7, "7"), ("-0", "0"), (10**30, "1" + "0" * 30)],
)
def test_a_number_is_read_exactly(told: Any, value: str) -> None:
    assert number(told) == Decimal(value)


@pytest.mark.parametrize(
    "told", [None, 1.5, True, "", "abc", "NaN", "Infinity", "1e999999", "1" * 80, [], {"a": 1}, b"1"]
)
def test_what_is_no_exact_number_is_odd(told: Any) -> None:
    with pytest.raises((ValueError, ArithmeticError)):
        number(told)


@pytest.mark.parametrize("told", ["0", "-1", "0.000"])
def test_nothing_is_not_positive(told: str) -> None:
    with pytest.raises(ValueError, match="above"):
        positive(told)


@given(st.decimals(min_value=-(10**15), max_value=10**15, allow_nan=False, places=10))
def test_a_number_is_written_without_exponent_and_read_back(value: Decimal) -> None:
    assert "E" not in plain(value)
    assert number(plain(value)) == value


@given(st.timedeltas(min_value=timedelta(days=1), max_value=timedelta(days=80_000)))
def test_a_time_is_whole_milliseconds(since: timedelta) -> None:
    at = datetime(1970, 1, 1, tzinfo=UTC) + since
    assert timedelta(0) <= at - moment(ms_of(at)) < timedelta(milliseconds=1)
    assert moment(str(ms_of(at))) == moment(ms_of(at))


@pytest.mark.parametrize("told", [None, 1.5, True, "", "soon", "1e12", 10**20])
def test_what_is_no_time_is_odd(told: Any) -> None:
    with pytest.raises((ValueError, OverflowError)):
        moment(told)


def test_ids_are_texts_and_flags_are_told() -> None:
    assert (text(5), text("a")) == ("5", "a")
    assert truth(False) is False
    assert (flag({"a": True}, "a"), flag({"a": "true"}, "a"), flag({}, "a")) == (True, None, None)
    for odd in (None, "", True, 1.5, []):
        with pytest.raises(ValueError, match="missing"):
            text(odd)
    for odd in (None, "true", 1):
        with pytest.raises(ValueError, match="told"):
            truth(odd)


def test_a_row_that_cannot_be_read_is_kept_and_spoils_no_other() -> None:
    rows = [{"a": "1"}, {"b": "1"}, None, {"a": "x"}, {"a": "2"}]
    read, spoiled = read_rows(rows, lambda row: number(row["a"]))
    assert read == [1, 2]
    assert spoiled == ('{"b": "1"}', "null", '{"a": "x"}')
    assert len(as_sent({"a": "x" * 10_000})) == 2000
    assert "object" in as_sent({"a": object()})
