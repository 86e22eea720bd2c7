"""Stripe's side of a test: the sandbox, a catcher of its webhooks, and a payer at the hosted page."""

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
from sqlmodel import Session

from copytrade.payments import service
from copytrade.settings import settings
from tests.waiting import wait_until

APP = f"http://127.0.0.1:{settings().port}/api/v1/payments/notify"
GOOD, DECLINED, ASKS = "4242 4242 4242 4242", "4000 0000 0000 0002", "4000 0025 0000 3155"


@dataclass(slots=True)
class Caught:
    """One delivery of a webhook as it came over the wire."""

    body: bytes
    signature: str


@dataclass(slots=True)
class Stripe:
    """The sandbox's Stripe with the webhooks that it delivered to this test."""

    url: str
    caught: list[Caught] = field(default_factory=list)

    def control(self, method: str, call: str, **given: Any) -> Any:
        answer = httpx.request(method, f"{self.url}/_control/{call}", json=given, timeout=20)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def pay(self, url: str, number: str = GOOD) -> httpx.Response:
        form = {"number": number, "expiry": "12 / 40", "cvc": "123", "name": "Bob", "action": "pay"}
        return httpx.post(url, data=form, timeout=20)

    def wait_for(self, type: str, count: int = 1) -> None:
        """Wait until so many events of a type were delivered here."""
        wait_until(lambda: self._count(type) >= count, what=f"{count} × {type}")

    def _count(self, type: str) -> int:
        return sum(f'"type":"{type}"'.encode() in one.body for one in self.caught)

    def hand_over(self, session: Session, *, order: Callable[[list[Caught]], list[Caught]] = list) -> None:
        """Give everything caught so far to the app and let it work that off."""
        caught, self.caught = self.caught, []
        for one in order(caught):
            service.receive_webhook(session, body=one.body, signature=one.signature)
        session.commit()
        service.process_events()
        session.expire_all()


@contextmanager
def stripe_at(sandbox_url: str) -> Generator[Stripe]:
    """Stripe, new and empty, with its webhooks delivered to this test; afterwards to the app again."""
    made = Stripe(f"{sandbox_url}/stripe")

    class Catcher(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            made.caught.append(Caught(body, self.headers["Stripe-Signature"]))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Catcher)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    secret = settings().stripe_webhook_secret.get_secret_value()
    made.control("DELETE", "state")
    made.control("POST", "endpoint", url=f"http://127.0.0.1:{server.server_port}/hook", secret=secret)
    try:
        yield made
    finally:
        made.control("DELETE", "state")
        made.control("POST", "endpoint", url=APP, secret=secret)
        server.shutdown()
        thread.join()
        server.server_close()
