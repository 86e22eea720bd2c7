"""What is known of accounts before something is opened in them: read from the tables, judged for one order."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from copytrade.copying.records import LegRecord
from copytrade.db.trips import Ask, Asking
from copytrade.domain.driving import HOLD_PAUSE, Order
from copytrade.domain.instruments import PositionSide
from copytrade.domain.quantities import sign
from copytrade.domain.readings import QUIET, is_reconciled
from copytrade.domain.skips import SkipReason
from copytrade.settings import settings


@dataclass(frozen=True, slots=True)
class Ready:
    """An account as it was made and read for a symbol; `own` is the side on which it holds more than our legs do."""

    own: int
    hold: SkipReason | None
    is_fresh: bool
    read_at: datetime


_READY = """
SELECT exchange_account_id, symbol, own, hold, read_at, retry_at FROM trades.symbols_ready
WHERE exchange_account_id = ANY(%(ids)s) AND symbol = ANY(%(symbols)s)
"""


def asking(
    account_ids: Collection[UUID], symbols: Collection[str], *, now: datetime
) -> Asking[dict[tuple[UUID, str], Ready]]:
    """Ask for what is known of accounts, by account and symbol."""
    [rows] = yield [Ask(_READY, {"ids": list(account_ids), "symbols": list(symbols)})]
    oldest = now - timedelta(seconds=settings().copy_equity_max_age_s)
    return {
        (account, symbol): Ready(
            sign(own), SkipReason(hold) if hold else None, read_at >= oldest and (retry is None or retry > now), read_at
        )
        for account, symbol, own, hold, read_at, retry in rows
    }


def is_over_zero(leg: LegRecord, order: Order) -> bool:
    """Tell whether an entry first closes what the leg holds on the other side."""
    return leg.leg.held * order.signed < 0


def settles_at(leg: LegRecord, order: Order, *, now: datetime) -> datetime | None:
    """Return when to look again at a leg that cannot be reconciled now, where this entry needs it."""
    if not is_over_zero(leg, order):
        return None
    if leg.drift_reading is not None:
        return now + HOLD_PAUSE
    quiet_at = leg.last_order_ended_at + QUIET if leg.last_order_ended_at is not None else now
    return quiet_at if now < quiet_at else None


def is_enough(ready: Ready, leg: LegRecord, order: Order, *, now: datetime) -> bool:
    """Tell whether an account was read lately enough for this entry: for one over zero, just now."""
    if ready.hold is not None or not is_over_zero(leg, order):
        return ready.is_fresh
    return ready.is_fresh and is_reconciled(read_at=ready.read_at, ended_at=leg.last_order_ended_at, now=now)


def held_back(ready: Ready, leg: LegRecord, order: Order) -> SkipReason | None:
    """Return what holds an entry back, if anything: modes that were refused, a position of his own in its way.

    Of an order over zero only what the account still holds closes: were that not what the leg holds, it would enter
    too much.
    """
    if ready.hold is not None or leg.instrument.position_side is not PositionSide.NET:
        return ready.hold
    is_in_its_way = ready.own * order.side.sign < 0 or (is_over_zero(leg, order) and ready.own != 0)
    return SkipReason.OWN_POSITION if is_in_its_way else None
