"""Fills, ledger and odd rows are stored once, many at a time, and ring who waits for them."""

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from sqlmodel import Session, col, func, select

from copytrade import clock
from copytrade.capture import order_sizes, queries, readings, service, storing
from copytrade.capture.models import CaptureState, LeadPosition, SpoiledRow, StoredFill
from copytrade.capture.order_sizes import OrderSize
from copytrade.capture.storing import Captured, Source
from copytrade.db.model import new_id
from copytrade.db.trips import answered
from copytrade.domain.changes import ChangeKind
from copytrade.domain.fills import AccountState, EntryKind, Equity, Fill, LedgerEntry, Position
from copytrade.domain.instruments import PositionSide, Side

NOW = datetime(2026, 1, 1, tzinfo=UTC)
BTC = "BTC/USDT:USDT"
SECOND = timedelta(seconds=1)


def fill(trade: int, signed: str, *, at: float = 1, after: str | None = None, **facts: object) -> Fill:
    quantity = Decimal(signed)
    return Fill(
        trade_id=str(trade),
        order_id="7",
        symbol=BTC,
        side=Side.of(quantity),
        quantity=abs(quantity),
        price=Decimal(60000),
        fee=Decimal("0.03"),
        fee_asset="USDT",
        venue_time=NOW + at * SECOND,
        position_after=None if after is None else Decimal(after),
        **facts,  # type: ignore[arg-type]
    )


def captured(session: Session, *, role: str = "lead", baseline: datetime | None = NOW) -> UUID:
    account_id = new_id()
    session.add(
        CaptureState(
            exchange_account_id=account_id,
            user_id=new_id(),
            venue="binance",
            market="perpetual",
            role=role,
            created_at=NOW,
            baseline_at=baseline,
        )
    )
    session.flush()
    return account_id


def put(session: Session, account_id: UUID, *fills: Fill, source: Source = Source.POLL) -> list[UUID]:
    return service.store_fills(session, account_id=account_id, fills=fills, source=source, received_at=NOW)


def reading_of(quantity: str, *, at: float) -> AccountState:
    zero = Decimal(0)
    return AccountState(
        equity=Equity(zero, zero, zero, zero, NOW),
        positions={(BTC, PositionSide.NET): Decimal(quantity)} if Decimal(quantity) else {},
        mark=quantity,
        asked_at=NOW + at * SECOND,
        answered_at=NOW + at * SECOND,
    )


def plan(session: Session, account_id: UUID, *, at: float) -> list[tuple[ChangeKind, Decimal, Decimal]]:
    now = NOW + at * SECOND
    taken = service.take_next(session, lead_account_id=account_id, now=now)
    service.mark_planned(session, taken, now=now)
    return [(change.kind, change.before, change.after) for change in taken.changes]


def test_a_fill_is_stored_once_and_learns_what_the_stream_knows(session: Session) -> None:
    alice = captured(session)
    assert len(put(session, alice, fill(1, "1"))) == 1
    assert put(session, alice, fill(1, "1", after="1", client_order_id="web", order_quantity=Decimal(2))) == []
    assert put(session, alice, fill(1, "1")) == []
    row = session.exec(select(StoredFill).where(StoredFill.exchange_account_id == alice)).one()
    assert (row.position_after, row.client_order_id, row.order_quantity) == (1, "web", 2)
    assert row.source == Source.POLL


def test_one_statement_takes_fills_of_many_accounts(session: Session) -> None:
    alice, carol = captured(session), captured(session)
    fills = [Captured(account, fill(number, "1"), NOW) for account in (alice, carol) for number in (1, 2, 2)]
    stored = storing.store(session, fills, source=Source.STREAM)
    assert sorted(one.account_id for one in stored) == sorted([alice, alice, carol, carol])
    assert all(one.is_waiting for one in stored)


def test_history_and_a_copy_accounts_fills_are_never_planned(session: Session) -> None:
    alice, bob, carol = captured(session), captured(session, role="copy"), captured(session, baseline=None)
    put(session, alice, fill(1, "1", at=-1), fill(2, "1", at=0), fill(3, "1", at=1))
    put(session, bob, fill(1, "1"))
    put(session, carol, fill(1, "1"), source=Source.HISTORY)
    rows = session.exec(
        select(StoredFill.exchange_account_id, StoredFill.trade_id).where(~col(StoredFill.is_history))
    ).all()
    assert list(rows) == [(alice, "3")]
    assert answered(session, service.asking_waiting_leads()) == [alice]


def test_planning_moves_p_and_marks_the_fills(session: Session) -> None:
    alice = captured(session)
    put(session, alice, fill(1, "1", after="1"), fill(2, "-0.4", at=2, after="0.6"))
    assert plan(session, alice, at=2) == [(ChangeKind.FILL, 0, 1), (ChangeKind.FILL, 1, Decimal("0.6"))]
    assert plan(session, alice, at=2) == []
    assert answered(session, service.asking_waiting_leads()) == []
    held = queries.lead_positions(session, account_id=alice)
    assert [(one.instrument.symbol, one.quantity) for one in held] == [(BTC, Decimal("0.6"))]


