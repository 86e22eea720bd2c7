"""The mailbox: one SQLite file, so that mails survive a restart."""

import json
import sqlite3
import uuid
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

_KEEP = 2_000


class Mailbox:
    """Mails as JSON objects, newest first."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(folder / "mail.sqlite", isolation_level=None, check_same_thread=False)
        self._db.execute("pragma journal_mode=wal")
        self._db.execute("pragma synchronous=normal")
        self._db.execute(
            "create table if not exists mails (seq integer primary key autoincrement, id text unique, body text)"
        )

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def add(self, mail: EmailMessage, *, to: list[str]) -> None:
        """Keep a mail; the oldest go beyond two thousand."""
        body = {
            "id": uuid.uuid4().hex,
            "to": to,
            "from": str(mail.get("From", "")),
            "subject": str(mail.get("Subject", "")),
            "text": _part(mail, "plain"),
            "html": _part(mail, "html"),
            "headers": {name: str(value) for name, value in mail.items()},
            "received_at": datetime.now(UTC).isoformat(),
        }
        cursor = self._db.execute("insert into mails (id, body) values (?, ?)", (body["id"], json.dumps(body)))
        self._db.execute("delete from mails where seq <= ?", ((cursor.lastrowid or 0) - _KEEP,))

    def all(self, *, to: str | None = None) -> list[dict[str, Any]]:
        """Return the mails, newest first, of one recipient if told."""
        mails = [json.loads(row[0]) for row in self._db.execute("select body from mails order by seq desc")]
        return [mail for mail in mails if to is None or to in mail["to"]]

    def get(self, id: str) -> dict[str, Any] | None:
        """Return one mail."""
        row = self._db.execute("select body from mails where id = ?", (id,)).fetchone()
        return json.loads(row[0]) if row else None

    def clear(self) -> None:
        """Throw every mail away."""
        self._db.execute("delete from mails")


def _part(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body(preferencelist=(kind,))
    return str(part.get_content()) if part is not None else ""
