"""Changes what was said on purpose: values replaced or taken away, numbers written with exponents."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import orjson

_DECIMAL = re.compile(r"-?[0-9]+\.[0-9]+")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_ALL = "*"


@dataclass(frozen=True, slots=True)
class Tampering:
    """What to change in a JSON text; a path is "a.0.b", with "*" for every item or value."""

    replace: Mapping[str, Any] = field(default_factory=dict[str, Any])
    remove: Sequence[str] = ()
    exponents: bool | Sequence[str] = False
    """Write with an exponent: every text that is a number with a point, or every number under these names."""

    def __bool__(self) -> bool:
        return bool(self.replace or self.remove or self.exponents)

    def apply(self, body: bytes) -> bytes:
        """Return the changed text; what is no JSON stays."""
        try:
            content = orjson.loads(body)
        except orjson.JSONDecodeError:
            return body
        for path, value in self.replace.items():
            _at(content, path.split("."), lambda holder, name, value=value: _set(holder, name, value))
        for path in self.remove:
            _at(content, path.split("."), _remove)
        if self.exponents:
            content = _with_exponents(content, "", self.exponents)
        return orjson.dumps(content)


def _at(holder: Any, path: list[str], act: Callable[[Any, Any], None]) -> None:
    """Do something at each place that a path leads to."""
    names = _names(holder, path[0])
    for name in reversed(names):
        if len(path) == 1:
            act(holder, name)
        else:
            _at(holder[name], path[1:], act)


def _names(holder: Any, name: str) -> list[Any]:
    if isinstance(holder, list):
        count = len(holder)  # pyright: ignore[reportUnknownArgumentType]
        return list(range(count)) if name == _ALL else [int(name)] if name.isdecimal() and int(name) < count else []
    if isinstance(holder, dict):
        return list(holder) if name == _ALL else [name]  # pyright: ignore[reportUnknownArgumentType]
    return []


def _set(holder: Any, name: Any, value: Any) -> None:
    holder[name] = value


def _remove(holder: Any, name: Any) -> None:
    if isinstance(holder, list) or name in holder:
        del holder[name]


def _with_exponents(content: Any, name: str, which: bool | Sequence[str]) -> Any:
    if isinstance(content, list):
        rows: list[Any] = content
        return [_with_exponents(row, name, which) for row in rows]
    if isinstance(content, dict):
        fields: dict[str, Any] = content
        return {key: _with_exponents(value, key, which) for key, value in fields.items()}
    if isinstance(content, str):
        hit = _DECIMAL.fullmatch(content) if isinstance(which, bool) else name in which and _NUMBER.fullmatch(content)
        return f"{Decimal(content):E}" if hit else content
    return content
