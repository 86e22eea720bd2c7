"""Whether an account works now and why not, and what unlinking one does to the copies that run on it."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlmodel import Session, col, select

from copytrade import clock
from copytrade.accounts import checking, queries, service
from copytrade.accounts.acceptance import Examined
from copytrade.accounts.models import AccountEquity, ExchangeAccount
from copytrade.accounts.reasons import Reason
from copytrade.capture import leases
from copytrade.capture.models import CaptureState
from copytrade.copying import account_cards
from copytrade.copying.account_cards import AccountCard, Light
from copytrade.copying.models import Switch
from copytrade.db.events import Event
from copytrade.db.model import new_id
from copytrade.domain.instruments import Role
from copytrade.errors import NotFound
from copytrade.subscriptions import queries as subscriptions
from tests.integration.accounts.linking import taken
from tests.integration.subscriptions.market import Market, opened, subscribed
from tests.integration.users.people import mallory
from tests.paid import entitle


@pytest.fixture
def market(session: Session) -> Market:
    made = opened(session)
    captured(session, made.lead, baseline_at=clock.now(), last_polled_at=clock.now())
    return made


def captured(session: Session, account_id: UUID, **known: Any) -> None:
    owner = queries.owner_of(session, account_id)
    session.merge(
        CaptureState(
            exchange_account_id=account_id,
            user_id=owner,
            venue="binance",
            market="perpetual",
            role="lead",
            created_at=clock.now(),
            **known,
        )
    )
    session.commit()


def card(session: Session, owner: UUID) -> AccountCard:
    session.expire_all()
    (found,) = account_cards.cards(session, owner=owner)
    return found


def codes(session: Session, owner: UUID) -> list[str]:
    return [one.code for one in card(session, owner).obstacles]


def test_accounts_that_work_say_so(session: Session, market: Market) -> None:
    paid(session, subscribed(session, market))
    bobs, alices = card(session, market.bob.id), card(session, market.alice.id)
    assert (bobs.can_work, bobs.obstacles, bobs.light, bobs.used_by) == (True, (), Light.OFF, ("Nordwind",))
    assert (alices.can_work, alices.obstacles, alices.light, alices.used_by) == (True, (), Light.QUIET, ("Nordwind",))


def test_a_stream_is_a_light_while_somebody_holds_its_lease_and_hears(session: Session, market: Market) -> None:
    at = clock.now()
    captured(session, market.lead, baseline_at=at, last_polled_at=at, stream_connected_at=at)
    assert card(session, market.alice.id).light is Light.QUIET, "nobody streams it any more"
    leases.share(session, [market.lead], kind="stream", owner=new_id(), validity=timedelta(seconds=8))
    found = card(session, market.alice.id)
    assert (found.light, found.light_since) == (Light.CONNECTED, at)
    captured(session, market.lead, baseline_at=at, stream_connected_at=at, stream_deaf_at=at + timedelta(seconds=1))
    assert card(session, market.alice.id).light is Light.QUIET


def test_each_obstacle_of_a_copy_account_is_told(session: Session, market: Market) -> None:
    bob = market.bob.id
    equity = session.get_one(AccountEquity, market.copy)
    equity.read_at = clock.now() - timedelta(hours=1)
    session.commit()
    assert codes(session, bob) == ["equity_unknown"]
    equity = session.get_one(AccountEquity, market.copy)
    equity.read_at, equity.total = clock.now(), equity.total * 0
    session.commit()
    assert codes(session, bob) == ["empty"]
    session.merge(
        Switch(scope="platform", scope_id="all", mode="hands_off", set_by=market.alice.id, set_at=clock.now())
    )
    session.commit()
    assert codes(session, bob) == ["halted_platform", "empty"]
    service.pause(session, account_id=market.copy, reason=Reason.MAY_WITHDRAW)
    session.commit()
    found = card(session, bob)
    assert ([one.code for one in found.obstacles], found.can_work) == (["may_withdraw"], False)
    assert "withdraw" in found.obstacles[0].text


def test_each_obstacle_of_a_lead_account_is_told(session: Session, market: Market) -> None:
    alice = market.alice.id
    captured(session, market.lead)
    assert codes(session, alice) == ["starting"]
    late = clock.now() - timedelta(minutes=10)
    captured(session, market.lead, baseline_at=late, last_polled_at=late)
    assert codes(session, alice) == ["unread"]
    captured(session, market.lead, baseline_at=late, last_polled_at=clock.now(), problem="rows of SHIB")
    found = card(session, alice)
    assert ([one.code for one in found.obstacles], found.can_work) == (["problem"], True)


def test_a_key_that_is_still_checked_or_was_refused_is_told(session: Session) -> None:
    owner = mallory(session).id
    account_id = taken(session, owner)
    assert codes(session, owner) == ["checking"]
    checking.settle(account_id, Examined(reason=Reason.READ_ONLY))
    assert codes(session, owner) == ["read_only"]


def test_unlinking_a_copy_account_ends_what_runs_on_it_and_keeps_positions(session: Session, market: Market) -> None:
    subscription_id = subscribed(session, market)
    paid(session, subscription_id)
    effects = account_cards.unlink_effects(session, owner=market.bob.id, account_id=market.copy)
    assert (effects.role, effects.traders, effects.positions) == (Role.COPY, ("Nordwind",), 0)
    account_cards.unlink(session, owner=market.bob.id, account_id=market.copy)
    session.commit()
    row = subscriptions.subscription(session, owner=market.bob.id, subscription_id=subscription_id)
    assert (row.state, row.end_mode) == ("canceled", "keep")
    assert account_cards.cards(session, owner=market.bob.id) == []


def test_unlinking_a_lead_account_takes_the_profile_away_and_tells_subscribers(
    session: Session, market: Market
) -> None:
    paid(session, subscribed(session, market))
    effects = account_cards.unlink_effects(session, owner=market.alice.id, account_id=market.lead)
    assert (effects.role, effects.traders, effects.paying) == (Role.LEAD, ("Nordwind",), 1)
    account_cards.unlink(session, owner=market.alice.id, account_id=market.lead)
    session.commit()
    assert subscriptions.published(session) == []
    told = session.exec(select(Event).where(Event.kind == "trader.left")).all()
    assert [(event.user_id, event.facts["trader"]) for event in told] == [(market.bob.id, "Nordwind")]
    assert session.exec(select(ExchangeAccount.state).where(col(ExchangeAccount.id) == market.lead)).one() == "unlinked"


def test_mallory_unlinks_nothing(session: Session, market: Market) -> None:
    outsider = mallory(session).id
    for account_id in (market.lead, market.copy):
        with pytest.raises(NotFound):
            account_cards.unlink(session, owner=outsider, account_id=account_id)
        with pytest.raises(NotFound):
            account_cards.unlink_effects(session, owner=outsider, account_id=account_id)
    assert account_cards.cards(session, owner=outsider) == []


def paid(session: Session, subscription_id: UUID) -> None:
    entitle(session, subscription_id=subscription_id, until=clock.now() + timedelta(days=30))
    session.commit()
