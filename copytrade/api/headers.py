"""What every answer carries: headers that keep browsers safe, a bound on what may be sent, and the figures.

Plain ASGI around the whole web app, pages and websocket included, so it touches no body.
"""

import time
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from copytrade import metrics
from copytrade.settings import settings

LARGEST_BODY = 1_048_576
_TOO_LARGE = b'{"error":{"code":"too_large","message":"That is more than can be sent.","field":null,"facts":{}}}'

# Reflex's compiled pages start with an inline script, its front end evaluates what the server calls in the browser
# (toasts, the page's language), and its components and plotly set inline styles. Scripts of other hosts stay out.
_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self' {sockets}",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)


def _headers() -> dict[str, str]:
    sockets = " ".join(origin.replace("http", "ws", 1) for origin in settings().web_origins)
    fixed = {
        "Content-Security-Policy": _POLICY.format(sockets=sockets),
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "same-origin",
        "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=()",
        "Cross-Origin-Opener-Policy": "same-origin",
    }
    if settings().cookie_secure:
        fixed["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
    return fixed


class TooLarge(Exception):
    """The body went on beyond the bound."""


class Guard:
    """Adds the headers, refuses bodies beyond the bound, counts what the API answered."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, told = time.perf_counter(), {"status": 0}
        length = Headers(scope=scope).get("content-length", "0")
        if not length.isdecimal() or int(length) > LARGEST_BODY:
            await _refuse(send)
            return
        try:
            await self._app(scope, _bounded(receive), _dressed(send, told))
        except TooLarge:
            if not told["status"]:
                await _refuse(send)
        _count(scope, status=told["status"], seconds=time.perf_counter() - began)


def _bounded(receive: Receive) -> Receive:
    seen = 0

    async def more() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > LARGEST_BODY:
            raise TooLarge
        return message

    return more


def _dressed(send: Send, told: dict[str, int]) -> Callable[[Message], Awaitable[None]]:
    async def with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            told["status"] = message["status"]
            headers = MutableHeaders(scope=message)
            for name, value in _headers().items():
                headers.setdefault(name, value)
        await send(message)

    return with_headers


async def _refuse(send: Send) -> None:
    headers = [(b"content-type", b"application/json"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": _TOO_LARGE})


def _count(scope: Scope, *, status: int, seconds: float) -> None:
    # The route's pattern, never the path: ids are no labels.
    route: Any = scope.get("route")
    pattern = getattr(route, "path_format", None) or getattr(route, "path", "")
    if not pattern.startswith("/api/"):
        return
    metrics.http_requests.labels(method=scope["method"], route=pattern, status=str(status)).inc()
    metrics.http_seconds.labels(route=pattern).observe(seconds)
