"""The earnings page of a trader with 5,000 subscribers and twelve months: its own load, as a visit runs it."""

import asyncio
import os
import time
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import insert, text
from sqlmodel import Session

from benchmarks.billing_crowd import PRICE, offered, person, wish
from copytrade import clock
from copytrade.db.model import new_id
from copytrade.db.session import engine, reading, transaction
from copytrade.domain import bookings
from copytrade.domain.money import minor
from copytrade.domain.terms import split
from copytrade.payments.entries import sums
from copytrade.payments.ledger_models import EntryKind, LedgerEntry, Payout, PayoutLine, PayoutState
from copytrade.payments.models import PaidPeriod
from copytrade.settings import settings
from copytrade.subscriptions.models import Subscription
from copytrade.subscriptions.states import State
from copytrade.users import queries as users
from copytrade.users.models import User

SUBSCRIBERS, MONTHS = 5000, 12
VISITS = 60
WARM = 5
_PERIOD = timedelta(days=30)
_HELD = timedelta(days=7)


def measure() -> dict[str, float]:
    """Return `earnings.p50_ms` and `earnings.p95_ms`."""
    from benchmarks.billing import percentile

    trader_id = _filled()
    taken = asyncio.run(_visits(trader_id))
    return {"earnings.p50_ms": percentile(taken, 0.5), "earnings.p95_ms": percentile(taken, 0.95)}


async def _visits(trader_id: UUID) -> list[float]:
    from copytrade.state.earnings import Earnings
    from tests.ui.asking import loaded, opened, signed_in

    os.environ["PYTEST_CURRENT_TEST"] = "benchmark"  # Reflex gives a state without a browser to tests only
    with transaction() as session:
        cookie = signed_in(session, users.person(session, trader_id))
    taken: list[float] = []
    for _ in range(WARM + VISITS):
        page = opened(Earnings, cookie=cookie, path="/earnings")
        began = time.perf_counter()
        await loaded(page)
        taken.append((time.perf_counter() - began) * 1000)
        if not (page.loaded and page.payouts and page.paid and page.audience.running) or page.problem:
            raise RuntimeError(f"the page showed nothing: {page.problem}")
    return taken[WARM:]


def _filled() -> UUID:
    now = clock.now()
    with transaction() as session:
        # The trigger adds up each booking for each of its rows, which is not what is measured; they are added up below.
        session.connection().execute(text("set local session_replication_role = replica"))
        profile = offered(session, name="large", now=now - MONTHS * _PERIOD)
        people = [person(f"large-{number}", now=now) for number in range(SUBSCRIBERS)]
        wishes = [wish(profile, one.id, now=now) for one in people]
        for one in wishes:
            one.state, one.started_at = State.ACTIVE, now - (MONTHS - 1) * _PERIOD
            one.entitled_until = now + timedelta(days=20)
        _put(session, User, [one.model_dump() for one in people])
        _put(session, Subscription, [one.model_dump() for one in wishes])
        for month in range(MONTHS):
            _month(session, wishes, trader_id=profile.user_id, paid_at=now - timedelta(days=3) - month * _PERIOD)
    with reading() as session:
        if sum(one.minor for one in sums(session)):
            raise RuntimeError("the books of the large trader do not add up")
    with engine().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("analyze"))
    return profile.user_id


def _month(session: Session, wishes: list[Subscription], *, trader_id: UUID, paid_at: datetime) -> None:
    shares = split(minor(PRICE, currency="usd"), platform_share=settings().platform_share)
    periods = [
        PaidPeriod(
            stripe_invoice_id=f"in_{new_id().hex}",
            stripe_payment_intent_id=f"pi_{new_id().hex}",
            stripe_subscription_id=f"sub_{one.id.hex}",
            subscription_id=one.id,
            subscriber_id=one.subscriber_id,
            trader_id=trader_id,
            minor=shares.platform + shares.trader,
            currency="usd",
            platform_minor=shares.platform,
            trader_minor=shares.trader,
            period_start=paid_at,
            period_end=paid_at + _PERIOD,
            # A month's payments are spread over a day.
            paid_at=paid_at + timedelta(seconds=17 * number),
        )
        for number, one in enumerate(wishes)
    ]
    _put(session, PaidPeriod, [period.model_dump() for period in periods])
    entries = [entry for period in periods for entry in _entries(period, bookings.paid(shares, trader=trader_id))]
    _put(session, LedgerEntry, [entry.model_dump() for entry in entries])
    if paid_at + _HELD + timedelta(days=1) < clock.now():
        mine = [entry for entry in entries if entry.account == bookings.trader_account(trader_id)]
        _pay(session, mine, trader_id=trader_id, at=paid_at + _HELD)


def _entries(period: PaidPeriod, booked: bookings.Sums) -> list[LedgerEntry]:
    return [
        LedgerEntry(
            booking=f"paid:{period.stripe_invoice_id}",
            kind=EntryKind.PAID,
            account=account,
            minor=amount,
            currency="usd",
            paid_period_id=period.id,
            available_at=period.paid_at + _HELD,
            happened_at=period.paid_at,
            booked_at=period.paid_at,
        )
        for account, amount in booked.items()
    ]


def _pay(session: Session, entries: list[LedgerEntry], *, trader_id: UUID, at: datetime) -> None:
    payout = Payout(
        trader_id=trader_id,
        currency="usd",
        minor=-sum(entry.minor for entry in entries),
        state=PayoutState.SENT,
        stripe_account_id="acct_large",
        stripe_transfer_id=f"tr_{new_id().hex}",
        try_at=at,
        created_at=at,
        sent_at=at,
    )
    _put(session, Payout, [payout.model_dump()])
    _put(session, PayoutLine, [{"payout_id": payout.id, "entry_id": entry.id, "is_live": True} for entry in entries])
    booked = bookings.payout(payout.minor, trader=trader_id)
    booking = f"payout:{payout.id}"
    _put(
        session,
        LedgerEntry,
        [
            LedgerEntry(
                booking=booking,
                kind=EntryKind.PAYOUT,
                account=account,
                minor=amount,
                currency="usd",
                available_at=at,
                happened_at=at,
                booked_at=at,
            ).model_dump()
            for account, amount in booked.items()
        ],
    )


def _put(session: Session, table: type[object], rows: list[dict[str, object]]) -> None:
    session.connection().execute(insert(table), rows)
