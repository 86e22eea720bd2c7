"""Exact numbers: integers of a fixed number of decimals, written and read as decimal text.

Prices are counted in ticks, quantities in steps and money in units of 10⁻⁸: nothing is ever rounded by accident.
"""

MONEY_DECIMALS = 8
MONEY_UNIT = 10**MONEY_DECIMALS


class Malformed(ValueError):
    """The text is not a plain decimal number."""


class TooPrecise(ValueError):
    """The number has more decimals than its kind allows."""


def text(value: int, decimals: int) -> str:
    """Write `value` × 10⁻ᵈ with exactly `decimals` decimals."""
    if decimals == 0:
        return str(value)
    sign = ""
    if value < 0:
        sign, value = "-", -value
    digits = str(value)
    if len(digits) <= decimals:
        return f"{sign}0.{digits:0>{decimals}}"
    return f"{sign}{digits[:-decimals]}.{digits[-decimals:]}"


def money(value: int) -> str:
    """Write an amount of money with its eight decimals."""
    return text(value, MONEY_DECIMALS)


def parse(number: str, decimals: int) -> int:
    """Read decimal text as a whole number of 10⁻ᵈ; raise Malformed or TooPrecise."""
    whole, dot, fraction = number.partition(".")
    if not (whole.isdecimal() and whole.isascii()) or (dot and fraction and not fraction.isdecimal()):
        raise Malformed(number)
    if len(number) > 40:
        raise Malformed(number)
    extra = fraction[decimals:]
    if extra.strip("0"):
        raise TooPrecise(number)
    return int(whole + fraction[:decimals].ljust(decimals, "0"))


def parse_signed(number: str, decimals: int) -> int:
    """Read decimal text that may carry a minus sign."""
    return -parse(number[1:], decimals) if number.startswith("-") else parse(number, decimals)


def divide(numerator: int, denominator: int) -> int:
    """Divide positive numbers, half rounded up."""
    return (2 * numerator + denominator) // (2 * denominator)
