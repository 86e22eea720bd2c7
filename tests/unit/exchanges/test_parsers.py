"""Whatever a venue sends is read exactly or refused as odd: never another error, never a float, never half a row."""

import copy
import dataclasses
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import NoneType, UnionType
from typing import Any, get_args, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from copytrade.domain.fills import Fill, KeyPermissions
from copytrade.domain.instruments import MarketRules
from copytrade.exchanges.binance.chain import Chain
from copytrade.exchanges.rows import ODD, read_rows
from tests.unit.exchanges.venue_rows import KINDS, Kind

Path = tuple[str | int, ...]
MISSING = object()
ODDITIES: list[Any] = [
    MISSING, None, "", " ", "abc", "NaN", "Infinity", "-Infinity", "1e400", "1e-400", "9" * 90, "1e999999999",
    "-1", "0", 0, -1, "0.0", 1.5, -0.1, True, False, [], {}, [None], {"a": 1}, "6E+4", "1E-9", "60000.000000001",
    10**30, "4102444800000", 4102444800000, "99999999999999999999", -62135596800001, "UNKNOWN", "\x00", "é", "١٢",
]  # fmt: skip


def places(row: Any, at: Path = ()) -> Iterator[Path]:
    """Give the place of every value in a row, nested ones too."""
    items = row.items() if isinstance(row, dict) else enumerate(row) if isinstance(row, list) else ()
    for key, value in items:
        yield (*at, key)
        yield from places(value, (*at, key))


def put(row: Any, at: Path, value: Any) -> Any:
    """Return a copy of a row with another value at a place, or without it."""
    changed = copy.deepcopy(row)
    inner = changed
    for key in at[:-1]:
        inner = inner[key]
    if value is MISSING:
        del inner[at[-1]]
    else:
        inner[at[-1]] = value
    return changed


def fits(value: Any, hint: Any) -> bool:
    if isinstance(hint, UnionType):
        return any(fits(value, one) for one in get_args(hint))
    if hint is NoneType:
        return value is None
    if hint is Decimal:
        return isinstance(value, Decimal) and value.is_finite()
    if hint is datetime:
        return isinstance(value, datetime) and value.utcoffset() == timedelta(0)
    return isinstance(value, hint) and not (hint is int and isinstance(value, bool))


def check(read: Any) -> None:
    """Fail where what was read is not exactly what its type says."""
    if read is None:
        return
    if isinstance(read, list):
        for one in read:
            check(one)
        return
    for name, hint in get_type_hints(type(read)).items():
        value = getattr(read, name)
        assert fits(value, hint), f"{type(read).__name__}.{name} was {value!r}"
    if isinstance(read, Fill):
        assert read.quantity > 0
        assert read.price > 0
        assert read.trade_id
        assert read.order_id
    if isinstance(read, MarketRules):
        assert read.quantity_step > 0
        assert read.price_tick > 0


def plain(read: Any) -> Any:
    """Return what was read in a form that compares by value."""
    if isinstance(read, list):
        return [plain(one) for one in read]
    if not dataclasses.is_dataclass(read):
        return read
    return {field.name: getattr(read, field.name) for field in dataclasses.fields(read)}


def of(name: str) -> Kind:
    return dict(KINDS)[name]


@pytest.mark.parametrize("name", [name for name, _ in KINDS])
def test_a_true_row_is_read(name: str) -> None:
    kind = of(name)
    read = kind.parse(copy.deepcopy(kind.row))
    assert read
    check(read)


@pytest.mark.parametrize("name", [name for name, _ in KINDS])
def test_every_place_may_hold_any_oddity(name: str) -> None:
    kind = of(name)
    for at in places(kind.row):
        for value in ODDITIES:
            try:
                read = kind.parse(put(kind.row, at, value))
            except ODD:
                continue
            check(read)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(["1e5", "0", "-3"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=600, deadline=None)
@given(data=st.data())
def test_many_places_at_once_may_hold_anything(data: st.DataObject) -> None:
    _, kind = data.draw(st.sampled_from(KINDS))
    row = kind.row
    for at in data.draw(st.lists(st.sampled_from(list(places(row))), max_size=4)):
        value = data.draw(st.sampled_from(ODDITIES) | json_values)
        try:
            row = put(row, at, value)
        except (KeyError, IndexError, TypeError, AttributeError):
            continue  # an earlier change took the place away
    read, spoiled = read_rows([kind.row, row, kind.row], kind.parse)
    assert len(read) + len(spoiled) == 3
    assert len(read) >= 2
    check(read)


@settings(max_examples=150, deadline=None)
@given(body=json_values)
def test_anything_at_all_is_odd(body: Any) -> None:
    for _, kind in KINDS:
        try:
            read = kind.parse(body)
        except ODD:
            continue
        assert isinstance(read, KeyPermissions | list), read
        check(read)


@pytest.mark.parametrize("name", [name for name, _ in KINDS])
def test_the_same_number_in_another_form_is_the_same_value(name: str) -> None:
    kind = of(name)
    expected = plain(kind.parse(copy.deepcopy(kind.row)))
    for at in places(kind.row):
        inner = kind.row
        for key in at:
            inner = inner[key]
        if not isinstance(inner, str) or not inner.replace(".", "", 1).lstrip("-").isdigit() or not inner.strip("0."):
            continue
        for form in (f"{Decimal(inner):.12E}", f"{inner}.000" if "." not in inner else f"{inner}000"):
            try:
                read = kind.parse(put(kind.row, at, form))
            except ODD:
                continue  # a time or an id, which has no other form
            found = plain(read)
            if found != expected:
                assert form in json.dumps(found, default=str)  # an id is kept as it came


UPDATE = {
    "e": "ACCOUNT_UPDATE", "E": 1700000000000, "T": 1700000000000,
    "a": {
        "m": "DEPOSIT", "B": [{"a": "USDT", "wb": "10000", "cw": "10000", "bc": "5"}],
        "P": [{"s": "BTCUSDT", "pa": "1", "ep": "60000", "up": "0", "ps": "BOTH"}],
    },
}  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_a_chain_of_events_survives_any_of_them(data: st.DataObject) -> None:
    chain = Chain(lambda venue_symbol: f"{venue_symbol}?")
    chain.start([])
    true = [UPDATE, of("binance swap streamed fill").row]
    for _ in range(data.draw(st.integers(1, 5))):
        event = data.draw(st.sampled_from(true))
        at = data.draw(st.sampled_from(list(places(event))))
        event = put(event, at, data.draw(st.sampled_from(ODDITIES) | json_values))
        for message in chain.messages(event):
            check(message)
    told = [message for event in true for message in chain.messages(event)]
    assert not any(message.spoiled for message in told)
    assert [message.fill.trade_id for message in told if message.fill] == ["1002"]


def test_a_fill_of_the_future_is_read_as_it_came() -> None:
    later = datetime(2100, 1, 1, tzinfo=UTC)
    fill = of("binance swap fill").parse({**of("binance swap fill").row, "time": int(later.timestamp() * 1000)})
    assert fill.venue_time == later


@pytest.mark.parametrize("name", [name for name, _ in KINDS if name.endswith("fill") or name.endswith("execution")])
@pytest.mark.parametrize("quantity", ["0", "-1", "", None])
def test_a_fill_of_nothing_is_no_fill(name: str, quantity: Any) -> None:
    kind = of(name)
    told = {"qty": "quantity", "l": "quantity", "execQty": "quantity", "baseVolume": "quantity", "size": "quantity"}
    (at, *_) = [at for at in places(kind.row) if at[-1] in told]
    with pytest.raises(ODD):
        kind.parse(put(kind.row, at, quantity))
