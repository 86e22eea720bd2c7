"""Exact arithmetic of the copy engine: multiply before dividing, 38 digits, kept half-even at 18 decimals."""

from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Context, Decimal

ZERO = Decimal(0)
ONE = Decimal(1)
EXACT = Context(prec=38, rounding=ROUND_HALF_EVEN)
"""Sums and products of what is kept fit into it without loss."""

_KEPT = Decimal("1e-18")
_DOWN = Context(prec=38, rounding=ROUND_DOWN)


def keep(value: Decimal) -> Decimal:
    """Return `value` half-even at 18 decimals."""
    return EXACT.quantize(value, _KEPT).normalize(EXACT)


def product(*factors: Decimal) -> Decimal:
    """Return the kept product of `factors`."""
    result = factors[0]
    for factor in factors[1:]:
        result = EXACT.multiply(result, factor)
    return keep(result)


def proportion(quantity: Decimal, part: Decimal, whole: Decimal) -> Decimal:
    """Return `quantity × part / whole`, kept, multiplied before it is divided."""
    if part == whole:
        return quantity
    return keep(EXACT.divide(EXACT.multiply(quantity, part), whole))


def ratio(part: Decimal, whole: Decimal) -> Decimal:
    """Return `part / whole`, kept."""
    return keep(EXACT.divide(part, whole))


def at_most(amount: Decimal, price: Decimal) -> Decimal:
    """Return the largest kept quantity that costs no more than `amount` at `price`, never below 0."""
    if amount <= 0:
        return ZERO
    return _DOWN.quantize(_DOWN.divide(amount, price), _KEPT).normalize(_DOWN)


def sign(value: Decimal) -> int:
    """Return −1, 0 or +1."""
    if not value:
        return 0
    return -1 if value.is_signed() else 1


def nearer_zero(left: Decimal, right: Decimal) -> Decimal:
    """Return the nearer to zero of two quantities; 0 where they stand on different sides."""
    if sign(left) != sign(right):
        return ZERO
    return left if abs(left) <= abs(right) else right


def plain(value: Decimal) -> str:
    """Return a quantity as it is written: no exponent, no trailing zeros."""
    return f"{value.normalize():f}"
