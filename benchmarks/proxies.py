"""Forward proxies, each with an address of its own on this machine: `python -m benchmarks.proxies COUNT`.

Prints their ports as JSON, then serves until its standard input ends. Linux gives the whole of 127.0.0.0/8 to loopback.
"""

import asyncio
import contextlib
import json
import sys
from urllib.parse import urlsplit


async def main(count: int) -> None:
    """Serve so many proxies, from 127.0.0.2 on."""
    servers = [
        await asyncio.start_server(_Proxy(f"127.0.0.{number + 2}").serve, "127.0.0.1", 0) for number in range(count)
    ]
    print(json.dumps([server.sockets[0].getsockname()[1] for server in servers]), flush=True)
    await asyncio.to_thread(sys.stdin.read)
    for server in servers:
        server.close()


class _Proxy:
    def __init__(self, address: str) -> None:
        self._address = address

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there: asyncio.StreamWriter | None = None
        answers: asyncio.Task[None] | None = None
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while head := (await reader.readuntil(b"\r\n\r\n")).decode("latin-1"):
                line, _, rest = head.partition("\r\n")
                method, target, version = line.split(" ")
                parts = urlsplit(target)
                if there is None:
                    back, there = await asyncio.open_connection(
                        parts.hostname, parts.port or 80, local_addr=(self._address, 0)
                    )
                    answers = asyncio.create_task(_pipe(back, writer))
                path = parts.path + (f"?{parts.query}" if parts.query else "")
                there.write(f"{method} {path} {version}\r\n{rest}".encode("latin-1"))
                if length := _length(rest):
                    there.write(await reader.readexactly(length))
                await there.drain()
                if "upgrade: websocket" in rest.lower():
                    await _pipe(reader, there)
        if there is not None:
            there.close()
        if answers is not None:
            await answers
        writer.close()


def _length(head: str) -> int:
    for line in head.split("\r\n"):
        name, _, value = line.partition(":")
        if name.lower() == "content-length":
            return int(value)
    return 0


async def _pipe(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await source.read(65536):
            target.write(data)
            await target.drain()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
