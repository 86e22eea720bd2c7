from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from copytrade.analytics.derivation import Stretch, derive, flows_of, fundings_of, sum_until
from copytrade.analytics.shown import quantile
from copytrade.domain.fills import EntryKind, LedgerEntry
from copytrade.domain.trip_book import TripBook
from copytrade.domain.trips import Execution, Funding

START = datetime(2026, 1, 1, tzinfo=UTC)
BTC = "BTC/USDT:USDT"


def at(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def entry(kind: EntryKind, amount: str, *, symbol: str = "", asset: str = "USDT") -> LedgerEntry:
    return LedgerEntry(f"{kind}{amount}{symbol}", kind, asset, Decimal(amount), START, symbol)


def test_only_money_that_trading_did_not_make_is_a_flow() -> None:
    entries = [
        entry(EntryKind.TRANSFER, "100"),
        entry(EntryKind.OTHER, "5"),
        entry(EntryKind.OTHER, "-7", symbol=BTC),
        entry(EntryKind.FUNDING, "-1", symbol=BTC),
        entry(EntryKind.FEE, "-2", symbol=BTC),
        entry(EntryKind.REALIZED_PNL, "30", symbol=BTC),
        entry(EntryKind.TRANSFER, "1", asset="BTC"),
    ]
    assert [flow.amount for flow in flows_of(entries)] == [100, 5]
    assert [funding.amount for funding in fundings_of(entries)] == [-7, -1]


@pytest.mark.parametrize(("hour", "first", "second"), [(2, -5, 0), (3, -5, 0), (4.5, 0, 0), (6, 0, -5)])
def test_funding_belongs_to_the_trip_that_held_the_symbol(hour: float, first: int, second: int) -> None:
    executions = [
        Execution(BTC, Decimal(1), Decimal(100), at(1)),
        Execution(BTC, Decimal(-1), Decimal(110), at(3)),
        Execution(BTC, Decimal(1), Decimal(100), at(5)),
        Execution(BTC, Decimal(-1), Decimal(110), at(7)),
    ]
    paid = Funding(BTC, Decimal(-5), at(hour))
    done = derive(TripBook(), stretch=Stretch(executions, [paid], []))
    assert [trip.funding for trip in done.closed] == [first, second]
    assert done.fundings_of_earlier == ([] if first or second else [paid])


def test_effects_are_what_the_wallet_felt() -> None:
    executions = [
        Execution(BTC, Decimal(1), Decimal(100), at(1), fee=Decimal("0.1")),
        Execution(BTC, Decimal(-3), Decimal(110), at(3), fee=Decimal("0.3")),
    ]
    flows = flows_of([LedgerEntry("1", EntryKind.TRANSFER, "USDT", Decimal(500), at(2))])
    done = derive(TripBook(), stretch=Stretch(executions, [Funding(BTC, Decimal(-2), at(2.5))], flows))
    assert sum_until(done.effects, after=at(0), until=at(9)) == Decimal("507.6")
    assert sum_until(done.effects, after=at(1), until=at(2)) == 500
    assert done.missing == 0


def test_a_close_without_a_position_is_counted_as_missing() -> None:
    execution = Execution("BTC/USDT", Decimal(-1), Decimal(100), at(1), only_closes=True)
    assert derive(TripBook(), stretch=Stretch([execution], [], [])).missing == 1


@pytest.mark.parametrize(("share", "expected"), [(0.0, 1.0), (0.1, 1.3), (0.5, 2.5), (1.0, 4.0)])
def test_a_quantile_lies_between_its_neighbours(share: float, expected: float) -> None:
    assert quantile([1.0, 2.0, 3.0, 4.0], share=share) == pytest.approx(expected)


def test_nobody_has_no_quantile() -> None:
    assert quantile([], share=0.5) is None
