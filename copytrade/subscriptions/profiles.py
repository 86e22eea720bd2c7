"""What changes profiles: a trader's name, words and price, published or not."""

import unicodedata
from decimal import Decimal
from uuid import UUID

from sqlalchemy import func, text
from sqlmodel import Session, col, select

from copytrade import clock
from copytrade.accounts import queries as accounts
from copytrade.db.bell import ring
from copytrade.db.events import record
from copytrade.domain.instruments import Role
from copytrade.domain.terms import BadPrice, Bounds, price_of
from copytrade.errors import Conflict, InvalidInput, NotAllowed, NotFound
from copytrade.settings import settings
from copytrade.subscriptions.leaving import stop_renewals
from copytrade.subscriptions.models import Profile
from copytrade.subscriptions.pricing import announce
from copytrade.subscriptions.slugs import slug_of
from copytrade.users import queries as users

SHORTEST_NAME, LONGEST_NAME, LONGEST_ABOUT = 2, 40, 1000


def save_profile(
    session: Session,
    *,
    owner: UUID,
    lead_account_id: UUID,
    name: str,
    about: str,
    price: Decimal | str,
    currency: str = "",
    trial_days: int | None = None,
    also_for_running: bool = False,
    profile_id: UUID | None = None,
) -> Profile:
    """Make a profile, or change one of the owner's: what is left out stays as it is.

    Running subscribers keep their price, unless it is said to be for them too: then they are told, and pay it from the
    first renewal after the notice.
    """
    if not users.person(session, owner).is_trader:
        raise NotAllowed(f"user {owner} is no trader", user="Only traders have a profile.")
    said, story, days = _name(name), _about(about), _trial(trial_days)
    account = accounts.account(session, owner=owner, account_id=lead_account_id)
    if account.role != Role.LEAD:
        raise InvalidInput(
            f"account {lead_account_id} is a {account.role} account",
            user="Choose an exchange account that you linked for trading.",
            field="lead_account_id",
        )
    if account.is_paper:
        raise InvalidInput(
            f"account {lead_account_id} is on paper",
            user="Nobody can copy play money: a profile needs a real trading account.",
            field="lead_account_id",
        )
    session.connection().execute(text("select pg_advisory_xact_lock(hashtext('profiles'))"))
    profile = owned(session, owner=owner, profile_id=profile_id) if profile_id else None
    _free(session, name=said, lead_account_id=lead_account_id, but=profile)
    if profile is None:
        profile = Profile(
            user_id=owner,
            lead_account_id=lead_account_id,
            slug=_free_slug(session, said),
            name=said,
            price=Decimal(0),
            currency=settings().currency,
            created_at=clock.now(),
        )
    elif profile.lead_account_id != lead_account_id:
        raise Conflict(
            f"profile {profile.id} stands for account {profile.lead_account_id}",
            user="A profile stays with its exchange account; make a new profile for another one.",
        )
    profile.currency = currency.strip().lower() or profile.currency
    profile.name, profile.about, profile.price = said, story, _price(price, currency=profile.currency)
    profile.trial_days = profile.trial_days if days is None else days
    session.add(profile)
    session.flush()
    if also_for_running:
        announce(session, profile)
    ring(session, f"user:{owner}", f"profile:{profile.id}", "leaderboard")
    return profile


def publish(session: Session, *, owner: UUID, profile_id: UUID, may_be_paid: bool) -> Profile:
    """Show a profile to everybody; its exchange account has to be active, and its trader able to be paid.

    Whether he is, payments know: the way in is `payments.connect.publish_profile`.
    """
    profile = owned(session, owner=owner, profile_id=profile_id)
    if not may_be_paid:
        raise Conflict(
            f"user {owner} cannot be paid",
            user="Set up your payouts first: subscribers pay for this profile, and Stripe has to know where to send "
            "your share.",
        )
    if profile.closed_at is not None:
        raise Conflict(f"profile {profile.id} is closed", user="This profile is closed for good.")
    account = accounts.account(session, owner=owner, account_id=profile.lead_account_id)
    if account.state != "active":
        raise Conflict(
            f"account {account.id} is {account.state}",
            user="The exchange account of this profile is not active. Check it first.",
        )
    if not profile.is_published:
        profile.is_published = True
        profile.published_at = profile.published_at or clock.now()
        session.add(profile)
        record(session, "profile.published", user_id=owner, name=profile.name, slug=profile.slug)
        ring(session, f"user:{owner}", f"profile:{profile.id}", "leaderboard")
    return profile


