"""What is Binance's own: rights by market, the expiry of a listen key, a ledger with several rows a trade."""

from datetime import timedelta
from decimal import Decimal

import pytest

from copytrade import clock
from copytrade.domain.instruments import Market, Venue
from copytrade.exchanges.binance import paging
from copytrade.exchanges.port import ExchangeClient
from tests.contract.exchanges.conftest import Opener
from tests.contract.exchanges.places import Account, heard_until, named, soon

HOUR = timedelta(hours=1)
PERPETUAL = pytest.mark.parametrize("place", [(Venue.BINANCE, Market.PERPETUAL)], indirect=True, ids=named)


@PERPETUAL
def test_the_right_to_trade_is_that_of_the_market(opened: Opener) -> None:
    rights = opened(futures=False, spot=True).run(lambda client: client.permissions())
    assert rights.may_trade is False
    rights = opened(futures=True, spot=False).run(lambda client: client.permissions())
    assert rights.may_trade is True


@PERPETUAL
def test_an_expired_listen_key_is_taken_anew(alice: Account) -> None:
    async def use(client: ExchangeClient) -> None:
        async with client.stream() as messages:
            await heard_until(messages, lambda message: message.connected)
            alice.control.expire_listen_key(alice.number)
            await heard_until(messages, lambda message: message.connected)
            request = alice.buy("0.001")
            await client.place(request, not_after=soon())
            heard = await heard_until(messages, lambda message: message.fill is not None)
            fill = heard[-1].fill
            assert fill is not None
            assert (fill.client_order_id, fill.order_quantity) == (request.client_order_id, Decimal("0.001"))

    alice.run(use)


@PERPETUAL
def test_each_row_of_the_income_is_an_entry(alice: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "PAGE", 8)
    for side in ("BUY", "SELL", "BUY", "SELL"):
        alice.trade(side, "1")
    now = clock.now()
    entries = alice.run(lambda client: client.entries(since=now - HOUR, until=now + HOUR))
    assert len(entries) == len(alice.control.incomes(alice.number))


@PERPETUAL
def test_a_walk_of_the_income_that_one_millisecond_fills_goes_by_page(
    alice: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "PAGE", 4)
    alice.fills_in_one_millisecond(30)
    now = clock.now()
    entries = alice.run(lambda client: client.entries(since=now - HOUR, until=now + HOUR))
    assert len(entries) == len(alice.control.incomes(alice.number)) >= 31
