"""Keys of all venues and markets: what is refused, what is accepted, and what of them is stored and shown."""

import asyncio
from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlmodel import Session

from copytrade import clock
from copytrade.accounts import checking, new_keys, queries, service, vault
from copytrade.accounts.reasons import Reason, State
from copytrade.accounts.rows import AccountRow
from copytrade.db.bell import bell
from copytrade.domain.instruments import Market, Role, Venue
from copytrade.exchanges.pool import Pool
from copytrade.exchanges.port import ClientPool
from tests.conftest import Sandbox
from tests.integration.accounts.linking import leave_no_limits
from tests.integration.users.people import alice, bob

PLACES = [(venue, market) for venue in Venue for market in Market]
REFUSED: list[tuple[dict[str, Any], Reason]] = [
    ({"withdrawals": True}, Reason.MAY_WITHDRAW),
    ({"internal_transfer": True}, Reason.MAY_TRANSFER),
    ({"universal_transfer": True}, Reason.MAY_TRANSFER),
    ({"revoked": True}, Reason.WRONG_KEY),
    ({"expires_in_s": -60}, Reason.WRONG_KEY),
    ({"addresses": ["203.0.113.9"]}, Reason.WRONG_KEY),
]


@pytest.fixture(autouse=True)
def _calm(sandbox: Sandbox) -> Generator[None]:
    yield
    for venue in Venue:
        sandbox.control.limits(venue=venue)
    leave_no_limits()


@dataclass
class Desk:
    """One place, and one pool of clients for all that is tried there."""

    session: Session
    sandbox: Sandbox
    pool: ClientPool
    venue: Venue
    market: Market
    owners: dict[Role, UUID]

    def opened(self, **facts: Any) -> dict[str, Any]:
        """Open an account at the exchange with a key that may trade this market."""
        is_spot = self.market is Market.SPOT
        rights: dict[str, Any] = {"reading": True, "futures": not is_spot, "spot": is_spot}
        money: dict[str, Any] = {"coins": {"USDT": 1000}} if is_spot else {"deposit": 1000}
        return self.sandbox.control.create_account("test", venue=self.venue, **(rights | money | facts))

    async def linked(self, made: dict[str, Any], *, role: Role = Role.COPY, **typed: str) -> AccountRow:
        """Link a key, let a worker check it, and return how it came out."""
        account_id = service.link(
            self.session,
            owner=self.owners[role],
            venue=self.venue,
            market=self.market,
            role=role,
            label="",
            **({key: made.get(key, "") for key in ("api_key", "api_secret", "passphrase")} | typed),
        )
        self.session.commit()
        await checking.check(self.pool, queries.ref(self.session, account_id), role=role)
        self.session.expire_all()
        row = service.result(self.session, owner=self.owners[role], account_id=account_id)
        self.session.commit()
        return row


def at(
    session: Session, sandbox: Sandbox, place: tuple[Venue, Market], work: Callable[[Desk], Awaitable[None]]
) -> None:
    owners = {Role.LEAD: alice(session).id, Role.COPY: bob(session).id}

    async def run() -> None:
        pool = Pool(vault.opener(), limits_factor=1000)
        try:
            await work(Desk(session, sandbox, pool, *place, owners))
        finally:
            await pool.close()
            await bell().close()

    if place[0] is Venue.BITGET:
        sandbox.control.limits(venue="bitget", user_percent=100_000)
    asyncio.run(run())


@pytest.mark.parametrize("place", PLACES, ids="-".join)
def test_keys_that_may_too_much_or_nothing_are_refused(
    session: Session, sandbox: Sandbox, place: tuple[Venue, Market]
) -> None:
    async def work(desk: Desk) -> None:
        for rights, reason in REFUSED:
            if "expires_in_s" in rights and desk.venue is Venue.BITGET:
                continue  # its keys do not expire
            for role in Role:
                row = await desk.linked(desk.opened(**rights), role=role)
                assert (row.state, row.reason) == (State.REFUSED, reason), (rights, role)

    at(session, sandbox, place, work)


