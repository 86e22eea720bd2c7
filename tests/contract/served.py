"""The sandbox's Stripe and mail in a process of their own, quick to start, to kill and to start again.

`python -m tests.contract.served PORT` serves them; `Served` does that from a test.
"""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from granian.constants import Interfaces
from granian.server.embed import Server

from copytrade.sandbox import mail, stripe
from copytrade.settings import settings
from tests.waiting import wait_for_http
from workers.launching.parent import end_with_parent
from workers.launching.ports import any_free


class Served:
    """A running server with its state in `folder`."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder
        self.port = any_free()
        self.url = f"http://127.0.0.1:{self.port}"
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> "Served":
        """Start, and wait until it answers."""
        log = self.folder / "served.log"
        environment = (
            os.environ
            | self._environment
            | {
                "COPYTRADE_VAR": str(self.folder),
                "COPYTRADE_SANDBOX_PORT": str(self.port),
                "COPYTRADE_SANDBOX_SMTP_PORT": "0",
            }
        )
        with log.open("ab") as sink:
            process = self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.contract.served", str(self.port)],
                env=environment,
                stdout=sink,
                stderr=sink,
                preexec_fn=end_with_parent,
            )
        wait_for_http(f"{self.url}/mail/smtp", alive=lambda: process.poll() is None, log=log)
        return self

    def stop(self, sign: int = signal.SIGTERM) -> None:
        """End it, by SIGKILL if told."""
        if self._process is not None:
            self._process.send_signal(sign)
            self._process.wait(timeout=20)

    def control(self, method: str, call: str, **given: Any) -> Any:
        """Call Stripe's control interface."""
        answer = httpx.request(method, f"{self.url}/stripe/_control/{call}", json=given, timeout=20)
        assert answer.status_code == 200, answer.text
        return answer.json()


async def _mounted(scope: Any, receive: Callable[..., Any], send: Callable[..., Any]) -> None:
    app = mail.app if scope["path"].startswith("/mail") else stripe.app
    await app(scope, receive, send)


async def _serve(port: int) -> None:
    await stripe.start(settings())
    await mail.start(settings())
    server = Server(_mounted, port=port, interface=Interfaces.ASGI, log_enabled=False, websockets=False)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, server.stop)
    await server.serve()
    await mail.stop()
    await stripe.stop()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
