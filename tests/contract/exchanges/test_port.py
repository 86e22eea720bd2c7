"""The contract, part 1: what each place must tell. Numbered over all parts, so that a place's gaps can be named."""

from datetime import timedelta
from decimal import Decimal
from importlib import import_module
from itertools import pairwise

import pytest

from copytrade import clock
from copytrade.domain.fills import EntryKind, Fill, LedgerEntry
from copytrade.domain.instruments import MarginMode, PositionSide
from copytrade.errors import BadCredentials, Unavailable
from copytrade.exchanges.port import ExchangeClient
from tests.contract.exchanges.conftest import Opener
from tests.contract.exchanges.places import BTC_ID, ETH_ID, MILLION, SPOTS, Account, all_fills, named, settled

HOUR = timedelta(hours=1)


def ids(fills: list[Fill]) -> list[str]:
    return [fill.trade_id for fill in fills]


@pytest.fixture
def small_pages(alice: Account, monkeypatch: pytest.MonkeyPatch) -> int:
    """Let a page hold so few rows that a millisecond has more of them."""
    monkeypatch.setattr(import_module(alice.manners.paging), "PAGE", 5)
    return 5


def test_01_the_venues_time_is_told(alice: Account) -> None:
    assert abs(alice.run(lambda client: client.server_time()) - clock.now()) < timedelta(seconds=5)


def test_02_a_trading_keys_rights_are_told(alice: Account) -> None:
    rights = alice.run(lambda client: client.permissions())
    assert (rights.may_read, rights.may_trade, rights.may_withdraw, rights.may_transfer) == (True, True, False, False)
    assert (rights.ip_restricted, rights.unfit) == (False, "")


def test_03_a_key_that_may_move_money_is_told(opened: Opener) -> None:
    rights = opened(withdrawals=True).run(lambda client: client.permissions())
    assert rights.may_withdraw is True
    rights = opened(universal_transfer=True).run(lambda client: client.permissions())
    assert (rights.may_withdraw, rights.may_transfer) == (False, True)
    assert opened(internal_transfer=True).run(lambda client: client.permissions()).may_transfer is True


def test_04_a_read_only_key_is_told_and_reads(opened: Opener) -> None:
    reader = opened(read_only=True)
    rights = reader.run(lambda client: client.permissions())
    assert (rights.may_read, rights.may_trade, rights.may_withdraw, rights.may_transfer) == (True, False, False, False)
    assert reader.run(lambda client: client.equity()).total > 0


def test_05_addresses_and_expiry_of_a_key_are_told(opened: Opener) -> None:
    alice = opened(addresses=["127.0.0.1"], expires_in_s=3600)
    rights = alice.run(lambda client: client.permissions())
    assert rights.ip_restricted is True
    if alice.manners.tells_expiry:
        assert rights.expires_at is not None
        assert abs(rights.expires_at - clock.real_now() - HOUR) < timedelta(minutes=1)
    else:
        assert rights.expires_at is None


@pytest.mark.parametrize("answer", ["html", "truncated", "broken_json"])
def test_06_rights_that_cannot_be_read_are_no_rights(alice: Account, answer: str) -> None:
    alice.fault(path=alice.manners.rights, answer=answer, count=2)
    with pytest.raises(Unavailable):
        alice.run(lambda client: client.permissions())


def test_07_rules_come_from_the_venues_own_strings(alice: Account) -> None:
    rules = alice.run(lambda client: client.rules())
    btc = rules[alice.symbol]
    assert (btc.symbol, btc.base, btc.quote, btc.is_active) == (alice.symbol, "BTC", "USDT", True)
    assert 0 < btc.min_quantity <= Decimal("0.001")
    assert btc.quantity_step == btc.quantity_step.normalize()
    assert Decimal("0.00000001") <= btc.quantity_step <= Decimal("0.001")
    assert Decimal("0.01") <= btc.price_tick <= Decimal("0.1")
    assert 1 <= btc.min_notional <= 5
    assert btc.max_market_quantity <= btc.max_quantity
    assert btc.price_band_down < 1 < btc.price_band_up
    assert btc.contract_size == 1
    assert btc.exits_exempt_from_minimum is not alice.is_spot
    assert len(rules) >= (30 if alice.is_spot else 8)
    assert all((":" in symbol) is not alice.is_spot for symbol in rules)


