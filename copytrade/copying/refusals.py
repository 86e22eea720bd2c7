"""What a venue's refusal of an order means for its leg."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlmodel import Session

from copytrade.accounts import service as accounts
from copytrade.accounts.reasons import Reason
from copytrade.copying import bulk, notices
from copytrade.copying.records import LegRecord, OrderRecord
from copytrade.db.events import record
from copytrade.domain.instruments import Market
from copytrade.domain.legs import Purpose
from copytrade.domain.orders import Refusal
from copytrade.domain.skips import SkipReason

REFUSED_BECAUSE = {
    Refusal.FUNDS: SkipReason.FUNDS,
    Refusal.LEVERAGE: SkipReason.LEVERAGE,
    Refusal.MIN_NOTIONAL: SkipReason.TOO_SMALL,
    Refusal.POSITION_MODE: SkipReason.POSITION_MODE,
    Refusal.MARKET_CLOSED: SkipReason.MARKET_CLOSED,
    Refusal.CREDENTIALS: SkipReason.CREDENTIALS,
}
LONGEST_ENTRY_PAUSE = timedelta(seconds=30)
LONGEST_EXIT_PAUSE = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Conclusion:
    """What a refusal asks for beyond its leg."""

    has_account_read: bool = False
    """What the account really holds is looked at."""
    has_account_prepared: bool = False
    is_bad_key: bool = False
    tells_why: SkipReason | None = None
    """He is told that an exit does not go through, and why."""


NOTHING_MORE = Conclusion()


def conclude(leg: LegRecord, order: OrderRecord, refusal: Refusal, *, now: datetime) -> Conclusion:
    """Let a leg draw its conclusions from a refusal, when to try again above all; return what else is to be done."""
    if refusal is Refusal.NOTHING_TO_REDUCE:
        # A reading, not a refusal: what the account really holds is looked at.
        pause(leg, order, timedelta(seconds=5), now=now)
        return Conclusion(has_account_read=True)
    is_unsold = refusal is Refusal.FUNDS and order.purpose is Purpose.EXIT and leg.instrument.market is Market.SPOT
    if is_unsold and not leg.refusals:
        # Less is free than we hold: from now on each sale asks first what is.
        leg.refusals = 1
        return Conclusion(has_account_read=True)
    why = REFUSED_BECAUSE.get(refusal, SkipReason.REFUSED)
    leg.leg = replace(leg.leg, last_reason=why)
    if refusal is Refusal.PRICE and not leg.refusals:
        # Outside the venue's band: with a quote, which every further attempt asks for, it is drawn into it.
        leg.refusals = 1
        is_entry = order.purpose is Purpose.ENTRY
        leg.leg = replace(
            leg.leg,
            entry_attempts=leg.leg.entry_attempts + is_entry,
            exit_attempts=max(leg.leg.exit_attempts, 0 if is_entry else 1),
        )
        return NOTHING_MORE
    longest = LONGEST_ENTRY_PAUSE if order.purpose is Purpose.ENTRY else LONGEST_EXIT_PAUSE
    pause(leg, order, min(timedelta(seconds=2**leg.refusals), longest), now=now)
    leg.refusals = min(leg.refusals + 1, 10)
    return Conclusion(
        has_account_read=is_unsold,
        has_account_prepared=refusal in (Refusal.LEVERAGE, Refusal.POSITION_MODE),
        is_bad_key=refusal is Refusal.CREDENTIALS,
        tells_why=why if order.purpose is Purpose.EXIT and leg.refusals == 2 else None,
    )


def act(session: Session, leg: LegRecord, order: OrderRecord, conclusion: Conclusion, *, now: datetime) -> None:
    """Do what a refusal asks for beyond its leg: read or prepare the account, pause it, tell its owner."""
    if conclusion.has_account_read:
        _have_read(session, leg, now=now)
    if conclusion.has_account_prepared:
        bulk.fetch(
            session,
            "DELETE FROM trades.symbols_ready WHERE exchange_account_id = %(account)s AND symbol = %(symbol)s",
            account=leg.copy_account_id,
            symbol=order.symbol,
        )
    if conclusion.is_bad_key:
        accounts.pause(session, account_id=leg.copy_account_id, reason=Reason.WRONG_KEY)
    if conclusion.tells_why is not None:
        record(
            session,
            "copy.failed",
            user_id=leg.subscriber_id,
            cause=f"exit:{order.id}",
            subscription_id=leg.subscription_id,
            trader=notices.trader(session, leg.profile_id),
            symbol=order.symbol,
            reason=conclusion.tells_why.value,
            quantity=f"{order.quantity.normalize():f}",
        )


def _have_read(session: Session, leg: LegRecord, *, now: datetime) -> None:
    bulk.fetch(
        session,
        "INSERT INTO trades.copy_readings (exchange_account_id, due_at) VALUES (%(account)s, %(now)s)"
        " ON CONFLICT (exchange_account_id) DO UPDATE SET due_at = excluded.due_at",
        account=leg.copy_account_id,
        now=now,
    )


def pause(leg: LegRecord, order: OrderRecord, length: timedelta, *, now: datetime) -> None:
    """Hold the next order of this purpose back for a while."""
    if order.purpose is Purpose.ENTRY:
        leg.leg = replace(leg.leg, enter_after=now + length)
    else:
        leg.leg = replace(leg.leg, exit_after=now + length)
