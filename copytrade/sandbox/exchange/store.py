"""The state on disk: one file of lines, each all the records of one action, written before anybody hears of it.

A line reaches the operating system in one write, so that killing the process loses nothing that was answered; a line
torn by the kill was never answered and is dropped. Reading the file again from its start gives the state; starting
compacts it.
"""

import os
from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

Record = tuple[Any, ...]
_LINE = 2000


class Store:
    """Collects the records of an action and writes them as one line; before `open` or `rewrite` it keeps nothing."""

    def __init__(self, folder: Path | None) -> None:
        self._file = None if folder is None else folder / "state.jsonl"
        self._descriptor = -1
        self._pending: list[Record] = []
        self._silent = True
        self.written = 0

    def put(self, record: Record) -> None:
        """Add a record to the action that is under way."""
        if not self._silent:
            self._pending.append(record)

    def commit(self) -> None:
        """Write what was put since the last time."""
        if self._pending:
            line = orjson.dumps(self._pending) + b"\n"
            self._pending.clear()
            os.write(self._descriptor, line)
            self.written += len(line)

    def load(self, apply: Callable[[list[Any]], None]) -> bool:
        """Hand every record to `apply`, oldest first; tell whether there was a state."""
        if self._file is None or not self._file.exists():
            return False
        for line in self._file.read_bytes().split(b"\n"):
            if line:
                try:
                    records = orjson.loads(line)
                except orjson.JSONDecodeError:
                    break
                for record in records:
                    apply(record)
        return True

    def size(self) -> int:
        """Return the bytes on disk."""
        return self._file.stat().st_size if self._file is not None and self._file.exists() else 0

    def rewrite(self, records: Iterable[Record]) -> None:
        """Replace the file by these records in one step, and go on after them."""
        if self._file is None:
            return
        self._file.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._file.with_suffix(".new")
        remaining = iter(records)
        with fresh.open("wb") as out:
            while chunk := list(islice(remaining, _LINE)):
                out.write(orjson.dumps(chunk) + b"\n")
            out.flush()
            os.fsync(out.fileno())
        fresh.replace(self._file)
        self.open()

    def open(self) -> None:
        """Go on writing after what is there, behind the last whole line."""
        if self._file is None:
            return
        self.close()
        self._descriptor = os.open(self._file, os.O_WRONLY | os.O_CREAT, 0o600)
        whole = self._file.read_bytes().rfind(b"\n") + 1
        os.ftruncate(self._descriptor, whole)
        os.lseek(self._descriptor, whole, os.SEEK_SET)
        self._silent = False

    def close(self) -> None:
        """Let go of the file."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
