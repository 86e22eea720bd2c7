"""The control interface of the sandbox's Stripe from Python; see stripe/README.md for what each control does."""

from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

import httpx

from copytrade.sandbox.client import ControlError


class StripeControl:
    """Talks to a running sandbox's /stripe/_control."""

    def __init__(self, base_url: str, *, timeout: float = 60.0) -> None:
        address = f"{base_url.rstrip('/')}/stripe/_control"
        self._http = httpx.Client(base_url=address, timeout=timeout, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connection."""
        self._http.close()

    def call(self, method: str, control: str, /, *, timeout: float | None = None, **facts: Any) -> Any:
        """Call a control by its path."""
        given = {name: value for name, value in facts.items() if value is not None}
        patience = self._http.timeout if timeout is None else timeout
        response = self._http.request(method, control, json=given, timeout=patience)
        if response.status_code >= 400:
            raise ControlError(f"{method} {control}: {response.status_code} {response.text}")
        return response.json()

    def endpoint(
        self, url: str, secret: str, *, connect_secret: str | None = None, enabled_events: list[str] | None = None
    ) -> dict[str, Any]:
        """Register the app's webhook endpoint, for the account's own events and for those of connected accounts."""
        facts = {"secret": secret, "connect_secret": connect_secret, "enabled_events": enabled_events}
        return self.call("POST", "/endpoint", url=url, **facts)

    def now(self) -> int:
        """Return the account's time in seconds."""
        return self.call("GET", "/clock")["now"]

    def advance(self, seconds: int, *, timeout: float = 600) -> dict[str, int]:
        """Let the account's time pass with all that falls due; return how many things were `done`, and `now`."""
        return self.call("POST", "/clock", timeout=timeout, seconds=seconds)

    def crowd(
        self,
        price: str,
        *,
        people: Sequence[dict[str, Any]] | None = None,
        count: int | None = None,
        card: str | None = None,
        trial_days: int | None = None,
        timeout: float = 600,
    ) -> list[dict[str, str]]:
        """Let people subscribe at once; each of them may have customer, email, metadata and client_reference_id.

        Returns customer, session, subscription and invoice of each, in their order.
        """
        who = {"people": list(people) if people is not None else None, "count": count}
        return self.call("POST", "/crowd", timeout=timeout, price=price, card=card, trial_days=trial_days, **who)

    def set_card(self, customer: str, number: str) -> dict[str, Any]:
        """Give a customer another card, for renewals that fail."""
        return self.call("POST", "/card", customer=customer, number=number)

    def onboard(self, account: str, *, state: str = "enabled") -> dict[str, Any]:
        """Finish the onboarding of a connected account: `enabled`, `more` (is needed) or `restricted`."""
        return self.call("POST", "/onboard", account=account, state=state)

    def dispute(self, charge: str, *, reason: str | None = None, amount: int | None = None) -> dict[str, Any]:
        """Let the bank take a payment back."""
        return self.call("POST", "/dispute", charge=charge, reason=reason, amount=amount)

    def decide(self, dispute: str, *, status: str) -> dict[str, Any]:
        """Let the bank decide a dispute: `won` or `lost`."""
        return self.call("POST", "/dispute/decide", dispute=dispute, status=status)

    def settling(self, *, days: int | None = None, reserves: bool | None = None) -> None:
        """Set when charges can be sent on, and whether a connected account may be taken below zero."""
        self.call("PUT", "/settling", days=days, reserves=reserves)

    def dunning(self, *, days: Sequence[int] = (3, 5, 7), then: str = "cancel") -> None:
        """Set after how many days an unpaid renewal is tried again, and what comes after the last try."""
        self.call("PUT", "/dunning", days=list(days), then=then)

    def webhooks(self, **switches: Any) -> None:
        """Set how deliveries behave: hold, shuffle, duplicates, delay_s; nothing is normal."""
        self.call("PUT", "/webhooks", **switches)

    def backlog(self) -> int:
        """Return how many deliveries wait."""
        return self.call("GET", "/backlog")["pending"]

    def fault(self, kind: str, match: str = "", *, count: int = 1, seconds: float | None = None) -> None:
        """Let the next requests that begin with `match` go wrong."""
        self.call("POST", "/faults", kind=kind, match=match, count=count, seconds=seconds)

    def forget(self) -> None:
        """Throw everything away, the clock too."""
        self.call("DELETE", "/state")