def test_08_balances_tell_what_is_free(alice: Account) -> None:
    balances = {one.asset: one for one in alice.run(lambda client: client.balances())}
    assert (balances["USDT"].free, balances["USDT"].total) == (MILLION, MILLION)
    if not alice.is_spot:
        return
    assert balances["BTC"].total == 10
    alice.trade("BUY", "1", price=50000)
    alice.trade("SELL", "2", price=62000)
    balances = {one.asset: one for one in alice.run(lambda client: client.balances())}
    assert (balances["USDT"].free, balances["USDT"].total) == (MILLION - 50000, MILLION)
    assert (balances["BTC"].free, balances["BTC"].total) == (8, 10)


def test_09_equity_is_the_accounts_worth_in_usdt(alice: Account) -> None:
    equity = alice.run(lambda client: client.equity())
    if alice.is_spot:
        assert abs(equity.total - MILLION - 600_000) < 100
        assert (equity.wallet, equity.unrealized_pnl, equity.available) == (equity.total, 0, MILLION)
        return
    assert (equity.total, equity.unrealized_pnl) == (MILLION, 0)
    alice.trade("BUY", "1")
    alice.control.set_price(BTC_ID, 61000)
    equity = alice.run(lambda client: client.equity())
    assert equity.total == equity.wallet + equity.unrealized_pnl
    assert 900 < equity.unrealized_pnl < 1100
    assert equity.available < equity.total


def test_10_a_state_has_a_mark_that_changes_with_every_trade(alice: Account) -> None:
    async def use(client: ExchangeClient) -> None:
        before = await client.state()
        assert (await client.state()).mark == before.mark
        await settled(client, alice.buy("0.5"))
        after = await client.state()
        assert after.mark != before.mark
        assert before.asked_at <= before.answered_at <= after.asked_at
        held = after.positions[alice.symbol, PositionSide.NET]
        if alice.is_spot:
            assert before.positions == {(alice.symbol, PositionSide.NET): Decimal(10)}
            assert Decimal("10.49") < held <= Decimal("10.5")
        else:
            assert (before.positions, held) == ({}, Decimal("0.5"))
        alice.control.transfer(alice.number, 7, **alice.where)
        assert (await client.state()).mark != after.mark

    alice.run(use)


def test_11_positions_are_signed_and_flat_ones_left_out(alice: Account) -> None:
    if alice.is_spot:
        alice.trade("SELL", "4")
        positions = alice.run(lambda client: client.positions())
        assert [(one.symbol, one.quantity, one.entry_price) for one in positions] == [(alice.symbol, 6, 0)]
        assert abs(positions[0].mark_price - 60000) < 100
        alice.trade("SELL", "6")
        assert alice.run(lambda client: client.positions()) == []
        return
    alice.trade("SELL", "0.4")
    alice.trade("BUY", "3", symbol=ETH_ID)
    positions = {one.symbol: one for one in alice.run(lambda client: client.positions())}
    assert {symbol: one.quantity for symbol, one in positions.items()} == {
        alice.symbol: Decimal("-0.4"),
        alice.eth: Decimal(3),
    }
    short = positions[alice.symbol]
    assert (short.position_side, short.leverage) == (PositionSide.NET, 20)
    assert abs(short.entry_price - 60000) < 100
    assert abs(short.mark_price - 60000) < 100
    alice.trade("BUY", "0.4")
    assert [one.symbol for one in alice.run(lambda client: client.positions())] == [alice.eth]


def test_12_quotes_of_one_and_of_many_symbols(alice: Account) -> None:
    async def use(client: ExchangeClient) -> None:
        quote = await client.quote(alice.symbol)
        assert 59900 < quote.bid < quote.ask < 60100
        assert abs(quote.mark - 60000) < 100
        rules = await client.rules()
        assert (await client.quotes(list(rules))).keys() == rules.keys()
        few = await client.quotes([alice.symbol, alice.eth])
        assert few.keys() == {alice.symbol, alice.eth}

    alice.run(use)


