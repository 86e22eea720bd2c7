"""Makes the characters trade: ninety days in seconds, then live."""

import hashlib
import random
from typing import Any

from copytrade.sandbox.characters import CHARACTERS, Character
from copytrade.sandbox.exchange import modes, ticking, trading
from copytrade.sandbox.exchange.accounts import Account, ApiKey
from copytrade.sandbox.exchange.engine import Exchange, OrderRequest
from copytrade.sandbox.exchange.instruments import BY_SYMBOL, MONEY_UNIT
from copytrade.sandbox.exchange.orders import OrderType, Refused
from copytrade.sandbox.exchange.path import DAY_MS
from copytrade.sandbox.view import View

_NAME = "traders"
_FAST_STEP_MS = 5 * 60_000
_BROKE = 50 * MONEY_UNIT


class Traders:
    """The characters with their accounts."""

    def __init__(self, exchange: Exchange, *, running: bool) -> None:
        self.exchange = exchange
        self.running = running
        self._accounts: dict[str, int] = exchange.extras.get(_NAME, {})
        self._slots: dict[str, int] = {}

    def make_history(self, *, start: int, end: int) -> None:
        """Open the accounts at `start` and trade up to `end`, in fast time, on an exchange that has not begun."""
        exchange = self.exchange
        exchange.clock.fix(start)
        exchange.ticked = exchange.funded = start
        for character in CHARACTERS:
            self._open(character)
        self._run(start, end, flows=True)
        exchange.set_extra(_NAME, self._accounts)
        exchange.clock.release(at=end)

    def run_fast(self, end: int) -> None:
        """Trade from the last tick up to a time, in fast time."""
        self._run(self.exchange.ticked, end, flows=False)
        self.exchange.clock.release()
        self.exchange.keep_time()
        self.exchange.commit()

    def step(self) -> None:
        """Let those decide live whose time has come."""
        if not self.running:
            return
        now = self.exchange.clock.now()
        for character in CHARACTERS:
            self._turn(character, now, every=character.live_seconds * 1000)

    def shown(self) -> list[dict[str, Any]]:
        """Return the traders with their keys: one that may trade, one that only reads."""
        rows: list[dict[str, Any]] = []
        for character in CHARACTERS:
            if character.name in self._accounts:
                trade, read = self._key(character, "trade"), self._key(character, "read")
                row = {"name": character.name, "about": character.about, "symbols": list(character.symbols)}
                row["account_id"] = self._accounts[character.name]
                row |= {"api_key": trade[0], "api_secret": trade[1]}
                rows.append(row | {"read_api_key": read[0], "read_api_secret": read[1]})
        return rows

    def _run(self, start: int, end: int, *, flows: bool) -> None:
        exchange = self.exchange
        for now in [*range(start + _FAST_STEP_MS, end, _FAST_STEP_MS), end]:
            exchange.clock.fix(now)
            ticking.tick(exchange)
            for character in CHARACTERS:
                if flows and (now - start) // DAY_MS != (now - start - _FAST_STEP_MS) // DAY_MS:
                    self._flow(character, (now - start) // DAY_MS)
                self._turn(character, now, every=character.fast_minutes * 60_000)

    def _open(self, character: Character) -> None:
        exchange = self.exchange
        account = exchange.open_account(character.name)
        self._accounts[character.name] = account.id
        exchange.transfer(account, character.deposit * MONEY_UNIT)
        for symbol in character.symbols:
            modes.set_leverage(exchange, account, BY_SYMBOL[symbol].index, character.leverage)
        for purpose in ("trade", "read"):
            key, secret = self._key(character, purpose)
            made = exchange.clock.now()
            exchange.add_key(ApiKey(key, secret, account.id, futures=purpose == "trade", created=made))

    def _key(self, character: Character, purpose: str) -> tuple[str, str]:
        name = f"{self.exchange.seed}:{character.name}:{purpose}"
        return hashlib.sha256(f"key:{name}".encode()).hexdigest(), hashlib.sha256(f"secret:{name}".encode()).hexdigest()

    def _flow(self, character: Character, day: int) -> None:
        account = self.exchange.accounts[self._accounts[character.name]]
        amount = character.flows.get(day, 0) * MONEY_UNIT
        if amount and account.wallet + 2 * amount > 0:
            self.exchange.transfer(account, amount)

    def _turn(self, character: Character, now: int, *, every: int) -> None:
        slot = now // every
        if self._slots.get(character.name) == slot or character.name not in self._accounts:
            return
        self._slots[character.name] = slot
        account = self.exchange.accounts[self._accounts[character.name]]
        rng = random.Random(f"{self.exchange.seed}:{character.name}:{slot}")
        view = View(self.exchange, account, now, rng)
        if view.equity < _BROKE:
            return
        wishes = character.decide(view)
        if any(wish.type is OrderType.LIMIT for wish in wishes):
            for order in list(account.open.values()):
                trading.cancel(self.exchange, account, order)
        for wish in wishes:
            self._try(account, wish)

    def _try(self, account: Account, wish: OrderRequest) -> None:
        try:
            trading.place(self.exchange, account, wish)
        except Refused:
            # The venue says no to him as to anybody; he thinks again at his next turn.
            return
