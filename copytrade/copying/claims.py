"""Claims legs that are due and turns their next orders into `sending`, committed before anything leaves (Step 3)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel import Session

from copytrade import clock
from copytrade.accounts import queries as accounts
from copytrade.copying import bulk, intentions, notices, readiness, records, saving, settings_rows, standing, switches
from copytrade.copying.models import CopyOrder, LegState, OrderState, SwitchMode
from copytrade.copying.records import LegRecord, OrderRecord
from copytrade.copying.work import Claimed, Known, Preparing, Read, Sending
from copytrade.db.bell import ring
from copytrade.db.model import new_id
from copytrade.db.trips import Trip
from copytrade.domain.driving import (
    HOLD_PAUSE,
    OPEN_GATE,
    Flatten,
    Gate,
    Order,
    Turn,
    Wait,
    WaitReason,
    drop_openings,
    turn,
)
from copytrade.domain.fills import Quote
from copytrade.domain.instruments import Market, MarketRules, PositionSide, Side
from copytrade.domain.legs import Purpose
from copytrade.domain.orders import OrderKind, OrderRequest
from copytrade.domain.quantities import ZERO
from copytrade.domain.skips import SkipReason
from copytrade.exchanges.port import AccountRef
from copytrade.settings import settings

FIRST_LOOK_UP = timedelta(seconds=2)
"""An order that is still being sent is looked up from now on."""
NEEDS_PAUSE = timedelta(milliseconds=250)
"""A leg that lacks a quote or the market's rules is looked at again after this, if nothing wakes it before."""
UNLISTED_PAUSE = timedelta(seconds=30)
PREPARING_PAUSE = timedelta(seconds=3)


@dataclass(slots=True)
class _Desk:
    now: datetime
    real_now: datetime
    known: Known
    read: Read
    claimed: Claimed = field(default_factory=Claimed)
    dropped: list[OrderRecord] = field(default_factory=list[OrderRecord])
    confirmed: list[OrderRecord] = field(default_factory=list[OrderRecord])
    written: list[tuple[LegRecord, OrderRecord]] = field(default_factory=list[tuple[LegRecord, OrderRecord]])


def claim(session: Session, *, known: Known, owner: str) -> Claimed:
    """Take legs that are due, nobody else's, and decide for each what to send now; the caller commits."""
    now = clock.now()
    legs = records.lock(
        session,
        "due_at <= %(now)s ORDER BY due_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED",
        now=now,
        limit=settings().drive_batch,
    )
    if not legs:
        return Claimed()
    desk = look(legs, known=known, now=now, read=_read(session, legs, now=now))
    with bulk.pipelined(session):
        saving.drop(session, desk.dropped, now=now)
        saving.save(session, [leg for leg in legs if leg.leg is not leg.loaded_leg], now=now)
        saving.reschedule(session, [leg for leg in legs if leg.leg is leg.loaded_leg])
        send(session, desk, owner=owner)
    notices.tell(session, legs, now=now)
    changed = {leg.subscriber_id for leg in legs if leg.skips}
    ring(session, *(f"user:{person}" for person in changed))
    return desk.claimed


def look(legs: Sequence[LegRecord], *, known: Known, now: datetime, read: Read) -> _Desk:
    """Decide what legs, locked by the caller, send now; he writes them, and `send` what is to be sent."""
    desk = _Desk(now, clock.real_now(), known, read)
    for leg in legs:
        _look_at(desk, leg)
    desk.claimed.legs, desk.claimed.switches = len(legs), read.switches
    return desk


def _read(session: Session, legs: Sequence[LegRecord], *, now: datetime) -> Read:
    subscriptions = list({leg.subscription_id for leg in legs})
    copy_accounts = list({leg.copy_account_id for leg in legs})
    trip = Trip(session)
    chosen = trip.ask(settings_rows.asking(subscriptions))
    found = trip.ask(accounts.asking_standings(copy_accounts))
    turned = trip.ask(switches.asking())
    ready = trip.ask(readiness.asking(copy_accounts, {leg.instrument.symbol for leg in legs}, now=now))
    held = trip.ask(standing.asking_held_back(subscriptions))
    trip.go()
    return Read(chosen.value, found.value, turned.value, ready.value, held.value)


