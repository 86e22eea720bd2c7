"""One account's way to its venue: signed calls whose failures are ours, and one order's request sent at most once."""

import asyncio
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

from copytrade import clock, metrics
from copytrade.domain.instruments import Market
from copytrade.domain.orders import Outcome, OutcomeKind, VenueOrder
from copytrade.errors import ExchangeError, Unavailable
from copytrade.exchanges import ladder
from copytrade.exchanges.facts import Codes
from copytrade.exchanges.gate import Gate
from copytrade.exchanges.ground import Ground
from copytrade.exchanges.guard import Departure, departure
from copytrade.exchanges.judge import Failure, failure_of, judge
from copytrade.exchanges.leaving import may_leave
from copytrade.exchanges.limits import CONNECT, Lane, lane_of_reads
from copytrade.exchanges.meters import Charge, spend
from copytrade.exchanges.port import Credentials
from copytrade.exchanges.rows import ODD
from copytrade.settings import settings

Parsed = TypeVar("Parsed")
_WAIT_S = 5.0
"""How long nothing is read after the venue said "too often" without telling for how long."""
_PAST_PATIENCE_S = 60.0
_CONNECT_PATIENCE_S = 30.0


class Wire:
    """Calls of ccxt's implicit API (the venue's own endpoints) for one account."""

    def __init__(self, *, ground: Ground, gate: Gate, credentials: Credentials, account: str) -> None:
        self.ground = ground
        self.credentials = credentials
        self._gate = gate
        self._meters = gate.own_meters(account)
        self._known_charges: dict[tuple[str, bool], tuple[Charge, ...]] = {}
        self._closed_until = 0.0
        self._exchange: Any = ground.rest(credentials, way=gate.way)

    @property
    def codes(self) -> Codes:
        return self.ground.facts.codes

    async def ask(self, method: str, parameters: dict[str, Any] | None = None) -> Any:
        """Return the body of a read; Unavailable or BadCredentials otherwise."""
        body, failure = await self._call(method, parameters or {}, lane=lane_of_reads())
        if failure is None:
            return body
        raise ladder.read_error(failure, venue=self.ground.facts.venue, codes=self.codes)

    async def find(self, method: str, parameters: dict[str, Any]) -> Any | None:
        """Return the body of a look-up, None where the venue says that there is no such order."""
        body, failure = await self._call(method, parameters, lane=Lane.EXIT)
        if failure is None:
            return body
        if failure.code in self.codes.order_unknown:
            return None
        raise ladder.read_error(failure, venue=self.ground.facts.venue, codes=self.codes)

    async def change(self, method: str, parameters: dict[str, Any]) -> None:
        """Change a setting; unchanged is success. OrderRefused where the venue said no."""
        _, failure = await self._call(method, parameters, lane=Lane.ENTRY)
        if failure is not None and failure.code not in self.codes.unchanged:
            raise ladder.change_error(failure, venue=self.ground.facts.venue, codes=self.codes)

    async def submit(
        self,
        method: str,
        parameters: dict[str, Any],
        *,
        not_after: datetime,
        parse: Callable[[Any], VenueOrder],
    ) -> Outcome:
        """Send one order once and judge what became of it; never raises but when cancelled."""
        banned_for = self._gate.banned_for()
        if banned_for:
            return Outcome(OutcomeKind.NOT_SENT, message="the venue banned this address", retry_after=banned_for)
        lane = Lane.EXIT if _is_exit(parameters, market=self.ground.market) else Lane.ENTRY
        wait = await self._fit(method, parameters, lane=lane, patience=(not_after - clock.real_now()).total_seconds())
        if wait:
            return Outcome(OutcomeKind.NOT_SENT, message="the venue's limit is used up", retry_after=wait)
        if not await may_leave():
            return Outcome(OutcomeKind.NOT_SENT, message="it was held back before it left")
        sending, began = Departure(not_after=not_after, session=self.ground.session), time.monotonic()
        body, failure = await self._once(method, parameters, sending)
        answered_at = clock.real_now()
        if failure is None:
            failure = Failure(left=True, text="the answer does not tell what became of the order")
            try:
                order = parse(body)
            except ODD:
                return judge(failure, codes=self.codes, sent_at=sending.at, answered_at=answered_at)
            return Outcome(OutcomeKind.PLACED, sent_at=sending.at, acknowledged_at=answered_at, order=order)
        if failure.code in self.codes.clock:
            await self._measure_clock(since=began)
        return judge(failure, codes=self.codes, sent_at=sending.at, answered_at=answered_at)

    def read(self, parse: Callable[[Any], Parsed], body: Any) -> Parsed:
        """Return the parsed body of a read; Unavailable where it is not what the venue should have said."""
        try:
            return parse(body)
        except ODD as error:
            odd = f"{self.ground.facts.venue.value}: an answer could not be read ({type(error).__name__})"
        raise Unavailable(odd, venue=self.ground.facts.venue.value)

    def streaming(self, mixin: type[Any]) -> Any:
        """Return a fresh ccxt.pro object for this account, on its own way out."""
        return self.ground.streaming(mixin, self.credentials, way=self._gate.way)

    async def may_connect(self) -> None:
        """Wait until a stream may be opened: no ban is in force, and the venue's limit of connections has room."""
        charges = self._gate.charges(CONNECT, has_symbol=False)
        while True:
            wait = self._gate.banned_for()
            wait = wait or await self._gate.pass_through(charges, lane=lane_of_reads(), patience=_CONNECT_PATIENCE_S)
            if not wait:
                return
            await asyncio.sleep(min(wait, _CONNECT_PATIENCE_S))

    async def _call(self, method: str, parameters: dict[str, Any], *, lane: Lane) -> tuple[Any, Failure | None]:
        closed_for = max(self._gate.closed_for(), self._closed_until - time.monotonic())
        if closed_for > 0:
            return None, Failure(left=False, text="the venue told us to wait", retry_after=closed_for)
        patience = _PAST_PATIENCE_S if lane is Lane.PAST else settings().read_patience_s
        wait = await self._fit(method, parameters, lane=lane, patience=patience)
        if wait:
            return None, Failure(left=False, text="the venue's limit is used up", retry_after=wait)
        began = time.monotonic()
        body, failure = await self._once(method, parameters, Departure())
        if failure is not None and failure.code in self.codes.clock and await self._measure_clock(since=began):
            return await self._once(method, parameters, Departure())
        return body, failure

    async def _fit(self, method: str, parameters: dict[str, Any], *, lane: Lane, patience: float) -> float:
        """Have a call counted before it is sent; return 0, else for how many seconds nothing is left for it."""
        charges = self._charges(method, parameters)
        # What is at hand, nearly always, is spent without asking anybody.
        if spend(charges, lane=lane) is None:
            return 0.0
        wait = await self._gate.pass_through(charges, lane=lane, patience=patience)
        if wait:
            metrics.budget_refusals.labels(lane=lane.name.lower()).inc()
        return wait

    def _charges(self, method: str, parameters: dict[str, Any]) -> tuple[Charge, ...]:
        """Return what a call costs of this account's limits and of the address's."""
        asked = method, "symbol" in parameters
        known = self._known_charges.get(asked)
        if known is None:
            own = tuple(Charge(meter, 1) for limit, meter in self._meters.items() if limit.counts(method))
            known = self._known_charges[asked] = own + self._gate.charges(method, has_symbol=asked[1])
        return known

    def _learn(self, method: str, parameters: dict[str, Any], headers: Any) -> None:
        """Take what the answer's headers say of the limits."""
        told: dict[str, str] | None = None
        for charge in self._charges(method, parameters) if headers else ():
            meter = charge.meter
            if not meter.limit.used_header and not meter.limit.left_header:
                continue
            if told is None:
                told = {str(name).lower(): str(value) for name, value in headers.items()}
            used, left = told.get(meter.limit.used_header, ""), told.get(meter.limit.left_header, "")
            if used.isdecimal():
                meter.learn(float(used))
            elif left.isdecimal():
                meter.learn(max(meter.limit.amount - float(left), 0.0))

    async def _once(self, method: str, parameters: dict[str, Any], sending: Departure) -> tuple[Any, Failure | None]:
        token = departure.set(sending)
        try:
            body = await getattr(self._exchange, method)(parameters)
        except Exception as error:  # noqa: BLE001 - whatever broke, the caller must know whether the request left
            failure = failure_of(error, departed=sending.at is not None)
            self.heed(failure)
            told = failure.code or str(failure.status or "no_answer")
            metrics.exchange_errors.labels(venue=self.ground.facts.venue.value, code=told).inc()
            return None, failure
        finally:
            departure.reset(token)
            self._learn(method, parameters, sending.headers)
        if not isinstance(body, dict | list):
            return None, Failure(left=True, text="the answer was no JSON")
        return body, None  # pyright: ignore[reportUnknownVariableType] - JSON

    def heed(self, failure: Failure) -> None:
        """Keep away for as long as a failure says, from the venue or with this account alone."""
        if failure.status in self.codes.throttled_statuses:
            is_ban = failure.status in self.codes.ban_statuses
            self._gate.close_for(failure.retry_after or (self.codes.ban_s if is_ban else _WAIT_S), is_ban=is_ban)
        elif failure.code in self.codes.throttled:
            # without the status it is about the account, not about the address
            self._closed_until = time.monotonic() + (failure.retry_after or _WAIT_S)

    async def _measure_clock(self, *, since: float) -> bool:
        try:
            await self.ground.measure_clock(since=since)
        except ExchangeError:
            return False
        return True


def _is_exit(parameters: dict[str, Any], *, market: Market) -> bool:
    """Tell whether an order takes risk away: it may use what is kept for that."""
    if market is Market.SPOT:
        return str(parameters.get("side", "")).lower() == "sell"
    return str(parameters.get("reduceOnly", "")).lower() in ("true", "yes")
