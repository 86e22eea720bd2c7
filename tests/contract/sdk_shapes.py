"""Walks an answer against the annotations of the SDK's class: no unknown field, none missing, no wrong type."""

import importlib
from decimal import Decimal
from types import UnionType
from typing import Any, ForwardRef, Literal, Union, get_args, get_origin

import stripe

_LATER = {"previous_attributes"}


def complaints(value: Any, cls: type[Any], where: str = "") -> list[str]:
    """Return what is wrong with a decoded JSON object that should be a `cls`."""
    if not isinstance(value, dict):
        return [f"{where}: {value!r} is no {cls.__name__}"]
    hints = {name: hint for name, hint in cls.__annotations__.items() if name != "OBJECT_NAME"}
    found = [f"{where}.{name}: unknown to {cls.__qualname__}" for name in value if name not in hints]
    for name, hint in hints.items():
        options = _options(hint, cls)
        if name not in value:
            if type(None) not in options and name not in _LATER:
                found.append(f"{where}.{name}: missing")
        elif not any(_fits(value[name], option) for option in options):
            found += _why(value[name], options, cls, f"{where}.{name}")
    return found


def _options(hint: Any, cls: type[Any]) -> list[Any]:
    if isinstance(hint, ForwardRef):
        return [_named(hint.__forward_arg__, cls)]
    if isinstance(hint, str):
        return [_named(hint, cls)]
    if get_origin(hint) in (Union, UnionType):
        return [option for part in get_args(hint) for option in _options(part, cls)]
    return [hint]


def _named(name: str, cls: type[Any]) -> Any:
    if name.startswith("Literal"):
        return eval(name, {"Literal": Literal})  # the SDK's own annotation
    for space in (importlib.import_module(cls.__module__), stripe, stripe.test_helpers):
        if (found := getattr(space, name, None)) is not None:
            return found
    return stripe.StripeObject  # a class of a preview that the SDK names but does not ship: never in our answers


def _fits(value: Any, option: Any) -> bool:
    origin = get_origin(option)
    if option is type(None):
        return value is None
    if option is Any:
        return True
    if origin is Literal:
        return value in get_args(option)
    if option is Decimal:
        return isinstance(value, str | Decimal)  # text on the wire, which the SDK reads
    if option in (str, int, bool, float):
        return type(value) is option or (option is float and type(value) is int)
    if origin is list:
        (inner,) = get_args(option)
        return isinstance(value, list) and all(
            any(_fits(item, one) for one in _options(inner, stripe.StripeObject)) for item in value
        )
    if origin is not None:
        return _fits_generic(value, origin, option)
    return isinstance(option, type) and issubclass(option, stripe.StripeObject) and not complaints(value, option)


def _fits_generic(value: Any, origin: Any, option: Any) -> bool:
    if not isinstance(value, dict):
        return False
    if origin is stripe.ListObject:
        (inner,) = get_args(option)
        classes = _options(inner, stripe.StripeObject)
        return value["object"] == "list" and all(any(_fits(item, one) for one in classes) for item in value["data"])
    return all(isinstance(key, str) for key in value)


def _why(value: Any, options: list[Any], cls: type[Any], where: str) -> list[str]:
    for option in options:
        if isinstance(option, type) and issubclass(option, stripe.StripeObject) and isinstance(value, dict):
            return complaints(value, option, where)
        if get_origin(option) is stripe.ListObject and isinstance(value, dict):
            (inner,) = get_args(option)
            inside = _options(inner, cls)[0]
            return [line for item in value["data"] for line in complaints(item, inside, where + "[]")]
    return [f"{where}: {value!r} fits none of {options}"]
