"""What traders and operators see of money: right to the cent, and their own only."""

from collections.abc import Generator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlmodel import Session

from copytrade import clock
from copytrade.errors import InvalidInput, NotAllowed, NotFound
from copytrade.payments import agreeing, ledger, operator_queries, payouts, trader_queries
from copytrade.payments.ledger_models import Dispute, MoneyDifference, PayoutState
from copytrade.payments.months import months_before
from copytrade.subscriptions.churn import SubscriberMonth, subscribers_by_month
from copytrade.users import service as users
from tests.integration.payments.books import DAY, Books, chosen, onboarded
from tests.integration.subscriptions.market import opened, subscribed
from tests.integration.users import people

NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)
"""A Wednesday."""


@pytest.fixture
def books(session: Session) -> Generator[Books]:
    """Alice's, on a Wednesday noon; paid each day from 10 dollars on."""
    clock.set_offset(NOON - clock.real_now())
    alice = people.alice(session).id
    onboarded(session, alice)
    with chosen(payout_every="daily", payout_minimum="10"):
        yield Books(session, alice)


def test_months_add_up_each_currency_for_itself(books: Books) -> None:
    first = books.pay(2999, days_ago=60)
    books.pay(1000, days_ago=20)
    books.pay(1000)
    books.pay(900, currency="jpy")
    books.fee(first, 120)
    books.refund(first, 1001)
    months = trader_queries.earnings_by_month(books.session, owner=books.trader)
    told = [(row.month.isoformat(), row.currency, row.payments, row.gross, row.share, row.net) for row in months]
    assert told == [
        ("2026-09-01", "usd", 1, Decimal("29.99"), Decimal("23.99"), Decimal("23.99")),
        ("2026-10-01", "usd", 1, Decimal("10.00"), Decimal("8.00"), Decimal("8.00")),
        ("2026-11-01", "jpy", 1, Decimal(900), Decimal(720), Decimal(720)),
        ("2026-11-01", "usd", 1, Decimal("10.00"), Decimal("8.00"), Decimal("-0.01")),
    ]
    assert [row.taken_back for row in months] == [0, 0, 0, Decimal("8.01")]
    revenue = operator_queries.revenue_by_month(books.session)
    assert [(row.platform, row.taken_back, row.fees, row.net) for row in revenue if row.currency == "usd"] == [
        (Decimal("6.00"), 0, 0, Decimal("6.00")),
        (Decimal("2.00"), 0, 0, Decimal("2.00")),
        (Decimal("2.00"), Decimal("2.00"), Decimal("1.20"), Decimal("-1.20")),
    ]


def test_what_is_older_than_asked_for_is_not_shown(books: Books) -> None:
    books.pay(1000, days_ago=40)
    books.pay(1000, days_ago=17)
    assert len(trader_queries.earnings_by_month(books.session, owner=books.trader, months=2)) == 2
    assert len(trader_queries.earnings_by_month(books.session, owner=books.trader, months=1)) == 1


def test_the_upcoming_payout_says_what_comes_when_and_what_waits(books: Books) -> None:
    books.pay(2000, days_ago=8)
    books.pay(1000, days_ago=7)
    books.pay(3000, days_ago=2)
    [row] = trader_queries.upcoming(books.session, owner=books.trader)
    # What became free at noon today is paid tomorrow, with what was free before.
    assert (row.on.isoformat(), row.amount, row.owed) == ("2026-11-19", Decimal("24.00"), Decimal("48.00"))
    assert [(part.available_on.isoformat(), part.amount) for part in row.held] == [("2026-11-23", Decimal("24.00"))]
    assert (row.frozen, row.debt, row.on_its_way, row.minimum) == (0, 0, 0, Decimal("10.00"))


