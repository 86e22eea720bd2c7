"""NAV per unit of an account: a time-weighted return that deposits and withdrawals do not move.

The rule: revalue at each flow where the equity just before it is known, else Modified Dietz for the day. Equity at or
below zero ends an epoch with NAV 0; the next deposit starts a new one at 1. Below the dust floor the NAV is frozen.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, localcontext

from copytrade.domain.trips import EXACT, ZERO, Execution

ONE = Decimal(1)
DAY = timedelta(days=1)
DUST_FLOOR = Decimal(10)
"""Equity in USDT below which a ratio of equities says nothing."""
TOLERANCE, TOLERANCE_SHARE = Decimal(1), Decimal("0.001")


@dataclass(frozen=True, slots=True)
class Flow:
    """Money that came in (positive) or left (negative), valued in USDT at its own time."""

    at: datetime
    amount: Decimal
    equity_before: Decimal | None = None


@dataclass(frozen=True, slots=True)
class DayEquity:
    """Equity at the end of a UTC day; `is_rebuilt` when it was not seen but worked out backwards."""

    day: date
    equity: Decimal
    is_rebuilt: bool = False


@dataclass(frozen=True, slots=True)
class NavDay:
    """One UTC day: closing equity, net flow, `change` without flows, the day's return and the NAV of its epoch."""

    day: date
    equity: Decimal
    flow: Decimal
    change: Decimal
    day_return: Decimal
    nav: Decimal
    epoch: int = 1
    is_rebuilt: bool = False


@dataclass(frozen=True, slots=True)
class Holding:
    """A signed quantity held now and its price now."""

    quantity: Decimal
    mark: Decimal


@dataclass(frozen=True, slots=True)
class Cash:
    """Money that moved without a trade: funding, a transfer, a rebate; positive came in."""

    at: datetime
    amount: Decimal


def day_end(day: date) -> datetime:
    """Return the instant at which a UTC day ends."""
    return datetime.combine(day, time.min, tzinfo=UTC) + DAY


def daily_nav(closes: Sequence[DayEquity], *, flows: Sequence[Flow], last: NavDay | None = None) -> list[NavDay]:
    """Return one row per calendar day from closing equities in day order; `last` continues an earlier series.

    The first row of all has NAV 1. A day without a closing equity carries the one before with return 0; its flows
    count in the next known day.
    """
    days: list[NavDay] = []
    for close in closes:
        if last is None:
            last = NavDay(close.day, close.equity, ZERO, ZERO, ZERO, ONE, is_rebuilt=close.is_rebuilt)
            days.append(last)
            continue
        begins = day_end(last.day)
        inside = [flow for flow in flows if begins <= flow.at < day_end(close.day)]
        gap = range(1, (close.day - last.day).days)
        days.extend([_carried(last, day=last.day + offset * DAY) for offset in gap])
        last = _next_day(last, close=close, flows=inside)
        days.append(last)
    return days


def period_return(
    opening: Decimal, *, closing: Decimal, flows: Sequence[Flow], begins: datetime, ends: datetime
) -> Decimal:
    """Return the time-weighted return (≥ −1) of a period: revalued at each flow, else Modified Dietz."""
    with localcontext(EXACT):
        total = sum((flow.amount for flow in flows), ZERO)
        if closing <= 0 and opening + total >= DUST_FLOOR:
            return -ONE
        if all(flow.equity_before is not None for flow in flows):
            return max(_chained(opening, closing=closing, flows=flows) - 1, -ONE)
        return max(_dietz(opening, closing=closing, flows=flows, begins=begins, ends=ends), -ONE)


def unexplained(opening: Decimal, *, closing: Decimal, pnl: Decimal, flow: Decimal) -> Decimal:
    """Return the change of equity that PnL and flows do not explain; 0 within max(1 USDT, 0.1 %)."""
    gap = closing - opening - pnl - flow
    return gap if abs(gap) > max(TOLERANCE, TOLERANCE_SHARE * abs(opening)) else ZERO


