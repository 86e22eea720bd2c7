"""A trader with a published profile and a subscriber with an account, as tests of subscribing need them."""

from dataclasses import dataclass
from uuid import UUID

from sqlmodel import Session

from copytrade.domain.instruments import Role
from copytrade.subscriptions import service
from copytrade.users.person import Person
from tests.integration.accounts.linking import linked
from tests.integration.users import people


@dataclass(frozen=True, slots=True)
class Market:
    """Alice's published profile, Bob's copy account."""

    alice: Person
    bob: Person
    lead: UUID
    copy: UUID
    profile_id: UUID
    slug: str


def opened(session: Session, *, price: str = "29") -> Market:
    alice, bob = people.alice(session), people.bob(session)
    lead = linked(session, alice.id, role=Role.LEAD, api_key="a" * 64)
    copy = linked(session, bob.id, role=Role.COPY, api_key="b" * 64)
    profile = service.save_profile(
        session, owner=alice.id, lead_account_id=lead, name="Nordwind", about="Swing trader", price=price
    )
    service.publish(session, owner=alice.id, profile_id=profile.id, may_be_paid=True)
    session.commit()
    return Market(alice=alice, bob=bob, lead=lead, copy=copy, profile_id=profile.id, slug=profile.slug)


def subscribed(session: Session, market: Market) -> UUID:
    row = service.subscribe(session, owner=market.bob.id, profile_id=market.profile_id, copy_account_id=market.copy)
    session.commit()
    return row.id