def _look_at(desk: _Desk, leg: LegRecord) -> None:
    account = desk.read.accounts[leg.copy_account_id].ref
    listed = desk.known.rules.get((account.venue, account.market, account.mode), {})
    rules = listed.get(leg.instrument.symbol)
    if rules is None:
        desk.claimed.rules.append(account)
        # Where the others are known, the venue does not list this one: it may come back.
        leg.due_at = desk.now + (UNLISTED_PAUSE if listed else NEEDS_PAUSE)
        if listed and not leg.leg.live:
            _leave_unlisted(desk, leg)
        return
    quote = desk.known.quotes.get((account.venue, account.market, account.mode, leg.instrument.symbol))
    gate = _gate(desk, leg)
    turned = _turn(desk, leg, rules, quote, gate)
    if leg.instrument.market is Market.SPOT:
        turned = _selling(desk, leg, turned, account)
    elif isinstance(turned.decision, Order) and turned.decision.purpose is Purpose.ENTRY:
        turned = _entering(desk, leg, turned, account=account, rules=rules, quote=quote)
    leg.leg = turned.leg
    leg.skip(turned.skips)
    _act(desk, leg, turned.decision, account)


def _leave_unlisted(desk: _Desk, leg: LegRecord) -> None:
    """What is not listed (the paper exchange has fewer symbols than its venue) is not waited for."""
    leg.leg, skips = drop_openings(leg.leg, SkipReason.UNLISTED)
    leg.skip(skips)
    if leg.planned is not None:
        desk.dropped.append(leg.planned)
    if leg.leg.target == leg.leg.held:
        leg.waits_for, leg.due_at = "", None


def _turn(desk: _Desk, leg: LegRecord, rules: MarketRules, quote: Quote | None, gate: Gate) -> Turn:
    balances = desk.known.free.get(leg.copy_account_id)
    return turn(
        leg.leg,
        rules=rules,
        settings=desk.read.settings[leg.subscription_id],
        quote=quote,
        now=desk.now,
        real_now=desk.real_now,
        market=leg.instrument.market,
        gate=gate,
        free=balances.get(rules.base, ZERO) if balances is not None else None,
    )


def _gate(desk: _Desk, leg: LegRecord) -> Gate:
    if leg.state is LegState.KEPT:
        return Gate(frozen=True)
    mode = desk.read.switches.of(leg)
    if desk.read.accounts[leg.copy_account_id].state != "active":
        return Gate(hands_off=True, drop_entries=SkipReason.CREDENTIALS)
    if mode is SwitchMode.HANDS_OFF:
        return Gate(hands_off=True)
    if mode is SwitchMode.FLATTEN:
        return _flattening(leg, SkipReason.HALTED)
    held = desk.read.held.get(leg.subscription_id)
    if held is not None and held.closes:
        return _flattening(leg, held.reason)
    if leg.is_ending:
        return Gate(drop_entries=SkipReason.STOPPED)
    if mode is SwitchMode.ENTRIES_OFF:
        return Gate(drop_entries=SkipReason.HALTED)
    if desk.read.settings[leg.subscription_id].is_paused:
        return Gate(drop_entries=SkipReason.PAUSED)
    if held is not None:
        return Gate(drop_entries=held.reason)
    return Gate(hold_entries=SkipReason.DRIFT_HALT) if leg.is_halted else OPEN_GATE


def _flattening(leg: LegRecord, reason: SkipReason) -> Gate:
    return Gate(flatten=Flatten(reason, new_id(), leg.price))


def _selling(desk: _Desk, leg: LegRecord, turned: Turn, account: AccountRef) -> Turn:
    """After a sale that was refused for funds: what is free is read first, since it may lie in an order of his own."""
    decision = turned.decision
    is_sale = isinstance(decision, Order) and decision.purpose is Purpose.EXIT and decision.side is Side.SELL
    if not leg.refusals or not is_sale:
        return turned
    if account.id in desk.known.free:
        return turned
    desk.claimed.balances[account.id] = account
    desk.claimed.selling.append(leg.id)
    return Turn(turned.leg, turned.skips, Wait(WaitReason.NOT_FREE, desk.now + NEEDS_PAUSE))


