"""Paper accounts: opened without a typed key, which a worker has issued; limited, one's own, and for copying only."""

import asyncio
from collections.abc import Callable, Generator
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from sqlmodel import Session, col, select, update

from copytrade import clock
from copytrade.accounts import checking, paper, queries, service, vault
from copytrade.accounts.models import ExchangeAccount, ExchangeSecret
from copytrade.accounts.reasons import Reason, State
from copytrade.accounts.rows import AccountRow
from copytrade.db.bell import bell
from copytrade.domain.instruments import Market, Role, Venue
from copytrade.errors import Conflict, InvalidInput, LimitReached, NotFound
from copytrade.exchanges.pool import Pool
from copytrade.settings import settings
from copytrade.subscriptions import service as subscriptions
from tests.conftest import Sandbox
from tests.integration.accounts import linking
from tests.integration.accounts.linking import leave_no_limits
from tests.integration.users.people import bob, mallory

PLACES = [(venue, market) for venue in Venue for market in Market]


@pytest.fixture(autouse=True)
def _calm(sandbox: Sandbox) -> Generator[None]:
    yield
    leave_no_limits()


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Generator[Callable[..., None]]:
    """Set variables of the installation for one test."""

    def put(**variables: str) -> None:
        for name, value in variables.items():
            monkeypatch.setenv(f"COPYTRADE_{name}", value)
        settings.cache_clear()

    yield put
    monkeypatch.undo()
    settings.cache_clear()


def opened(session: Session, owner: UUID, *, venue: str = "binance", market: str = "perpetual", **facts: str) -> UUID:
    account_id = paper.open_account(session, owner=owner, venue=venue, market=market, **facts)
    session.commit()
    return account_id


def worked(session: Session, owner: UUID, account_id: UUID, *, times: int = 1) -> AccountRow:
    """Let a worker look at an account, and return how it came out."""

    async def run() -> None:
        pool = Pool(vault.opener(), limits_factor=1000)
        try:
            for _ in range(times):
                await checking.check(pool, queries.ref(session, account_id), role=Role.COPY)
        finally:
            await pool.close()
            await bell().close()

    asyncio.run(run())
    session.expire_all()
    return service.result(session, owner=owner, account_id=account_id)


@pytest.mark.parametrize("place", PLACES, ids="-".join)
def test_a_worker_has_the_key_issued_and_the_account_works(
    session: Session, sandbox: Sandbox, place: tuple[Venue, Market]
) -> None:
    if place[0] is Venue.BITGET:
        sandbox.control.limits(venue="bitget", user_percent=100_000)
    owner = bob(session).id
    account_id = opened(session, owner, venue=place[0], market=place[1], funds="2500.50")
    assert service.result(session, owner=owner, account_id=account_id).state == State.CHECKING
    row = worked(session, owner, account_id, times=2)
    assert (row.state, row.reason, row.mode, row.is_paper) == (State.ACTIVE, "", "paper", True)
    assert queries.equities(session, [account_id])[account_id].total == Decimal("2500.50")
    assert paper.funds_of(session, owner=owner) == {account_id: Decimal("2500.50")}
    key = vault.opener()(account_id)
    assert (row.key_hint, bool(key.passphrase)) == (key.api_key[-4:], place[0] is Venue.BITGET)
    assert len([one for one in sandbox.control.accounts() if str(account_id) in one["name"]]) == 1


def test_the_key_is_sealed_and_nowhere_in_the_row(session: Session, sandbox: Sandbox) -> None:
    owner = bob(session).id
    account_id = opened(session, owner)
    worked(session, owner, account_id)
    key = vault.opener()(account_id)
    row = session.get_one(ExchangeAccount, account_id)
    assert key.api_secret not in repr(row.model_dump()) + repr(session.get_one(ExchangeSecret, account_id).model_dump())
    assert row.fingerprint == vault.fingerprint(key.api_key)


