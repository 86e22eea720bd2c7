"""A paper exchange of the test's own, in production's words."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from tests.waiting import wait_for_http
from workers.launching.parent import end_with_parent
from workers.launching.ports import any_free

TOKEN = "a token of this test"
VENUES = ("binance", "bybit", "bitget")


class PaperServer:
    """`python -m copytrade.sandbox.paper <venue>` with its state in `folder`, following the venues at `feed`."""

    def __init__(self, folder: Path, venue: str = "binance", *, feed: str, **environment: str) -> None:
        self.folder = folder
        self.venue = venue
        self.port = any_free()
        self.url = f"http://127.0.0.1:{self.port}"
        self._environment = {"PAPER_FEED_URL": feed, "PAPER_TOKEN": TOKEN, **environment}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> "PaperServer":
        """Start, and wait until it answers."""
        self._process = self.spawn()
        return self.wait()

    def wait(self) -> "PaperServer":
        process = self._process = self._process or self.spawn()
        wait_for_http(f"{self.url}/", alive=lambda: process.poll() is None, log=self.folder / "paper.log")
        return self

    def begin(self) -> "PaperServer":
        """Start, and do not wait."""
        self._process = self.spawn()
        return self

    def spawn(self) -> subprocess.Popen[bytes]:
        first = self.port - VENUES.index(self.venue)
        chosen = {"VAR": str(self.folder), "PAPER_PORT": str(first), "ENVIRONMENT": "production"}
        environment = os.environ | {f"COPYTRADE_{name}": value for name, value in (chosen | self._environment).items()}
        with (self.folder / "paper.log").open("ab") as sink:
            return subprocess.Popen(
                [sys.executable, "-m", "copytrade.sandbox.paper", self.venue],
                env=environment,
                stdout=sink,
                stderr=sink,
                preexec_fn=end_with_parent,
            )

    def end(self, sign: int = signal.SIGTERM) -> int:
        assert self._process is not None
        self._process.send_signal(sign)
        return self._process.wait(timeout=20)

    def log(self) -> str:
        return (self.folder / "paper.log").read_text()

    def open(self, market: str, *, name: str = "", funds: str = "10000", token: str = TOKEN) -> Any:
        asked = {"name": name or str(uuid4()), "market": market, "funds": funds}
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx.post(f"{self.url}/{self.venue}/paper/accounts", json=asked, headers=headers, trust_env=False)

    def get(self, path: str, **params: str) -> Any:
        return httpx.get(self.url + path, params=params, trust_env=False).json()
