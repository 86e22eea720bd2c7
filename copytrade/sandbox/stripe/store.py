"""What the sandbox's Stripe remembers: objects, saved answers, deliveries and switches, in one SQLite file.

A committed answer survives the death of the process; requests are handled one after another in the event loop.
Whatever lists and look-ups filter by is indexed, so that ten thousand subscriptions are as quick as ten.
"""

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

from copytrade.sandbox.stripe.errors import Json

_TABLES = """
create table if not exists objects (
  seq integer primary key autoincrement, id text not null unique, kind text not null, created integer not null,
  due integer, body text not null, clock text not null default '');
create index if not exists objects_kind on objects (kind, seq);
create index if not exists objects_clock_due on objects (clock, due, seq) where due is not null;
create table if not exists answers (
  key text primary key, fingerprint text not null, status integer not null, body text not null, created real not null);
create index if not exists answers_created on answers (created);
create table if not exists deliveries (
  seq integer primary key autoincrement, event text not null, endpoint text not null, attempt integer not null,
  due real not null, state text not null, answer text not null default '', lane integer not null default 0);
create index if not exists deliveries_pending on deliveries (seq) where state = 'pending';
create table if not exists money (
  owner text not null, currency text not null, available_on integer not null, net integer not null,
  primary key (owner, currency, available_on)) without rowid;
create table if not exists switches (name text primary key, value text not null);
"""
_SUBSCRIPTION = "parent.subscription_details.subscription"
INDEXED = {
    "price": ("product",),
    "customer": ("email",),
    "payment_method": ("customer",),
    "checkout.session": ("customer", "subscription", "payment_intent"),
    "subscription": ("customer", "status"),
    "invoice": ("customer", _SUBSCRIPTION, "status"),
    "invoiceitem": ("customer",),
    "invoice_payment": ("invoice", "payment.payment_intent"),
    "payment_intent": ("customer",),
    "charge": ("customer", "payment_intent", "transfer_group"),
    "refund": ("charge", "payment_intent"),
    "balance_transaction": ("source",),
    "dispute": ("charge", "payment_intent"),
    "transfer": ("destination", "transfer_group", "source_transaction"),
    "transfer_reversal": ("transfer",),
    "promotion_code": ("code",),
    "event": ("type",),
}
"""Fields of each kind that are looked up by."""
_COMMON = {"status", "type", "active", "currency"}
"""Fields that tell little: of these an index serves only where nothing else is asked for."""
Created = list[tuple[str, int]]
"""Bounds of a list: comparison (`>=` …) and second."""