def test_what_is_shown_as_upcoming_is_what_is_planned_on_that_day(books: Books) -> None:
    for days, minor in ((9, 1200), (7, 1000), (6, 5000), (1, 700)):
        books.pay(minor, days_ago=days)
    clock.set_offset(clock.offset() + DAY / 4)
    [row] = trader_queries.upcoming(books.session, owner=books.trader)
    clock.set_offset(clock.offset() + DAY)
    made = payouts.plan(books.session, trader_id=books.trader, currency="usd")
    assert made is not None
    assert Decimal(made.minor) / 100 == row.amount
    [after] = trader_queries.upcoming(books.session, owner=books.trader)
    assert after.on_its_way == row.amount


def test_too_little_and_a_debt_pay_nothing(books: Books) -> None:
    books.pay(1000, days_ago=9)
    [row] = trader_queries.upcoming(books.session, owner=books.trader)
    assert (row.amount, row.available) == (0, Decimal("8.00"))
    second = books.pay(5000, days_ago=9)
    assert payouts.plan(books.session, trader_id=books.trader, currency="usd")
    books.refund(second, 5000)
    [row] = trader_queries.upcoming(books.session, owner=books.trader)
    assert (row.amount, row.available, row.debt) == (0, 0, Decimal("40.00"))


def test_who_earned_nothing_sees_zeros(session: Session) -> None:
    [row] = trader_queries.upcoming(session, owner=people.alice(session).id)
    assert (row.currency, row.owed, row.held) == ("usd", 0, ())
    assert trader_queries.earnings_by_month(session, owner=people.mallory(session).id) == []


def test_a_payout_shows_its_lines_to_its_owner_only(books: Books) -> None:
    first = books.pay(2000, days_ago=9)
    books.pay(1000, days_ago=9)
    books.refund(first, 500)
    made = payouts.plan(books.session, trader_id=books.trader, currency="usd")
    assert made is not None
    [row] = trader_queries.payouts_of(books.session, owner=books.trader)
    assert (row.amount, row.state, row.lines, row.taken_back) == (Decimal("20.00"), PayoutState.PLANNED, 3, 0)
    lines = trader_queries.payout_lines(books.session, owner=books.trader, payout_id=row.id)
    assert sorted((line.kind, line.amount, line.paid) for line in lines) == [
        ("paid", Decimal("8.00"), Decimal("10.00")),
        ("paid", Decimal("16.00"), Decimal("20.00")),
        ("refund", Decimal("-4.00"), Decimal("20.00")),
    ]
    mallory = people.mallory(books.session).id
    with pytest.raises(NotFound):
        trader_queries.payout_lines(books.session, owner=mallory, payout_id=row.id)
    assert trader_queries.payouts_of(books.session, owner=mallory) == []
    [waiting] = operator_queries.waiting_payouts(books.session)
    assert (waiting.id, waiting.amount) == (row.id, Decimal("20.00"))


def test_the_books_show_what_is_whose_and_add_up(books: Books) -> None:
    number = books.pay(2900)
    books.fee(number, 114)
    period, taken = books.taken(number, 1000)
    ledger.book_disputed(books.session, period=period, taken=taken)
    [row] = operator_queries.books(books.session)
    assert (row.stripe, row.disputed, row.fees, row.platform, row.traders, row.imbalance) == (
        Decimal("17.86"),
        Decimal("10.00"),
        Decimal("1.14"),
        Decimal("-5.80"),
        Decimal("-23.20"),
        0,
    )


def test_disputes_stand_by_their_deadlines_and_differences_by_what_is_open(session: Session) -> None:
    now = clock.now()
    for number, (is_open, days) in enumerate(((True, 9), (False, 1), (True, 2))):
        dispute = Dispute(
            stripe_dispute_id=f"dp_{number}",
            stripe_charge_id="ch",
            minor=2900,
            currency="usd",
            reason="fraudulent",
            status="needs_response" if is_open else "lost",
            is_open=is_open,
            evidence_due_at=now + days * DAY,
            opened_at=now,
            synced_at=now,
        )
        difference = MoneyDifference(
            kind="transfer",
            stripe_id=f"tr_{number}",
            ours="",
            theirs="5.00 USD",
            found_at=now - number * DAY,
            resolved_at=None if is_open else now,
        )
        session.add_all([dispute, difference])
    session.flush()
    rows = operator_queries.disputes(session)
    assert [(row.id, row.answer_by is not None) for row in rows] == [("dp_2", True), ("dp_0", True), ("dp_1", False)]
    assert [row.stripe_id for row in operator_queries.differences(session)] == ["tr_0", "tr_2", "tr_1"]


