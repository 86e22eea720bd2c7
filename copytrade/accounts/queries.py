"""What is shown of exchange accounts, their equity and positions."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, text, true
from sqlalchemy import select as sql_select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlmodel import Session, col, select

from copytrade import clock
from copytrade.accounts import details
from copytrade.accounts.details import equities as equities
from copytrade.accounts.expiry import days_left
from copytrade.accounts.models import AccountPosition, EquitySnapshot, ExchangeAccount
from copytrade.accounts.reasons import State
from copytrade.accounts.rows import AccountRow, EquityPoint
from copytrade.db.trips import Ask, Asking, answered
from copytrade.domain.fills import Equity, Position
from copytrade.domain.instruments import MarginMode, Market, PositionSide, Role, Venue
from copytrade.errors import NotFound
from copytrade.exchanges.port import AccountRef
from copytrade.exchanges.venues import is_served
from copytrade.settings import settings


def account_ref(account: ExchangeAccount) -> AccountRef:
    """Return by what a client is built for a row."""
    return AccountRef(
        id=account.id,
        venue=Venue(account.venue),
        market=Market(account.market),
        mode=account.mode,
        egress=account.egress,
        key_version=account.key_version,
    )


_REF = (
    col(ExchangeAccount.id), col(ExchangeAccount.venue), col(ExchangeAccount.market), col(ExchangeAccount.mode),
    col(ExchangeAccount.egress), col(ExchangeAccount.key_version),
)  # fmt: skip


def _ref_of(row: Sequence[Any]) -> AccountRef:
    id, venue, market, mode, egress, key_version = row
    return AccountRef(id, Venue(venue), Market(market), mode, egress, key_version)


def owned(session: Session, *, owner: UUID, account_id: UUID) -> ExchangeAccount:
    """Return an account of the owner's; raise NotFound for anybody else's, as for one that does not exist."""
    account = session.exec(
        select(ExchangeAccount).where(
            ExchangeAccount.id == account_id,
            ExchangeAccount.user_id == owner,
            ExchangeAccount.state != State.UNLINKED,
        )
    ).first()
    if account is None:
        raise NotFound(f"account {account_id} was not found", user="There is no such exchange account.")
    return account


def ref(session: Session, account_id: UUID) -> AccountRef:
    """Return by what an account's client is built; raise NotFound for none."""
    account = session.get(ExchangeAccount, account_id)
    if account is None:
        raise NotFound(f"account {account_id} was not found", user="There is no such exchange account.")
    return account_ref(account)


def refs(session: Session, account_ids: Collection[UUID]) -> dict[UUID, AccountRef]:
    """Return by what the clients of several accounts are built, in one query."""
    session.flush()
    account = ExchangeAccount
    rows = session.connection().execute(
        sql_select(
            col(account.id),
            col(account.venue),
            col(account.market),
            col(account.mode),
            col(account.egress),
            col(account.key_version),
        ).where(details.among(account.id, account_ids))
    )
    return {
        found: AccountRef(found, Venue(venue), Market(market), mode, egress, version)
        for found, venue, market, mode, egress, version in rows
    }


@dataclass(frozen=True, slots=True)
class Standing:
    """What whoever sends orders needs to know of an account."""

    ref: AccountRef
    state: str
    equity: Equity | None
    """As last read."""


def standings(session: Session, account_ids: Collection[UUID]) -> dict[UUID, Standing]:
    """Return how several accounts stand, in one query."""
    return answered(session, asking_standings(account_ids))


_STANDINGS = """
SELECT id, venue, market, mode, egress, key_version, state, total, wallet, unrealized_pnl, available, read_at
FROM people.exchange_accounts LEFT JOIN people.account_equities ON exchange_account_id = id WHERE id = ANY(%(ids)s)
"""


