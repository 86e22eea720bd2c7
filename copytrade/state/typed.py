"""Numbers as people type them."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from copytrade.errors import InvalidInput

LONGEST = 40


def amount_of(form: Mapping[str, Any], name: str) -> Decimal | None:
    """Return the number in a field, None where it is empty; a comma may stand for the point, blanks for nothing."""
    typed = "".join(str(form.get(name, "")).split())[:LONGEST].replace(",", ".")
    if not typed:
        return None
    try:
        number = Decimal(typed)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise InvalidInput(f"{name} was no number", user="Please type a number, for example 0.5.", field=name)
    return number