def test_churn_counts_who_left_and_not_who_moved(session: Session) -> None:
    market = opened(session)
    first, second = subscribed(session, market), UUID(int=7)
    _set(session, first, state="active", started_at=datetime(2026, 1, 10, tzinfo=UTC))
    moved_at = datetime(2026, 2, 20, tzinfo=UTC)
    found = session.connection().execute(text("select * from people.subscriptions where id = :id"), {"id": first})
    later = dict(found.mappings().one()) | {"id": second, "started_at": moved_at}
    _set(session, first, state="canceled", ended_at=moved_at, successor_id=second)
    names, values = ", ".join(later), ", ".join(f":{name}" for name in later)
    session.connection().execute(text(f"insert into people.subscriptions ({names}) values ({values})"), later)
    _set(session, second, state="canceled", ended_at=datetime(2026, 3, 5, tzinfo=UTC))
    since, now = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 4, 2, tzinfo=UTC)
    rows = subscribers_by_month(session, owner=market.alice.id, since=since, now=now)
    assert rows == [
        SubscriberMonth(date(2026, 1, 1), at_start=0, joined=1, left=0),
        SubscriberMonth(date(2026, 2, 1), at_start=1, joined=0, left=0),
        SubscriberMonth(date(2026, 3, 1), at_start=1, joined=0, left=1),
        SubscriberMonth(date(2026, 4, 1), at_start=0, joined=0, left=0),
    ]
    assert [row.churn for row in rows] == [None, 0, 1, None]
    assert all(
        row.at_start == row.joined == 0 for row in subscribers_by_month(session, owner=second, since=since, now=now)
    )


def _set(session: Session, id: UUID, **values: object) -> None:
    chosen_ones = ", ".join(f"{name} = :{name}" for name in values)
    session.connection().execute(
        text(f"update people.subscriptions set {chosen_ones} where id = :id"), values | {"id": id}
    )


@pytest.mark.parametrize("share", ["0.5", "1.01", "NaN", "-1", "0.80001", "Infinity"])
def test_a_share_is_above_half_and_at_most_all(session: Session, share: str) -> None:
    operator, alice = people.bob(session), people.alice(session).id
    users.make_operator(session, email=operator.email)
    with pytest.raises(InvalidInput):
        agreeing.agree(session, by=operator.id, trader_id=alice, share=Decimal(share))


def test_only_operators_agree_on_a_share(session: Session) -> None:
    operator, alice, mallory = people.bob(session), people.alice(session).id, people.mallory(session).id
    with pytest.raises(NotAllowed):
        agreeing.agree(session, by=mallory, trader_id=mallory, share=Decimal(1))
    users.make_operator(session, email=operator.email)
    agreeing.agree(session, by=operator.id, trader_id=alice, share=Decimal("0.9"))
    assert ledger.share_of(session, trader_id=alice) == Decimal("0.9")
    assert ledger.share_of(session, trader_id=mallory) == Decimal("0.8")
    with pytest.raises(NotFound):
        agreeing.agree(session, by=operator.id, trader_id=operator.id, share=Decimal("0.9"))


def test_months_begin_where_the_calendar_says() -> None:
    leap = datetime(2028, 2, 29, 23, 59, tzinfo=UTC)
    assert months_before(leap, months=1) == datetime(2028, 2, 1, tzinfo=UTC)
    assert months_before(leap, months=12) == datetime(2027, 3, 1, tzinfo=UTC)
    assert months_before(leap - timedelta(days=59), months=3) == datetime(2027, 11, 1, tzinfo=UTC)