def test_a_paper_exchange_that_is_away_is_asked_again_and_then_told(
    session: Session, environment: Callable[..., None]
) -> None:
    owner = bob(session).id
    account_id = opened(session, owner)
    environment(PAPER_EXCHANGE_URL="http://127.0.0.1:9")
    assert worked(session, owner, account_id).state == State.CHECKING
    session.exec(update(ExchangeAccount).values(check_attempts=4).where(col(ExchangeAccount.id) == account_id))
    session.commit()
    row = worked(session, owner, account_id)
    assert (row.state, row.reason) == (State.REFUSED, Reason.EXCHANGE_AWAY)


@pytest.mark.parametrize("funds", ["99.99", "1000000.01", "-5", "NaN", "Infinity", "a lot", "100.001", ""])
def test_funds_lie_between_a_hundred_and_a_million(session: Session, funds: str) -> None:
    with pytest.raises(InvalidInput) as told:
        opened(session, bob(session).id, funds=funds)
    assert told.value.field == "funds"
    assert session.exec(select(ExchangeAccount)).all() == []


def test_a_person_has_five_at_a_time_and_opens_twenty_a_day(session: Session) -> None:
    owner = bob(session).id
    taken = [opened(session, owner) for _ in range(paper.MOST_OPEN)]
    with pytest.raises(LimitReached):
        opened(session, owner)
    opened(session, mallory(session).id)
    for number in range(paper.MOST_A_DAY - paper.MOST_OPEN):
        service.unlink(session, owner=owner, account_id=taken[number])
        taken.append(opened(session, owner))
    service.unlink(session, owner=owner, account_id=taken[-1])
    with pytest.raises(LimitReached, match="within a day"):
        opened(session, owner)
    session.exec(update(ExchangeAccount).values(created_at=clock.now() - timedelta(days=1, minutes=1)))
    opened(session, owner)


def test_paper_takes_no_place_of_a_real_account(session: Session) -> None:
    owner = bob(session).id
    for _ in range(paper.MOST_OPEN):
        opened(session, owner)
    for number in range(service.MOST_ACCOUNTS):
        linking.taken(session, owner, api_key=f"key-number-{number:04d}")


def test_nobody_types_a_key_for_paper(session: Session) -> None:
    owner = bob(session).id
    with pytest.raises(InvalidInput, match="mode"):
        service.link(
            session, owner=owner, venue="binance", market="perpetual", role="copy", label="", api_key="k" * 60,
            api_secret="s" * 60, mode="paper",
        )  # fmt: skip
    account_id = opened(session, owner)
    with pytest.raises(Conflict, match="paper"):
        service.replace_key(session, owner=owner, account_id=account_id, api_key="k" * 60, api_secret="s" * 60)


def test_mallory_neither_sees_nor_uses_bobs_paper_account(session: Session) -> None:
    account_id, outsider = opened(session, bob(session).id), mallory(session).id
    assert queries.accounts(session, owner=outsider) == []
    assert paper.funds_of(session, owner=outsider) == {}
    for use in (service.result, service.unlink, service.recheck, queries.account):
        with pytest.raises(NotFound):
            use(session, owner=outsider, account_id=account_id)


def test_nobody_leads_with_play_money(session: Session) -> None:
    trader = mallory(session).id
    account_id = opened(session, trader)
    assert queries.account(session, owner=trader, account_id=account_id).role == Role.COPY
    # Even where a row said otherwise, no profile stands for it.
    session.exec(update(ExchangeAccount).values(role=Role.LEAD, state=State.ACTIVE))
    with pytest.raises(InvalidInput, match="paper"):
        subscriptions.save_profile(
            session, owner=trader, lead_account_id=account_id, name="Play money", about="", price="10"
        )


def test_production_offers_paper_only_with_a_token(session: Session, environment: Callable[..., None]) -> None:
    environment(ENVIRONMENT="production", PAPER_TOKEN="")
    assert not paper.is_offered()
    with pytest.raises(Conflict):
        opened(session, bob(session).id)
    environment(PAPER_TOKEN="a token")
    assert paper.is_offered()
    urls = [settings().paper_url(venue) for venue in Venue]
    assert urls == ["http://127.0.0.1:8440", "http://127.0.0.1:8441", "http://127.0.0.1:8442"]
    environment(PAPER_EXCHANGE_URL="https://paper.example/")
    assert settings().paper_url("bybit") == "https://paper.example"
