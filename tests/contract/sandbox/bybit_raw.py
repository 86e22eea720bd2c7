"""A bare signed client of Bybit's, which shows codes, headers and bodies as they come."""

import hmac
import time
from dataclasses import dataclass
from typing import Any

import httpx
import orjson


@dataclass(slots=True)
class Answer:
    """What came back."""

    status: int
    body: Any
    headers: httpx.Headers

    @property
    def code(self) -> int:
        return self.body["retCode"]

    @property
    def result(self) -> Any:
        assert self.code == 0, self.body
        return self.body["result"]

    @property
    def rows(self) -> list[Any]:
        return self.result["list"]


class Raw:
    """Signs and sends requests as Bybit's documentation says."""

    def __init__(self, url: str, account: dict[str, Any]) -> None:
        self.key, self.secret = account["api_key"], account["api_secret"]
        self._http = httpx.Client(base_url=f"{url}/bybit", timeout=10, trust_env=False)

    def close(self) -> None:
        self._http.close()

    def get(self, path: str, **params: Any) -> Answer:
        """Ask for something."""
        query = "&".join(f"{name}={value}" for name, value in params.items())
        return self.send("GET", f"{path}?{query}", headers=self.signed(query))

    def post(self, path: str, **fields: Any) -> Answer:
        """Have something done."""
        body = orjson.dumps(fields).decode()
        return self.send("POST", path, content=body, headers=self.signed(body))

    def signed(self, sent: str, *, at: int | None = None, window: int = 5000) -> dict[str, str]:
        """Return the headers of a signed request."""
        stamp = time.time_ns() // 1_000_000 if at is None else at
        origin = f"{stamp}{self.key}{window}{sent}"
        return {
            "X-BAPI-API-KEY": self.key,
            "X-BAPI-TIMESTAMP": str(stamp),
            "X-BAPI-RECV-WINDOW": str(window),
            "X-BAPI-SIGN": hmac.digest(self.secret.encode(), origin.encode(), "sha256").hex(),
        }

    def send(self, method: str, url: str, *, content: str = "", headers: dict[str, str] | None = None) -> Answer:
        """Send a request as it stands."""
        response = self._http.request(method, url, content=content or None, headers=headers)
        is_json = response.headers.get("Content-Type", "").startswith("application/json")
        return Answer(response.status_code, response.json() if is_json else response.text, response.headers)

    def order(self, **fields: Any) -> Answer:
        """Place an order; by default a market order for 0.01 BTC perpetual."""
        form = {"category": "linear", "symbol": "BTCUSDT", "side": "Buy", "orderType": "Market", "qty": "0.01"}
        return self.post("/v5/order/create", **(form | fields))

    def executions(self, category: str = "linear", **params: Any) -> list[Any]:
        """Return one page of executions."""
        return self.get("/v5/execution/list", category=category, **params).rows
