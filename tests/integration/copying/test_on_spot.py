"""Spot row by row: fees in base lower what is held, sales go without reduce-only, what is free is asked."""

from collections.abc import Generator
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlmodel import Session, select

from copytrade import clock
from copytrade.accounts import queries as accounts
from copytrade.capture.models import LeadPosition
from copytrade.copying import outcomes, reconciling, service, starting
from copytrade.copying.models import CopyReading, CopySetting, OrderState
from copytrade.copying.outcomes import Told
from copytrade.copying.reconciling import Reading
from copytrade.domain.fills import AccountState, Equity, Position, Quote
from copytrade.domain.instruments import Market, PositionSide
from copytrade.domain.orders import Outcome, OutcomeKind, Refusal
from copytrade.domain.sizing import CopySettings, Direction, SizingMode, StartMode
from copytrade.errors import InvalidInput
from tests.integration.copying.desk import Desk, desk, placed

D = Decimal


@pytest.fixture(autouse=True)
def still() -> Generator[None]:
    yield
    clock.set_offset(timedelta(0))


@pytest.fixture
def on(session: Session) -> Desk:
    return desk(session, kind=Market.SPOT)


def test_23_a_fee_in_base_lowers_what_is_held_and_asks_for_nothing_more(on: Desk) -> None:
    on.lead("10")
    sending = on.sending()
    assert (sending.request.quantity, sending.request.reduce_only, sending.request.symbol) == (10, False, "BTC/USDT")
    on.bought(sending, fee="0.01")
    assert (on.leg().held, on.leg().target) == (D("9.99"), D("9.99"))
    assert on.claim().sendings == []
    on.lead("-10")
    sale = on.sending()
    assert (sale.request.side.value, sale.request.quantity, sale.request.reduce_only) == ("sell", D("9.99"), False)
    on.filled(sale)
    assert (on.leg().held, on.leg().target) == (0, 0)


def test_a_fee_that_is_told_twice_or_piece_by_piece_is_taken_once(on: Desk, session: Session) -> None:
    on.lead("10")
    sending = on.sending()
    on.bought(sending, fee="0.01")
    on.bought(sending, fee="0.01")
    assert on.leg().held == D("9.99")
    on.bought(sending, fee="0.012")
    assert (on.leg().held, on.leg().target) == (D("9.988"), D("9.988"))
    on.tell(sending, placed(sending))
    assert on.leg().held == D("9.988")


def test_a_fee_in_another_asset_leaves_what_is_held(on: Desk) -> None:
    on.lead("10")
    sending = on.sending()
    on.filled(sending)
    assert (on.leg().held, on.leg().target) == (10, 10)


def test_nothing_is_prepared_and_leverage_is_one(on: Desk, session: Session) -> None:
    assert session.exec(select(CopySetting)).one().max_leverage == 1
    on.lead("10")
    assert on.claim().preparing == []


def test_no_more_is_bought_than_the_account_is_worth(on: Desk) -> None:
    on.lead("20")
    assert on.skips()[0][0] == "max_leverage"
    assert D("16.66") < on.leg().target < D("16.67")


@pytest.mark.parametrize(("market", "joined"), [(61_000, 0), (59_000, 1)])
def test_a_better_price_on_spot_is_better_than_what_his_fills_cost(session: Session, market: int, joined: int) -> None:
    on = desk(session, kind=Market.SPOT, settings=CopySettings(start_mode=StartMode.BETTER_PRICE))
    for price in (59_500, 60_500):
        on.price = D(price)
        on.fill("0.5")
    session.add(LeadPosition(exchange_account_id=on.market.lead, symbol="BTC/USDT", position_side="net", quantity=D(1)))
    session.flush()
    lead, price = accounts.ref(session, on.market.lead), D(market)
    told = {"BTC/USDT": Position("BTC/USDT", D(1), D(0), price, D(0))}
    positions = starting.with_costs(lead, told)
    assert positions["BTC/USDT"].entry_price == 60_000
    waiting = starting.Starting(on.subscription_id, lead, StartMode.BETTER_PRICE, ("BTC/USDT",))
    quotes = {"BTC/USDT": Quote("BTC/USDT", price, price, price, clock.now())}
    starting.judge(session, waiting, venues=on.venues, quotes=quotes, positions=positions)
    assert [(part.kind, part.asked) for part in on.parts()] == [("join", 1)] * joined


