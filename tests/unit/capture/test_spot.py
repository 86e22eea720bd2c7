"""What spot fills move, and when they may be planned."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

from copytrade.capture.ordering import Known, Moment, Waiting
from copytrade.capture.spot import Planned, effect, order
from copytrade.domain.changes import ChangeKind

NOW = datetime(2026, 5, 1, 12, 0, 30, tzinfo=UTC)
SPARE = timedelta(seconds=5)
BTC, ETH, BNB = ("BTC/USDT", "net"), ("ETH/USDT", "net"), ("BNB/USDT", "net")
PRICES = {"BTC": Decimal(60_000), "ETH": Decimal(3000), "BNB": Decimal(600)}


def fill(number: int, quantity: str, symbol: str = "BTC/USDT", *, fee: str = "0", of: str = "", streamed: bool = True,
         price: str = "60000", at: int = 0) -> Waiting:  # fmt: skip
    when = NOW - timedelta(seconds=1) + timedelta(milliseconds=at or number)
    return Waiting(
        id=uuid4(), trade_id=str(number), signed=Decimal(quantity), price=Decimal(price), venue_time=when,
        received_at=when, symbol=symbol, fee=Decimal(fee), fee_asset=of, is_streamed=streamed,
    )  # fmt: skip


def planned(
    *fills: Waiting, known: dict[tuple[str, str], Known] | None = None, unbroken: bool = True, polled: int = 60
) -> list[Planned]:
    moment = Moment(now=NOW, polled_until=NOW - timedelta(seconds=polled), spare=SPARE, is_unbroken=unbroken)
    return order(known or {}, fills, moment=moment, prices=PRICES.get)


def moves(found: list[Planned]) -> list[tuple[str, str, str]]:
    return [(one.place[0], str(one.step.before), str(one.step.after)) for one in found]


def test_a_fee_in_base_is_not_held() -> None:
    found = planned(fill(1, "0.01", fee="0.00001", of="BTC"))
    assert moves(found) == [("BTC/USDT", "0", "0.00999")]
    assert found[0].step.kind is ChangeKind.FILL


def test_a_fee_in_dollars_moves_nothing() -> None:
    assert moves(planned(fill(1, "-1", fee="60", of="USDT"), known={BTC: Known(Decimal(3))})) == [
        ("BTC/USDT", "3", "2")
    ]


def test_a_fee_in_a_third_coin_lowers_it_where_it_is_held() -> None:
    bought = fill(1, "1", fee="0.1", of="BNB")
    assert moves(planned(bought)) == [("BTC/USDT", "0", "1")]
    assert moves(planned(bought, known={BNB: Known(Decimal(2))})) == [("BTC/USDT", "0", "1"), ("BNB/USDT", "2", "1.9")]


def test_a_fee_in_the_coin_that_is_bought_counts_once() -> None:
    assert effect(symbol="BNB/USDT", signed=Decimal(1), price=Decimal(600), fee=Decimal("0.001"), fee_asset="BNB") == {
        "BNB": Decimal("0.999"),
        "USDT": Decimal(-600),
    }


def test_a_sale_beyond_what_is_known_leaves_nothing() -> None:
    assert moves(planned(fill(1, "-5"), known={BTC: Known(Decimal(3))})) == [("BTC/USDT", "3", "0")]
    assert moves(planned(fill(1, "-5"))) == [("BTC/USDT", "0", "0")]


def test_a_coin_that_pays_is_sold() -> None:
    found = planned(fill(1, "2", "ETH/BTC", price="0.05", fee="0.002", of="ETH"), known={BTC: Known(Decimal(1))})
    assert moves(found) == [("ETH/USDT", "0", "1.998"), ("BTC/USDT", "1", "0.90")]
    assert [one.step.price for one in found] == [Decimal(3000), Decimal(60_000)]


def test_a_coin_that_pays_and_was_never_held_stays_at_nothing() -> None:
    assert moves(planned(fill(1, "2", "ETH/BTC", price="0.05"))) == [("ETH/USDT", "0", "2")]


def test_a_coin_that_is_received_is_bought() -> None:
    found = planned(fill(1, "-2", "ETH/BTC", price="0.05"), known={ETH: Known(Decimal(2))})
    assert moves(found) == [("ETH/USDT", "2", "0"), ("BTC/USDT", "0", "0.10")]


def test_what_opens_at_an_unknown_price_is_not_copied() -> None:
    found = planned(fill(1, "2", "ETH/XYZ", price="0.05"), fill(2, "-1", "ETH/XYZ", price="0.05"))
    assert [one.step.kind for one in found if one.place == ETH] == [ChangeKind.MISSED, ChangeKind.FILL]


def test_other_dollars_count_as_one() -> None:
    found = planned(fill(1, "1", "BTC/USDC"))
    assert moves(found) == [("BTC/USDT", "0", "1")]
    assert found[0].step.price == 60_000


def test_an_unbroken_stream_proves_what_it_told() -> None:
    assert len(planned(fill(1, "1"), fill(2, "-1"))) == 2


def test_a_broken_stream_proves_nothing_until_a_poll_covers_it() -> None:
    assert planned(fill(1, "1"), unbroken=False) == []
    assert planned(fill(1, "1"), unbroken=False, polled=0) == []
    assert len(planned(fill(1, "1", at=-9000), unbroken=False, polled=0)) == 1


def test_what_a_poll_found_waits_for_the_time_to_spare_and_holds_up_the_rest() -> None:
    assert planned(fill(1, "1", streamed=False), fill(2, "1", "ETH/USDT", price="3000")) == []


def test_coins_are_planned_in_the_order_of_the_venue() -> None:
    found = planned(fill(3, "-1"), fill(1, "1"), fill(2, "4", "ETH/USDT", price="3000"))
    assert moves(found) == [("BTC/USDT", "0", "1"), ("ETH/USDT", "0", "4"), ("BTC/USDT", "1", "0")]


def test_a_fill_older_than_one_planned_is_late() -> None:
    (found,) = planned(fill(1, "1"), known={BTC: Known(Decimal(3), planned_until=NOW)})
    assert found.step.is_late


def test_who_moved_most_of_it_away_and_sells_the_rest_holds_nothing() -> None:
    after = Known(Decimal(3), seen_quantity=Decimal("0.00001"), seen_at=NOW)
    assert moves(planned(fill(1, "-1"), known={BTC: after})) == [("BTC/USDT", "3", "0")]
    before = Known(Decimal(3), seen_quantity=Decimal("0.00001"), seen_at=NOW - timedelta(seconds=9))
    assert moves(planned(fill(1, "-1"), known={BTC: before})) == [("BTC/USDT", "3", "2")]
