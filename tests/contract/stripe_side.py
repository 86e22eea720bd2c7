"""What the contract tests of the sandbox's Stripe share: a client, a sold subscription, a catcher of webhooks."""

import json
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import stripe

from tests.contract.served import Served

KEY = "sk_test_contract"
GOOD, DECLINED, ASKS = "4242 4242 4242 4242", "4000 0000 0000 0002", "4000 0025 0000 3155"


def client(served: Served, *, key: str = KEY, retries: int = 0, timeout: float = 20) -> stripe.StripeClient:
    return stripe.StripeClient(
        key,
        base_addresses={"api": f"{served.url}/stripe"},
        max_network_retries=retries,
        http_client=stripe.RequestsClient(timeout=timeout),
    )


def priced(served: Served, *, amount: int = 2900) -> stripe.Price:
    v1 = client(served).v1
    product = v1.products.create({"name": "Nordwind"})
    return v1.prices.create(
        {"product": product.id, "unit_amount": amount, "currency": "usd", "recurring": {"interval": "month"}}
    )


def opened(served: Served, **more: Any) -> stripe.checkout.Session:
    v1 = client(served).v1
    customer = v1.customers.create({"email": "bob@copytrade.example"})
    params: Any = {
        "mode": "subscription",
        "line_items": [{"price": priced(served).id, "quantity": 1}],
        "customer": customer.id,
        "client_reference_id": "ours",
        "metadata": {"subscription_id": "ours"},
        "subscription_data": {"metadata": {"subscription_id": "ours"}},
        "success_url": "http://127.0.0.1:1/done?session={CHECKOUT_SESSION_ID}",
        "cancel_url": "http://127.0.0.1:1/closed",
    } | more
    return v1.checkout.sessions.create(params)


def pay(url: str | None, number: str = GOOD, **more: str) -> httpx.Response:
    assert url
    form = {"number": number, "expiry": "12 / 40", "cvc": "123", "name": "Bob", "action": "pay", **more}
    return httpx.post(url, data=form, timeout=20)


def sold(served: Served) -> stripe.Subscription:
    """Return a subscription that was just paid."""
    session = opened(served)
    assert pay(session.url).status_code == 303
    session = client(served).v1.checkout.sessions.retrieve(session.id, {"expand": ["subscription"]})
    assert isinstance(session.subscription, stripe.Subscription)
    return session.subscription


@dataclass(slots=True)
class Hook:
    """A webhook endpoint: what came, and with which statuses it answers."""

    url: str = ""
    got: list[tuple[bytes, str]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)

    def types(self) -> list[str]:
        return [stripe.Event.construct_from(json.loads(body), None).type for body, _ in self.got]


@contextmanager
def hook() -> Generator[Hook]:
    """Listen for webhooks."""
    made = Hook()

    class Catcher(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = made.answers.pop(0) if made.answers else 200
            made.got.append((body, self.headers["Stripe-Signature"]))
            self.send_response(status)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Catcher)
    made.url = f"http://127.0.0.1:{server.server_port}/hook"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