def test_what_his_fills_do_not_explain_has_no_price(session: Session) -> None:
    on = desk(session, kind=Market.SPOT)
    on.fill("0.5")
    session.add(LeadPosition(exchange_account_id=on.market.lead, symbol="BTC/USDT", position_side="net", quantity=D(3)))
    session.flush()
    told = {"BTC/USDT": Position("BTC/USDT", D(3), D(0), D(60_000), D(0))}
    assert starting.with_costs(accounts.ref(session, on.market.lead), told) == told


def test_a_leads_equity_that_cannot_have_paid_a_fill_is_read_again(session: Session) -> None:
    on = desk(session, kind=Market.SPOT, settings=CopySettings(mode=SizingMode.EQUITY))
    on.fill("20")
    assert on.plan().changes == 1
    assert (on.resume(), on.skips()) == (1, [])
    on.asked = frozenset({on.market.lead})
    assert on.resume() == 0
    assert on.skips() == [("equity_unknown", 0)]
    on.fill("16")
    assert on.plan().changes == 1
    assert on.leg().target == 16


def test_a_sale_refused_for_funds_asks_what_is_free_and_sells_that(on: Desk, session: Session) -> None:
    on.copy("10")
    on.lead("-10")
    on.refuse(on.sending(), Refusal.FUNDS)
    assert session.exec(select(CopyReading.due_at)).one() <= clock.now()
    claimed = on.claim()
    assert (claimed.sendings, list(claimed.balances), claimed.selling) == ([], [on.market.copy], [on.leg().id])
    on.free[on.market.copy] = {"BTC": D("4.000001")}
    on.later(1)
    sale = on.sending()
    assert sale.request.quantity == 4
    on.filled(sale)
    assert on.leg().held == 6
    # What was sold brings the next sale, which is asked for without a look.
    assert on.orders()[-1].state == OrderState.FILLED


def test_coins_that_are_locked_are_waited_for(on: Desk) -> None:
    on.copy("10")
    on.lead("-10")
    on.refuse(on.sending(), Refusal.FUNDS)
    on.free[on.market.copy] = {}
    on.later(1)
    assert on.claim().sendings == []
    assert on.leg().waits_for == "not_free"
    on.free[on.market.copy] = {"BTC": D(10)}
    on.later(6)
    assert on.sending().request.quantity == 10


def test_a_purchase_whose_fee_is_not_known_yet_is_not_booked(on: Desk) -> None:
    on.lead("10")
    sending = on.sending()
    now = clock.real_now()
    on.tell(sending, Outcome(OutcomeKind.PLACED, sent_at=now, acknowledged_at=now))
    [order] = on.orders()
    assert (order.state, on.leg().held) == (OrderState.UNKNOWN, 0)
    assert order.next_check_at is not None


def test_coins_that_he_sold_himself_are_adopted_after_two_readings_and_more_of_them_ignored(
    on: Desk, session: Session
) -> None:
    on.copy("10")
    on.later(11)
    for held, expected in (("25", "10"), ("4", "10"), ("4", "4")):
        on.later(6)
        reconciling.look(session, _reading(on, session, held))
        assert on.leg().held == D(expected)
    assert on.leg().target == 4
    on.later(6)
    reconciling.look(session, _reading(on, session, "3.9999"))
    assert on.leg().drift_reading is None


def test_an_acknowledged_order_that_was_filled_is_booked_once(on: Desk, session: Session) -> None:
    on.lead("10")
    sending = on.sending()
    on.bought(sending, fee="0.01")
    outcomes.write(session, [Told(sending.order_id, found=placed(sending).order)])
    assert on.leg().held == D("9.99")


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        (CopySettings(directions=Direction.SHORT), "directions"),
        (CopySettings(symbols=("BTC/USDT:USDT",)), "symbols"),
    ],
)
def test_settings_that_would_copy_nothing_on_spot_are_refused(on: Desk, settings: CopySettings, field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        service.save_settings(on.session, owner=on.market.bob.id, subscription_id=on.subscription_id, settings=settings)
    assert refused.value.field == field


def _reading(on: Desk, session: Session, held: str) -> Reading:
    now = clock.now()
    equity = Equity(total=D(1), wallet=D(1), unrealized_pnl=D(0), available=D(1), read_at=now)
    state = AccountState(equity, {("BTC/USDT", PositionSide.NET): D(held)}, "", now, now)
    return Reading(accounts.ref(session, on.market.copy), state, now)
