"""The API keys that the demo made at the sandbox, kept for the next start: the service never gives one back."""

import json
import threading
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from copytrade.domain.instruments import Market, Venue
from copytrade.sandbox.client import Control, Number

Place = tuple[Venue, Market]
FIRST: Place = (Venue.BINANCE, Market.PERPETUAL)


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a sandbox account, and where it trades."""

    account_id: int
    api_key: str
    api_secret: str
    passphrase: str = ""
    venue: Venue = Venue.BINANCE
    market: Market = Market.PERPETUAL


class Keys:
    """Keys by the name of their account; written down before anybody uses them."""

    def __init__(self, file: Path, control: Control) -> None:
        self._file = file
        self._control = control
        self._lock = threading.Lock()
        rows = json.loads(file.read_text()) if file.exists() else {}
        self._known = {name: _key(row) for name, row in rows.items()}

    def of_character(self, name: str) -> Key:
        """Return the key of a trading character."""
        rows = [row for row in self._control.traders() if row["name"] == name]
        if not rows:
            raise LookupError(f"the sandbox has no trader {name}")
        return _key(rows[0])

    def of_account(self, name: str, *, funds: Number, place: Place = FIRST) -> Key:
        """Return the key of an account with these funds, made on the first call."""
        with self._lock:
            if name not in self._known:
                self._known[name] = made(self._control, name, funds=funds, place=place)
                self._write()
            return self._known[name]

    def _write(self) -> None:
        fresh = self._file.with_suffix(".new")
        fresh.touch(mode=0o600)
        fresh.write_text(json.dumps({name: asdict(key) for name, key in self._known.items()}))
        fresh.replace(self._file)


def made(control: Control, name: str, *, funds: Number, place: Place) -> Key:
    """Open an account at the sandbox that has `funds` USDT where it trades."""
    venue, market = place
    # Bybit's unified account trades both from one wallet.
    is_apart = market is Market.SPOT and venue is not Venue.BYBIT
    money: dict[str, Any] = {"coins": {"USDT": funds}} if is_apart else {"deposit": funds}
    row = control.create_account(name, venue=venue.value, **money)
    return _key(row | {"venue": venue, "market": market})


def _key(row: dict[str, Any]) -> Key:
    return Key(
        row["account_id"],
        row["api_key"],
        row["api_secret"],
        row.get("passphrase", ""),
        Venue(row.get("venue", FIRST[0])),
        Market(row.get("market", FIRST[1])),
    )