def _entering(
    desk: _Desk, leg: LegRecord, turned: Turn, *, account: AccountRef, rules: MarketRules, quote: Quote | None
) -> Turn:
    """Before the first entry: the account is made ready for the symbol, and his own position is looked at.

    What was refused since, when the lead changed his modes, holds further entries too.
    """
    order = turned.decision
    assert isinstance(order, Order)
    ready = desk.read.ready.get((leg.copy_account_id, leg.instrument.symbol))
    adds = leg.leg.held * order.signed > 0
    if adds and (ready is None or ready.hold is None):
        return turned
    if (settles_at := readiness.settles_at(leg, order, now=desk.now)) is not None:
        return Turn(turned.leg, turned.skips, Wait(WaitReason.HELD_BACK, settles_at))
    if ready is None or not readiness.is_enough(ready, leg, order, now=desk.now):
        is_hedged = leg.instrument.position_side is not PositionSide.NET
        desk.claimed.preparing.append(Preparing(account, leg.lead_account_id, leg.instrument.symbol, is_hedged))
        return Turn(turned.leg, turned.skips, Wait(WaitReason.HELD_BACK, desk.now + PREPARING_PAUSE))
    hold = readiness.held_back(ready, leg, order)
    if hold is None:
        return turned
    again = _turn(desk, leg, rules, quote, Gate(hold_entries=hold))
    return Turn(again.leg, again.skips, Wait(WaitReason.HELD_BACK, desk.now + HOLD_PAUSE))


def _act(desk: _Desk, leg: LegRecord, decision: object, account: AccountRef) -> None:
    was = leg.planned
    leg.waits_for = ""
    leg.due_at = None
    if not isinstance(decision, Order):
        if was is not None:
            desk.dropped.append(was)
        if isinstance(decision, Wait):
            leg.waits_for, leg.due_at = decision.reason.value, decision.until
            if decision.reason is WaitReason.NEEDS_QUOTE:
                desk.claimed.quotes[account.id, leg.instrument.symbol] = account
                desk.claimed.waiting.append(leg.id)
                leg.due_at = desk.now + NEEDS_PAUSE
        return
    if was is not None and intentions.is_still(was, decision):
        order = was
        desk.confirmed.append(order)
    else:
        if was is not None:
            desk.dropped.append(was)
        order = intentions.of(leg, decision, now=desk.now)
        desk.written.append((leg, order))
    _sending(desk, leg, order, account)


def _sending(desk: _Desk, leg: LegRecord, order: OrderRecord, account: AccountRef) -> None:
    validity = timedelta(milliseconds=settings().order_receive_window_ms)
    order.state = OrderState.SENDING
    order.claimed_at = desk.real_now
    order.lease_until = desk.real_now + validity + timedelta(seconds=settings().order_lease_margin_s)
    desk.claimed.sendings.append(
        Sending(
            order.id,
            account,
            request_of(order, leg.instrument.position_side),
            # The lease has to outlive the request: whoever finds it expired may hold the order for unsent.
            not_after=order.lease_until - validity,
            profile_id=leg.profile_id,
            person_id=leg.subscriber_id,
            is_exit=order.purpose is Purpose.EXIT,
        )
    )


def request_of(order: OrderRecord, position_side: PositionSide) -> OrderRequest:
    """Return an order as it goes to its venue."""
    return OrderRequest(
        symbol=order.symbol,
        side=order.side,
        quantity=order.quantity,
        kind=OrderKind(order.kind),
        client_order_id=order.client_order_id,
        price=order.price,
        reduce_only=order.reduce_only,
        position_side=position_side,
    )


def send(session: Session, desk: _Desk, *, owner: str) -> None:
    """Write as `sending`, leased to `owner`, what was decided to be sent."""
    look_up_at = desk.real_now + FIRST_LOOK_UP
    # The old intentions end first: the index allows one live entry and one live exit a leg.
    intentions.insert(session, desk.written, lease_owner=owner, next_check_at=look_up_at)
    bulk.update(
        session,
        CopyOrder,
        ("id", "state", "claimed_at", "lease_until", "lease_owner", "next_check_at"),
        [
            (order.id, order.state.value, order.claimed_at, order.lease_until, owner, look_up_at)
            for order in desk.confirmed
        ],
    )


def wake(session: Session, leg_ids: list[UUID]) -> None:
    """Let legs that waited be looked at now."""
    bulk.fetch(
        session,
        "UPDATE trades.legs SET due_at = %(now)s WHERE id = ANY(%(ids)s) AND due_at > %(now)s",
        now=clock.now(),
        ids=leg_ids,
    )


def next_due(session: Session) -> datetime | None:
    """Return when the next leg has to be looked at."""
    return bulk.fetch(session, "SELECT min(due_at) FROM trades.legs WHERE due_at IS NOT NULL")[0][0]
