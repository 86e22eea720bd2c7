"""The state of one pretended Stripe account: its store, its clock and its event log."""

import asyncio
import secrets
import string
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from copytrade.sandbox.stripe import shapes
from copytrade.sandbox.stripe.errors import Json, no_such, no_such_reference
from copytrade.sandbox.stripe.store import Store

_ALPHABET = string.ascii_letters + string.digits


class World:
    """Everything that a handler works on."""

    def __init__(self, folder: Path) -> None:
        self.store = Store(folder)
        self.rung = asyncio.Event()
        self.stopping = asyncio.Event()
        self.request: Json = {"id": None, "idempotency_key": None}
        self.base = ""

    def now(self) -> int:
        """Return the account's time in seconds: real time plus what the control interface advanced."""
        return int(time.time()) + int(self.store.switch("clock_offset", 0))

    def new_id(self, prefix: str) -> str:
        """Return a fresh id such as `sub_…`."""
        return prefix + "_" + "".join(secrets.choice(_ALPHABET) for _ in range(24))

    def get(self, kind: str, id: str, *, param: str | None = None) -> Json:
        """Return an object that must exist; `param` names the parameter that referred to it."""
        found = self.store.get(id)
        if found is None or found["object"] != kind:
            raise no_such_reference(kind, id, param=param) if param else no_such(kind, id)
        return found

    def save(self, body: Json, *, due: int | None = None) -> Json:
        """Write an object."""
        return self.store.put(body, due=due)

    def change(self, body: Json, event: str, *, due: int | None = None, **fields: Any) -> Json:
        """Set fields of an object, write it and log the event with the previous values."""
        previous = {name: body.get(name) for name in fields if body.get(name) != fields[name]}
        body.update(fields)
        self.save(body, due=due)
        self.emit(event, body, previous=previous)
        return body

    def emit(self, type: str, body: Json, *, previous: Json | None = None) -> Json:
        """Log an event and queue it for every endpoint that wants it."""
        wanted = [
            endpoint
            for endpoint in self.store.find("webhook_endpoint", status="enabled")
            if "*" in endpoint["enabled_events"] or type in endpoint["enabled_events"]
        ]
        event = shapes.event(
            id=self.new_id("evt"),
            now=self.now(),
            type=type,
            body=body,
            previous=previous,
            pending=len(wanted),
            request=dict(self.request),
        )
        self.store.put(event)
        due = time.time() + float(self.store.switch("webhooks", {}).get("delay_s", 0))
        for endpoint in wanted:
            self.store.db.execute(
                "insert into deliveries (event, endpoint, attempt, due, state) values (?, ?, 0, ?, 'pending')",
                (event["id"], endpoint["id"], due),
            )
        self.rung.set()
        return event


Handler = Callable[[World, Json, tuple[str, ...]], Json]
