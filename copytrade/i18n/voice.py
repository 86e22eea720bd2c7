"""How a person is told numbers, times and sentences: by locale and time zone, on the server."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel.core import Locale as Babel
from babel.dates import format_date, format_datetime, format_time, format_timedelta, get_month_names
from babel.numbers import format_decimal, format_percent
from babel.plural import PluralRule

from copytrade.domain.money import digits
from copytrade.errors import CopyTradeError, Said
from copytrade.i18n.catalogue import Locale, known, plural_forms, translate

MINUS = "\N{MINUS SIGN}"
NOTHING = "\N{EM DASH}"
THIN = "\N{NO-BREAK SPACE}"
CURRENCY_SIGNS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "RUB": "₽"}


@dataclass(frozen=True, slots=True)
class Figure:
    """A number as it is shown; `tone` is `gain`, `loss` or empty and decides triangle and colour."""

    text: str = NOTHING
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Moment:
    """A time as it is shown: relative, with the exact one on hover."""

    text: str = NOTHING
    exact: str = ""


def zone_of(name: str) -> tzinfo:
    """Return the time zone of that name; UTC for anything unknown, since a cookie may hold anything."""
    try:
        return ZoneInfo(name) if name else UTC
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def _tone(value: Decimal | float) -> str:
    return "gain" if value > 0 else "loss" if value < 0 else ""


def _leading(value: Decimal) -> int:
    """Return how many zeros follow the point before the first figure."""
    return max(0, -value.adjusted() - 1) if value else 0


@dataclass(frozen=True, slots=True)
class Voice:
    """Speaks to one person: every text a page gets from the server comes through here."""

    locale: Locale = "en"
    zone: tzinfo = UTC

    @classmethod
    def of(cls, locale: str, zone: str) -> "Voice":
        """Return the voice for what the cookies say."""
        return cls(known(locale), zone_of(zone))

    # Sentences

    def say(self, text: str, **facts: object) -> str:
        """Return a sentence of the catalogue with its facts filled in."""
        return translate(text, self.locale, **facts)

    def said(self, said: Said) -> str:
        """Return what an error or notice says."""
        return self.say(said.text, **said.facts)

    def error(self, error: CopyTradeError) -> str:
        """Return what the user is told about an expected failure."""
        return self.said(error.user)

    def count(self, number: int, one: str, many: str, **facts: object) -> str:
        """Return a sentence with `{n}` in the plural form that the number asks for."""
        forms = plural_forms(one, many, locale=self.locale)
        rule: PluralRule = Babel.parse(self.locale).plural_form
        words = forms.get(rule(number), forms["other"])
        for name, value in {"n": self.number(number, places=0), **facts}.items():
            words = words.replace("{" + name + "}", str(value))
        return words

    # Numbers

    def number(self, value: Decimal | float, *, places: int | None = None, signed: bool = False) -> str:
        """Return a number with the locale's separators; `places` fixes the decimals, None keeps those it has."""
        if places is None:
            places = max(0, -int(Decimal(str(value)).normalize().as_tuple().exponent))
        pattern = "#,##0" + ("." + "0" * places if places else "")
        shown = format_decimal(abs(value), format=pattern, locale=self.locale)
        if not any(digit in shown for digit in "123456789"):
            return shown
        return (MINUS if value < 0 else "+" if signed else "") + shown

    def money(self, value: Decimal | None, asset: str = "USDT") -> str:
        """Return an amount of an asset: two decimals for dollars, enough to be told from zero otherwise."""
        if value is None:
            return NOTHING
        places = 2 if asset in {"USDT", "USDC", "USD", "EUR"} else 8
        if asset in CURRENCY_SIGNS:
            sign = CURRENCY_SIGNS[asset]
            amount = self.number(value, places=0 if value == value.to_integral_value() else 2)
            return f"{amount}{THIN}{sign}" if self.locale == "ru" else f"{sign}{amount}"
        return f"{self.number(value, places=places)}{THIN}{asset}"

    def cash(self, value: Decimal | None, currency: str, *, signed: bool = False) -> str:
        """Return an amount of a currency (ISO code, any case) with its digits; whole ones without, below zero too."""
        if value is None:
            return NOTHING
        places = 0 if value == value.to_integral_value() else digits(currency.lower())
        sign, amount = CURRENCY_SIGNS.get(currency.upper(), ""), self.number(value, places=places, signed=signed)
        if sign and self.locale == "en":
            return f"{amount[0]}{sign}{amount[1:]}" if amount[0] in (MINUS, "+") else f"{sign}{amount}"
        return f"{amount}{THIN}{sign or currency.upper()}"

    def change(self, value: Decimal | None, asset: str = "USDT") -> Figure:
        """Return a signed amount: a gain or a loss."""
        if value is None:
            return Figure()
        return Figure(f"{self.number(value, places=2, signed=True)}{THIN}{asset}".strip(), _tone(value))

    def percent(self, fraction: Decimal | float | None, *, places: int = 1) -> str:
        """Return a fraction as percent with one decimal."""
        if fraction is None:
            return NOTHING
        pattern = "#,##0." + "0" * places + "%" if places else "#,##0%"
        shown = format_percent(abs(fraction), format=pattern, locale=self.locale)
        return (MINUS if fraction < 0 else "") + shown

    def move(self, fraction: Decimal | float | None) -> Figure:
        """Return a signed percentage: a gain or a loss."""
        if fraction is None:
            return Figure()
        shown = self.percent(abs(fraction))
        tone = _tone(round(fraction, 3))
        return Figure(({"gain": "+", "loss": MINUS}.get(tone, "")) + shown, tone)

    def fall(self, drawdown: Decimal | float | None) -> Figure:
        """Return a drawdown (a fraction >= 0) as the loss that it is."""
        return self.move(None if drawdown is None else -drawdown)

    def ratio(self, value: Decimal | float | None) -> str:
        """Return a ratio of statistics with one decimal."""
        return NOTHING if value is None else self.number(value, places=1)

    def quantity(self, value: Decimal | None) -> str:
        """Return a quantity with the decimals that the market's step left it, of dust and shares not all of them."""
        if value is None:
            return NOTHING
        has = max(0, -int(value.normalize().as_tuple().exponent))
        return self.number(value, places=min(has, max(8, _leading(value) + 4)))

    def price(self, value: Decimal | None) -> str:
        """Return a price with the decimals it has, an average of many fills with no more than such a price may have."""
        if value is None:
            return NOTHING
        has = max(0, -int(value.normalize().as_tuple().exponent))
        size = abs(value)
        least, most = (
            (2, 2)
            if size >= 1000
            else (2, 4)
            if size >= 1
            else (4, 6)
            if size >= Decimal("0.001")
            # Coins that cost less than a thousandth: five figures, wherever they begin.
            else (6, max(8, _leading(value) + 5))
        )
        return self.number(value, places=min(max(has, least), most))

    def basis_points(self, value: Decimal | float | None) -> str:
        """Return a slippage in basis points, signed: plus is what it cost."""
        return NOTHING if value is None else f"{self.number(value, places=1, signed=True)}{THIN}{self.say('bps')}"

    def milliseconds(self, value: float | int | None) -> str:
        """Return a delay: milliseconds below a second, else seconds."""
        if value is None:
            return NOTHING
        if value < 1000:
            return f"{self.number(round(value), places=0)}{THIN}{self.say('ms')}"
        return f"{self.number(value / 1000, places=1)}{THIN}{self.say('s')}"

    # Times

    def moment(self, at: datetime | None, *, now: datetime) -> Moment:
        """Return a time relative to now, with the exact one in the person's zone."""
        if at is None:
            return Moment()
        return Moment(self.ago(at, now=now), self.exact(at))

    def ago(self, at: datetime, *, now: datetime) -> str:
        """Return how long ago it was, or how far ahead it lies."""
        passed = at - now
        if abs(passed) < timedelta(seconds=5):
            return self.say("just now")
        return format_timedelta(passed, add_direction=True, locale=self.locale, threshold=0.95)

    def exact(self, at: datetime) -> str:
        """Return date and time to the second in the person's zone."""
        shown = at.astimezone(self.zone)
        return f"{format_datetime(shown, 'd MMM y, HH:mm:ss', locale=self.locale)} {shown.tzname() or ''}".strip()

    def clock(self, at: datetime, *, fraction: bool = False) -> str:
        """Return the time of day, with milliseconds when asked."""
        shown = at.astimezone(self.zone)
        text = format_time(shown, "HH:mm:ss", locale=self.locale)
        return f"{text}.{shown.microsecond // 1000:03d}" if fraction else text

    def day(self, at: datetime) -> str:
        """Return the date, without the year when it is not needed to tell it apart."""
        return format_date(at.astimezone(self.zone).date(), "d MMMM y", locale=self.locale)

    def days(self, start: datetime, end: datetime) -> str:
        """Return a span of days, short: the year once where it is one."""
        first, last = start.astimezone(self.zone).date(), end.astimezone(self.zone).date()
        pattern = "d MMM" if first.year == last.year else "d MMM y"
        return f"{format_date(first, pattern, locale=self.locale)} – {format_date(last, 'd MMM y', locale=self.locale)}"

    def months(self) -> list[str]:
        """Return the short names of the twelve months."""
        return list(get_month_names("abbreviated", context="stand-alone", locale=self.locale).values())

    def span(self, length: timedelta) -> str:
        """Return a length of time in its largest unit."""
        return format_timedelta(length, locale=self.locale, threshold=1.5)
