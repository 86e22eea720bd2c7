"""What a subscriber trades himself stands beside the copies, told apart from them; nobody else sees it."""

import asyncio
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

from sqlmodel import Session, col, select

from copytrade import clock
from copytrade.capture import service as capture
from copytrade.capture.models import CaptureState
from copytrade.capture.storing import Source
from copytrade.copying import queries as copying
from copytrade.copying.intentions import client_order_id
from copytrade.copying.models import CopyOrder
from copytrade.db.model import new_id
from copytrade.domain.fills import Fill
from copytrade.domain.instruments import Side
from copytrade.state.copies import Copies
from copytrade.users.queries import Person
from tests.integration.users.people import alice, bob, mallory
from tests.ui.asking import loaded, opened, signed_in
from tests.ui.test_subscribing import published, taken

SECOND = timedelta(seconds=1)


def traded(
    session: Session, account_id: UUID, order: str, *, symbol: str = "BTC/USDT:USDT", client: str = "", ago: int = 60
) -> None:
    """Let a fill of an order arrive by polling."""
    if session.get(CaptureState, account_id) is None:
        session.add(
            CaptureState(
                exchange_account_id=account_id,
                user_id=new_id(),
                venue="binance",
                market="perpetual",
                role="copy",
                created_at=clock.now(),
            )
        )
        session.flush()
    fill = Fill(
        trade_id=str(new_id().int % 10**12),
        order_id=order,
        symbol=symbol,
        side=Side.SELL,
        quantity=Decimal("0.000123450000000000"),
        price=Decimal(60000),
        fee=Decimal("0.0074"),
        fee_asset="USDT",
        venue_time=clock.now() - ago * SECOND,
        client_order_id=client,
    )
    capture.store_fills(session, account_id=account_id, fills=[fill], source=Source.POLL, received_at=clock.now())


def ordered(
    session: Session, subscription_id: UUID, account_id: UUID, *, venue_order_id: str = "", state: str = "filled"
) -> CopyOrder:
    """Make an order of ours stand in the table, as the engine leaves it."""
    order_id = new_id()
    order = CopyOrder(
        id=order_id,
        subscription_id=subscription_id,
        subscriber_id=new_id(),
        exchange_account_id=account_id,
        symbol="BTC/USDT:USDT",
        position_side="net",
        side="sell",
        purpose="enter",
        kind="market",
        quantity=Decimal("0.001"),
        reduce_only=False,
        reference=Decimal(60000),
        client_order_id=client_order_id(order_id),
        venue_order_id=venue_order_id,
        state=state,
        created_at=clock.now() - 30 * SECOND,
    )
    session.add(order)
    session.flush()
    return order


def subscriber(session: Session) -> tuple[Person, UUID, UUID]:
    """Return Bob, his subscription and his copy account."""
    profile, person = published(session, alice(session)), bob(session)
    subscription_id = taken(session, person, profile)
    from copytrade.subscriptions import queries as subscriptions

    row = subscriptions.subscription(session, owner=person.id, subscription_id=subscription_id)
    return person, subscription_id, row.copy_account_id


def test_only_what_no_order_of_ours_brought_is_ones_own(session: Session) -> None:
    person, subscription_id, account_id = subscriber(session)
    ordered(session, subscription_id, account_id, venue_order_id="77")
    quiet = ordered(session, subscription_id, account_id, venue_order_id="78")
    traded(session, account_id, "77")
    traded(session, account_id, "", client=quiet.client_order_id)
    traded(session, account_id, "5001")
    session.commit()
    page = copying.own_trades(session, owner=person.id)
    assert [row.order_id for row in page.rows] == ["5001"]
    assert page.next == ""


def test_what_may_still_turn_out_to_be_a_copy_waits_until_it_is_known(session: Session) -> None:
    person, subscription_id, account_id = subscriber(session)
    lost = ordered(session, subscription_id, account_id, state="unknown")
    traded(session, account_id, "91", ago=10)
    traded(session, account_id, "92", ago=600)
    traded(session, account_id, "93", ago=10, symbol="ETH/USDT:USDT")
    assert {row.order_id for row in copying.own_trades(session, owner=person.id).rows} == {"92", "93"}
    lost.venue_order_id, lost.state = "90", "filled"
    session.flush()
    assert {row.order_id for row in copying.own_trades(session, owner=person.id).rows} == {"91", "92", "93"}


def test_pages_of_own_trades_miss_and_repeat_nothing(session: Session) -> None:
    person, subscription_id, account_id = subscriber(session)
    for number in range(1, 26):
        if number % 3 == 0:
            ordered(session, subscription_id, account_id, venue_order_id=str(number))
        traded(session, account_id, str(number), ago=1000 - number)
    seen: list[str] = []
    cursor = ""
    while True:
        page = copying.own_trades(session, owner=person.id, cursor=cursor, limit=4)
        seen += [row.order_id for row in page.rows]
        cursor = page.next
        if not cursor:
            break
    assert seen == [str(number) for number in range(25, 0, -1) if number % 3]


def test_what_lies_before_the_copies_that_are_shown_is_left_out(session: Session) -> None:
    person, _, account_id = subscriber(session)
    traded(session, account_id, "1", ago=600)
    traded(session, account_id, "2", ago=10)
    rows = copying.own_trades(session, owner=person.id, since=clock.now() - 60 * SECOND).rows
    assert [row.order_id for row in rows] == ["2"]


def test_the_page_shows_them_among_the_copies_and_alone(session: Session) -> None:
    person, _, account_id = subscriber(session)
    traded(session, account_id, "5001")
    session.commit()
    page = opened(Copies, cookie=signed_in(session, person))
    asyncio.run(loaded(page))
    (row,) = page.rows
    assert (row.is_mine, row.trader, row.side, row.symbol, row.market) == (True, "Main", "SELL", "BTC/USDT", "perp")
    assert row.amount == "0.00012345 BTC @ 60,000.00"
    assert row.fee == "fee 0.0074 USDT"
    copied = opened(Copies, cookie=signed_in(session, person), state="copied")
    asyncio.run(loaded(copied))
    assert copied.rows == []
    mine = opened(Copies, cookie=signed_in(session, person), state="mine")
    asyncio.run(loaded(mine))
    assert [line.id for line in mine.rows] == [row.id]


def test_nobody_sees_anothers_trades(session: Session) -> None:
    _, _, account_id = subscriber(session)
    traded(session, account_id, "5001")
    session.commit()
    cookie = signed_in(session, mallory(session))
    for page in (opened(Copies, cookie=cookie), opened(Copies, cookie=cookie, state="mine")):
        asyncio.run(loaded(page))
        assert page.rows == []


def test_a_lead_accounts_trades_are_no_copies_and_stand_elsewhere(session: Session) -> None:
    subscriber(session)
    from copytrade.accounts.models import ExchangeAccount

    lead = session.exec(select(ExchangeAccount).where(col(ExchangeAccount.role) == "lead")).one()
    traded(session, lead.id, "1")
    assert copying.own_trades(session, owner=lead.user_id).rows == []
