from collections.abc import Callable
from datetime import UTC, timedelta

from copytrade import clock
from copytrade.capture import closes, queries
from copytrade.db.session import reading
from copytrade.domain.instruments import Venue
from tests.integration.capture.conftest import BTC, Lead
from tests.waiting import wait_until
from workers.loop import WarmLoop


def _known() -> dict[str, int]:
    today = clock.now().astimezone(UTC).date()
    with reading() as session:
        rows = queries.closes(
            session, venue=Venue.BINANCE, symbols=[BTC, "BNB/USDT:USDT"], since=today - timedelta(days=1)
        )
    return {symbol: day.toordinal() for symbol, day in rows}


def test_the_benchmark_and_the_fee_coin_have_closes_though_nobody_trades_them(
    alice: Lead, run_parts: Callable[..., WarmLoop]
) -> None:
    run_parts(closes.run)
    wait_until(lambda: set(_known()) == {BTC, "BNB/USDT:USDT"}, timeout=30, what="the closes")
    assert max(_known().values()) == clock.now().astimezone(UTC).date().toordinal()
