"""A client of Bitget's classic accounts, written from its public documents alone; it knows nothing of ours."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Generator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

import httpx
from websockets.sync.client import ClientConnection, connect

PRODUCT = "USDT-FUTURES"


class Refusal(Exception):
    """The exchange said no."""

    def __init__(self, code: str, msg: str) -> None:
        super().__init__(f"{code}: {msg}")
        self.code = code


def signed(secret: str, prehash: str) -> str:
    """ACCESS-SIGN: HMAC-SHA256 with the secret key, then base64."""
    digest = hmac.new(secret.encode("utf8"), prehash.encode("utf8"), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


class Rest:
    """Signed requests; every answer is an envelope with code, msg, requestTime and data."""

    def __init__(self, base: str, key: str, secret: str, passphrase: str) -> None:
        self.key, self.secret, self.passphrase = key, secret, passphrase
        self.ahead_ms = 0
        self._http = httpx.Client(base_url=base, timeout=10, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._http.close()

    def get(self, path: str, **params: Any) -> Any:
        query = "&".join(f"{name}={value}" for name, value in params.items())
        return self._send("GET", path, query, "")

    def post(self, path: str, **fields: Any) -> Any:
        return self._send("POST", path, "", json.dumps(fields))

    def _send(self, method: str, path: str, query: str, body: str) -> Any:
        stamp = str(int(time.time() * 1000) + self.ahead_ms)
        target = f"{path}?{query}" if query else path
        headers = {
            "ACCESS-KEY": self.key,
            "ACCESS-SIGN": signed(self.secret, stamp + method + target + body),
            "ACCESS-TIMESTAMP": stamp,
            "ACCESS-PASSPHRASE": self.passphrase,
            "locale": "en-US",
            "Content-Type": "application/json",
        }
        answer = self._http.request(method, target, content=body or None, headers=headers).json()
        if answer["code"] != "00000":
            raise Refusal(answer["code"], answer["msg"])
        assert abs(int(answer["requestTime"]) - time.time() * 1000) < 60_000
        return answer["data"]

    def everything(self, path: str, *, rows: str = "", id_name: str, **params: Any) -> list[dict[str, Any]]:
        """All rows of a history, walked to older pages by `idLessThan`."""
        found: list[dict[str, Any]] = []
        below: dict[str, str] = {}
        while True:
            data = self.get(path, **params, **below)
            page: list[dict[str, Any]] = (data[rows] if rows else data) or []
            found += page
            if not page:
                return found
            below = {"idLessThan": page[-1][id_name]}


class Socket:
    """The private channels: log in, subscribe, and keep the line alive with the text `ping`."""

    def __init__(self, line: ClientConnection, key: str, secret: str, passphrase: str) -> None:
        self._line = line
        self._who = (key, secret, passphrase)

    @staticmethod
    @contextmanager
    def opened(url: str, key: str, secret: str, passphrase: str) -> "Generator[Socket]":
        with connect(url, proxy=None) as line:
            yield Socket(line, key, secret, passphrase)

    def log_in(self) -> dict[str, Any]:
        key, secret, passphrase = self._who
        stamp = str(int(time.time()))
        sign = signed(secret, stamp + "GET" + "/user/verify")
        account = {"apiKey": key, "passphrase": passphrase, "timestamp": stamp, "sign": sign}
        self.say({"op": "login", "args": [account]})
        return self.hear()

    def subscribe(self, kind: str, *channels: str) -> None:
        args = [
            {"instType": kind, "channel": name, "coin" if name == "account" else "instId": "default"}
            for name in channels
        ]
        self.say({"op": "subscribe", "args": args})
        assert [self.hear()["arg"]["channel"] for _ in args] == list(channels)

    def say(self, message: Any) -> None:
        self._line.send(message if isinstance(message, str) else json.dumps(message))

    def hear_text(self) -> str:
        return str(self._line.recv(timeout=5))

    def hear(self) -> dict[str, Any]:
        return json.loads(self.hear_text())

    def until(self, channel: str, count: int = 1) -> list[dict[str, Any]]:
        """The rows of a channel, as soon as there are so many."""
        found: list[dict[str, Any]] = []
        while len(found) < count:
            message = self.hear()
            if message.get("arg", {}).get("channel") == channel:
                found += message["data"]
        return found
