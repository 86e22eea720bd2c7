"""The contracts as a page, made from the OpenAPI document without scripts and without anything from elsewhere."""

import json
from html import escape
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import HTMLResponse

from copytrade.api.routing import PREFIX

router = APIRouter(include_in_schema=False)

_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color-scheme:light dark}
h1{margin-bottom:0}h2{margin-top:2.5rem}code,pre{font-family:ui-monospace,monospace;font-size:.875em}
pre{overflow:auto;padding:.75rem;border:1px solid color-mix(in srgb,currentColor 20%,transparent);border-radius:.5rem}
section{border-top:1px solid color-mix(in srgb,currentColor 20%,transparent);padding:1rem 0}h3{margin:0}
h3 code{font-size:1rem}b{display:inline-block;min-width:3.5rem}
"""


@router.get(f"{PREFIX}/docs")
def docs(request: Request) -> HTMLResponse:
    """Show every endpoint with what goes in and out."""
    return HTMLResponse(page(request.app))


def page(api: FastAPI) -> str:
    """Return the page for an API."""
    document = api.openapi()
    groups: dict[str, list[str]] = {}
    for path, methods in document["paths"].items():
        for method, told in methods.items():
            groups.setdefault(told.get("tags", [""])[0], []).append(_endpoint(document, path, method, told))
    body = "".join(f"<h2>{escape(tag)}</h2>{''.join(groups[tag])}" for tag in sorted(groups, key=_number))
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>"
        f"<title>CopyTrade API</title><style>{_STYLE}</style><h1>CopyTrade API</h1>"
        f"<p>{escape(document['info']['description'])} Machines read "
        f"<a href='{PREFIX}/openapi.json'>openapi.json</a>.</p>{body}</html>"
    )


def _number(tag: str) -> int:
    first = tag.split(" ")[0]
    return int(first) if first.isdecimal() else 99


def _endpoint(document: dict[str, Any], path: str, method: str, told: dict[str, Any]) -> str:
    parts = [
        f"<section><h3><b>{method.upper()}</b> <code>{escape(path)}</code></h3><p>{escape(told['description'])}</p>"
    ]
    parts.append(f"<p>Caller: {escape(_caller(told))}</p>")
    for parameter in told.get("parameters", ()):
        note = parameter.get("description") or parameter["schema"].get("type", "")
        parts.append(f"<p><code>{escape(parameter['name'])}</code> in {escape(parameter['in'])}: {escape(note)}</p>")
    for kind, content in told.get("requestBody", {}).get("content", {}).items():
        parts.append(f"<p>In, <code>{escape(kind)}</code>:</p>{_example(document, content.get('schema', {}))}")
    for status, answer in told.get("responses", {}).items():
        if content := answer.get("content", {}).get("application/json"):
            parts.append(f"<p>Out, {escape(status)}:</p>{_example(document, content.get('schema', {}))}")
    return "".join(parts) + "</section>"


def _caller(told: dict[str, Any]) -> str:
    names = [f"{name} {', '.join(scopes)}".strip() for way in told.get("security", ()) for name, scopes in way.items()]
    return " or ".join(names) or "anyone"


def _example(document: dict[str, Any], schema: dict[str, Any]) -> str:
    return f"<pre>{escape(json.dumps(example(document, schema), indent=2, ensure_ascii=False))}</pre>"


def example(document: dict[str, Any], schema: dict[str, Any]) -> Any:
    """Return a value that has the schema's form: its own examples first, else one by type."""
    if reference := schema.get("$ref"):
        return example(document, document["components"]["schemas"][reference.rsplit("/", 1)[-1]])
    if schema.get("examples"):
        return schema["examples"][0]
    for choice in (*schema.get("anyOf", ()), *schema.get("allOf", ())):
        if choice.get("type") != "null":
            return example(document, choice)
    if schema.get("enum"):
        return schema["enum"][0]
    if "default" in schema and schema["default"] is not None:
        return schema["default"]
    match schema.get("type"):
        case "object":
            return {name: example(document, part) for name, part in schema.get("properties", {}).items()}
        case "array":
            return [example(document, schema.get("items", {}))]
        case "boolean":
            return True
        case "integer":
            return 1
        case "number":
            return 0.1
        case _:
            return _STRINGS.get(schema.get("format", ""), "")


_STRINGS = {
    "uuid": "0197f2c4-6f1e-7a3b-8c55-0d8e5d2f9a41",
    "date-time": "2026-03-01T14:03:22.104Z",
    "password": "…",
}
