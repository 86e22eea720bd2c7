"""Stripe's form encoding: `a[b][0][c]=1` to nested values, and checks of single parameters."""

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl

from copytrade.sandbox.stripe.errors import ApiError, Json, invalid, missing, unknown

_KEY = re.compile(r"^([^\[\]]+)((?:\[[^\[\]]*\])*)$")
_PART = re.compile(r"\[([^\[\]]*)\]")


def parse(encoded: bytes | str) -> Json:
    """Return the nested parameters of a form body or query string; numbered keys become lists."""
    text = encoded.decode("utf-8") if isinstance(encoded, bytes) else encoded
    root: Json = {}
    for key, value in parse_qsl(text, keep_blank_values=True):
        found = _KEY.match(key)
        if found is None:
            raise ApiError(400, f"Invalid parameter name: {key}", param=key)
        _put(root, [found[1], *_PART.findall(found[2])], value)
    return _listed(root)


def _put(node: Json, path: list[str], value: str) -> None:
    for part in path[:-1]:
        child = node.setdefault(part or str(len(node)), {})
        if not isinstance(child, dict):
            raise ApiError(400, f"Invalid nesting of parameter: {'.'.join(path)}", param=path[0])
        node = child
    node[path[-1] or str(len(node))] = value


def _listed(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    inner = {key: _listed(value) for key, value in node.items()}
    if inner and all(key.isdigit() for key in inner):
        return [inner[key] for key in sorted(inner, key=int)]
    return inner


def allow(params: Json, known: Iterable[str], *, prefix: str = "") -> None:
    """Refuse parameters that the endpoint does not know."""
    for key in params:
        if key not in known:
            raise unknown(f"{prefix}[{key}]" if prefix else key)


def text(params: Json, name: str) -> str:
    """Return a required string."""
    value = params.get(name)
    if not isinstance(value, str) or not value:
        raise missing(name)
    return value


def integer(params: Json, name: str, *, default: int | None = None, least: int = 0, most: int = 99_999_999) -> int:
    """Return an integer within bounds; required when there is no default."""
    value = params.get(name)
    if value is None or value == "":
        if default is None:
            raise missing(name)
        return default
    if not isinstance(value, str) or not re.fullmatch(r"-?\d{1,15}", value):
        raise invalid(name, f"Invalid integer: {value}", code="parameter_invalid_integer")
    if int(value) < least:
        raise invalid(name, f"This value must be greater than or equal to {least}.", code="parameter_invalid_integer")
    if int(value) > most:
        raise invalid(name, f"This value must be less than or equal to {most}.", code="parameter_invalid_integer")
    return int(value)


def boolean(params: Json, name: str, *, default: bool) -> bool:
    """Return a boolean given as `true` or `false`."""
    value = params.get(name)
    if value is None:
        return default
    if value not in ("true", "false"):
        raise invalid(name, f"Invalid boolean: {value}")
    return value == "true"


def mapping(params: Json, name: str) -> Json:
    """Return a nested object, empty when it was not given."""
    value = params.get(name) or {}
    if not isinstance(value, dict):
        raise invalid(name, "Invalid object")
    return value


def listing(params: Json, name: str) -> list[Any]:
    """Return a list, empty when it was not given."""
    value = params.get(name) or []
    if not isinstance(value, list):
        raise invalid(name, "Invalid array")
    return value


def metadata(params: Json, *, old: dict[str, str] | None = None) -> dict[str, str]:
    """Return metadata with the given keys merged in; an empty value takes its key away."""
    merged = dict(old or {})
    given = params.get("metadata")
    if given == "":
        return {}
    for key, value in mapping(params, "metadata").items():
        if not isinstance(value, str) or len(key) > 40 or len(value) > 500:
            raise invalid("metadata", "Metadata keys are up to 40 and values up to 500 characters long.")
        if value:
            merged[key] = value
        else:
            merged.pop(key, None)
    if len(merged) > 50:
        raise invalid("metadata", "You can specify up to 50 keys of metadata.")
    return merged
