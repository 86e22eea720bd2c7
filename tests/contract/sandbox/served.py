"""A sandbox server of the test's own, to break and to kill; and a bare signed client, which shows codes and bodies."""

import hmac
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from copytrade.sandbox.client import Control
from tests.waiting import wait_for_http
from workers.launching.parent import end_with_parent
from workers.launching.ports import any_free


class SandboxServer:
    """`python -m copytrade.sandbox.server` with its state in `folder`."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder
        self.port = any_free()
        self.url = f"http://127.0.0.1:{self.port}"
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> "SandboxServer":
        """Start, and wait until it answers."""
        self.control = Control(self.url)
        process = self._process = self._run()
        wait_for_http(
            f"{self.url}/binance/fapi/v1/ping", alive=lambda: process.poll() is None, log=self.folder / "sandbox.log"
        )
        return self

    def run_to_its_end(self) -> int:
        """Start what cannot run; return what it exited with."""
        return self._run().wait(timeout=60)

    def _run(self) -> subprocess.Popen[bytes]:
        chosen = {"VAR": str(self.folder), "SANDBOX_PORT": str(self.port), "SANDBOX_SMTP_PORT": "0"}
        environment = os.environ | {f"COPYTRADE_{name}": value for name, value in (chosen | self._environment).items()}
        with (self.folder / "sandbox.log").open("ab") as sink:
            return subprocess.Popen(
                [sys.executable, "-m", "copytrade.sandbox.server"],
                env=environment,
                stdout=sink,
                stderr=sink,
                preexec_fn=end_with_parent,
            )

    def end(self, sign: int = signal.SIGTERM) -> int:
        """End it by a signal; return what it exited with."""
        assert self._process is not None
        self.control.close()
        self._process.send_signal(sign)
        return self._process.wait(timeout=20)

    def log(self) -> str:
        return (self.folder / "sandbox.log").read_text()


@dataclass(slots=True)
class Answer:
    status: int
    body: Any
    headers: httpx.Headers

    @property
    def code(self) -> int:
        return self.body["code"]


class Raw:
    """Signs and sends requests as Binance's documentation says, and hides nothing of the answer."""

    def __init__(self, url: str, account: dict[str, Any]) -> None:
        self.key, self.secret = account["api_key"], account["api_secret"]
        self._http = httpx.Client(base_url=f"{url}/binance", timeout=10, trust_env=False)

    def close(self) -> None:
        self._http.close()

    def signed(self, method: str, path: str, **params: Any) -> Answer:
        """Send a signed request, its parameters in the query string."""
        params.setdefault("timestamp", time.time_ns() // 1_000_000)
        return self.send(method, f"{path}?{self.sign(params)}")

    def sign(self, params: dict[str, Any]) -> str:
        query = "&".join(f"{name}={value}" for name, value in params.items())
        return f"{query}&signature={hmac.digest(self.secret.encode(), query.encode(), 'sha256').hex()}"

    def send(self, method: str, url: str, *, content: str = "", key: str | None = None) -> Answer:
        """Send a request as it stands."""
        headers = {"X-MBX-APIKEY": self.key if key is None else key}
        if content:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        response = self._http.request(method, url, content=content or None, headers=headers)
        is_json = response.headers.get("Content-Type", "").startswith("application/json")
        return Answer(response.status_code, response.json() if is_json else response.text, response.headers)

    def order(self, **params: Any) -> Answer:
        """Place an order; by default a market order for 0.01 BTC that answers with its result."""
        form = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.01", "newOrderRespType": "RESULT"}
        return self.signed("POST", "/fapi/v1/order", **(form | params))
