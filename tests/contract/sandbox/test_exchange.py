"""The exchange in process: determinism, history, prices, funding, and that its numbers hold together."""

from decimal import Decimal
from pathlib import Path

import pytest

from copytrade.sandbox.exchange import risk, ticking, trading
from copytrade.sandbox.exchange.accounts import Account
from copytrade.sandbox.exchange.engine import Exchange, OrderRequest
from copytrade.sandbox.exchange.instruments import INSTRUMENTS, MONEY_UNIT
from copytrade.sandbox.exchange.market import FUNDING_MS
from copytrade.sandbox.exchange.orders import BUY, SELL, IncomeKind, OrderType, PositionSide
from copytrade.sandbox.exchange.path import DAY_MS
from copytrade.sandbox.exchange.values import Malformed, TooPrecise, parse, text
from copytrade.sandbox.server import build_exchange
from copytrade.sandbox.traders import Traders

START = 1_790_000_000_000
BTC = INSTRUMENTS[0]


def _made(*, seed: int, days: int, now: int = START) -> Exchange:
    exchange = Exchange(seed=seed, now=now, days=days)
    Traders(exchange, running=False).make_history(start=exchange.genesis + DAY_MS, end=now)
    return exchange


def _funded(exchange: Exchange, usdt: int = 100_000) -> Account:
    account = exchange.open_account("alice")
    exchange.transfer(account, usdt * MONEY_UNIT)
    return account


def _market(exchange: Exchange, account: Account, side: int, steps: int) -> None:
    trading.place(exchange, account, OrderRequest(BTC.index, side, OrderType.MARKET, steps))


def test_the_same_seed_makes_the_same_history() -> None:
    first, again, other = _made(seed=7, days=6), _made(seed=7, days=6), _made(seed=8, days=6)

    def fills(exchange: Exchange) -> list[object]:
        return [fill for account in exchange.accounts.values() for fill in account.fills]

    assert len(fills(first)) > 100
    assert fills(first) == fills(again)
    assert fills(first) != fills(other)


