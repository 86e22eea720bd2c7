"""What polling a lead costs each venue in a minute, and how many leads one address carries beside their streams.

Each lead trades once in the minute, which is a lot; what is left of a venue's allowance for orders is not counted upon.
"""

import time
import urllib.request
from typing import TYPE_CHECKING, Any

from benchmarks.ground import Ground, ground

if TYPE_CHECKING:
    from copytrade.domain.instruments import Market, Venue

LEADS = 8
PATIENCE_S = 120.0
READS = 0.8
"""The share of an allowance that reads may use: the rest is kept for orders."""
PATHS = {
    ("binance", "perpetual"): ("/fapi/",),
    ("binance", "spot"): ("/api/v3/", "/sapi/"),
    ("bybit", "perpetual"): ("/v5/",),
    ("bybit", "spot"): ("/v5/",),
    ("bitget", "perpetual"): ("/api/v2/",),
    ("bitget", "spot"): ("/api/v2/",),
}
LOOK = {"perpetual": "/fapi/v1/ping", "spot": "/api/v3/ping"}
"""Where Binance tells the weight used in the running minute."""
USED = "X-MBX-USED-WEIGHT-1M"


def measure() -> dict[str, float]:
    """Return `poll.VENUE.*` of perpetuals and `poll.VENUE.spot_*`."""
    with ground(snapshot_interval_s="3600") as place:
        place.control.limits(spot_weight_per_minute=10**9)
        place.control.limits(venue="bybit", requests_per_5s=10**9, reads_per_s=10**9)
        place.control.limits(venue="bitget", requests_per_minute=10**9, user_percent=10**9)
        return _Polling(place).run()


class _Polling:
    def __init__(self, place: Ground) -> None:
        self._place = place

    def run(self) -> dict[str, float]:
        from copytrade.domain.instruments import Market

        self._place.processes.start("worker-capture", "stream")
        return self._market(Market.PERPETUAL) | self._market(Market.SPOT)

    def _market(self, market: "Market") -> dict[str, float]:
        from benchmarks import capture_leads
        from copytrade.domain.instruments import Market, Venue

        opened: dict[str, Any] = {"deposit": 100_000} if market is Market.PERPETUAL else {"coins": {"USDT": 100_000}}
        leads = {
            venue: capture_leads.gather(self._place.control, count=LEADS, venue=venue, market=market, **opened)
            for venue in Venue
        }
        accounts = [lead.account_id for group in leads.values() for lead in group]
        self._wait_for_past(accounts)
        numbers = [lead.sandbox_id for group in leads.values() for lead in group]
        requests, weight, seconds = self._minute(market, numbers)
        self._ask("update people.exchange_accounts set state = 'unlinked' where id = any(%s)", (accounts,))
        figures: dict[str, float] = {}
        for venue in Venue:
            figures |= self._figures(venue, market, requests, weight=weight, seconds=seconds)
        return figures

    def _minute(self, market: "Market", numbers: list[int]) -> tuple[dict[str, int], float, float]:
        """Return the requests by path and Binance's weight in a minute of its clock, and the seconds looked at."""
        time.sleep(30)  # a stream has to prove good
        time.sleep(60 - time.time() % 60 + 0.2)
        self._place.control.forget_requests()
        began = time.time()
        time.sleep(5)
        for number in numbers:
            self._place.control.place(number, "BTCUSDT", "BUY", "0.01", market=market.value)
        time.sleep(max(began + 58 - time.time(), 0))
        with urllib.request.urlopen(self._place.api_url + LOOK[market.value], timeout=5) as answer:
            weight = float(answer.headers[USED])
        return self._place.control.requests(), weight, time.time() - began

    def _figures(
        self, venue: "Venue", market: "Market", requests: dict[str, int], *, weight: float, seconds: float
    ) -> dict[str, float]:
        from copytrade.exchanges.limits import Scope
        from copytrade.exchanges.venues import facts

        paths = PATHS[venue.value, market.value]
        count = sum(number for path, number in requests.items() if path.partition(" ")[2].startswith(paths))
        per_minute = 60 / seconds / LEADS
        asked = count * per_minute
        weighed = weight * per_minute if venue.value == "binance" else asked
        limit = next(
            one
            for one in facts(venue).limits
            if one.scope is Scope.ADDRESS
            and one.market in (None, market)
            and one.name in ("futures", "spot", "requests")
        )
        name = f"poll.{venue.value}." + ("" if market.value == "perpetual" else "spot_")
        return {
            f"{name}requests_per_min": asked,
            f"{name}weight_per_min": weighed,
            f"{name}leads_per_ip": float(int(limit.amount * 60 / limit.window_s * READS / weighed)),
        }

    def _wait_for_past(self, accounts: list[Any]) -> None:
        query = (
            "select count(*) from trades.capture_states where exchange_account_id = any(%s)"
            " and baseline_at is not null and history_done_at is not null and stream_connected_at is not null"
        )
        deadline = time.monotonic() + PATIENCE_S
        while self._ask(query, (accounts,))[0][0] < len(accounts):
            if time.monotonic() > deadline:
                raise TimeoutError("the leads' past was not read")
            time.sleep(0.2)

    def _ask(self, query: str, values: Any) -> list[Any]:
        import psycopg

        where = str(self._place.processes.engines.engines.run)
        with psycopg.connect(dbname="copytrade", user="postgres", host=where, autocommit=True) as connection:
            cursor = connection.execute(query, values)  # pyright: ignore[reportArgumentType]
            return cursor.fetchall() if cursor.description else []
