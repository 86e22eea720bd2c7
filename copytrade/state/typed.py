"""Numbers as people type them."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from typing import Any

from copytrade.domain.sizing import CopySettings, SizingMode
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


def sizing_of(form: Mapping[str, Any], *, before: CopySettings | None = None) -> CopySettings:
    """Return the settings that a form asks for: mode, factor, and the largest order."""
    mode = SizingMode.EQUITY if form.get("mode") == SizingMode.EQUITY else SizingMode.RATIO
    factor = amount_of(form, "factor")
    if factor is None or factor <= 0:
        raise InvalidInput("factor was not above zero", user="The factor has to be above zero.", field="factor")
    largest = amount_of(form, "max_order")
    if largest is not None and largest <= 0:
        raise InvalidInput(
            "largest order was not above zero",
            user="The largest order has to be above zero, or empty.",
            field="max_order",
        )
    return replace(before or CopySettings(), mode=mode, factor=factor, max_order_notional=largest)