def test_nothing_is_planned_before_the_baseline(session: Session) -> None:
    alice = captured(session, baseline=None)
    put(session, alice, fill(1, "1", after="1"))
    assert plan(session, alice, at=100) == []


def test_the_share_of_an_order_is_told_once_its_quantity_is_known(session: Session) -> None:
    alice = captured(session)
    put(session, alice, fill(1, "0.25", after="0.25", order_quantity=Decimal(1)))
    change = service.take_next(session, lead_account_id=alice, now=NOW).changes[0]
    assert (change.order_share, change.order_id, change.lead_fill_quantity) == (Decimal("0.25"), "7", Decimal("0.25"))


def test_a_streamed_position_proves_the_fills_that_lead_to_it(session: Session) -> None:
    alice = captured(session)
    put(session, alice, fill(1, "0.6"), fill(2, "0.4"))
    assert plan(session, alice, at=1) == []
    zero = Decimal(0)
    told = Position(BTC, Decimal(1), zero, zero, zero)
    readings.see(session, {(alice, BTC, "net"): (told, NOW + SECOND)})
    assert [after for _, _, after in plan(session, alice, at=1)] == [Decimal("0.6"), 1]


def test_two_equal_readings_that_no_fill_explains_set_p_and_the_late_trade_changes_nothing(session: Session) -> None:
    """Worked example 18, in small."""
    alice = captured(session)
    put(session, alice, fill(1, "1", after="1"))
    plan(session, alice, at=1)
    first = readings.settle(session, reading_of("0", at=10), account_id=alice)
    assert (first.odd, first.confirmed) == (((BTC, "net"),), ())
    early = readings.settle(session, reading_of("0", at=10.5), account_id=alice)
    assert early.confirmed == ()
    second = readings.settle(session, reading_of("0", at=16), account_id=alice)
    assert second.confirmed == ((BTC, "net"),)
    readings.rebase(session, {(BTC, "net"): Decimal(59000)}, account_id=alice)
    assert answered(session, service.asking_waiting_leads()) == [alice]
    taken = service.take_next(session, lead_account_id=alice, now=NOW + 16 * SECOND)
    assert [(one.kind, one.after, one.price, one.fill_id) for one in taken.changes] == [
        (ChangeKind.REBASE_REDUCE, 0, 59000, None)
    ]
    service.mark_planned(session, taken, now=NOW)
    put(session, alice, fill(2, "-1", at=9, after="0"))
    assert plan(session, alice, at=60) == []
    assert answered(session, service.asking_waiting_leads()) == []
    put(session, alice, fill(3, "2", at=17, after="2"))
    assert plan(session, alice, at=60) == [(ChangeKind.FILL, 0, 2)]


def test_a_fill_between_two_readings_or_another_value_starts_the_wait_anew(session: Session) -> None:
    alice = captured(session)
    readings.settle(session, reading_of("3", at=10), account_id=alice)
    readings.settle(session, reading_of("4", at=16), account_id=alice)
    assert readings.settle(session, reading_of("4", at=16.5), account_id=alice).confirmed == ()
    put(session, alice, fill(1, "1", at=17))
    assert readings.settle(session, reading_of("4", at=30), account_id=alice).confirmed == ()
    assert readings.settle(session, reading_of("4", at=40), account_id=alice).confirmed != ()


def test_a_reading_further_away_opens_nothing(session: Session) -> None:
    alice = captured(session)
    for at in (10, 16):
        readings.settle(session, reading_of("3", at=at), account_id=alice)
    readings.rebase(session, {(BTC, "net"): Decimal(1)}, account_id=alice)
    assert plan(session, alice, at=16) == [(ChangeKind.MISSED, 0, 3)]


def test_a_forced_rebase_keeps_what_came_before_it_out(session: Session) -> None:
    alice = captured(session)
    put(session, alice, fill(9, "-1", at=3, after="0"))
    assert plan(session, alice, at=60) == [(ChangeKind.MISSED, 0, 1), (ChangeKind.FILL, 1, 0)]
    put(session, alice, fill(8, "1", at=3))
    assert plan(session, alice, at=60) == []
    row = session.exec(select(LeadPosition).where(LeadPosition.exchange_account_id == alice)).one()
    assert (row.quantity, row.marked_before) == (0, "9")


