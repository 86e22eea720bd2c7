"""What a stream tells of how much was ordered reaches the fills, whichever of the two comes first."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from copytrade.capture.order_sizes import OrderSize, Told, size_of, with_size
from copytrade.domain.fills import Fill
from copytrade.domain.instruments import Side
from copytrade.domain.orders import VenueOrder, VenueOrderStatus

NOW = datetime(2026, 1, 1, tzinfo=UTC)
FILL = Fill(
    trade_id="1", order_id="7", symbol="BTC/USDT", side=Side.BUY, quantity=Decimal("0.01"), price=Decimal(60_000),
    fee=Decimal(0), fee_asset="USDT", venue_time=NOW,
)  # fmt: skip
ORDER = VenueOrder(
    venue_order_id="7", client_order_id="c", symbol="BTC/USDT", side=Side.BUY, quantity=Decimal("0.04"),
    filled=Decimal(0), average_price=None, status=VenueOrderStatus.OPEN, venue_time=NOW,
)  # fmt: skip


def test_an_order_told_before_its_fill_gives_it_its_size() -> None:
    told = Told()
    assert told.order(ORDER) is False
    assert told.fill(FILL).order_quantity == Decimal("0.04")


def test_a_fill_told_before_its_order_is_told_of_once() -> None:
    told = Told()
    assert told.fill(FILL) == FILL
    assert told.order(ORDER) is True
    assert told.order(ORDER) is False


def test_a_purchase_in_quote_is_shared_in_quote() -> None:
    assert size_of(replace(ORDER, quote_quantity=Decimal(600))) == OrderSize(Decimal(600), is_quote=True)
    sized = with_size(FILL, OrderSize(Decimal(600), is_quote=True))
    assert (sized.order_quantity, sized.order_unit_is_quote) == (600, True)


def test_what_the_fill_says_itself_is_kept_and_nothing_is_made_up() -> None:
    known = replace(FILL, order_quantity=Decimal(1))
    assert with_size(known, OrderSize(Decimal(2))) == known
    assert with_size(FILL, OrderSize(Decimal(0))) == FILL
    assert with_size(FILL, None) == FILL


def test_only_so_many_orders_are_remembered() -> None:
    told = Told()
    for number in range(600):
        told.order(replace(ORDER, venue_order_id=str(number)))
    assert told.fill(replace(FILL, order_id="0")).order_quantity is None
    assert told.fill(replace(FILL, order_id="599")).order_quantity == Decimal("0.04")
