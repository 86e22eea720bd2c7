"""Whatever a parser lets through is stored or kept as it came: no row of a venue stops the writer (Hypothesis)."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session, col, func, select

from copytrade.capture import storing, streaming
from copytrade.capture.models import SpoiledRow, StoredFill
from copytrade.capture.storing import Captured, Source
from copytrade.capture.streaming import Heard
from copytrade.domain.fills import EntryKind, Fill, LedgerEntry, Position
from copytrade.domain.instruments import PositionSide, Side
from copytrade.exchanges.port import StreamMessage
from tests.integration.capture.test_storing import NOW, captured

TEXTS = st.text(st.characters(), max_size=12)
NUMBERS = st.decimals(allow_nan=False, allow_infinity=False)
POSITIVE = NUMBERS.map(abs).filter(bool)
TIMES = st.integers(0, 7_000_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
FILLS = st.builds(
    Fill,
    trade_id=TEXTS,
    order_id=TEXTS,
    symbol=TEXTS,
    side=st.sampled_from(Side),
    quantity=POSITIVE,
    price=POSITIVE,
    fee=NUMBERS,
    fee_asset=TEXTS,
    venue_time=TIMES,
    position_side=st.sampled_from(PositionSide),
    client_order_id=TEXTS,
    order_quantity=st.none() | POSITIVE,
    position_after=st.none() | NUMBERS,
    sequence=st.integers(0, 2**70),
)
POSITIONS = st.builds(
    Position, symbol=TEXTS, quantity=NUMBERS, entry_price=NUMBERS, mark_price=NUMBERS, unrealized_pnl=NUMBERS
)
ENTRIES = st.builds(
    LedgerEntry, entry_id=TEXTS, kind=st.sampled_from(EntryKind), asset=TEXTS, amount=NUMBERS, venue_time=TIMES,
    symbol=TEXTS,
)  # fmt: skip
MESSAGES = st.one_of(
    FILLS.map(lambda fill: StreamMessage(fill=fill, venue_time=fill.venue_time)),
    st.builds(lambda position, at: StreamMessage(position=position, venue_time=at), POSITIONS, TIMES),
    st.builds(lambda text: StreamMessage(spoiled=ascii(text)), TEXTS.filter(bool)),
)
MANY = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@MANY
@given(messages=st.lists(MESSAGES, max_size=8))
def test_any_messages_are_stored_or_kept(session: Session, messages: list[StreamMessage]) -> None:
    account_id = captured(session)
    streaming.store(session, [Heard(account_id, message, NOW + timedelta(seconds=1)) for message in messages])
    stored = session.exec(select(StoredFill).where(StoredFill.exchange_account_id == account_id)).all()
    kept = select(func.count()).select_from(SpoiledRow).where(col(SpoiledRow.exchange_account_id) == account_id)
    told = {
        (message.fill.symbol, message.fill.trade_id, message.fill.side)
        for message in messages
        if message.fill is not None
    }
    fit = {(fill.symbol, fill.trade_id, fill.side) for fill in stored}
    assert fit <= told
    assert session.exec(kept).one() >= len(told - fit)
    assert all(fill.venue_time <= NOW + timedelta(seconds=61) for fill in stored)


@MANY
@given(entries=st.lists(ENTRIES, max_size=5))
def test_any_ledger_is_stored_or_kept(session: Session, entries: list[LedgerEntry]) -> None:
    account_id = captured(session)
    storing.store_entries(session, entries, account_id=account_id)


@MANY
@given(fill=FILLS)
def test_a_fill_is_stored_exactly(session: Session, fill: Fill) -> None:
    account_id = captured(session)
    storing.store(session, [Captured(account_id, fill, NOW)], source=Source.POLL)
    row = session.exec(select(StoredFill).where(StoredFill.exchange_account_id == account_id)).first()
    if row is not None:
        assert (row.quantity, row.price, row.fee) == (fill.quantity, fill.price, fill.fee)
        assert row.order_quantity == fill.order_quantity
        assert isinstance(row.price, Decimal)
