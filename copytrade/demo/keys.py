"""The API keys that the demo made at the sandbox, kept for the next start: the service never gives one back."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from copytrade.sandbox.client import Control, Number


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a sandbox account."""

    account_id: int
    api_key: str
    api_secret: str


class Keys:
    """Keys by the name of their account; written down before anybody uses them."""

    def __init__(self, file: Path, control: Control) -> None:
        self._file = file
        self._control = control
        rows = json.loads(file.read_text()) if file.exists() else {}
        self._known = {name: Key(**row) for name, row in rows.items()}

    def of_character(self, name: str) -> Key:
        """Return the key of a trading character."""
        rows = [row for row in self._control.traders() if row["name"] == name]
        if not rows:
            raise LookupError(f"the sandbox has no trader {name}")
        return Key(rows[0]["account_id"], rows[0]["api_key"], rows[0]["api_secret"])

    def of_account(self, name: str, *, funds: Number) -> Key:
        """Return the key of an account with these funds, made on the first call."""
        if name not in self._known:
            made = self._control.create_account(name, deposit=funds)
            self._known[name] = Key(made["account_id"], made["api_key"], made["api_secret"])
            self._write()
        return self._known[name]

    def _write(self) -> None:
        fresh = self._file.with_suffix(".new")
        fresh.touch(mode=0o600)
        fresh.write_text(json.dumps({name: asdict(key) for name, key in self._known.items()}))
        fresh.replace(self._file)
