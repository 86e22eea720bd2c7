"""The sandbox's one HTTP listener: it hands requests to the venue, the control interface and the ASGI parts.

aiohttp's low-level server is used, since faults need the bare connection: to break it off, or to write half an answer.
"""

import asyncio
from http import HTTPStatus
from typing import Any

from aiohttp import web

from copytrade.sandbox.asgi import serve_asgi
from copytrade.sandbox.control import Control
from copytrade.sandbox.controls.situation import Situation
from copytrade.sandbox.exchange.faults import Answer, Execute, Fault
from copytrade.sandbox.paper.opening import PATH, Desk
from copytrade.sandbox.protocol import Call, Reply, VenueSide

_PAGE = b"<!DOCTYPE html><html><head><title>Bad gateway</title></head><body><h1>Bad gateway</h1></body></html>"
_HANG_S = 3600.0
_RAW: dict[Answer, bytes] = {
    Answer.GARBAGE: b"\x16\x03\x01 nonsense\r\n\r\n",
    Answer.BAD_GZIP: b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\n"
    b"Content-Length: 20\r\n\r\n\x1f\x8b\x08\x00not gzip at all!",
}


class Web:
    """Looks at the address of each request and has it served."""

    def __init__(self, situation: Situation, apps: dict[str, Any], desk: Desk) -> None:
        self.situation = situation
        self.venues = situation.venues
        self.control = Control(situation)
        self.apps = apps
        self.desk = desk
        self._hosts = {host: venue for venue in self.venues.values() for host in venue.hosts}

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        path, _, query = request.raw_path.partition("?")
        first = path.split("/", 2)[1]
        venue = self.venues.get(first)
        if venue is not None and path == f"/{first}{PATH}":
            return await self.desk.handle(request, venue=venue.name)
        if venue is not None:
            return await self._venue(venue, request, path[len(first) + 1 :], query)
        if first == "control":
            return await self.control.handle(request)
        if first in self.apps:
            return await serve_asgi(self.apps[first], request, mount=f"/{first}")
        venue = self._hosts.get(request.headers.get("Host", "").partition(":")[0])
        if venue is not None:
            return await self._venue(venue, request, path, query)
        if path == "/":
            return web.json_response({"sandbox": "ready", "parts": [*self.venues, "control", *self.apps]})
        return web.json_response({"error": f"nothing is served at {path}"}, status=404)

    async def _venue(self, venue: VenueSide, request: web.BaseRequest, path: str, query: str) -> web.StreamResponse:
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await venue.streams.serve(request, path)
        body = (await request.read()).decode("utf-8", "replace")
        exchange, faults = self.situation.exchange, self.situation.faults
        if faults.latency_in_ms:
            await asyncio.sleep(faults.latency_in_ms / 1000)
        api_key = venue.key_of(request.headers)
        fault = None
        if faults.requests:
            fault = faults.take(venue.name, api_key, exchange.account_of(api_key), request.method, path)
        if fault is not None and fault.delay_in_ms:
            await asyncio.sleep(fault.delay_in_ms / 1000)
        arrived = exchange.clock.server_time()
        call = Call(request.method, path, query, body, request.headers, api_key, request.remote or "", arrived)
        reply = self._ask(venue, call) if fault is None else self._execute(fault, venue, call)
        if faults.latency_out_ms:
            await asyncio.sleep(faults.latency_out_ms / 1000)
        if fault is not None:
            return await _answer(fault, venue, reply, request)
        return Written(reply, request)

    def _ask(self, venue: VenueSide, call: Call) -> Reply:
        requests, name = self.situation.requests, f"{call.method} {call.path}"
        requests[name] = requests.get(name, 0) + 1
        return venue.answer(call)

    def _execute(self, fault: Fault, venue: VenueSide, call: Call) -> Reply:
        if fault.execute is Execute.YES:
            return self._ask(venue, call)
        if fault.execute is Execute.LATE:
            asyncio.get_running_loop().call_later(fault.late_ms / 1000, self._ask, venue, call)
        return Reply(502, _PAGE, {"Content-Type": "text/html"})


class Written(web.StreamResponse):
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


async def _answer(fault: Fault, venue: VenueSide, reply: Reply, request: web.BaseRequest) -> web.StreamResponse:
    if fault.delay_out_ms:
        await asyncio.sleep(fault.delay_out_ms / 1000)
    match fault.answer:
        case Answer.NORMAL:
            if fault.tampering:
                reply = Reply(reply.status, fault.tampering.apply(reply.body), reply.headers)
            return Written(reply, request)
        case Answer.EMPTY:
            return Written(Reply(reply.status, b"", reply.headers), request)
        case Answer.LARGE:
            return Written(Reply(reply.status, reply.body.ljust(fault.size), reply.headers), request)
        case Answer.HANG:
            await asyncio.sleep(_HANG_S)
        case Answer.STATUS:
            return _status(fault, venue)
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


def _status(fault: Fault, venue: VenueSide) -> web.Response:
    headers = {"Retry-After": str(fault.retry_after)} if fault.retry_after else {}
    if fault.code:
        body = venue.error_body(fault.code, fault.message)
        return web.Response(body=body, status=fault.status, content_type="application/json", headers=headers)
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