def test_ninety_days_have_every_character_and_one_blows_up() -> None:
    exchange = _made(seed=7, days=90)
    by_name = {account.name: account for account in exchange.accounts.values()}
    assert len(by_name) == 13
    for name, account in by_name.items():
        traded = {fill.time // DAY_MS for fill in account.fills}
        assert len(traded) >= 10, name
        assert account.fills == sorted(account.fills, key=lambda fill: (fill.time, fill.id))
        assert all(exchange.genesis < fill.time <= START for fill in account.fills)
        entries = sum(entry.amount for entry in account.incomes if not entry.spot)
        assert account.wallet == entries + _paid(account), name
        assert min(account.coins.values(), default=0) >= 0, name
    assert {entry.kind for account in by_name.values() for entry in account.incomes} >= {
        *(IncomeKind.REALIZED_PNL, IncomeKind.COMMISSION, IncomeKind.FUNDING_FEE, IncomeKind.TRANSFER),
        IncomeKind.INSURANCE_CLEAR,
    }
    blown = by_name["alles_oder_nichts"]
    assert any(order.type is OrderType.LIQUIDATION for order in blown.orders.values())
    assert sum(row.type is OrderType.LIQUIDATION for a in by_name.values() for row in a.orders.values()) >= 1
    winners = [a for a in by_name.values() if risk.margin(exchange.market, a).balance > _deposits(a)]
    assert 1 <= len(winners) < 10


def _paid(account: Account) -> int:
    """Return what a unified account's spot trades have moved in its one wallet."""
    fills = [fill for fill in account.fills if INSTRUMENTS[fill.instrument].is_spot and account.unified]
    fees = sum(fill.fee for fill in fills if fill.fee_asset == "USDT")
    return -fees - sum(fill.side * fill.price * fill.steps * INSTRUMENTS[fill.instrument].unit for fill in fills)


def _deposits(account: Account) -> int:
    return sum(entry.amount for entry in account.incomes if entry.kind is IncomeKind.TRANSFER)


def test_candles_are_one_path_at_every_interval_and_hold_every_fill() -> None:
    exchange = _made(seed=7, days=5)
    minute = 60_000
    end = START // DAY_MS * DAY_MS
    hours = exchange.market.candles(0, interval=60 * minute, start=end - DAY_MS, end=end - 1, limit=100)
    minutes = exchange.market.candles(0, interval=minute, start=end - DAY_MS, end=end - 1, limit=5000)
    day = exchange.market.candles(0, interval=DAY_MS, start=end - DAY_MS, end=end - 1, limit=1)[0]
    assert (len(hours), len(minutes)) == (24, 1440)
    for rows in (hours, minutes):
        assert max(row.high for row in rows) == day.high
        assert min(row.low for row in rows) == day.low
        assert (rows[0].open, rows[-1].close) == (day.open, day.close)
    for account in exchange.accounts.values():
        for fill in account.fills:
            row = exchange.market.candles(
                fill.instrument, interval=minute, start=fill.time // minute * minute, end=fill.time, limit=1
            )[0]
            assert row.low <= fill.price <= row.high


def test_bitcoin_stays_around_sixty_thousand() -> None:
    for seed in (1, 2, 3):
        exchange = Exchange(seed=seed, now=START, days=90)
        daily = [exchange.market.price_at(0, START - day * DAY_MS) for day in range(90)]
        assert 250_000 < min(daily) <= max(daily) < 1_200_000


def test_the_market_is_the_same_whether_made_at_once_or_day_by_day(tmp_path: Path) -> None:
    whole = Exchange(seed=3, now=START, days=20)
    whole.market.path.grow_to(START)
    part = whole
    for day in range(20):
        part = Exchange(seed=3, folder=tmp_path, now=START, days=20)
        part.market.path.grow_to(part.genesis + (day + 1) * DAY_MS)
        part.begin()
        part.store.close()
    assert [list(knots) for knots in part.market.path.knots] == [
        list(knots)[: part.market.path.length] for knots in whole.market.path.knots
    ]


def test_funding_is_paid_every_eight_hours_by_longs_and_shorts() -> None:
    exchange = Exchange(seed=7, now=START)
    exchange.clock.fix(START)
    alice, bob = _funded(exchange), _funded(exchange)
    _market(exchange, alice, BUY, 1000)
    _market(exchange, bob, SELL, 1000)
    ticking.run_to(exchange, START + 3 * FUNDING_MS, step=60_000)
    paid = [entry for entry in alice.incomes if entry.kind is IncomeKind.FUNDING_FEE]
    received = [entry for entry in bob.incomes if entry.kind is IncomeKind.FUNDING_FEE]
    assert len(paid) == len(received) == 3
    for mine, his in zip(paid, received, strict=True):
        assert mine.amount != 0
        assert abs(mine.amount + his.amount) <= 1, "rounded down for both"
        assert mine.time % FUNDING_MS < 60_000


def test_a_price_that_is_set_goes_on_from_there() -> None:
    exchange = Exchange(seed=7, now=START)
    exchange.clock.fix(START)
    exchange.market.path.shift(0, START, 700_000)
    assert exchange.market.price(0) == pytest.approx(700_000, rel=0.001)
    assert exchange.market.price_at(0, START - 60_000) == pytest.approx(600_000, rel=0.2)
    exchange.clock.fix(START + 3_600_000)
    assert exchange.market.price(0) == pytest.approx(700_000, rel=0.05)


def test_recorded_candles_are_followed_and_continued(tmp_path: Path) -> None:
    file = tmp_path / "candles.csv"
    rows = [f"BTCUSDT,{n * 60_000},{30_000 + n},{30_005 + n},{29_995 + n},{30_001 + n}" for n in range(600)]
    file.write_text("symbol,open_time,open,high,low,close\n" + "\n".join(rows) + "\n")
    exchange = build_exchange(seed=7, folder=None, days=0, trade=False, candles=file)
    begin = exchange.genesis
    candle = exchange.market.candles(0, interval=60_000, start=begin + 5 * 60_000, end=begin + 6 * 60_000, limit=1)[0]
    assert (candle.open, candle.high, candle.low) == (300_050, 300_100, 300_000)
    after = exchange.market.price_at(0, begin + 620 * 60_000)
    assert after == pytest.approx(306_000, rel=0.05), "the model goes on from the last candle"


def test_margin_and_liquidation_price_agree() -> None:
    exchange = Exchange(seed=7, now=START)
    exchange.clock.fix(START)
    for side in (BUY, SELL):
        account = _funded(exchange, 10_000)
        _market(exchange, account, side, 2500)
        position = account.position(0, PositionSide.BOTH)
        edge = risk.liquidation_price(exchange.market, account, position)
        exchange.market.held[0] = edge + side * 5
        assert risk.to_liquidate(exchange.market, account) == []
        exchange.market.held[0] = edge - side * 5
        assert risk.to_liquidate(exchange.market, account) == [position]
        exchange.market.held.clear()


def test_brackets_require_margin_without_steps() -> None:
    for instrument in INSTRUMENTS:
        for below, above in zip(instrument.brackets, instrument.brackets[1:], strict=False):
            assert instrument.maintenance(below.cap) == pytest.approx(instrument.maintenance(below.cap + 1), abs=2)
            assert below.leverage > above.leverage


@pytest.mark.parametrize(
    ("number", "decimals", "value"), [("1", 3, 1000), ("0.001", 3, 1), ("1.500000", 1, 15), ("12.", 0, 12), ("0", 8, 0)]
)
def test_numbers_are_read_and_written_exactly(number: str, decimals: int, value: int) -> None:
    assert parse(number, decimals) == value
    assert Decimal(text(value, decimals)) == Decimal(number.rstrip("."))
    assert Decimal(text(-value, decimals)) == -Decimal(number.rstrip("."))


@pytest.mark.parametrize("number", ["", ".", "-1", "1e3", "1,5", " 1", "NaN", "٣", "1.-", "9" * 41])
def test_what_is_no_number_is_refused(number: str) -> None:
    with pytest.raises(Malformed):
        parse(number, 3)


def test_too_many_decimals_are_refused() -> None:
    with pytest.raises(TooPrecise):
        parse("0.0001", 3)
