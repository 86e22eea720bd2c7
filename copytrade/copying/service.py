"""What changes copying: settings, pauses, ends, switches, and an operator's word on an order nobody knows of."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from uuid import UUID

from sqlmodel import Session, col, select

from copytrade import clock
from copytrade.accounts import queries as accounts
from copytrade.copying import drifting, outcomes, settings_rows
from copytrade.copying.models import (
    CopyOrder,
    CopySetting,
    CopyStand,
    Decided,
    LegRow,
    OrderState,
    Resolution,
    SwitchMode,
    SwitchScope,
)
from copytrade.copying.outcomes import Told
from copytrade.copying.switching import Reach, reach, set_switch
from copytrade.copying.validation import checked, fitted
from copytrade.db.bell import ring
from copytrade.db.events import record
from copytrade.domain.instruments import Side
from copytrade.domain.orders import VenueOrder, VenueOrderStatus
from copytrade.domain.sizing import CopySettings, EndMode
from copytrade.errors import Conflict, InvalidInput, NotAllowed, NotFound
from copytrade.subscriptions import queries as subscriptions
from copytrade.subscriptions import service as subscription_service
from copytrade.subscriptions.consent import Consent
from copytrade.users import queries as users

__all__ = [
    "DECIDED_AFTER_S", "EndMode", "Reach", "SwitchMode", "SwitchScope", "decide_unknown", "pause", "reach", "release",
    "resume", "resume_after_stop", "save_settings", "set_switch", "settings_of", "stop", "subscribe",
    "switch_account",
]  # fmt: skip

DECIDED_AFTER_S = 3600
"""An operator may decide about an order that was unknown for so long."""


def subscribe(
    session: Session,
    *,
    owner: UUID,
    profile_id: UUID,
    copy_account_id: UUID,
    settings: CopySettings,
    consent: Consent | None = None,
) -> UUID:
    """Make a subscription with its copy settings; it copies once it is paid, on a paper account at once."""
    checked(settings)
    made = subscription_service.subscribe(
        session, owner=owner, profile_id=profile_id, copy_account_id=copy_account_id, consent=consent
    )
    save_settings(session, owner=owner, subscription_id=made.id, settings=settings)
    return made.id


def switch_account(
    session: Session, *, owner: UUID, subscription_id: UUID, copy_account_id: UUID, mode: EndMode | None = None
) -> UUID:
    """Move a paid subscription of this owner to another copy account, with its settings; return the one that goes on.

    What is open on the old account is settled as at an end, by `mode` or as was chosen; new entries go to the new one.
    """
    settings = settings_rows.of(session, [subscription_id]).get(subscription_id, CopySettings())
    made = subscription_service.switch_account(
        session,
        owner=owner,
        subscription_id=subscription_id,
        copy_account_id=copy_account_id,
        mode=subscription_service.EndMode(mode.value) if mode else None,
    )
    save_settings(session, owner=owner, subscription_id=made.id, settings=settings)
    return made.id


def save_settings(session: Session, *, owner: UUID, subscription_id: UUID, settings: CopySettings) -> None:
    """Change how a subscription of this owner copies; what is open already stays, openings follow from now on."""
    row = _owned(session, owner=owner, subscription_id=subscription_id)
    market = accounts.ref(session, row.copy_account_id).market
    _write(session, row, fitted(checked(settings), market=market))
    mode = subscription_service.EndMode(settings.end_mode.value)
    subscription_service.choose_end(session, owner=owner, subscription_id=subscription_id, mode=mode)


def pause(session: Session, *, owner: UUID, subscription_id: UUID) -> None:
    """Copy no more entries; exits go on."""
    _set_paused(session, owner=owner, subscription_id=subscription_id, is_paused=True)


def resume(session: Session, *, owner: UUID, subscription_id: UUID) -> None:
    """Copy entries again, from the next one on."""
    _set_paused(session, owner=owner, subscription_id=subscription_id, is_paused=False)
    drifting.resumed(session, subscription_id=subscription_id, at=clock.now())


def stop(session: Session, *, owner: UUID, subscription_id: UUID, mode: EndMode) -> None:
    """End a subscription of this owner now; the engine closes, keeps or leads out what is open."""
    _owned(session, owner=owner, subscription_id=subscription_id)
    subscription_service.end(
        session, owner=owner, subscription_id=subscription_id, mode=subscription_service.EndMode(mode.value)
    )


def release(session: Session, *, owner: UUID, subscription_id: UUID) -> None:
    """Let entries go on that were held after a drift."""
    _owned(session, owner=owner, subscription_id=subscription_id)
    legs = session.exec(select(LegRow).where(LegRow.subscription_id == subscription_id).with_for_update()).all()
    for leg in legs:
        if leg.is_halted:
            leg.is_halted, leg.due_at = False, clock.now()
            session.add(leg)
    drifting.release(session, subscription_id=subscription_id, at=clock.now())
    ring(session, "drive", f"user:{owner}")


def resume_after_stop(session: Session, *, owner: UUID, subscription_id: UUID) -> None:
    """Let entries go on after the drawdown stop; the peak it is measured from starts anew, at what there is now."""
    _owned(session, owner=owner, subscription_id=subscription_id)
    row = session.get(CopyStand, subscription_id, with_for_update=True, populate_existing=True)
    if row is None or row.drawdown_stopped_at is None:
        raise Conflict(f"subscription {subscription_id} was not stopped", user="Copying was not stopped by a drawdown.")
    row.peak_pnl, row.peak_equity, row.drawdown_stopped_at = row.pnl, None, None
    session.add(row)
    ring(session, f"user:{owner}")


def decide_unknown(session: Session, *, by: UUID, order_id: UUID, filled: Decimal) -> None:
    """Say what became of an order that nobody could find out about for an hour: `filled` base units of it, or none."""
    if not users.person(session, by).is_operator:
        raise NotAllowed(f"user {by} is no operator", user="Only operators may do this.")
    order = session.get(CopyOrder, order_id)
    if order is None:
        raise NotFound(f"order {order_id} was not found", user="There is no such order.")
    since = order.sent_at or order.claimed_at
    waited = (clock.real_now() - since).total_seconds() if since else 0
    if order.state != OrderState.UNKNOWN or waited < DECIDED_AFTER_S:
        raise Conflict(
            f"order {order_id} was {order.state} for {waited:.0f} s",
            user="Only an order that was unknown for an hour can be decided.",
        )
    if not order.filled <= filled <= order.quantity:
        raise InvalidInput(
            f"filled was {filled} of {order.quantity}",
            user="The filled quantity lies between what is known and the order's quantity.",
            field="filled",
        )
    session.add(Decided(order_id=order_id, decided_by=by, filled=filled, decided_at=clock.now()))
    record(session, "order.decided", user_id=order.subscriber_id, order_id=order_id, filled=filled, by=by)
    found = VenueOrder(
        venue_order_id=order.venue_order_id,
        client_order_id=order.client_order_id,
        symbol=order.symbol,
        side=Side(order.side),
        quantity=order.quantity,
        filled=filled,
        average_price=order.price,
        status=VenueOrderStatus.FILLED if filled == order.quantity else VenueOrderStatus.CANCELLED,
        venue_time=None,
    )
    outcomes.write(session, [Told(order_id, found=found, by=Resolution.OPERATOR)])


def settings_of(session: Session, *, subscription_ids: Sequence[UUID]) -> dict[UUID, CopySettings]:
    """Return the settings of subscriptions, whoever owns them: for services."""
    return settings_rows.of(session, subscription_ids)


def _owned(session: Session, *, owner: UUID, subscription_id: UUID) -> CopySetting:
    made = subscriptions.subscription(session, owner=owner, subscription_id=subscription_id)
    row = session.exec(
        select(CopySetting).where(col(CopySetting.subscription_id) == subscription_id).with_for_update()
    ).first() or CopySetting(
        subscription_id=made.id,
        subscriber_id=owner,
        profile_id=made.profile_id,
        lead_account_id=made.lead_account_id,
        copy_account_id=made.copy_account_id,
        created_at=clock.now(),
        changed_at=clock.now(),
        **settings_rows.values(CopySettings()),
    )
    row.copy_account_id, row.is_paper = made.copy_account_id, made.is_paper
    return row


def _set_paused(session: Session, *, owner: UUID, subscription_id: UUID, is_paused: bool) -> None:
    row = _owned(session, owner=owner, subscription_id=subscription_id)
    settings = settings_rows.of(session, [subscription_id])[subscription_id]
    _write(session, row, replace(settings, is_paused=is_paused))


def _write(session: Session, row: CopySetting, settings: CopySettings) -> None:
    settings_rows.write(row, settings)
    row.changed_at = clock.now()
    session.add(row)
    session.flush()
    ring(session, f"user:{row.subscriber_id}")
