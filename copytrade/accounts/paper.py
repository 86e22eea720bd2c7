"""Paper accounts: play money at our paper exchange, to try a trader out before paying. Nobody types a key for one."""

from datetime import timedelta
from decimal import Decimal, InvalidOperation
from uuid import UUID

from sqlalchemy import func, text
from sqlmodel import Session, col, select

from copytrade import clock
from copytrade.accounts import vault
from copytrade.accounts.keys import CHECK, LINKED, typed_label
from copytrade.accounts.models import ExchangeAccount, PaperAccount
from copytrade.accounts.places import place_of
from copytrade.accounts.reasons import State
from copytrade.db.bell import ring
from copytrade.db.model import new_id
from copytrade.domain.instruments import Market, Role, Venue
from copytrade.errors import Conflict, InvalidInput, LimitReached
from copytrade.exchanges.modes import PAPER, is_served

LEAST_FUNDS, MOST_FUNDS, USUAL_FUNDS = Decimal(100), Decimal(1_000_000), Decimal(10_000)
"""USDT that a paper account may begin with."""
MOST_OPEN = 5
"""Paper accounts that a person has at the same time."""
MOST_A_DAY = 20
"""Paper accounts that a person opens within 24 hours."""


def is_offered() -> bool:
    """Return whether this installation has a paper exchange."""
    return is_served(PAPER)


def open_account(
    session: Session,
    *,
    owner: UUID,
    venue: Venue | str,
    market: Market | str,
    funds: Decimal | str = USUAL_FUNDS,
    label: str = "",
) -> UUID:
    """Open a paper account and return its id; a worker has its key issued, then `service.result` tells `active`."""
    if not is_offered():
        raise Conflict("there is no paper exchange", user="Copying on paper is not offered here.")
    place, money = place_of(venue, market), _funds(funds)
    _refuse_many(session, owner=owner)
    now, account_id = clock.now(), new_id()
    session.add(
        ExchangeAccount(
            id=account_id,
            user_id=owner,
            venue=place[0],
            market=place[1],
            role=Role.COPY,
            mode=PAPER,
            label=typed_label(label) or f"{place[0].title()} paper",
            # The place of the key's own mark until there is one; like that it is of one account only.
            fingerprint=vault.fingerprint(f"{PAPER}:{account_id}"),
            key_hint="",
            state=State.CHECKING,
            created_at=now,
            changed_at=now,
            check_due_at=now,
        )
    )
    session.flush()
    session.add(PaperAccount(exchange_account_id=account_id, funds=money, asked_at=now))
    session.flush()
    ring(session, CHECK, f"user:{owner}")
    return account_id


def funds_of(session: Session, *, owner: UUID) -> dict[UUID, Decimal]:
    """Return what each of a person's paper accounts began with, in USDT."""
    rows = session.exec(
        select(PaperAccount)
        .join(ExchangeAccount, col(ExchangeAccount.id) == col(PaperAccount.exchange_account_id))
        .where(ExchangeAccount.user_id == owner, ExchangeAccount.state != State.UNLINKED)
    )
    return {row.exchange_account_id: row.funds for row in rows}


def _refuse_many(session: Session, *, owner: UUID) -> None:
    # Two that are opened at once wait for each other here.
    session.connection().execute(
        text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": int.from_bytes(owner.bytes[:8], signed=True)}
    )
    mine = (ExchangeAccount.user_id == owner, ExchangeAccount.mode == PAPER)
    count = select(func.count()).select_from(ExchangeAccount).where(*mine)
    open_now = session.exec(count.where(col(ExchangeAccount.state).in_(LINKED))).one()
    if open_now >= MOST_OPEN:
        raise LimitReached(
            f"{open_now} paper accounts were open",
            user="You have {most} paper accounts. Remove one of them first.",
            most=MOST_OPEN,
        )
    today = session.exec(count.where(col(ExchangeAccount.created_at) > clock.now() - timedelta(days=1))).one()
    if today >= MOST_A_DAY:
        raise LimitReached(
            f"{today} paper accounts were opened within a day",
            user="You have opened many paper accounts today. Please go on tomorrow.",
        )


def _funds(typed: Decimal | str) -> Decimal:
    try:
        money = Decimal(typed)
    except InvalidOperation:
        money = Decimal("nan")
    if not (money.is_finite() and LEAST_FUNDS <= money <= MOST_FUNDS and money == money.quantize(Decimal("0.01"))):
        raise InvalidInput(
            "funds were out of bounds",
            user="Choose between {least} and {most} USDT, in whole cents.",
            field="funds",
            least=LEAST_FUNDS,
            most=MOST_FUNDS,
        )
    return money