def rebuild_daily_equity(
    equity: Decimal,
    *,
    at: datetime,
    holdings: Mapping[str, Holding],
    executions: Sequence[Execution],
    cash: Sequence[Cash],
    closes: Mapping[tuple[str, date], Decimal],
) -> list[DayEquity]:
    """Return equity at the end of each past day, worked out backwards from the equity at `at`.

    Equity is cash plus quantity × price, so each fill is undone at its own price and no entry price is needed.
    The first day returned is the one before the first known event: what the account began with. A day without a
    close uses the nearest price known before it, else after it.
    """
    events = [(item.at, item) for item in (*executions, *cash) if item.at <= at]
    if not events:
        return []
    events.sort(key=lambda event: event[0], reverse=True)
    with localcontext(EXACT):
        money = equity - sum((held.quantity * held.mark for held in holdings.values()), ZERO)
        quantities = {symbol: held.quantity for symbol, held in holdings.items()}
        prices = _Prices(closes, executions=executions, holdings=holdings, now=at.astimezone(UTC).date())
        day, first = at.astimezone(UTC).date() - DAY, events[-1][0].astimezone(UTC).date() - DAY
        rows: list[DayEquity] = []
        index = 0
        while day >= first:
            while index < len(events) and events[index][0] >= day_end(day):
                money += _undo(events[index][1], quantities=quantities)
                index += 1
            worth = sum((held * prices.at(symbol, day=day) for symbol, held in quantities.items() if held), ZERO)
            rows.append(DayEquity(day, money + worth, is_rebuilt=True))
            day -= DAY
    return rows[::-1]


def opening_quantities(holdings: Mapping[str, Decimal], *, executions: Iterable[Execution]) -> dict[str, Decimal]:
    """Return the signed quantities held before the first of the given fills, without those that were flat."""
    before = dict(holdings)
    for execution in executions:
        before[execution.symbol] = before.get(execution.symbol, ZERO) - execution.quantity + execution.base_fee
    return {symbol: quantity for symbol, quantity in before.items() if quantity}


def _next_day(last: NavDay, *, close: DayEquity, flows: Sequence[Flow]) -> NavDay:
    flow = sum((item.amount for item in flows), ZERO)
    change = close.equity - last.equity - flow
    restarts = last.nav == 0 and close.equity > 0 and flow > 0
    base, opening = (ONE, max(last.equity, ZERO)) if restarts else (last.nav, last.equity)
    grown = period_return(opening, closing=close.equity, flows=flows, begins=day_end(last.day), ends=day_end(close.day))
    day_return = grown if base else ZERO
    epoch = last.epoch + 1 if restarts else last.epoch
    return NavDay(close.day, close.equity, flow, change, day_return, base * (1 + day_return), epoch, close.is_rebuilt)


def _carried(last: NavDay, *, day: date) -> NavDay:
    return NavDay(day, last.equity, ZERO, ZERO, ZERO, last.nav, last.epoch, last.is_rebuilt)


def _chained(opening: Decimal, *, closing: Decimal, flows: Sequence[Flow]) -> Decimal:
    growth, base = ONE, opening
    for flow in flows:
        before = flow.equity_before or ZERO
        growth *= _grown(base, to=before)
        base = before + flow.amount
    return growth * _grown(base, to=closing)


def _grown(base: Decimal, *, to: Decimal) -> Decimal:
    return to / base if base >= DUST_FLOOR else ONE


def _dietz(opening: Decimal, *, closing: Decimal, flows: Sequence[Flow], begins: datetime, ends: datetime) -> Decimal:
    total = sum((flow.amount for flow in flows), ZERO)
    if opening < DUST_FLOOR:
        base = opening + total
    else:
        span = Decimal((ends - begins) / timedelta(microseconds=1))
        late = ((flow, Decimal((ends - flow.at) / timedelta(microseconds=1))) for flow in flows)
        base = opening + sum((flow.amount * left / span for flow, left in late), ZERO)
    return (closing - opening - total) / base if base >= DUST_FLOOR else ZERO


def _undo(event: Execution | Cash, *, quantities: dict[str, Decimal]) -> Decimal:
    if isinstance(event, Cash):
        return -event.amount
    quantities[event.symbol] = quantities.get(event.symbol, ZERO) - event.quantity + event.base_fee
    return event.quantity * event.price + event.fee


class _Prices:
    """Closing prices by symbol and day, filled from fills and the price now where a close is missing."""

    def __init__(
        self,
        closes: Mapping[tuple[str, date], Decimal],
        *,
        executions: Sequence[Execution],
        holdings: Mapping[str, Holding],
        now: date,
    ) -> None:
        known: dict[str, dict[date, Decimal]] = {}
        for execution in sorted(executions, key=lambda item: item.at):
            known.setdefault(execution.symbol, {})[execution.at.astimezone(UTC).date()] = execution.price
        for symbol, held in holdings.items():
            known.setdefault(symbol, {})[now] = held.mark
        for (symbol, day), price in closes.items():
            known.setdefault(symbol, {})[day] = price
        self._known = known

    def at(self, symbol: str, *, day: date) -> Decimal:
        prices = self._known[symbol]
        if day in prices:
            return prices[day]
        earlier = [known for known in prices if known < day]
        return prices[max(earlier) if earlier else min(prices)]
