"""Accounts as a test needs them: taken for checking, or linked without asking an exchange."""

from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import redis
from sqlmodel import Session

from copytrade import clock
from copytrade.accounts import checking, service
from copytrade.accounts.checking import Examined
from copytrade.domain.fills import Equity, KeyPermissions, Position
from copytrade.domain.instruments import Role
from copytrade.settings import settings

KEY, SECRET = "k" * 60 + "1234", "CANARY_" + "s" * 57
MAY_TRADE = KeyPermissions(may_read=True, may_trade=True, may_withdraw=False, may_transfer=False, ip_restricted=True)


def leave_no_limits() -> None:
    """Have no test hear what a venue told the pool of another."""
    with redis.Redis.from_url(settings().redis_url) as valkey:
        for key in valkey.scan_iter("budget:*"):
            valkey.delete(key)


def equity(total: str = "1000", *, ago: timedelta = timedelta()) -> Equity:
    worth = Decimal(total)
    return Equity(worth, worth, Decimal(0), worth, clock.now() - ago)


def position(symbol: str = "BTC/USDT:USDT", quantity: str = "0.5") -> Position:
    return Position(symbol, Decimal(quantity), Decimal(60000), Decimal(60100), Decimal(50), leverage=5)


def taken(session: Session, owner: UUID, *, role: Role = Role.COPY, api_key: str = KEY, secret: str = SECRET) -> UUID:
    account_id = service.link(
        session,
        owner=owner,
        venue="binance",
        market="perpetual",
        role=role,
        label="Main",
        api_key=api_key,
        api_secret=secret,
    )
    session.commit()
    return account_id


def linked(session: Session, owner: UUID, *, role: Role = Role.COPY, api_key: str = KEY) -> UUID:
    account_id = taken(session, owner, role=role, api_key=api_key)
    checking.settle(account_id, Examined(permissions=MAY_TRADE, equity=equity(), positions=[position()]))
    session.expire_all()
    return account_id