def test_the_baseline_needs_two_readings_that_the_fills_between_explain(session: Session) -> None:
    alice = captured(session, baseline=None)
    readings.settle(session, reading_of("2", at=10), account_id=alice)
    readings.settle(session, reading_of("5", at=16), account_id=alice)
    assert not queries.is_captured(session, account_id=alice)
    put(session, alice, fill(1, "2", at=5), fill(2, "1", at=20, after="6"))
    readings.settle(session, reading_of("6", at=22), account_id=alice)
    assert queries.is_captured(session, account_id=alice)
    assert plan(session, alice, at=22) == [(ChangeKind.FILL, 5, 6)]


def test_a_fill_too_near_the_first_reading_makes_it_no_baseline(session: Session) -> None:
    alice = captured(session, baseline=None)
    readings.settle(session, reading_of("2", at=10), account_id=alice)
    put(session, alice, fill(1, "1", at=10.5))
    readings.settle(session, reading_of("3", at=16), account_id=alice)
    assert not queries.is_captured(session, account_id=alice)
    readings.settle(session, reading_of("3", at=22), account_id=alice)
    assert queries.is_captured(session, account_id=alice)


def test_ledger_entries_are_stored_once(session: Session) -> None:
    alice = captured(session)
    entries = [
        LedgerEntry(f"FUNDING_FEE:{number}:", EntryKind.FUNDING, "USDT", Decimal(-1), NOW, BTC) for number in (1, 2)
    ]
    assert storing.store_entries(session, entries, account_id=alice) == ["funding", "funding"]
    assert storing.store_entries(session, entries, account_id=alice) == []
    assert len(queries.entries(session, account_id=alice, since=NOW)) == 2


def test_what_cannot_be_read_is_kept_once_and_marks_the_account(session: Session) -> None:
    alice = captured(session)
    for expected in (1, 0):
        kept = storing.keep_spoiled(session, ['{"qty": "0"}'], account_id=alice, source=Source.POLL, now=NOW)
        assert kept == expected
    assert session.exec(select(SpoiledRow.content)).all() == ['{"qty": "0"}']
    session.expire_all()
    state = session.get(CaptureState, alice)
    assert state is not None
    assert state.problem


def test_pages_of_fills_go_from_new_to_old_and_show_only_the_account(session: Session) -> None:
    alice, mallory = captured(session), captured(session)
    put(session, alice, *(fill(number, "1", at=number // 2) for number in range(5)))
    put(session, mallory, fill(1, "1"))
    first = queries.fills_of(session, account_id=alice, limit=3)
    second = queries.fills_of(session, account_id=alice, limit=3, cursor=first.cursor)
    assert [len(first.rows), len(second.rows), second.cursor] == [3, 2, ""]
    assert len({row.id for row in first.rows + second.rows}) == 5
    assert first.rows[0].venue_time >= first.rows[-1].venue_time >= second.rows[0].venue_time
    assert {row.exchange_account_id for row in first.rows} == {alice}


@pytest.mark.parametrize("batch", [50, 500])
def test_two_thousand_fills_a_second_are_stored(session: Session, batch: int) -> None:
    alice = captured(session)
    fills = [Captured(alice, fill(number, "1", after=str(number)), NOW) for number in range(2000)]
    began = time.process_time(), time.perf_counter()
    for start in range(0, len(fills), batch):
        storing.store(session, fills[start : start + batch], source=Source.STREAM)
    ours, all_of_it = time.process_time() - began[0], time.perf_counter() - began[1]
    stored = session.exec(select(func.count()).select_from(StoredFill)).one()
    print(f"2,000 fills in batches of {batch}: {ours:.3f} s of ours, {all_of_it:.3f} s")
    assert stored == 2000
    assert ours < 1


def test_an_orders_size_reaches_the_fills_that_do_not_say_it(session: Session) -> None:
    account_id = captured(session)
    recent = clock.now()
    lacking, told = replace(fill(1, "0.01"), venue_time=recent), fill(2, "0.01", order_quantity=Decimal("0.5"))
    fills = [lacking, replace(told, venue_time=recent)]
    service.store_fills(session, account_id=account_id, fills=fills, source=Source.STREAM, received_at=recent)
    order_sizes.note(session, {(account_id, "7"): OrderSize(Decimal(600), is_quote=True)})
    rows = session.exec(
        select(StoredFill).where(StoredFill.exchange_account_id == account_id).order_by(col(StoredFill.trade_id))
    )
    assert [(row.order_quantity, row.order_unit_is_quote) for row in rows] == [(600, True), (Decimal("0.5"), False)]


def test_a_poll_that_knows_the_size_tells_its_unit_too(session: Session) -> None:
    account_id = captured(session)
    put(session, account_id, fill(1, "0.01"), source=Source.STREAM)
    put(session, account_id, fill(1, "0.01", order_quantity=Decimal(600), order_unit_is_quote=True))
    row = session.exec(select(StoredFill).where(StoredFill.exchange_account_id == account_id)).one()
    assert (row.order_quantity, row.order_unit_is_quote) == (600, True)
