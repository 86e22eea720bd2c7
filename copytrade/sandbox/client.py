"""The control interface from Python, for tests, demo and benchmarks; see README.md for what each control does."""

from collections.abc import Mapping
from decimal import Decimal
from types import TracebackType
from typing import Any, Self

import httpx

Number = Decimal | int | str


class ControlError(Exception):
    """The sandbox did not do what a control asked."""


class Control:
    """Talks to a running sandbox's /control."""

    def __init__(self, base_url: str, *, timeout: float = 60.0) -> None:
        self.base_url = base_url.rstrip("/")
        self._http = httpx.Client(base_url=f"{self.base_url}/control", timeout=timeout, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connection."""
        self._http.close()

    def call(self, method: str, control: str, /, **facts: Any) -> Any:
        """Call a control by its path."""
        body = {name: _plain(value) for name, value in facts.items() if value is not None}
        response = self._http.request(method, control, json=body) if body else self._http.request(method, control)
        content = response.json()
        if response.status_code >= 400:
            raise ControlError(f"{method} {control}: {response.status_code} {content}")
        return content

    def create_account(
        self,
        name: str = "",
        *,
        venue: str | None = None,
        deposit: Number = 0,
        coins: Mapping[str, Number] | None = None,
        unified: bool | None = None,
        hedge: bool | None = None,
        leverage: dict[str, int] | None = None,
        isolated: dict[str, bool] | None = None,
        **key: Any,
    ) -> dict[str, Any]:
        """Open an account with a key; return api_key, api_secret, account_id, and passphrase where there is one.

        `deposit` is USDT of the perpetuals, `coins` are spot balances, `fee_asset` pays spot fees; `key`: see
        `add_key`.
        """
        money = {asset: str(amount) for asset, amount in (coins or {}).items()} or None
        where: dict[str, Any] = {"venue": venue, "deposit": deposit or None, "coins": money, "unified": unified}
        how: dict[str, Any] = {"hedge": hedge, "leverage": leverage, "isolated": isolated}
        return self.call("POST", "/accounts", name=name, **where, **how, **key)

    def add_key(self, account_id: int, **key: Any) -> dict[str, Any]:
        """Make another key; rights: reading, futures, spot, withdrawals, internal_transfer, universal_transfer,
        read_only, addresses (list), expires_in_s."""
        return self.call("POST", f"/accounts/{account_id}/keys", **key)

    def change_key(self, api_key: str, **key: Any) -> None:
        """Change a key's rights; `revoked=True` revokes it."""
        self.call("POST", f"/keys/{api_key}", **key)

    def revoke_key(self, api_key: str) -> None:
        """Make the venue refuse a key from now on."""
        self.change_key(api_key, revoked=True)

    def accounts(self) -> list[dict[str, Any]]:
        """Return all accounts' ids and names."""
        return self.call("GET", "/accounts")

    def account(self, account_id: int) -> dict[str, Any]:
        """Return wallet, equity, available, positions, open orders and counts of an account."""
        return self.call("GET", f"/accounts/{account_id}")

    def position(self, account_id: int, symbol: str) -> Decimal:
        """Return an account's signed position in base units."""
        rows = [row for row in self.account(account_id)["positions"] if row["symbol"] == symbol]
        return sum((Decimal(row["positionAmt"]) for row in rows), Decimal(0))

    def orders(self, account_id: int) -> list[dict[str, Any]]:
        """Return all orders of an account, oldest first, as Binance writes them."""
        return self.call("GET", f"/accounts/{account_id}/orders")

    def fills(self, account_id: int) -> list[dict[str, Any]]:
        """Return all trades of an account, oldest first, as Binance writes them."""
        return self.call("GET", f"/accounts/{account_id}/fills")

    def incomes(self, account_id: int) -> list[dict[str, Any]]:
        """Return an account's ledger, oldest first."""
        return self.call("GET", f"/accounts/{account_id}/incomes")

    def coins(self, account_id: int) -> dict[str, str]:
        """Return an account's spot balances by asset, what open orders hold included."""
        return self.call("GET", f"/accounts/{account_id}/coins")

    def transfer(self, account_id: int, amount: Number, *, asset: str | None = None, market: str | None = None) -> None:
        """Deposit, or withdraw when the amount is negative; with market "spot" any asset."""
        self.call("POST", f"/accounts/{account_id}/transfer", amount=amount, asset=asset, market=market)

    def move(self, account_id: int, amount: Number) -> None:
        """Move USDT from the spot wallet to that of the perpetuals, or back when the amount is negative."""
        self.call("POST", f"/accounts/{account_id}/move", amount=amount)

    def place(
        self,
        account_id: int,
        symbol: str,
        side: str,
        quantity: Number | None = None,
        *,
        market: str | None = None,
        price: Number | None = None,
        quote_quantity: Number | None = None,
        reduce_only: bool | None = None,
        time_in_force: str | None = None,
        position_side: str | None = None,
        client_id: str | None = None,
    ) -> dict[str, Any]:
        """Place an order by hand, as through the venue's own app; without price a market order.

        On spot a market order may be given by `quote_quantity`, the money to spend or to bring in.
        """
        form = {"price": price, "reduce_only": reduce_only, "time_in_force": time_in_force}
        ids = {"position_side": position_side, "client_id": client_id}
        facts = {"symbol": symbol, "side": side, "quantity": quantity, "market": market}
        facts["quote_quantity"] = quote_quantity
        return self.call("POST", f"/accounts/{account_id}/orders", **facts, **form, **ids)

    def cancel_all(self, account_id: int) -> int:
        """Cancel an account's open orders; return how many."""
        return self.call("DELETE", f"/accounts/{account_id}/orders")["cancelled"]

    def set_modes(
        self,
        account_id: int,
        *,
        hedge: bool | None = None,
        leverage: dict[str, int] | None = None,
        isolated: dict[str, bool] | None = None,
    ) -> None:
        """Set an account's position mode, leverage and margin modes by symbol."""
        self.call("POST", f"/accounts/{account_id}/modes", hedge=hedge, leverage=leverage, isolated=isolated)

    def liquidate(self, account_id: int, symbol: str | None = None) -> int:
        """Liquidate an account's positions at the mark price; return how many."""
        return self.call("POST", f"/accounts/{account_id}/liquidate", symbol=symbol)["closed"]

    def deleverage(self, account_id: int, symbol: str, quantity: Number | None = None) -> int:
        """Let the venue's auto-deleveraging close positions of a symbol, or so much of each; return how many."""
        return self.call("POST", f"/accounts/{account_id}/deleverage", symbol=symbol, quantity=quantity)["closed"]

    def market(self, *, market: str | None = None) -> list[dict[str, Any]]:
        """Return each symbol's mark price, bid and ask."""
        return self.call("GET", "/market", market=market)

    def set_price(self, symbol: str, price: Number, *, market: str | None = None, hold: bool = True) -> None:
        """Set the mark price; bid = price, ask = price + one tick. Held there, or going on from there.

        Spot follows: a coin that has a perpetual has its price, whichever of the two is set.
        """
        self.call("POST", "/price", symbol=symbol, market=market, price=price, hold=hold)

    def release_price(self, symbol: str | None = None, *, market: str | None = None) -> None:
        """Let a held price, or all, move again."""
        self.call("POST", "/price/release", symbol=symbol, market=market)

    def set_book(
        self,
        symbol: str,
        *,
        market: str | None = None,
        bids: list[tuple[Number, Number]] | None = None,
        asks: list[tuple[Number, Number]] | None = None,
    ) -> None:
        """Lay out a book of (price, quantity) that orders consume; it stays until `clear_book`."""
        sides = {"bids": _rows(bids), "asks": _rows(asks)}
        self.call("POST", "/book", symbol=symbol, market=market, empty=True, **sides)

    def clear_book(self, symbol: str, *, market: str | None = None) -> None:
        """Go back to the model's book."""
        self.call("POST", "/book", symbol=symbol, market=market)

    def halt(self, symbol: str, *, market: str | None = None, halted: bool = True) -> None:
        """Stop trading of a symbol, or let it go on."""
        self.call("POST", "/halt", symbol=symbol, market=market, halted=halted)

    def delist(self, symbol: str, *, market: str | None = None, delisted: bool = True) -> None:
        """Let a symbol vanish from the rules and refuse its orders as unknown, or bring it back."""
        self.call("POST", "/delist", symbol=symbol, market=market, delisted=delisted)

    def time(self) -> dict[str, int]:
        """Return now and server_time in ms, and offset_ms by which now is ahead of real time."""
        return self.call("GET", "/time")

    def advance(self, seconds: float, *, traders: bool = False, step_s: float = 60) -> dict[str, int]:
        """Run time fast; with `traders` they trade meanwhile. Returns `time()`."""
        return self.call("POST", "/advance", seconds=seconds, traders=traders, step_s=step_s)

    def traders(self) -> list[dict[str, Any]]:
        """Return the trading characters with api_key/api_secret and read_api_key/read_api_secret."""
        return self.call("GET", "/traders")

    def run_traders(self, *, running: bool = True) -> None:
        """Let the characters trade live, or stop them."""
        self.call("POST", "/traders", running=running)

    def fault(self, **facts: Any) -> int:
        """Put a fault of requests into force, once unless `count` says otherwise; return its id."""
        return self.call("POST", "/faults", **facts)["id"]

    def stream_fault(
        self,
        action: str,
        *,
        account: int = 0,
        event: str = "",
        count: int = 1,
        delay_ms: int = 0,
        replace: dict[str, Any] | None = None,
        remove: list[str] | None = None,
        exponents: bool | list[str] | None = None,
    ) -> int:
        """Lose, double, delay or change an account's next stream messages; return the fault's id."""
        facts = {"account": account, "event": event, "count": count, "delay_ms": delay_ms}
        changes = {"replace": replace, "remove": remove, "exponents": exponents}
        return self.call("POST", "/stream-faults", action=action, **facts, **changes)["id"]

    def faults(self) -> dict[str, Any]:
        """Return the faults in force with how often each has hit."""
        return self.call("GET", "/faults")

    def clear_faults(self) -> None:
        """End all faults, delays and skew."""
        self.call("DELETE", "/faults")

    def latency(self, *, in_ms: float = 0, out_ms: float = 0) -> None:
        """Delay every request on its way in and every answer and stream message on its way out."""
        self.call("POST", "/latency", in_ms=in_ms, out_ms=out_ms)

    def read_lag(self, ms: int, *, account: int | None = None) -> None:
        """Let look-ups and lists not see orders and fills younger than this."""
        self.call("POST", "/read-lag", ms=ms, account=account)

    def skew(self, ms: int, *, stamps: bool = False) -> None:
        """Move the venue's clock against real time; with `stamps` what happens there is stamped by it, too."""
        self.call("POST", "/skew", ms=ms, stamps=stamps)

    def cut_streams(self, account_id: int = 0) -> int:
        """Break off the websockets of an account, or all; return how many."""
        return self.call("POST", "/streams/cut", account=account_id)["cut"]

    def expire_listen_key(self, account_id: int) -> None:
        """End an account's listen key: its streams say so, then nothing more."""
        self.call("POST", "/streams/expire", account=account_id)

    def silence_streams(self, account_id: int, *, silent: bool = True) -> None:
        """Let an account's streams stay open and say nothing."""
        self.call("POST", "/streams/silence", account=account_id, silent=silent)

    def tell_raw(self, account_id: int, text: str) -> int:
        """Push a text as it stands on an account's streams; return on how many."""
        return self.call("POST", "/streams/raw", account=account_id, text=text)["told"]

    def streams(self) -> dict[str, Any]:
        """Return how many sockets are open: users by account id, markets."""
        return self.call("GET", "/streams")

    def limits(self, *, venue: str | None = None, **rules: int) -> dict[str, int]:
        """Set a venue's limits and forget counts and bans. Binance: weight_per_minute, spot_weight_per_minute,
        orders_per_10s, orders_per_minute, ban_after, ban_ms."""
        return self.call("POST", "/limits", venue=venue, **rules)

    def requests(self) -> dict[str, int]:
        """Return how often each "METHOD path" was called."""
        return self.call("GET", "/requests")

    def forget_requests(self) -> None:
        """Begin to count requests anew."""
        self.call("DELETE", "/requests")


def _rows(levels: list[tuple[Number, Number]] | None) -> list[list[str]]:
    return [[str(price), str(quantity)] for price, quantity in levels or []]


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Decimal) else value
