"""Where a balance that nothing explains is looked for, and when a stream may be trusted."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

from copytrade.capture.models import CaptureState
from copytrade.capture.ordering import Waiting
from copytrade.capture.reckoning import AT_ONCE, Search, candidates, rest_of
from copytrade.capture.service import is_unbroken

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
SPARE = timedelta(seconds=5)
RULES = ("BTC/USDT", "ETH/BTC", "ETH/USDT", "SOL/USDT")


def state(*, connected: int | None = None, deaf: int | None = None, began: int | None = None) -> CaptureState:
    def at(seconds: int | None) -> datetime | None:
        return None if seconds is None else NOW + timedelta(seconds=seconds)

    return CaptureState(
        exchange_account_id=uuid4(), user_id=uuid4(), venue="binance", market="spot", role="lead", created_at=NOW,
        stream_connected_at=at(connected), stream_deaf_at=at(deaf), poll_began_at=at(began),
    )  # fmt: skip


def test_known_symbols_of_the_coin_come_first_then_what_the_venue_names_then_the_rest() -> None:
    found = candidates({"ETH"}, known=["SOL/USDT", "ETH/USDT"], named=["BTC/USDT"], rules=RULES)
    assert found == ["ETH/USDT", "BTC/USDT", "SOL/USDT", "ETH/BTC"]


def test_dollars_that_moved_beside_a_coin_name_no_symbol_of_their_own() -> None:
    assert candidates({"ETH", "USDT"}, known=[], named=[], rules=RULES) == ["ETH/BTC", "ETH/USDT"]


def test_dollars_alone_may_have_been_paid_for_anything() -> None:
    assert candidates({"USDT"}, known=["SOL/USDT"], named=[], rules=RULES) == ["SOL/USDT", "BTC/USDT", "ETH/USDT"]


def test_a_search_takes_a_few_symbols_a_poll() -> None:
    search = Search(NOW, [str(number) for number in range(AT_ONCE + 3)])
    assert len(search.take()) == AT_ONCE
    assert search.take() == ["10", "11", "12"]
    assert search.take() == []


def test_a_moment_of_rest_is_read_as_it_was_kept() -> None:
    assert rest_of({}) is None
    rest = rest_of({"at": NOW.isoformat(), "held": {"BTC": "0.10"}})
    assert rest is not None
    assert (rest.at, rest.held) == (NOW, {"BTC": Decimal("0.1")})


def test_a_stream_is_trusted_from_a_poll_on_that_began_well_after_it_was_connected() -> None:
    assert not is_unbroken(state(), spare=SPARE)
    assert not is_unbroken(state(connected=0), spare=SPARE)
    assert not is_unbroken(state(connected=0, began=4), spare=SPARE)
    assert is_unbroken(state(connected=0, began=5), spare=SPARE)


def test_a_stream_that_was_deaf_is_trusted_when_it_was_connected_anew() -> None:
    assert not is_unbroken(state(connected=0, deaf=3, began=9), spare=SPARE)
    assert is_unbroken(state(connected=4, deaf=3, began=9), spare=SPARE)


def test_the_venues_sequence_ranks_before_ids_that_are_no_numbers() -> None:
    def waiting(trade: str, sequence: int) -> Waiting:
        return Waiting(uuid4(), trade, Decimal(1), Decimal(1), NOW, NOW, sequence=sequence)

    fills = [waiting("a-late", 9), waiting("b-early", 3)]
    assert [one.trade_id for one in sorted(fills, key=lambda one: one.rank)] == ["b-early", "a-late"]
    numbered = [waiting("10", 0), waiting("9", 0)]
    assert [one.trade_id for one in sorted(numbered, key=lambda one: one.rank)] == ["9", "10"]
