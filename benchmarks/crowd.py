"""A lead with many subscribers, written straight into the tables: the linking of a thousand is not what is measured."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlmodel import Session

from copytrade import clock
from copytrade.accounts import vault
from copytrade.accounts.models import AccountEquity, ExchangeAccount, ExchangeSecret
from copytrade.accounts.reasons import State
from copytrade.copying import service as copying
from copytrade.db.model import new_id
from copytrade.db.session import transaction
from copytrade.domain.instruments import Market, Role, Venue
from copytrade.domain.sizing import CopySettings, SizingMode
from copytrade.exchanges.port import Credentials
from copytrade.sandbox.client import Control
from copytrade.subscriptions.models import Profile, Subscription
from copytrade.users.models import User

FUNDS = Decimal(1_000_000)
DIRECTLY = ("",)
"""The one way out that is no proxy."""
RATIO = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Lead:
    """A lead account and those who copy it."""

    account_id: UUID
    sandbox_id: int
    api_key: str
    api_secret: str
    subscribers: int


def gather(
    control: Control,
    *,
    subscribers: int,
    venue: Venue = Venue.BINANCE,
    ways: Sequence[str] = DIRECTLY,
    max_entry_age_s: int = 60,
) -> Lead:
    """Make a lead of perpetuals whom so many subscribers copy with ratio 0.01, their accounts spread over `ways`."""
    settings = CopySettings(mode=SizingMode.RATIO, factor=RATIO, max_entry_age_s=max_entry_age_s)
    now = clock.now()
    name = f"lead{subscribers}-{new_id().hex[-6:]}"
    made = control.create_account(name, venue=venue, deposit=FUNDS * 100)
    with transaction() as session:
        trader = _user(name)
        session.add(trader)
        session.flush()
        lead_id = _account(session, trader.id, role=Role.LEAD, made=made, venue=venue, way=ways[0])
        profile = Profile(
            user_id=trader.id,
            lead_account_id=lead_id,
            slug=name,
            name=name,
            price=Decimal(25),
            currency="usd",
            is_published=True,
            published_at=now,
            created_at=now,
        )
        session.add(profile)
        session.flush()
        for number in range(subscribers):
            way = ways[number % len(ways)]
            _subscriber(session, control, profile=profile, number=number, venue=venue, way=way, settings=settings)
        return Lead(lead_id, made["account_id"], made["api_key"], made["api_secret"], subscribers)


def _user(name: str) -> User:
    now = clock.now()
    return User(
        email=f"{name}@copytrade.example",
        password_hash="-",
        is_trader=True,
        is_subscriber=True,
        accepted_terms_at=now,
        created_at=now,
    )


def _subscriber(
    session: Session,
    control: Control,
    *,
    profile: Profile,
    number: int,
    venue: Venue,
    way: str,
    settings: CopySettings,
) -> None:
    now = clock.now()
    user = _user(f"{profile.slug}-{number}")
    session.add(user)
    session.flush()
    made = control.create_account(f"{profile.slug}-{number}", venue=venue, deposit=FUNDS)
    account_id = _account(session, user.id, role=Role.COPY, made=made, venue=venue, way=way)
    row = Subscription(
        subscriber_id=user.id,
        profile_id=profile.id,
        trader_id=profile.user_id,
        lead_account_id=profile.lead_account_id,
        copy_account_id=account_id,
        state="active",
        entitled_until=now + timedelta(days=30),
        started_at=now,
        price=profile.price,
        currency=profile.currency,
        created_at=now,
    )
    session.add(row)
    session.flush()
    copying.save_settings(
        session,
        owner=user.id,
        subscription_id=row.id,
        settings=settings,
    )


def _account(session: Session, owner: UUID, *, role: Role, made: dict[str, Any], venue: Venue, way: str) -> UUID:
    now, account_id = clock.now(), new_id()
    session.add(
        ExchangeAccount(
            id=account_id,
            user_id=owner,
            venue=venue,
            egress=way,
            market=Market.PERPETUAL,
            role=role,
            mode="sandbox",
            label="benchmark",
            fingerprint=vault.fingerprint(made["api_key"]),
            key_hint=made["api_key"][-4:],
            state=State.ACTIVE,
            created_at=now,
            changed_at=now,
            linked_at=now,
            checked_at=now,
            snapshot_due_at=now + timedelta(seconds=5) if role == Role.LEAD else now + timedelta(minutes=30),
        )
    )
    session.flush()
    credentials = Credentials(made["api_key"], made["api_secret"], made.get("passphrase", ""))
    sealed, kek_id = vault.seal(credentials, account_id=account_id, user_id=owner, venue=venue)
    session.add(ExchangeSecret(exchange_account_id=account_id, sealed=sealed, kek_id=kek_id))
    session.add(
        AccountEquity(
            exchange_account_id=account_id,
            read_at=now,
            total=FUNDS,
            wallet=FUNDS,
            unrealized_pnl=Decimal(0),
            available=FUNDS,
        )
    )
    session.flush()
    return account_id