@pytest.mark.parametrize("place", PLACES, ids="-".join)
def test_keys_that_read_are_enough_to_lead_and_keys_that_trade_are_needed_to_copy(
    session: Session, sandbox: Sandbox, place: tuple[Venue, Market]
) -> None:
    async def work(desk: Desk) -> None:
        row = await desk.linked(desk.opened())
        assert (row.state, row.reason) == (State.ACTIVE, "")
        assert row.permissions["may_trade"] is True
        assert queries.equities(session, [row.id])[row.id].total == 1000
        for reads in ({"read_only": True}, other_market_only(desk)):
            row = await desk.linked(desk.opened(**reads))
            assert (row.state, row.reason) in ((State.REFUSED, Reason.READ_ONLY), (State.REFUSED, Reason.NOT_READABLE))
        row = await desk.linked(desk.opened(read_only=True), role=Role.LEAD)
        assert (row.state, row.permissions["may_trade"]) == (State.ACTIVE, False)

    at(session, sandbox, place, work)


def other_market_only(desk: Desk) -> dict[str, Any]:
    return {"futures": desk.market is Market.SPOT, "spot": desk.market is Market.PERPETUAL}


@pytest.mark.parametrize("place", PLACES, ids="-".join)
def test_addresses_and_the_end_of_a_key_are_stored_and_shown(
    session: Session, sandbox: Sandbox, place: tuple[Venue, Market]
) -> None:
    async def work(desk: Desk) -> None:
        bound = desk.opened(addresses=["127.0.0.1"])
        assert (await desk.linked(bound)).ip_restricted is True
        free = await desk.linked(desk.opened(expires_in_s=86_400 * 9.5))
        assert free.ip_restricted is False
        if desk.venue is not Venue.BITGET:
            assert free.days_left == 9
            assert free.key_expires_at is not None
            assert abs(free.key_expires_at - clock.now() - timedelta(days=9.5)) < timedelta(minutes=1)

    at(session, sandbox, place, work)


@pytest.mark.parametrize("market", list(Market))
@pytest.mark.parametrize(
    ("venue", "unified", "reason"),
    [(Venue.BYBIT, False, Reason.NOT_UNIFIED), (Venue.BITGET, True, Reason.UNIFIED)],
)
def test_accounts_of_an_unfit_kind_are_refused_with_their_own_reason(
    session: Session, sandbox: Sandbox, venue: Venue, unified: bool, reason: Reason, market: Market
) -> None:
    async def work(desk: Desk) -> None:
        for role in Role:
            row = await desk.linked(desk.opened(unified=unified), role=role)
            assert (row.state, row.reason) == (State.REFUSED, reason)

    at(session, sandbox, (venue, market), work)


def test_a_wrong_passphrase_is_a_wrong_key(session: Session, sandbox: Sandbox) -> None:
    async def work(desk: Desk) -> None:
        row = await desk.linked(desk.opened(), passphrase="wrong")
        assert (row.state, row.reason) == (State.REFUSED, Reason.WRONG_KEY)

    at(session, sandbox, (Venue.BITGET, Market.SPOT), work)


@pytest.mark.parametrize("place", PLACES[2:], ids="-".join)
def test_the_key_of_another_account_is_no_new_key_of_this_one(
    session: Session, sandbox: Sandbox, place: tuple[Venue, Market]
) -> None:
    async def replaced(desk: Desk, row: AccountRow, made: dict[str, Any]) -> AccountRow:
        owner = desk.owners[Role.COPY]
        service.replace_key(
            session,
            owner=owner,
            account_id=row.id,
            api_key=made["api_key"],
            api_secret=made["api_secret"],
            passphrase=made.get("passphrase", ""),
        )
        session.commit()
        await new_keys.check(desk.pool, queries.ref(session, row.id), role=Role.COPY)
        session.expire_all()
        return queries.account(session, owner=owner, account_id=row.id)

    async def work(desk: Desk) -> None:
        made = desk.opened()
        row = await desk.linked(made)
        other = await replaced(desk, row, desk.opened())
        assert other.replacing is not None
        assert other.replacing.reason == Reason.OTHER_ACCOUNT
        rights: dict[str, Any] = {"reading": True, "futures": True, "spot": True}
        fresh = sandbox.control.add_key(made["account_id"], **rights)
        again = await replaced(desk, row, fresh)
        assert (again.replacing, again.key_hint) == (None, fresh["api_key"][-4:])

    at(session, sandbox, place, work)
