"""What a process may spend without asking: lanes, an account's credit, leases that end, and being alone."""

import pytest

from copytrade.domain.instruments import Venue
from copytrade.exchanges.limits import Lane, Limit, Scope
from copytrade.exchanges.meters import Charge, Meter, spend
from copytrade.exchanges.venues import facts

ADDRESS = Limit("weight", 100, 60, ("get",))
ACCOUNT = Limit("orders", 8, 60, ("post",), scope=Scope.ACCOUNT, is_weighted=False)
LATER = 1e12


def test_nothing_is_spent_of_an_address_before_a_lease() -> None:
    meter = Meter("a", ADDRESS)
    assert not meter.spend(1, lane=Lane.EXIT, now=0)
    meter.lease(5, lane=Lane.READ, window=1, ends_at=LATER)
    assert [meter.spend(2, lane=Lane.READ, now=1) for _ in range(3)] == [True, True, False]


def test_a_lower_lane_never_spends_what_was_leased_for_a_higher_one() -> None:
    meter = Meter("a", ADDRESS)
    meter.lease(5, lane=Lane.EXIT, window=1, ends_at=LATER)
    assert not meter.spend(1, lane=Lane.READ, now=1)
    assert not meter.spend(1, lane=Lane.ENTRY, now=1)
    assert meter.spend(1, lane=Lane.EXIT, now=1)


def test_what_is_left_when_a_lease_ends_is_returned_with_the_next_one() -> None:
    meter = Meter("a", ADDRESS)
    meter.lease(5, lane=Lane.READ, window=7, ends_at=10)
    assert meter.spend(2, lane=Lane.READ, now=9)
    assert not meter.spend(1, lane=Lane.READ, now=10)
    wishes = meter.wishes(1, lane=Lane.READ, now=10)
    assert (wishes[4], wishes[5], wishes[6]) == (70, 3, 7)


def test_an_account_has_a_quarter_without_asking_and_reports_it() -> None:
    meter = Meter("a", ACCOUNT)
    assert [meter.spend(1, lane=Lane.ENTRY, now=1) for _ in range(3)] == [True, True, False]
    assert meter.wishes(1, lane=Lane.ENTRY, now=1)[7] == 2


def test_a_venue_that_counts_more_than_we_do_is_believed() -> None:
    meter = Meter("a", ADDRESS)
    meter.lease(5, lane=Lane.READ, window=1, ends_at=LATER)
    meter.learn(69)
    assert meter.spend(1, lane=Lane.READ, now=1), "not much was used"
    meter.learn(71)
    assert not meter.spend(1, lane=Lane.READ, now=1)
    assert meter.wishes(1, lane=Lane.READ, now=1)[8] == 71


def test_alone_a_process_keeps_to_a_quarter_but_exits_go_on() -> None:
    meter = Meter("a", ADDRESS)
    assert meter.alone(1, lane=Lane.READ, now=100) == 0
    assert sum(meter.spend(1, lane=Lane.READ, now=101) for _ in range(60)) == 25
    assert meter.alone(1, lane=Lane.ENTRY, now=101) == pytest.approx(59)
    assert meter.alone(7, lane=Lane.EXIT, now=101) == 0
    assert meter.spend(7, lane=Lane.EXIT, now=101)


def test_a_call_is_paid_on_all_its_meters_or_on_none() -> None:
    rich, poor = Meter("a", ADDRESS), Meter("b", ADDRESS)
    rich.lease(5, lane=Lane.READ, window=1, ends_at=LATER)
    assert spend([Charge(rich, 5), Charge(poor, 1)], lane=Lane.READ) is poor
    poor.lease(1, lane=Lane.READ, window=1, ends_at=LATER)
    assert spend([Charge(rich, 5), Charge(poor, 1)], lane=Lane.READ) is None


def test_calls_cost_what_the_venue_says() -> None:
    limit, weights = ADDRESS, {"getBook": 2.0, "getBook*": 5.0}
    assert limit.cost("getBook", has_symbol=True, weights=weights) == 2
    assert limit.cost("getBook", has_symbol=False, weights=weights) == 5
    assert limit.cost("getTime", has_symbol=False, weights=weights) == 1
    assert ACCOUNT.cost("postOrder", has_symbol=True, weights={"postOrder": 9}) == 1


def test_binance_counts_orders_of_perpetuals_by_account_alone() -> None:
    known = facts(Venue.BINANCE)
    counted = {limit.name: limit for limit in known.limits if limit.counts("fapiPrivatePostOrder")}
    assert set(counted) == {"futures", "futures_orders_10s", "futures_orders_1m"}
    assert counted["futures"].cost("fapiPrivatePostOrder", has_symbol=True, weights=known.weights) == 0
    assert [limit.name for limit in known.limits if limit.counts("privateGetMyTrades")] == ["spot"]
