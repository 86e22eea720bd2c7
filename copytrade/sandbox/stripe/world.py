"""The state of one pretended Stripe account: its store, its clocks and its event log."""

import asyncio
import secrets
import string
import time
import zlib
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from copytrade.sandbox.stripe import schedule, shapes
from copytrade.sandbox.stripe.errors import Json, no_such, no_such_reference
from copytrade.sandbox.stripe.store import Store

_ALPHABET = (string.ascii_letters + string.digits).encode()
_LETTERS = bytes(_ALPHABET[number % len(_ALPHABET)] for number in range(256))
_NOBODY: Json = {"id": None, "idempotency_key": None}
LANES = 16


@dataclass(frozen=True, slots=True)
class Listener:
    """A webhook endpoint as the event log needs it; `connect`: it hears of connected accounts, and only of them."""

    id: str
    events: frozenset[str]
    connect: bool


class World:
    """Everything that a handler works on."""

    def __init__(self, folder: Path) -> None:
        self.store = Store(folder)
        self.rung = asyncio.Event()
        self.woken = asyncio.Event()
        """Rung when a clock has something to do at once."""
        self.stopping = asyncio.Event()
        self.advancing = asyncio.Lock()
        self.request: Json = dict(_NOBODY)
        self.owner = ""
        self.base = ""
        self._frozen: int | None = None
        self._listeners: list[Listener] | None = None
        self._has_clocks: bool | None = None

    @contextmanager
    def asked(self, *, id: str | None = None, key: str | None = None, owner: str = "") -> Generator[None]:
        """Handle one request, whole or not at all; `owner` is the connected account that it speaks for."""
        self.request, self.owner, self._frozen = {"id": id, "idempotency_key": key}, owner, None
        try:
            with self.store.transaction():
                yield
        except BaseException:
            self.forget_known()
            raise
        finally:
            self.request, self.owner, self._frozen = dict(_NOBODY), "", None

    def forget_known(self) -> None:
        """Read anew what is remembered beside the store."""
        self._listeners, self._has_clocks = None, None

    def account_now(self) -> int:
        """Return the account's time in seconds: real time plus what the control interface advanced."""
        return int(time.time()) + int(self.store.switch("clock_offset", 0))

    def now(self) -> int:
        """Return the time of what is being handled: its test clock's, else the account's."""
        return self.account_now() if self._frozen is None else self._frozen

    @contextmanager
    def at(self, moment: int) -> Generator[None]:
        """Do something at the time of a test clock."""
        before, self._frozen = self._frozen, moment
        try:
            yield
        finally:
            self._frozen = before

    def new_id(self, prefix: str) -> str:
        """Return a fresh id such as `sub_…`."""
        return f"{prefix}_{secrets.token_bytes(24).translate(_LETTERS).decode()}"

    def get(self, kind: str, id: str, *, param: str | None = None) -> Json:
        """Return an object that must exist; `param` names the parameter that referred to it."""
        found = self.store.get(id, owner=self.owner)
        if found is None or found["object"] != kind:
            raise no_such_reference(kind, id, param=param) if param else no_such(kind, id)
        self._follow(found)
        return found

    def _follow(self, body: Json) -> None:
        """Take the time from the test clock of the first object that has one."""
        if self._frozen is not None or not self._clocks_there():
            return
        clock = self.clock_of(body)
        found = self.store.get(clock) if clock else None
        if found is not None:
            self._frozen = found["frozen_time"]

    def _clocks_there(self) -> bool:
        if self._has_clocks is None:
            self._has_clocks = bool(self.store.select("test_helpers.test_clock", {}, limit=1))
        return self._has_clocks

    def clock_of(self, body: Json) -> str:
        """Return the test clock that an object lives by, empty for the account's."""
        if "test_clock" in body:
            return body["test_clock"] or ""
        id = body.get("customer")
        customer = self.store.get(id) if isinstance(id, str) else None
        return (customer or {}).get("test_clock") or ""

    def save(self, body: Json) -> Json:
        """Write an object, with the moment at which its clock has something to do with it."""
        if body["object"] in ("webhook_endpoint", "test_helpers.test_clock"):
            self.forget_known()
        clock = body.get("test_clock") or ""
        return self.store.put(body, due=schedule.due(self.store, body), owner=self.owner, clock=clock)

    def change(self, body: Json, event: str, **fields: Any) -> Json:
        """Set fields of an object, write it and log the event with the previous values."""
        previous = {name: body.get(name) for name in fields if body.get(name) != fields[name]}
        body.update(fields)
        self.save(body)
        self.emit(event, body, previous=previous)
        return body

    def emit(self, type: str, body: Json, *, previous: Json | None = None, account: str = "") -> Json:
        """Log an event and queue it for every endpoint that wants it; `account`: it happened at a connected account."""
        account = account or self.owner
        wanted = [
            listener
            for listener in self.listeners()
            if listener.connect is bool(account) and ("*" in listener.events or type in listener.events)
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
        if account:
            event["account"] = account
        self.store.put(event, owner=account)
        self.queue(event, wanted, due=time.time() + float(self.store.switch("webhooks", {}).get("delay_s", 0)))
        return event

    def queue(self, event: Json, wanted: list[Listener], *, due: float) -> None:
        """Let an event be delivered; what is about the same customer keeps its order."""
        about = event["data"]["object"]
        subject = event.get("account") or about.get("customer") or about["id"]
        lane = zlib.crc32(str(subject).encode()) % LANES
        self.store.db.executemany(
            "insert into deliveries (event, endpoint, attempt, due, state, lane) values (?, ?, 0, ?, 'pending', ?)",
            [(event["id"], listener.id, due, lane) for listener in wanted],
        )
        self.rung.set()

    def listeners(self) -> list[Listener]:
        """Return the enabled webhook endpoints."""
        if self._listeners is None:
            self._listeners = [
                Listener(one["id"], frozenset(one["enabled_events"]), self.store.switch(f"connect:{one['id']}", False))
                for one in self.store.find("webhook_endpoint", status="enabled")
            ]
        return self._listeners


Handler = Callable[[World, Json, tuple[str, ...]], Json]