def test_13_candles_are_told_oldest_first(alice: Account) -> None:
    now = clock.now()
    candles = alice.run(lambda client: client.candles(alice.symbol, interval="1h", since=now - 5 * HOUR, until=now))
    assert 5 <= len(candles) <= 6
    assert [one.opened_at for one in candles] == sorted(one.opened_at for one in candles)
    assert all(now - 5 * HOUR <= one.opened_at <= now for one in candles)
    assert all(one.low <= min(one.open, one.close) <= max(one.open, one.close) <= one.high for one in candles)


def test_14_candles_longer_than_a_page_have_no_gap(alice: Account, small_pages: int) -> None:
    now = clock.now()
    since = now - 4 * small_pages * timedelta(minutes=1)
    candles = alice.run(lambda client: client.candles(alice.symbol, interval="1m", since=since, until=now))
    steps = {later.opened_at - one.opened_at for one, later in pairwise(candles)}
    assert len(candles) >= 4 * small_pages
    assert steps == {timedelta(minutes=1)}


def test_15_fills_are_walked_over_pages_though_they_share_a_millisecond(alice: Account, small_pages: int) -> None:
    for _ in range(3):
        alice.trade("BUY", "0.01")
    alice.fills_in_one_millisecond(3 * small_pages + 2)
    alice.trade("SELL", "0.01")
    found, _ = alice.run(lambda client: all_fills(client, alice.symbol))
    assert len({fill.venue_time for fill in found}) < len(found) / 2
    assert sorted(set(ids(found))) == sorted(alice.filled_ids())


def test_16_after_its_cursor_a_walk_goes_on_and_loses_nothing(alice: Account, small_pages: int) -> None:
    alice.fills_in_one_millisecond(small_pages + 1)

    async def use(client: ExchangeClient) -> None:
        found, cursor = await all_fills(client, alice.symbol)
        for _ in range(3):
            alice.fills_in_one_millisecond(2 * small_pages)
            more, cursor = await all_fills(client, alice.symbol, cursor=cursor)
            found += more
        assert sorted(set(ids(found))) == sorted(alice.filled_ids())

    alice.run(use)


def test_17_a_symbol_without_trades_is_walked_to_its_end(alice: Account) -> None:
    async def use(client: ExchangeClient) -> None:
        found, cursor = await all_fills(client, alice.eth)
        assert (found, bool(cursor)) == ([], True)
        alice.trade("BUY", "1", symbol=ETH_ID)
        found, _ = await all_fills(client, alice.eth, cursor=cursor)
        assert ids(found) == alice.filled_ids()

    alice.run(use)


def test_18_a_fill_is_told_exactly(alice: Account) -> None:
    alice.trade("SELL", "0.25")
    (fill,), _ = alice.run(lambda client: all_fills(client, alice.symbol))
    truth = alice.control.fills(alice.number)[0]
    assert (fill.symbol, fill.signed, fill.position_side) == (alice.symbol, Decimal("-0.25"), PositionSide.NET)
    assert (fill.price, fill.fee, fill.fee_asset) == (Decimal(truth["price"]), Decimal(truth["commission"]), "USDT")
    assert abs(fill.venue_time - clock.now()) < timedelta(seconds=10)
    assert (fill.order_id, fill.is_maker, fill.is_liquidation) == (str(truth["orderId"]), False, False)


def test_19_symbols_that_were_traded_are_told(alice: Account) -> None:
    since = clock.now() - timedelta(minutes=5)
    alice.trade("BUY", "1", symbol=ETH_ID)
    told = alice.run(lambda client: client.traded_symbols(since=since))
    assert alice.eth in told
    assert all(symbol in alice.run(lambda client: client.rules()) for symbol in told)


def booked(entries: list[LedgerEntry], asset: str = "USDT") -> Decimal:
    return sum((entry.amount for entry in entries if entry.asset == asset), Decimal(0))


