"""Everything that is asked of the venue and changed there, beside orders."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from copytrade import clock
from copytrade.db.model import new_id
from copytrade.domain.fills import EntryKind, Fill
from copytrade.domain.instruments import PositionSide
from copytrade.domain.orders import OutcomeKind
from copytrade.errors import BadCredentials, OrderRefused, Unavailable
from copytrade.exchanges.binance import paging
from copytrade.exchanges.pool import Pool
from copytrade.exchanges.port import Credentials, ExchangeClient, StreamMessage
from copytrade.sandbox.client import Control
from tests.contract.exchanges.conftest import BTC, Account, account, buy, soon

ETH = "ETH/USDT:USDT"


async def all_fills(client: ExchangeClient, symbol: str, *, cursor: str = "") -> tuple[list[Fill], str]:
    found: list[Fill] = []
    since = clock.now() - timedelta(hours=1)
    while True:
        page = await client.fills(symbol, cursor=cursor, since=since)
        found += page.fills
        cursor = page.cursor
        if page.is_last:
            return found, cursor


def test_rules_come_from_the_venues_own_strings(alice: Account) -> None:
    rules = alice.run(lambda client: client.rules())[BTC]
    assert (rules.quantity_step, rules.price_tick, rules.min_notional) == (Decimal("0.001"), Decimal("0.1"), 5)
    assert (rules.base, rules.quote, rules.is_active) == ("BTC", "USDT", True)


def test_a_keys_rights_are_told(control: Control) -> None:
    rights = account(control).run(lambda client: client.permissions())
    assert (rights.may_read, rights.may_trade, rights.may_withdraw, rights.may_transfer) == (True, True, False, False)
    risky = account(control, withdrawals=True, universal_transfer=True, futures=False)
    rights = risky.run(lambda client: client.permissions())
    assert (rights.may_trade, rights.may_withdraw, rights.may_transfer) == (False, True, True)


def test_equity_positions_and_the_mark_of_an_account(alice: Account) -> None:
    async def use(client: ExchangeClient) -> None:
        before = await client.state()
        assert (await client.state()).mark == before.mark
        assert (await client.place(buy("0.5"), not_after=soon())).kind is OutcomeKind.PLACED
        after = await client.state()
        assert after.mark != before.mark
        assert after.positions == {(BTC, PositionSide.NET): Decimal("0.5")}
        assert before.asked_at <= before.answered_at <= after.asked_at
        equity, positions, balances = await asyncio.gather(client.equity(), client.positions(), client.balances())
        assert equity.total == equity.wallet + equity.unrealized_pnl
        assert [(one.symbol, one.quantity) for one in positions] == [(BTC, Decimal("0.5"))]
        assert {one.asset for one in balances} == {"USDT"}

    alice.run(use)


def test_quotes_candles_and_time(alice: Account) -> None:
    async def use(client: ExchangeClient) -> None:
        quote = await client.quote(BTC)
        assert quote.bid < quote.ask
        rules = await client.rules()
        assert (await client.quotes(list(rules))).keys() == rules.keys()
        now = clock.now()
        candles = await client.candles(BTC, interval="1h", since=now - timedelta(hours=5), until=now)
        assert 5 <= len(candles) <= 6
        assert all(candle.low <= candle.close <= candle.high for candle in candles)
        assert abs(await client.server_time() - now) < timedelta(seconds=5)

    alice.run(use)


def test_leverage_margin_and_position_mode(alice: Account) -> None:
    async def use(client: ExchangeClient) -> None:
        await client.set_leverage(BTC, 7)
        await client.set_leverage(BTC, 7)
        assert await client.leverage(BTC) == 7
        await client.set_cross_margin(BTC)
        assert await client.is_hedged() is False
        await client.set_one_way()
        with pytest.raises(OrderRefused):
            await client.set_leverage(BTC, 500)

    alice.run(use)
    alice.control.set_modes(alice.number, hedge=True)
    assert alice.run(lambda client: client.is_hedged()) is True


def test_pages_of_fills_are_walked_to_the_end_without_a_gap(alice: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "PAGE", 3)
    for _ in range(6):
        alice.control.place(alice.number, "BTCUSDT", "BUY", "1")

    async def use(client: ExchangeClient) -> None:
        found, cursor = await all_fills(client, BTC)
        assert [fill.trade_id for fill in found] == [str(row["id"]) for row in alice.control.fills(alice.number)]
        alice.control.place(alice.number, "BTCUSDT", "SELL", "0.1")
        again, _ = await all_fills(client, BTC, cursor=cursor)
        assert {fill.trade_id for fill in again} | {fill.trade_id for fill in found} == {
            str(row["id"]) for row in alice.control.fills(alice.number)
        }

    alice.run(use)


def test_a_symbol_without_trades_is_walked_to_the_end_too(alice: Account) -> None:
    found, cursor = alice.run(lambda client: all_fills(client, ETH))
    assert found == []
    assert cursor


def test_the_ledger_is_complete_over_its_pages(alice: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "PAGE", 8)  # above what one millisecond books
    for side in ("BUY", "SELL", "BUY", "SELL"):
        alice.control.place(alice.number, "BTCUSDT", side, "1")
    alice.control.transfer(alice.number, -100)
    now = clock.now()
    hour = timedelta(hours=1)
    entries = alice.run(lambda client: client.entries(since=now - hour, until=now + hour))
    booked = alice.control.incomes(alice.number)
    assert len(entries) == len(booked)
    assert {entry.kind for entry in entries} == {EntryKind.TRANSFER, EntryKind.FEE, EntryKind.REALIZED_PNL}
    assert alice.run(lambda client: client.traded_symbols(since=now - hour)) == {BTC}


def test_reads_fail_as_unavailable_or_for_the_key(alice: Account) -> None:
    for facts in (
        {"answer": "drop"},
        {"answer": "html"},
        {"answer": "broken_json"},
        {"answer": "status", "status": 502},
        {"answer": "status", "status": 400, "code": -1000, "message": "unknown"},
    ):
        # a GET on a connection that died is sent once more by the HTTP client itself
        alice.control.fault(execute="no", account=alice.number, count=2, **facts)
        with pytest.raises(Unavailable):
            alice.run(lambda client: client.equity())
        alice.control.clear_faults()
    forged = replace(alice, credentials=Credentials(alice.api_key, "forged"))
    with pytest.raises(BadCredentials) as raised:
        forged.run(lambda client: client.equity())
    assert raised.value.__cause__ is None
    assert raised.value.__context__ is None
    assert "forged" not in str(raised.value)
    alice.control.revoke_key(alice.api_key)
    with pytest.raises(BadCredentials):
        alice.run(lambda client: client.equity())


def test_a_read_survives_a_skewed_clock(alice: Account) -> None:
    async def use(client: ExchangeClient) -> None:
        alice.control.skew(-8000)
        assert (await client.equity()).total > 0
        alice.control.skew(0)

    alice.run(use)


def test_after_too_many_requests_nothing_is_read_for_as_long_as_the_venue_says(alice: Account) -> None:
    async def use(client: ExchangeClient) -> None:
        alice.control.fault(answer="status", execute="no", status=429, code=-1003, retry_after=60, account=alice.number)
        with pytest.raises(Unavailable) as first:
            await client.equity()
        assert first.value.retry_after == 60
        alice.control.forget_requests()
        with pytest.raises(Unavailable) as second:
            await client.equity()
        assert 50 < (second.value.retry_after or 0) <= 60
        assert not any("account" in path for path in alice.control.requests())
        assert (await client.place(buy(), not_after=soon())).kind is OutcomeKind.PLACED

    alice.run(use)


def test_the_pool_makes_one_client_an_account_and_lets_the_oldest_go(
    alice: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    from copytrade.exchanges import pool as module
    from copytrade.settings import settings

    small = settings().model_copy(update={"warm_clients": 2})
    monkeypatch.setattr(module, "settings", lambda: small)
    opened: list[object] = []

    def opener(account_id: object) -> Credentials:
        opened.append(account_id)
        return alice.credentials

    async def main() -> None:
        pool = Pool(opener)
        refs = [replace(alice.ref, id=new_id()) for _ in range(3)]
        first, again = await asyncio.gather(pool.get(refs[0]), pool.get(refs[0]))
        assert first is again
        await pool.get(refs[1])
        await pool.get(refs[0])
        await pool.get(refs[2])
        assert await pool.get(refs[0]) is first
        assert opened == [refs[0].id, refs[1].id, refs[2].id]
        await pool.get(refs[1])
        assert opened[-1] == refs[1].id
        await pool.forget(refs[1].id)
        await pool.get(refs[1])
        assert opened[-2:] == [refs[1].id, refs[1].id]
        with pytest.raises(Unavailable):
            await pool.get(replace(alice.ref, id=new_id(), mode="live"))
        await pool.close()

    asyncio.run(main())


def test_the_stream_tells_what_happens_and_comes_back_when_cut(alice: Account) -> None:
    async def use(client: ExchangeClient) -> None:
        async with client.stream() as messages:

            async def until(wanted: object) -> list[StreamMessage]:
                heard: list[StreamMessage] = []
                async for message in messages:
                    heard.append(message)
                    if wanted(message):  # type: ignore[operator]
                        return heard
                raise AssertionError("the stream ended")

            async def soon_heard(wanted: object) -> list[StreamMessage]:
                return await asyncio.wait_for(until(wanted), 15)

            await soon_heard(lambda message: message.connected)
            await client.place(buy("0.001"), not_after=soon())
            heard = await soon_heard(lambda message: message.order is not None and message.order.has_ended)
            fills = [message.fill for message in heard if message.fill is not None]
            assert [fill.signed for fill in fills] == [Decimal("0.001")]
            assert fills[0].client_order_id
            assert fills[0].order_quantity == Decimal("0.001")
            alice.control.transfer(alice.number, 5)
            await soon_heard(lambda message: message.transfer is not None)
            alice.control.cut_streams(alice.number)
            await soon_heard(lambda message: message.connected)
            alice.control.expire_listen_key(alice.number)
            await soon_heard(lambda message: message.connected)
            await client.place(buy("0.001"), not_after=soon())
            alice.control.liquidate(alice.number, "BTCUSDT")
            heard = await soon_heard(lambda message: message.fill is not None and message.fill.is_liquidation)
            assert heard[-1].fill is not None
            assert heard[-1].fill.signed == Decimal("-0.002")

    alice.run(use)