def asking_standings(account_ids: Collection[UUID]) -> Asking[dict[UUID, Standing]]:
    """Ask for what `standings` returns."""
    [rows] = yield [Ask(_STANDINGS, {"ids": list(account_ids)})]
    return {
        account_id: Standing(
            AccountRef(account_id, _VENUES[venue], _MARKETS[market], mode, egress, version),
            state,
            Equity(*read) if read[-1] is not None else None,
        )
        for account_id, venue, market, mode, egress, version, state, *read in rows
    }


_VENUES: Mapping[str, Venue] = {venue.value: venue for venue in Venue}
_MARKETS: Mapping[str, Market] = {market.value: market for market in Market}


def states(session: Session, account_ids: Collection[UUID]) -> dict[UUID, str]:
    """Return where several accounts stand, in one query."""
    rows = session.exec(
        select(ExchangeAccount.id, ExchangeAccount.state).where(details.among(ExchangeAccount.id, account_ids))
    )
    return dict(rows.all())


def accounts(session: Session, *, owner: UUID) -> list[AccountRow]:
    """Return a person's exchange accounts, oldest first; refused ones stay until their reason was read."""
    rows = session.exec(
        select(ExchangeAccount)
        .where(ExchangeAccount.user_id == owner, ExchangeAccount.state != State.UNLINKED)
        .order_by(col(ExchangeAccount.created_at), col(ExchangeAccount.id))
    ).all()
    return details.completed(session, [account_row(account) for account in rows])


def ids_of(session: Session, *, owner: UUID, role: Role | None = None) -> list[UUID]:
    """Return the ids of a person's accounts, of a role where given, unlinked ones too: their history stays his."""
    query = select(ExchangeAccount.id).where(ExchangeAccount.user_id == owner)
    return list(session.exec(query if role is None else query.where(ExchangeAccount.role == role)))


def account(session: Session, *, owner: UUID, account_id: UUID) -> AccountRow:
    """Return one account of the owner's; raise NotFound for anybody else's."""
    found = owned(session, owner=owner, account_id=account_id)
    return details.completed(session, [account_row(found)])[0]


def addresses() -> list[str]:
    """Return what belongs into the address rule of a key: all addresses that venues see us come from."""
    return list(settings().egress_addresses)


def places() -> list[tuple[Venue, Market]]:
    """Return where accounts can be linked."""
    return [(venue, market) for venue in Venue for market in Market if is_served(venue, market=market)]


def owner_of(session: Session, account_id: UUID) -> UUID:
    """Return whose account it is; raise NotFound for none."""
    owner = session.exec(select(ExchangeAccount.user_id).where(ExchangeAccount.id == account_id)).first()
    if owner is None:
        raise NotFound(f"account {account_id} was not found", user="There is no such exchange account.")
    return owner


