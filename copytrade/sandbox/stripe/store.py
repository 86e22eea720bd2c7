"""What the sandbox's Stripe remembers: objects, saved answers, deliveries and switches, in one SQLite file.

A committed answer survives the death of the process; requests are handled one after another in the event loop.
"""

import json
import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from copytrade.sandbox.stripe.errors import Json

_TABLES = """
create table if not exists objects (
  seq integer primary key autoincrement, id text not null unique, kind text not null, created integer not null,
  due integer, body text not null);
create index if not exists objects_kind on objects (kind, seq);
create index if not exists objects_due on objects (due) where due is not null;
create table if not exists answers (
  key text primary key, fingerprint text not null, status integer not null, body text not null, created real not null);
create table if not exists deliveries (
  seq integer primary key autoincrement, event text not null, endpoint text not null, attempt integer not null,
  due real not null, state text not null, answer text not null default '');
create index if not exists deliveries_due on deliveries (state, due);
create table if not exists switches (name text primary key, value text not null);
"""


class Store:
    """Objects by id and kind; every change is written inside `transaction`."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.db = sqlite3.connect(folder / "stripe.sqlite", isolation_level=None, check_same_thread=False)
        self.db.execute("pragma journal_mode=wal")
        self.db.execute("pragma synchronous=normal")
        self.db.executescript(_TABLES)

    def close(self) -> None:
        """Close the file."""
        self.db.close()

    def forget(self) -> None:
        """Throw everything away, switches and clock too."""
        for table in ("objects", "answers", "deliveries", "switches"):
            self.db.execute(f"delete from {table}")  # noqa: S608 - names are ours

    @contextmanager
    def transaction(self) -> Generator[None]:
        """Commit everything inside, or nothing of it when it raises."""
        if self.db.in_transaction:
            yield
            return
        self.db.execute("begin immediate")
        try:
            yield
        except BaseException:
            self.db.execute("rollback")
            raise
        self.db.execute("commit")

    def put(self, body: Json, *, due: int | None = None) -> Json:
        """Write an object; `due` is when the clock has something to do with it."""
        self.db.execute(
            "insert into objects (id, kind, created, due, body) values (?, ?, ?, ?, ?)"
            " on conflict (id) do update set due = excluded.due, body = excluded.body",
            (body["id"], body["object"], body.get("created", 0), due, json.dumps(body)),
        )
        return body

    def get(self, id: str) -> Json | None:
        """Return the object of this id."""
        row = self.db.execute("select body from objects where id = ?", (id,)).fetchone()
        return json.loads(row[0]) if row else None

    def find(self, kind: str, **equal: Any) -> list[Json]:
        """Return the objects of a kind, newest first, whose top-level or dotted fields equal the given values."""
        where = "".join(f" and json_extract(body, '$.{name.replace('__', '.')}') = ?" for name in equal)
        rows = self.db.execute(
            f"select body from objects where kind = ?{where} order by seq desc",  # noqa: S608 - names are ours
            (kind, *equal.values()),
        )
        return [json.loads(row[0]) for row in rows]

    def next_due(self, until: int) -> tuple[int, Json] | None:
        """Return the first object that the clock has something to do with by `until`."""
        row = self.db.execute(
            "select due, body from objects where due <= ? order by due, seq limit 1", (until,)
        ).fetchone()
        return (row[0], json.loads(row[1])) if row else None

    def switch(self, name: str, default: Any) -> Any:
        """Return a switch of the control interface."""
        row = self.db.execute("select value from switches where name = ?", (name,)).fetchone()
        return json.loads(row[0]) if row else default

    def set_switch(self, name: str, value: Any) -> None:
        """Set a switch of the control interface."""
        self.db.execute(
            "insert into switches values (?, ?) on conflict (name) do update set value = excluded.value",
            (name, json.dumps(value)),
        )
