"""Ids as Bybit writes them: UUIDs for perpetuals, long numbers for spot; neither tells which came first.

The exchange counts; a multiplication that can be undone scatters the count over all UUIDs.
"""

from uuid import UUID

_RANGE = 2**128
_ORDER, _EXECUTION, _OTHER = 0x9E3779B97F4A7C15F39CC0605CEDC835, 0xD1B54A32D192ED03A0761D6478BD642F, 0x2545F4914F6CDD1D
_ORDER_BACK = pow(_ORDER, -1, _RANGE)
_SPOT_ORDER = 1_500_000_000_000_000_000
_SPOT_EXECUTION = 2_100_000_000_000_000_000


def order_id(number: int, *, is_spot: bool) -> str:
    """Return the id of an order."""
    return str(_SPOT_ORDER + number) if is_spot else str(UUID(int=number * _ORDER % _RANGE))


def order_number(written: str, *, is_spot: bool) -> int | None:
    """Return the exchange's number of an order; None where the text is no such id."""
    if is_spot:
        return int(written) - _SPOT_ORDER if written.isdecimal() and len(written) <= 20 else None
    try:
        return UUID(written).int * _ORDER_BACK % _RANGE
    except ValueError:
        return None


def execution_id(number: int, *, is_spot: bool) -> str:
    """Return the id of an execution."""
    return str(_SPOT_EXECUTION + number) if is_spot else str(UUID(int=number * _EXECUTION % _RANGE))


def other_id(number: int) -> str:
    """Return the id of something that is neither."""
    return str(UUID(int=number * _OTHER % _RANGE))
