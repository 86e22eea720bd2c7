"""Makes the characters trade: ninety days in seconds, then live."""

import hashlib
import random
from typing import Any

from copytrade.sandbox.characters import CHARACTERS, Character
from copytrade.sandbox.exchange import modes, spot, ticking, trading
from copytrade.sandbox.exchange.accounts import Account, ApiKey
from copytrade.sandbox.exchange.engine import Exchange, OrderRequest
from copytrade.sandbox.exchange.instruments import BY_SYMBOL, MONEY_UNIT, QUOTE
from copytrade.sandbox.exchange.orders import OrderType, Refused
from copytrade.sandbox.exchange.path import DAY_MS
from copytrade.sandbox.spot_characters import SPOT_CHARACTERS
from copytrade.sandbox.view import View

EVERYBODY = CHARACTERS + SPOT_CHARACTERS
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
        for character in EVERYBODY:
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
        for character in EVERYBODY:
            self._turn(character, now, every=character.live_seconds * 1000)

    def shown(self) -> list[dict[str, Any]]:
        """Return the traders with their keys: one that may trade, one that only reads."""
        rows: list[dict[str, Any]] = []
        for character in EVERYBODY:
            if character.name in self._accounts:
                trade, read = self._key(character, "trade"), self._key(character, "read")
                account_id = self._accounts[character.name]
                row: dict[str, Any] = {"name": character.name, "about": character.about, "account_id": account_id}
                market = "spot" if character.is_spot else "perpetual"
                row |= {"symbols": list(character.symbols), "venue": character.venue, "market": market}
                row |= {"api_key": trade.key, "api_secret": trade.secret}
                row |= {"read_api_key": read.key, "read_api_secret": read.secret}
                rows.append(row | {"passphrase": trade.passphrase} if trade.passphrase else row)
        return rows

    def _run(self, start: int, end: int, *, flows: bool) -> None:
        exchange = self.exchange
        for now in [*range(start + _FAST_STEP_MS, end, _FAST_STEP_MS), end]:
            exchange.clock.fix(now)
            ticking.tick(exchange)
            for character in EVERYBODY:
                if flows and (now - start) // DAY_MS != (now - start - _FAST_STEP_MS) // DAY_MS:
                    self._flow(character, (now - start) // DAY_MS)
                self._turn(character, now, every=character.fast_minutes * 60_000)

    def _open(self, character: Character) -> None:
        exchange, unified = self.exchange, character.venue == "bybit"
        account = exchange.open_account(character.name, venue=character.venue, unified=unified)
        self._accounts[character.name] = account.id
        self._bring(character, account, character.deposit)
        for symbol in () if character.is_spot else character.symbols:
            modes.set_leverage(exchange, account, BY_SYMBOL[symbol].index, character.leverage)
        for purpose in ("trade", "read"):
            exchange.add_key(self._key(character, purpose))

    def _bring(self, character: Character, account: Account, usdt: int) -> None:
        if character.is_spot:
            spot.transfer(self.exchange, account, QUOTE, usdt * MONEY_UNIT)
        else:
            self.exchange.transfer(account, usdt * MONEY_UNIT)

    def _key(self, character: Character, purpose: str) -> ApiKey:
        name = f"{self.exchange.seed}:{character.name}:{purpose}"
        key, secret = (hashlib.sha256(f"{part}:{name}".encode()).hexdigest() for part in ("key", "secret"))
        made, trades = self.exchange.clock.now(), purpose == "trade"
        rights: dict[str, Any] = {"futures": trades and not character.is_spot, "spot": trades and character.is_spot}
        word = hashlib.sha256(f"passphrase:{character.name}".encode()).hexdigest()[:16]
        passphrase = word if character.venue == "bitget" else ""
        return ApiKey(key, secret, self._accounts[character.name], **rights, created=made, passphrase=passphrase)

    def _flow(self, character: Character, day: int) -> None:
        account = self.exchange.accounts[self._accounts[character.name]]
        usdt = character.flows.get(day, 0)
        there = spot.coin(account, QUOTE) if character.is_spot else account.wallet
        if usdt and there + 2 * usdt * MONEY_UNIT > 0:
            self._bring(character, account, usdt)

    def _turn(self, character: Character, now: int, *, every: int) -> None:
        slot = now // every
        if self._slots.get(character.name) == slot or character.name not in self._accounts:
            return
        self._slots[character.name] = slot
        account = self.exchange.accounts[self._accounts[character.name]]
        rng = random.Random(f"{self.exchange.seed}:{character.name}:{slot}")
        view = View(self.exchange, account, now, rng, character.is_spot)
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
