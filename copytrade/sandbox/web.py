"""The sandbox's one HTTP listener: it hands requests to the venue, the control interface and the ASGI parts.

aiohttp's low-level server is used, since faults need the bare connection: to break it off, or to write half an answer.
"""

import asyncio
from http import HTTPStatus
from typing import Any

from aiohttp import web

from copytrade.sandbox.asgi import serve_asgi
from copytrade.sandbox.binance.call import Call, Reply
from copytrade.sandbox.binance.rest import Binance
from copytrade.sandbox.binance.streams import Streams
from copytrade.sandbox.control import Control
from copytrade.sandbox.exchange.faults import Answer, Execute, Fault

BINANCE_HOSTS = (
    "api",
    "api1",
    "api2",
    "api3",
    "fapi",
    "dapi",
    "eapi",
    "papi",
    "fstream",
    "stream",
    "ws-api",
    "ws-fapi",
)
_PAGE = b"<!DOCTYPE html><html><head><title>Bad gateway</title></head><body><h1>Bad gateway</h1></body></html>"
_HANG_S = 3600.0
_RAW: dict[Answer, bytes] = {
    Answer.GARBAGE: b"\x16\x03\x01 nonsense\r\n\r\n",
    Answer.BAD_GZIP: b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\n"
    b"Content-Length: 20\r\n\r\n\x1f\x8b\x08\x00not gzip at all!",
}


class Web:
    """Looks at the address of each request and has it served."""

    def __init__(self, venue: Binance, streams: Streams, control: Control, apps: dict[str, Any]) -> None:
        self.venue = venue
        self.streams = streams
        self.control = control
        self.apps = apps

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        path, _, query = request.raw_path.partition("?")
        if path.startswith("/binance/"):
            return await self._venue(request, path[8:], query)
        first = path.split("/", 2)[1]
        if first == "control":
            return await self.control.handle(request)
        if first in self.apps:
            return await serve_asgi(self.apps[first], request, mount=f"/{first}")
        if _is_binance(request.headers.get("Host", "")):
            return await self._venue(request, path, query)
        if path == "/":
            return web.json_response({"sandbox": "ready", "parts": ["binance", "control", *self.apps]})
        return web.json_response({"error": f"nothing is served at {path}"}, status=404)

    async def _venue(self, request: web.BaseRequest, path: str, query: str) -> web.StreamResponse:
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self.streams.serve(request)
        body = (await request.read()).decode("utf-8", "replace")
        venue, faults = self.venue, self.venue.faults
        if faults.latency_in_ms:
            await asyncio.sleep(faults.latency_in_ms / 1000)
        key = request.headers.get("X-MBX-APIKEY", "")
        fault = faults.take(key, venue.account_of(key), request.method, path) if faults.requests else None
        if fault is not None and fault.delay_in_ms:
            await asyncio.sleep(fault.delay_in_ms / 1000)
        arrived = venue.exchange.clock.server_time()
        call = Call(request.method, path, query, body, key, request.remote or "", arrived)
        reply = venue.answer(call) if fault is None else self._execute(fault, call)
        if faults.latency_out_ms:
            await asyncio.sleep(faults.latency_out_ms / 1000)
        if fault is not None:
            return await _answer(fault, reply, request)
        return _Written(reply, request)

    def _execute(self, fault: Fault, call: Call) -> Reply:
        if fault.execute is Execute.YES:
            return self.venue.answer(call)
        if fault.execute is Execute.LATE:
            asyncio.get_running_loop().call_later(fault.late_ms / 1000, self.venue.answer, call)
        return Reply(502, _PAGE, {"Content-Type": "text/html"})


def _is_binance(host: str) -> bool:
    name = host.partition(":")[0]
    return name.endswith(".binance.com") and name.partition(".")[0] in BINANCE_HOSTS


class _Written(web.StreamResponse):
    """A whole answer in one write; aiohttp's own way of building one costs a third of the time of an order."""

    def __init__(self, reply: Reply, request: web.BaseRequest) -> None:
        super().__init__(status=reply.status)
        self._reply = reply
        self._stays = request.keep_alive

    @property
    def keep_alive(self) -> bool:
        return self._stays

    async def prepare(self, request: web.BaseRequest) -> None:
        reply = self._reply
        lines = [f"HTTP/1.1 {reply.status} {HTTPStatus(reply.status).phrase}\r\nContent-Length: {len(reply.body)}\r\n"]
        lines += [f"{name}: {value}\r\n" for name, value in reply.headers.items()]
        lines.append("\r\n" if self._stays else "Connection: close\r\n\r\n")
        if request.transport is not None:
            request.transport.write("".join(lines).encode("latin-1") + reply.body)

    async def write_eof(self, data: bytes = b"") -> None:
        return None


async def _answer(fault: Fault, reply: Reply, request: web.BaseRequest) -> web.StreamResponse:
    if fault.delay_out_ms:
        await asyncio.sleep(fault.delay_out_ms / 1000)
    match fault.answer:
        case Answer.NORMAL:
            return _Written(reply, request)
        case Answer.HANG:
            await asyncio.sleep(_HANG_S)
        case Answer.STATUS:
            return _status(fault)
        case Answer.HTML:
            return web.Response(body=_PAGE, content_type="text/html")
        case Answer.BROKEN_JSON:
            return web.Response(body=reply.body[: len(reply.body) // 2], content_type="application/json")
        case Answer.TRUNCATED:
            half = reply.body[: len(reply.body) // 2]
            head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(reply.body)}\r\n\r\n"
            await _write(request, head.encode() + half)
        case Answer.GARBAGE | Answer.BAD_GZIP:
            await _write(request, _RAW[fault.answer])
        case Answer.DROP:
            pass
    return _broken_off(request)


def _status(fault: Fault) -> web.Response:
    headers = {"Retry-After": str(fault.retry_after)} if fault.retry_after else {}
    if fault.code:
        content = {"code": fault.code, "msg": fault.message}
        return web.json_response(content, status=fault.status, headers=headers)
    if fault.message:
        return web.Response(status=fault.status, text=fault.message, headers=headers)
    return web.Response(status=fault.status, body=_PAGE, content_type="text/html", headers=headers)


async def _write(request: web.BaseRequest, content: bytes) -> None:
    if request.transport is not None:
        request.transport.write(content)
        await asyncio.sleep(0.02)


def _broken_off(request: web.BaseRequest) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)
