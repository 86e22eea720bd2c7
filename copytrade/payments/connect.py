"""How traders come to be paid: their account at Stripe, its onboarding, and who may publish a price."""

from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session, select

from copytrade import clock
from copytrade.db.bell import ring
from copytrade.db.events import record
from copytrade.errors import Conflict, NotAllowed
from copytrade.payments import connect_gateway
from copytrade.payments.gateway import PaymentsRefused
from copytrade.payments.ledger_models import PayoutAccount
from copytrade.payments.needs import needs_of
from copytrade.payments.rows import PayoutStanding
from copytrade.settings import settings
from copytrade.subscriptions import profiles
from copytrade.users import queries as users

AGAIN, BACK = "/api/v1/payouts/onboarding", "/api/v1/payouts/onboarded"
"""Where Stripe's onboarding leads: to a fresh link where its own has run out, and back when it is left."""
_GONE = connect_gateway.RemoteAccount(
    id="",
    payouts_enabled=False,
    transfers_enabled=False,
    details_submitted=False,
    requirements=(),
    disabled_reason="gone",
)


def onboarding_url(session: Session, *, owner: UUID) -> str:
    """Return the address of Stripe's onboarding for a trader, with an account made for him where he has none."""
    person = users.person(session, owner)
    if not person.is_trader:
        raise NotAllowed(f"user {owner} is no trader", user="Only traders are paid.")
    # Two tabs at once: the second waits, and finds the account that the first made.
    session.connection().execute(text("select pg_advisory_xact_lock(hashtext(:key))"), {"key": f"onboard:{owner}"})
    row = account_of(session, user_id=owner)
    if row is None:
        row = _keep(session, owner, connect_gateway.create_account(user_id=owner, email=person.email))
    base = settings().web_url
    return connect_gateway.onboarding_url(row.stripe_account_id, refresh_url=base + AGAIN, return_url=base + BACK)


def dashboard_url(session: Session, *, owner: UUID) -> str:
    """Return the address of the trader's own dashboard at Stripe: his payouts to the bank, his details."""
    row = account_of(session, user_id=owner)
    if row is None or not row.details_submitted:
        raise Conflict(f"user {owner} was not onboarded", user="Set up your payouts first.")
    return connect_gateway.dashboard_url(row.stripe_account_id)


def look_again(session: Session, *, owner: UUID) -> PayoutStanding:
    """Read the owner's account at Stripe again, as he comes back from its onboarding; return where he stands."""
    row = account_of(session, user_id=owner)
    if row is not None:
        refresh(session, stripe_account_id=row.stripe_account_id)
    return standing(session, owner=owner)


def refresh(session: Session, *, stripe_account_id: str) -> bool:
    """Read an account at Stripe again and keep what it says now; False where it is none of ours."""
    row = session.exec(
        select(PayoutAccount).where(PayoutAccount.stripe_account_id == stripe_account_id).with_for_update()
    ).first()
    if row is None:
        return False
    try:
        found = connect_gateway.account(stripe_account_id)
    except PaymentsRefused:
        # It was deleted, or its owner has cut it off from us.
        found = _GONE
    was = row.may_be_paid
    _read(row, found)
    session.add(row)
    session.flush()
    if row.may_be_paid != was:
        record(session, "payouts.ready" if row.may_be_paid else "payouts.restricted", user_id=row.user_id)
    ring(session, f"user:{row.user_id}")
    return True


def standing(session: Session, *, owner: UUID) -> PayoutStanding:
    """Return where a trader stands with being paid, and what Stripe still wants to know, in plain words."""
    row = account_of(session, user_id=owner)
    if row is None:
        return PayoutStanding(has_account=False, may_be_paid=False, is_submitted=False, needs=(), is_held_back=False)
    return PayoutStanding(
        has_account=True,
        may_be_paid=row.may_be_paid,
        is_submitted=row.details_submitted,
        needs=needs_of(row.requirements),
        is_held_back=row.details_submitted and not row.may_be_paid,
    )


def may_be_paid(session: Session, *, user_id: UUID) -> bool:
    """Tell whether a trader's share can be transferred to him."""
    row = account_of(session, user_id=user_id)
    return row is not None and row.may_be_paid


def publish_profile(session: Session, *, owner: UUID, profile_id: UUID) -> None:
    """Show a profile to everybody; only who can be paid may take money for it."""
    may = may_be_paid(session, user_id=owner)
    profiles.publish(session, owner=owner, profile_id=profile_id, may_be_paid=may)


def account_of(session: Session, *, user_id: UUID) -> PayoutAccount | None:
    """Return a trader's account, None where he has none."""
    return session.get(PayoutAccount, user_id)


def _keep(session: Session, owner: UUID, made: connect_gateway.RemoteAccount) -> PayoutAccount:
    now = clock.now()
    row = PayoutAccount(user_id=owner, stripe_account_id=made.id, created_at=now, synced_at=now)
    _read(row, made)
    session.add(row)
    session.flush()
    ring(session, f"user:{owner}")
    return row


def _read(row: PayoutAccount, found: connect_gateway.RemoteAccount) -> None:
    row.payouts_enabled, row.transfers_enabled = found.payouts_enabled, found.transfers_enabled
    row.details_submitted, row.requirements = found.details_submitted, list(found.requirements)
    row.disabled_reason, row.synced_at = found.disabled_reason, clock.now()
