"""What a venue's refusal of an order means for its leg."""

from dataclasses import replace
from datetime import datetime, timedelta

from sqlmodel import Session

from copytrade.accounts import service as accounts
from copytrade.accounts.reasons import Reason
from copytrade.copying import bulk, notices
from copytrade.copying.records import LegRecord, OrderRecord
from copytrade.db.events import record
from copytrade.domain.instruments import Market
from copytrade.domain.legs import Purpose
from copytrade.domain.orders import Outcome, Refusal
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


def take(session: Session, leg: LegRecord, order: OrderRecord, outcome: Outcome, *, now: datetime) -> None:
    """Let a leg draw its conclusions from a refusal: when to try again, what to read or prepare first, whom to tell."""
    refusal = outcome.refusal or Refusal.OTHER
    if refusal is Refusal.NOTHING_TO_REDUCE:
        # A reading, not a refusal: what the account really holds is looked at.
        _have_read(session, leg, now=now)
        pause(leg, order, timedelta(seconds=5), now=now)
        return
    if refusal is Refusal.FUNDS and order.purpose is Purpose.EXIT and leg.instrument.market is Market.SPOT:
        _have_read(session, leg, now=now)
        if not leg.refusals:
            # Less is free than we hold: from now on each sale asks first what is.
            leg.refusals = 1
            return
    leg.leg = replace(leg.leg, last_reason=REFUSED_BECAUSE.get(refusal, SkipReason.REFUSED))
    if refusal is Refusal.PRICE and not leg.refusals:
        # Outside the venue's band: with a quote, which every further attempt asks for, it is drawn into it.
        leg.refusals = 1
        is_entry = order.purpose is Purpose.ENTRY
        leg.leg = replace(
            leg.leg,
            entry_attempts=leg.leg.entry_attempts + is_entry,
            exit_attempts=max(leg.leg.exit_attempts, 0 if is_entry else 1),
        )
        return
    longest = LONGEST_ENTRY_PAUSE if order.purpose is Purpose.ENTRY else LONGEST_EXIT_PAUSE
    pause(leg, order, min(timedelta(seconds=2**leg.refusals), longest), now=now)
    leg.refusals = min(leg.refusals + 1, 10)
    if refusal in (Refusal.LEVERAGE, Refusal.POSITION_MODE):
        bulk.fetch(
            session,
            "DELETE FROM trades.symbols_ready WHERE exchange_account_id = %(account)s AND symbol = %(symbol)s",
            account=leg.copy_account_id,
            symbol=order.symbol,
        )
    if refusal is Refusal.CREDENTIALS:
        accounts.pause(session, account_id=leg.copy_account_id, reason=Reason.WRONG_KEY)
    if order.purpose is Purpose.EXIT and leg.refusals == 2:
        record(
            session,
            "copy.failed",
            user_id=leg.subscriber_id,
            cause=f"exit:{order.id}",
            subscription_id=leg.subscription_id,
            trader=notices.trader(session, leg.profile_id),
            symbol=order.symbol,
            reason=REFUSED_BECAUSE.get(refusal, SkipReason.REFUSED).value,
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