def unpublish(session: Session, *, owner: UUID, profile_id: UUID) -> Profile:
    """Take a profile from the leaderboard; who subscribed is told, and goes on until his paid time is over."""
    profile = owned(session, owner=owner, profile_id=profile_id)
    profile.is_published = False
    session.add(profile)
    session.flush()
    stop_renewals(session, clock.now())
    ring(session, f"user:{owner}", f"profile:{profile.id}", "leaderboard")
    return profile


def close_profile(session: Session, *, owner: UUID, profile_id: UUID) -> Profile:
    """Close a profile for good: its exchange account is free for another, and nothing of it is renewed."""
    profile = unpublish(session, owner=owner, profile_id=profile_id)
    profile.closed_at = profile.closed_at or clock.now()
    session.add(profile)
    return profile


def owned(session: Session, *, owner: UUID, profile_id: UUID) -> Profile:
    """Return a profile of this owner, locked; anybody else's is not found."""
    profile = session.exec(
        select(Profile).where(Profile.id == profile_id, Profile.user_id == owner).with_for_update()
    ).first()
    if profile is None:
        raise NotFound(f"profile {profile_id} of {owner} was not found", user="There is no such profile.")
    return profile


def _free(session: Session, *, name: str, lead_account_id: UUID, but: Profile | None) -> None:
    same = session.exec(select(Profile).where(func.lower(Profile.name) == name.lower())).first()
    if same is not None and same is not but:
        raise Conflict(f"profile name {name!r} is taken", user="This name is taken.", field="name")
    taken = session.exec(
        select(Profile).where(Profile.lead_account_id == lead_account_id, col(Profile.closed_at).is_(None))
    ).first()
    if taken is not None and taken is not but:
        raise Conflict(
            f"account {lead_account_id} has profile {taken.id}",
            user="This exchange account has a profile already.",
            field="lead_account_id",
        )


def _free_slug(session: Session, name: str) -> str:
    slug = slug_of(name)
    taken = set(session.exec(select(Profile.slug).where(col(Profile.slug).startswith(slug))))
    number = 1
    while (candidate := slug if number == 1 else f"{slug}-{number}") in taken:
        number += 1
    return candidate


def _name(typed: str) -> str:
    name = " ".join(unicodedata.normalize("NFKC", typed).split())
    if not SHORTEST_NAME <= len(name) <= LONGEST_NAME or not name.isprintable():
        raise InvalidInput(
            f"profile name had {len(name)} characters",
            user="A name has {least} to {most} characters.",
            field="name",
            least=SHORTEST_NAME,
            most=LONGEST_NAME,
        )
    return name


def _about(typed: str) -> str:
    about = unicodedata.normalize("NFKC", typed).replace("\x00", "").strip()
    if len(about) > LONGEST_ABOUT:
        raise InvalidInput(
            f"about had {len(about)} characters",
            user="The description has up to {most} characters.",
            field="about",
            most=LONGEST_ABOUT,
        )
    return about


def _trial(days: int | None) -> int | None:
    most = settings().trial_most_days
    if days is not None and not 0 <= days <= most:
        raise InvalidInput(
            f"trial was {days} days", user="A free trial has 0 to {most} days.", field="trial_days", most=most
        )
    return days


def _price(typed: Decimal | str, *, currency: str) -> Decimal:
    bounds = settings().price_bounds.get(currency)
    if bounds is None:
        raise InvalidInput(
            f"currency was {currency!r}",
            user="A price can be in {currencies}.",
            field="currency",
            currencies=", ".join(code.upper() for code in settings().price_bounds),
        )
    lowest, highest = bounds
    try:
        return price_of(typed, currency=currency, bounds=Bounds(lowest, highest))
    except BadPrice as error:
        raise InvalidInput(
            str(error),
            user="The price for a month is a number from {least} to {most}, in whole cents.",
            field="price",
            least=lowest,
            most=highest,
        ) from None
