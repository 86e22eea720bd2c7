"""What a copy paid in fees is written once all fills of its order are there, whichever others never come."""

import asyncio
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlmodel import Session

from copytrade import clock
from copytrade.capture import service as capture
from copytrade.capture.models import CaptureState
from copytrade.capture.storing import Source
from copytrade.copying import fees
from copytrade.copying.models import CopyOrder
from copytrade.domain.fills import Fill
from copytrade.domain.instruments import Side
from tests.integration.copying.desk import Desk, desk


@pytest.fixture
def on(session: Session) -> Desk:
    """Alice, and Bob whose own fills are captured, too."""
    on = desk(session)
    now = clock.now()
    bob = CaptureState(
        exchange_account_id=on.market.copy, user_id=on.market.bob.id, venue=on.place[0], market=on.place[1],
        role="copy", created_at=now, baseline_at=now - timedelta(minutes=1),
    )  # fmt: skip
    session.add(bob)
    session.flush()
    return on


def captured(on: Desk, order: CopyOrder, quantity: str, *, fee: str, asset: str = "USDT", late_s: float = 0) -> None:
    """Let a fill of a copy's order be read from the venue."""
    on.trades += 1
    fill = Fill(
        trade_id=f"copy-{on.trades}",
        order_id=order.venue_order_id,
        symbol=order.symbol,
        side=Side(order.side),
        quantity=Decimal(quantity),
        price=on.price,
        fee=Decimal(fee),
        fee_asset=asset,
        venue_time=clock.now() + timedelta(seconds=late_s),
    )
    capture.store_fills(
        on.session, account_id=on.market.copy, fills=[fill], source=Source.POLL, received_at=clock.now()
    )


def paid(on: Desk) -> list[tuple[Decimal | None, str]]:
    """Return fee and asset of the copy's orders, oldest first, after a sweep."""
    asyncio.run(fees.sweep())
    return [(order.fee, order.fee_asset) for order in on.orders()]


def test_the_fee_is_known_when_the_last_fill_is_there(on: Desk) -> None:
    on.copy("1")
    [order] = on.orders()
    captured(on, order, "0.4", fee="0.24")
    assert paid(on) == [(None, "")]
    captured(on, order, "0.6", fee="0.36")
    assert paid(on) == [(Decimal("0.60"), "USDT")]


def test_an_order_that_paid_in_two_assets_tells_of_the_larger_part(on: Desk) -> None:
    on.copy("1")
    [order] = on.orders()
    captured(on, order, "0.3", fee="0.18")
    captured(on, order, "0.7", fee="0.0005", asset="BNB")
    assert paid(on) == [(Decimal("0.0005"), "BNB")]


def test_orders_whose_fills_never_come_keep_nobody_waiting(on: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fees, "AT_ONCE", 1)
    for _ in range(3):
        on.copy("1")
    *_, newest = on.orders()
    captured(on, newest, "1", fee="0.6")
    assert paid(on) == [(None, ""), (None, ""), (Decimal("0.6"), "USDT")]


def test_a_fill_of_another_time_with_the_same_id_is_none_of_the_orders(on: Desk) -> None:
    on.copy("1")
    [order] = on.orders()
    captured(on, order, "1", fee="0.6", late_s=-3600)
    assert paid(on) == [(None, "")]