class Store:
    """Objects by id and kind; every change is written inside `transaction`."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / "stripe.sqlite"
        self.db = sqlite3.connect(file, isolation_level=None, check_same_thread=False, cached_statements=512)
        self.db.execute("pragma journal_mode=wal")
        self.db.execute("pragma synchronous=normal")
        self._widen("objects", "clock text not null default ''")
        self._widen("deliveries", "lane integer not null default 0")
        self.db.executescript(_TABLES)
        for kind, fields in INDEXED.items():
            for number, field in enumerate(fields):
                self.db.execute(
                    f"create index if not exists [find {kind} {number}] on objects"
                    f" (json_extract(body, '$.{field}'), seq) where kind = '{kind}'"
                )
        self._switches: dict[str, bytes] = {}

    def _widen(self, table: str, column: str) -> None:
        """Give a table of an earlier version a column that it lacks."""
        known = [row[1] for row in self.db.execute(f"pragma table_info({table})")]
        if known and column.split()[0] not in known:
            self.db.execute(f"alter table {table} add column {column}")

    def close(self) -> None:
        """Close the file."""
        self.db.close()

    def forget(self) -> None:
        """Throw everything away, switches and clock too."""
        self._switches.clear()
        for table in ("objects", "answers", "deliveries", "money", "switches"):
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
            self._switches.clear()
            raise
        self.db.execute("commit")

    def put(self, body: Json, *, due: int | None = None, owner: str = "", clock: str = "") -> Json:
        """Write an object; `due` is when its clock has something to do with it, `owner` the connected account."""
        self.db.execute(
            "insert into objects (id, kind, created, due, body, clock) values (?, ?, ?, ?, ?, ?)"
            " on conflict (id) do update set due = excluded.due, body = excluded.body, clock = excluded.clock",
            (body["id"], owned(body["object"], owner), body.get("created", 0), due, orjson.dumps(body).decode(), clock),
        )
        return body

    def get(self, id: str, *, owner: str | None = None) -> Json | None:
        """Return the object of this id; with `owner` only if it is his ('' is the account itself)."""
        row = self.db.execute("select body, kind from objects where id = ?", (id,)).fetchone()
        if row is None:
            return None
        body: Json = orjson.loads(row[0])
        return body if owner is None or row[1] == owned(body["object"], owner) else None

    def remove(self, id: str) -> None:
        """Take an object away."""
        self.db.execute("delete from objects where id = ?", (id,))

    def find(self, kind: str, **equal: Any) -> list[Json]:
        """Return the objects of a kind, newest first, whose fields equal the given values (`__` for a dot)."""
        return self.select(kind, {name.replace("__", "."): value for name, value in equal.items()})

    def select(
        self,
        kind: str,
        equal: dict[str, Any],
        *,
        created: Created | None = None,
        but: dict[str, Any] | None = None,
        below: int | None = None,
        above: int | None = None,
        limit: int = -1,
    ) -> list[Json]:
        """Return objects of a kind, newest first; between two places of the log, at most so many.

        Only `above`: the nearest ones above it. A list as a value: any of them.
        """
        # The kind stands in the text, because SQLite uses an index of one kind only when it sees that kind.
        where, values = [f"kind = '{kind}'"], []
        telling = equal.keys() - _COMMON
        for fields, word in ((equal, "in"), (but or {}, "not in")):
            for name, value in fields.items():
                options = value if isinstance(value, list) else [value]
                # The sign keeps SQLite from the index of a field that thousands have in common.
                sign = "+" if telling and name in _COMMON else ""
                where.append(f"{sign}json_extract(body, '$.{name}') {word} ({','.join('?' * len(options))})")
                values += options
        for sign, second in created or []:
            where.append(f"created {sign} ?")
            values.append(second)
        for sign, place in (("<", below), (">", above)):
            if place is not None:
                where.append(f"seq {sign} ?")
                values.append(place)
        upwards = above is not None and below is None
        rows = self.db.execute(
            f"select body from objects where {' and '.join(where)}"  # noqa: S608 - names are ours
            f" order by seq {'asc' if upwards else 'desc'} limit {limit}",
            values,
        ).fetchall()
        found = [orjson.loads(row[0]) for row in rows]
        return found[::-1] if upwards else found

    def place(self, id: str) -> int | None:
        """Return the place of an object in the log."""
        row = self.db.execute("select seq from objects where id = ?", (id,)).fetchone()
        return row[0] if row else None

    def next_due(self, until: int, *, clock: str = "") -> tuple[int, Json, str] | None:
        """Return the first object that a clock has something to do with by `until`: when, what and whose."""
        row = self.db.execute(
            "select due, body, kind from objects where clock = ? and due <= ? order by due, seq limit 1", (clock, until)
        ).fetchone()
        if row is None:
            return None
        owner, _, name = row[2].rpartition("/")
        return row[0], orjson.loads(row[1]), owner if name else ""

    def switch(self, name: str, default: Any) -> Any:
        """Return a switch of the control interface."""
        known = self._switches.get(name)
        if known is None:
            row = self.db.execute("select value from switches where name = ?", (name,)).fetchone()
            known = self._switches[name] = row[0].encode() if row else b""
        return orjson.loads(known) if known else default

    def set_switch(self, name: str, value: Any) -> None:
        """Set a switch of the control interface."""
        text = self._switches[name] = orjson.dumps(value)
        self.db.execute(
            "insert into switches values (?, ?) on conflict (name) do update set value = excluded.value",
            (name, text.decode()),
        )


def owned(kind: str, owner: str) -> str:
    """Return the kind under which an object of a connected account is kept."""
    return f"{owner}/{kind}" if owner else kind
