"""Numbers and times as people read them, in both languages."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from copytrade.domain.driving import WaitReason
from copytrade.domain.skips import SkipReason
from copytrade.i18n import Figure, Voice, zone_of
from copytrade.i18n.names import base_asset, place_name, symbol_name
from copytrade.i18n.reasons import REASONS, WAITS, reason_text, wait_text

EN, RU = Voice("en"), Voice("ru", ZoneInfo("Europe/Moscow"))
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("voice", "said"), [(EN, "2,318.40\N{NO-BREAK SPACE}USDT"), (RU, "2\N{NO-BREAK SPACE}318,40\N{NO-BREAK SPACE}USDT")]
)
def test_money_has_two_decimals_and_the_locales_separators(voice: Voice, said: str) -> None:
    assert voice.money(Decimal("2318.4")) == said


def test_dollars_stand_where_each_language_puts_them() -> None:
    assert EN.money(Decimal(25), "USD") == "$25"
    assert EN.money(Decimal("25.50"), "USD") == "$25.50"
    assert RU.money(Decimal(25), "USD") == "25\N{NO-BREAK SPACE}$"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (Decimal("312.4"), Figure("+312.40\N{NO-BREAK SPACE}USDT", "gain")),
        (Decimal("-3.1"), Figure("\N{MINUS SIGN}3.10\N{NO-BREAK SPACE}USDT", "loss")),
        (Decimal(0), Figure("0.00\N{NO-BREAK SPACE}USDT", "")),
        (None, Figure("\N{EM DASH}", "")),
    ],
)
def test_a_change_carries_sign_and_tone(value: Decimal | None, shown: Figure) -> None:
    assert EN.change(value) == shown


@pytest.mark.parametrize(
    ("fraction", "shown"),
    [
        (0.342, Figure("+34.2%", "gain")),
        (-0.081, Figure("\N{MINUS SIGN}8.1%", "loss")),
        (0.0, Figure("0.0%", "")),
        (0.0004, Figure("0.0%", "")),
        (None, Figure()),
    ],
)
def test_a_move_has_one_decimal_and_no_sign_where_it_rounds_to_nothing(fraction: float | None, shown: Figure) -> None:
    assert EN.move(fraction) == shown


def test_a_drawdown_is_a_loss() -> None:
    assert EN.fall(0.081) == Figure("\N{MINUS SIGN}8.1%", "loss")
    assert EN.fall(0.0) == Figure("0.0%", "")


def test_a_quantity_keeps_the_decimals_of_its_step_and_no_more() -> None:
    assert EN.quantity(Decimal("0.0200")) == "0.02"
    assert EN.quantity(Decimal("1E+3")) == "1,000"
    assert RU.quantity(Decimal("0.001")) == "0,001"


def test_a_quantity_of_many_decimals_is_cut_where_nobody_reads_on() -> None:
    assert EN.quantity(Decimal("0.123456789123456789")) == "0.12345679"
    assert EN.quantity(Decimal("12345678.123456789")) == "12,345,678.12345679"
    assert EN.quantity(Decimal("0.000000000123456789")) == "0.0000000001235"
    assert EN.quantity(Decimal("0")) == "0"


def test_a_price_of_a_cheap_coin_keeps_its_figures() -> None:
    assert EN.price(Decimal("0.0000071234")) == "0.0000071234"
    assert EN.price(Decimal("0.00000000012345678")) == "0.00000000012346"
    assert EN.price(Decimal("0.00001234")) == "0.00001234"


def test_a_price_keeps_what_the_venue_gave_and_an_average_no_more_than_that() -> None:
    assert EN.price(Decimal("51886.58389135")) == "51,886.58"
    assert EN.price(Decimal("2.123456789")) == "2.1235"
    assert EN.price(Decimal("60014.2")) == "60,014.20"
    assert EN.price(Decimal("0.07123")) == "0.07123"
    assert EN.price(None) == "\N{EM DASH}"


def test_delays_turn_from_milliseconds_to_seconds() -> None:
    assert EN.milliseconds(71.4) == "71\N{NO-BREAK SPACE}ms"
    assert EN.milliseconds(1500) == "1.5\N{NO-BREAK SPACE}s"
    assert RU.milliseconds(64) == "64\N{NO-BREAK SPACE}мс"


def test_times_are_relative_with_the_exact_one_in_the_persons_zone() -> None:
    at = NOW - timedelta(minutes=5)
    assert EN.moment(at, now=NOW).text == "5 minutes ago"
    assert RU.moment(at, now=NOW).text == "5 минут назад"
    assert RU.moment(at, now=NOW).exact == "1 мар. 2026, 14:55:00 MSK"
    assert EN.moment(NOW, now=NOW).text == "just now"
    assert EN.moment(None, now=NOW).text == "\N{EM DASH}"


@pytest.mark.parametrize("name", ["", "No/Where", "../etc/passwd", "\x00", "x" * 5000])
def test_a_zone_that_nobody_knows_is_utc(name: str) -> None:
    assert zone_of(name) is UTC


def test_names_of_symbols_and_places() -> None:
    assert symbol_name("BTC/USDT:USDT") == "BTC/USDT"
    assert base_asset("BTC/USDT:USDT") == "BTC"
    assert place_name(EN, "binance", "perpetual") == "Binance perpetuals"


def test_every_reason_has_a_text() -> None:
    assert set(REASONS) == set(SkipReason)
    assert set(WAITS) == set(WaitReason)


def test_a_reason_names_its_limit() -> None:
    assert reason_text("max_order", EN, {"limit": "100"}) == "beyond your largest order (100)"
    assert reason_text("max_order", EN, {"limit": "30000.50"}) == "beyond your largest order (30,000.5)"
    assert reason_text("not_known_here", EN) == "not known here"
    assert wait_text("too_small", RU) == "меньше минимума биржи, уйдёт со следующим исполнением"


@pytest.mark.parametrize(
    ("amount", "currency", "english", "russian"),
    [
        ("29", "usd", "$29", "29\N{NO-BREAK SPACE}$"),
        ("29.9", "eur", "€29.90", "29,90\N{NO-BREAK SPACE}€"),
        ("-5.5", "usd", "−$5.50", "−5,50\N{NO-BREAK SPACE}$"),
        ("3000", "jpy", "¥3,000", "3\N{NO-BREAK SPACE}000\N{NO-BREAK SPACE}¥"),
        ("1.005", "kwd", "1.005\N{NO-BREAK SPACE}KWD", "1,005\N{NO-BREAK SPACE}KWD"),
    ],
)
def test_cash_has_the_digits_and_the_place_of_its_currency(
    amount: str, currency: str, english: str, russian: str
) -> None:
    assert Voice("en").cash(Decimal(amount), currency) == english
    assert Voice("ru").cash(Decimal(amount), currency) == russian


def test_cash_may_carry_its_sign() -> None:
    assert Voice("en").cash(Decimal(40), "usd", signed=True) == "+$40"


def test_a_span_of_days_says_the_year_once() -> None:
    start, end = datetime(2026, 11, 23, tzinfo=UTC), datetime(2026, 12, 23, tzinfo=UTC)
    assert Voice("en").days(start, end) == "23 Nov – 23 Dec 2026"
    assert Voice("en").days(end, datetime(2027, 1, 23, tzinfo=UTC)) == "23 Dec 2026 – 23 Jan 2027"