def owners(session: Session, account_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """Return whose accounts these are, in one query."""
    rows = session.exec(
        select(ExchangeAccount.id, ExchangeAccount.user_id).where(col(ExchangeAccount.id).in_(account_ids))
    )
    return dict(rows.all())


def active(session: Session, *, role: Role | str, venue: Venue | str | None = None) -> list[AccountRef]:
    """Return the active accounts of a role, oldest first."""
    # Thousands of them are asked for each second: as plain values, rows cost ten times that.
    query = sql_select(*_REF).where(col(ExchangeAccount.state) == State.ACTIVE, col(ExchangeAccount.role) == str(role))
    if venue is not None:
        query = query.where(col(ExchangeAccount.venue) == str(venue))
    return [_ref_of(row) for row in session.connection().execute(query.order_by(col(ExchangeAccount.id)))]


def active_of(session: Session, *, owner: UUID, role: Role | str) -> list[AccountRef]:
    """Return one person's active accounts of a role."""
    rows = session.exec(
        select(ExchangeAccount)
        .where(
            ExchangeAccount.user_id == owner,
            ExchangeAccount.role == str(role),
            ExchangeAccount.state == State.ACTIVE,
        )
        .order_by(col(ExchangeAccount.id))
    )
    return [account_ref(row) for row in rows]


def equity_curve(
    session: Session, *, account_id: UUID, since: datetime, until: datetime | None = None
) -> list[EquityPoint]:
    """Return an account's snapshots in time order."""
    query = select(EquitySnapshot).where(
        EquitySnapshot.exchange_account_id == account_id, col(EquitySnapshot.read_at) >= since
    )
    if until is not None:
        query = query.where(col(EquitySnapshot.read_at) < until)
    rows = session.exec(query.order_by(col(EquitySnapshot.read_at)))
    return [EquityPoint(row.read_at, row.total, row.wallet, row.unrealized_pnl, row.is_rebuilt) for row in rows]


def positions(session: Session, account_id: UUID) -> list[Position]:
    """Return the positions that were open when the account was last read."""
    rows = session.exec(
        select(AccountPosition)
        .where(AccountPosition.exchange_account_id == account_id)
        .order_by(col(AccountPosition.symbol), col(AccountPosition.position_side))
    )
    return [
        Position(
            symbol=row.symbol,
            quantity=row.quantity,
            entry_price=row.entry_price,
            mark_price=row.mark_price,
            unrealized_pnl=row.unrealized_pnl,
            position_side=PositionSide(row.position_side),
            leverage=row.leverage,
            liquidation_price=row.liquidation_price,
            margin_mode=MarginMode(row.margin_mode) if row.margin_mode else None,
        )
        for row in rows
    ]


def account_row(account: ExchangeAccount) -> AccountRow:
    """Return what is shown of a row, without its equity."""
    return AccountRow(
        id=account.id,
        venue=account.venue,
        market=account.market,
        role=account.role,
        mode=account.mode,
        label=account.label,
        key_hint=account.key_hint,
        state=account.state,
        reason=account.reason,
        permissions=account.permissions,
        ip_restricted=account.ip_restricted,
        key_expires_at=account.key_expires_at,
        linked_at=account.linked_at,
        checked_at=account.checked_at,
        uid=account.uid,
        egress=account.egress,
        check_due_at=account.check_due_at,
        days_left=days_left(account.key_expires_at, now=clock.now()),
    )


def daily_closings(session: Session, *, account_id: UUID, since: datetime, until: datetime) -> list[EquityPoint]:
    """Return the last snapshot that was really read of each UTC day up to `until`, in time order."""
    day = func.date_trunc("day", col(EquitySnapshot.read_at), text("'UTC'"))
    rows = session.exec(
        select(EquitySnapshot)
        .ext(distinct_on(day))
        .where(
            EquitySnapshot.exchange_account_id == account_id,
            col(EquitySnapshot.read_at) >= since,
            col(EquitySnapshot.read_at) <= until,
            col(EquitySnapshot.is_rebuilt).is_(False),
        )
        .order_by(day, col(EquitySnapshot.read_at).desc())
    )
    return [EquityPoint(row.read_at, row.total, row.wallet, row.unrealized_pnl, row.is_rebuilt) for row in rows]


def reading_before(session: Session, *, account_id: UUID, at: datetime) -> EquityPoint | None:
    """Return the last snapshot that was really read before a time."""
    return _reading(session, account_id, col(EquitySnapshot.read_at) < at, col(EquitySnapshot.read_at).desc())


def first_reading(session: Session, *, account_id: UUID) -> EquityPoint | None:
    """Return the first snapshot that was really read."""
    return _reading(session, account_id, true(), col(EquitySnapshot.read_at).asc())


def _reading(
    session: Session, account_id: UUID, condition: ColumnElement[bool], order: ColumnElement[Any]
) -> EquityPoint | None:
    row = session.exec(
        select(EquitySnapshot)
        .where(EquitySnapshot.exchange_account_id == account_id, col(EquitySnapshot.is_rebuilt).is_(False), condition)
        .order_by(order)
        .limit(1)
    ).first()
    return row and EquityPoint(row.read_at, row.total, row.wallet, row.unrealized_pnl, row.is_rebuilt)
