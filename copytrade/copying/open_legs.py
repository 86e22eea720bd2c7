"""Copied positions that are open or on their way: what each should be, what it is, and why the two differ."""

from collections.abc import Sequence
from uuid import UUID

from sqlmodel import Session, col, select

from copytrade.accounts import queries as accounts
from copytrade.copying import listing, settings_rows, standing, switches
from copytrade.copying.models import LegRow, LegState, SwitchMode, SymbolTerms
from copytrade.copying.rows import OpenLegRow
from copytrade.domain.driving import WaitReason
from copytrade.domain.quantities import sign
from copytrade.domain.skips import SkipReason
from copytrade.subscriptions import queries as subscriptions
from copytrade.subscriptions.rows import SubscriptionRow


def open_legs(session: Session, *, owner: UUID) -> list[OpenLegRow]:
    """Return the owner's copied positions that are open or on their way."""
    known = {row.id: row for row in subscriptions.subscriptions_of(session, owner=owner)}
    rows = session.exec(
        select(LegRow)
        .where(
            col(LegRow.subscription_id).in_(known),
            LegRow.state == LegState.FOLLOWING,
            (col(LegRow.target) != 0) | (col(LegRow.held) != 0),
        )
        .order_by(col(LegRow.symbol), col(LegRow.id))
    ).all()
    apart = [row for row in rows if row.target != row.held]
    terms = listing.terms_at(session, {(row.copy_account_id, row.symbol) for row in apart})
    held_back = _held_back(session, apart)
    return [
        _row(
            row,
            known[row.subscription_id],
            terms=terms.get((row.copy_account_id, row.symbol)),
            held_back=held_back.get(row.id),
        )
        for row in rows
    ]


def _row(
    row: LegRow, subscription: SubscriptionRow, *, terms: SymbolTerms | None, held_back: SkipReason | None
) -> OpenLegRow:
    is_entering = sign(row.target - row.held) == sign(row.target) != 0
    price = terms.price if terms is not None and terms.price else row.price
    least = max(terms.min_notional, terms.min_quantity * price) if terms is not None else None
    reason = row.last_reason
    if is_entering and held_back is not None:
        reason = held_back.value
    return OpenLegRow(
        subscription_id=row.subscription_id,
        trader_name=subscription.trader_name,
        symbol=row.symbol,
        target=row.target,
        held=row.held,
        price=row.price,
        waits_for=row.waits_for,
        reason=reason,
        is_held_back=is_entering and held_back is not None,
        is_halted=row.is_halted,
        least=least if row.waits_for == WaitReason.TOO_SMALL else None,
        missing=abs(row.target - row.held) * price,
        step=terms.quantity_step if terms is not None else None,
        is_paper=subscription.is_paper,
    )


def _held_back(session: Session, rows: Sequence[LegRow]) -> dict[UUID, SkipReason]:
    """Return what keeps entries of the legs back, the strictest first, by leg."""
    if not rows:
        return {}
    ids = {row.subscription_id for row in rows}
    set_to, stands = switches.load(session), standing.blocked(session, ids)
    chosen = settings_rows.of(session, list(ids))
    states = accounts.states(session, {row.copy_account_id for row in rows})
    found: dict[UUID, SkipReason] = {}
    for row in rows:
        mode = set_to.strictest(row.venue, profile_id=row.profile_id, person_id=row.subscriber_id)
        settings = chosen.get(row.subscription_id)
        reasons = (
            SkipReason.CREDENTIALS if states.get(row.copy_account_id) != "active" else None,
            SkipReason.HALTED if mode is not SwitchMode.ON else None,
            stands.get(row.subscription_id),
            SkipReason.STOPPED if row.is_ending else None,
            SkipReason.PAUSED if settings is not None and settings.is_paused else None,
            SkipReason.DRIFT_HALT if row.is_halted else None,
        )
        reason = next((one for one in reasons if one is not None), None)
        if reason is not None:
            found[row.id] = reason
    return found
