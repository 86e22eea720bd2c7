"""A bridge from the listener to parts that are ASGI applications (Stripe, mail)."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import unquote

from aiohttp import web

Message = MutableMapping[str, Any]
App = Callable[
    [MutableMapping[str, Any], Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]
]


async def serve_asgi(app: App, request: web.BaseRequest, *, mount: str) -> web.StreamResponse:
    """Have an ASGI application answer a request whose path begins with `mount`."""
    body = await request.read()
    parts: list[bytes] = []
    start: Message = {}
    sent = False

    async def receive() -> Message:
        nonlocal sent
        if sent:
            return {"type": "http.disconnect"}
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            start.update(message)
        else:
            parts.append(message.get("body", b""))

    await app(_scope(request, mount), receive, send)
    response = web.Response(status=start["status"], body=b"".join(parts))
    response.headers.popall("Content-Type", None)
    for name, value in start.get("headers", []):
        if name.lower() not in (b"content-length", b"transfer-encoding"):
            response.headers.add(name.decode("latin-1"), value.decode("latin-1"))
    return response


def _scope(request: web.BaseRequest, mount: str) -> MutableMapping[str, Any]:
    raw, _, query = request.raw_path.partition("?")
    host, _, port = request.headers.get("Host", "localhost").partition(":")
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": "http",
        "path": unquote(raw),
        "raw_path": raw.encode("latin-1"),
        "query_string": query.encode("latin-1"),
        "root_path": mount,
        "headers": [(name.lower(), value) for name, value in request.raw_headers],
        "client": (request.remote or "127.0.0.1", 0),
        "server": (host, int(port or 80)),
    }
