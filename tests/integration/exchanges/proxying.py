"""A proxy as an operator would rent one: it asks for a password, forwards HTTP and websockets, and tunnels."""

import asyncio
import base64
import contextlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

USER, PASSWORD = "copytrade", "CANARY_proxy_password"


@dataclass
class Proxy:
    """What went through: the first line of each request, as the proxy saw it."""

    lets_through: bool = True
    port: int = 0
    seen: list[str] = field(default_factory=list[str])
    refused: int = 0
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    open: set["asyncio.Task[None]"] = field(default_factory=set["asyncio.Task[None]"])

    @property
    def url(self) -> str:
        return f"http://{USER}:{PASSWORD}@127.0.0.1:{self.port}"

    @property
    def name(self) -> str:
        return f"127.0.0.1:{self.port}"

    def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self.open.add(task)
        task.add_done_callback(self.open.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._answer(reader, writer)
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            line, *lines = head.rstrip("\r\n").split("\r\n")
            if not _is_known(lines):
                self.refused += 1
                writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
                await writer.drain()
            else:
                self.seen.append(line)
                self.asked.set()
                if not self.lets_through:
                    writer.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
                    await writer.drain()
                    return
                await _forward(line, lines, reader, writer)


@asynccontextmanager
async def running_proxy(*, lets_through: bool = True) -> AsyncGenerator[Proxy]:
    """Serve a proxy on a free port of this machine."""
    proxy = Proxy(lets_through)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        for task in list(proxy.open):
            task.cancel()
        await asyncio.gather(*proxy.open, return_exceptions=True)


def _is_known(lines: list[str]) -> bool:
    wanted = "basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    told = [line.partition(":")[2].strip() for line in lines if line.lower().startswith("proxy-authorization:")]
    return [value.lower() for value in told] == [wanted.lower()]


async def _forward(line: str, lines: list[str], reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    method, target, version = line.split(" ")
    parts = urlsplit(f"//{target}" if method == "CONNECT" else target)
    there, back = await asyncio.open_connection(parts.hostname, parts.port or 80)
    if method == "CONNECT":
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
    else:
        # One request a connection, so that none of them passes unseen; a websocket keeps its own.
        is_upgrade = any(name.lower().startswith("upgrade:") for name in lines)
        dropped = ("proxy-",) if is_upgrade else ("proxy-", "connection:")
        kept = [name for name in lines if not name.lower().startswith(dropped)]
        if not is_upgrade:
            kept.append("Connection: close")
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        back.write("\r\n".join([f"{method} {path} {version}", *kept, "", ""]).encode("latin-1"))
    try:
        await asyncio.gather(_pipe(reader, back), _pipe(there, writer))
    finally:
        back.close()


async def _pipe(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await source.read(65536):
            target.write(data)
            await target.drain()
        if target.can_write_eof():
            target.write_eof()