def test_20_the_ledger_explains_the_wallet_to_the_last_digit(opened: Opener) -> None:
    since = clock.now() - HOUR
    alice = opened(deposit=0, coins={})
    alice.control.transfer(alice.number, 500_000, **alice.where)
    alice.control.transfer(alice.number, -100, **alice.where)
    if not alice.is_spot:
        for side, quantity in (("BUY", "1"), ("SELL", "0.4"), ("SELL", "1"), ("BUY", "0.4")):
            alice.trade(side, quantity)
    entries = alice.run(lambda client: client.entries(since=since, until=clock.now() + HOUR))
    assert len({entry.entry_id for entry in entries}) == len(entries)
    assert booked([entry for entry in entries if entry.kind is EntryKind.TRANSFER]) == 500_000 - 100
    assert booked(entries) == alice.run(lambda client: client.equity()).wallet
    if not alice.is_spot:
        assert {entry.kind for entry in entries} >= {EntryKind.TRANSFER, EntryKind.FEE, EntryKind.REALIZED_PNL}


def test_21_the_ledger_is_complete_though_a_page_ends_in_a_millisecond(alice: Account, small_pages: int) -> None:
    since = clock.now() - HOUR
    if alice.is_spot:
        for amount in range(1, 2 * small_pages + 3):
            alice.control.transfer(alice.number, amount, **alice.where)
    else:
        alice.fills_in_one_millisecond(3 * small_pages)
        alice.fills_in_one_millisecond(2 * small_pages, side="SELL")
    wallet = alice.run(lambda client: client.balances())
    entries = alice.run(lambda client: client.entries(since=since, until=clock.now() + HOUR))
    total = next(one.total for one in wallet if one.asset == "USDT")
    assert booked(entries) in (total, total - MILLION)  # what an account was opened with may not be booked
    assert len(entries) >= 2 * small_pages


@pytest.mark.parametrize("place", SPOTS, indirect=True, ids=named)
def test_22_transfers_of_coins_carry_their_asset(alice: Account) -> None:
    since = clock.now() - HOUR
    alice.control.transfer(alice.number, 2, asset="BTC", market="spot")
    alice.control.transfer(alice.number, -1, asset="BTC", market="spot")
    entries = alice.run(lambda client: client.entries(since=since, until=clock.now() + HOUR))
    moved = [(entry.asset, entry.amount) for entry in entries if entry.asset == "BTC" and abs(entry.amount) < 10]
    assert sorted(moved) == [("BTC", Decimal(-1)), ("BTC", Decimal(2))]
    assert all(entry.kind is EntryKind.TRANSFER for entry in entries)


def test_23_leverage_and_margin_mode_are_told(alice: Account) -> None:
    async def use(client: ExchangeClient) -> None:
        assert await client.margin_mode(alice.symbol) is MarginMode.CROSS
        if alice.is_spot:
            assert await client.leverage(alice.symbol) == 1
            return
        alice.control.set_modes(alice.number, leverage={BTC_ID: 13})
        assert await client.leverage(alice.symbol) == 13
        alice.control.set_modes(alice.number, isolated={BTC_ID: True})
        assert await client.margin_mode(alice.symbol) is MarginMode.ISOLATED

    alice.run(use)


def test_24_a_halted_symbol_is_not_active(alice: Account) -> None:
    alice.control.halt(ETH_ID, **alice.where)
    try:
        rules = alice.run(lambda client: client.rules(), alone=True)
    finally:
        alice.control.halt(ETH_ID, halted=False, **alice.where)
    assert rules[alice.eth].is_active is False
    assert rules[alice.symbol].is_active is True


def test_25_a_key_that_is_not_accepted_is_told_and_nothing_of_it(alice: Account) -> None:
    forged = Account(**{**vars(alice), "credentials": alice.credentials})
    forged.bench.credentials[alice.ref.id] = type(alice.credentials)(alice.api_key, "forged", "forged")
    with pytest.raises(BadCredentials) as raised:
        forged.run(lambda client: client.equity(), alone=True)
    assert raised.value.__cause__ is None
    assert raised.value.__context__ is None
    assert "forged" not in str(raised.value)
    alice.bench.credentials[alice.ref.id] = alice.credentials
    assert alice.run(lambda client: client.equity()).total > 0
    alice.control.revoke_key(alice.api_key)
    with pytest.raises(BadCredentials):
        alice.run(lambda client: client.equity())
