"""What time brings: resting orders that the market reaches, funding, liquidation."""

from copytrade.sandbox.exchange import matching, risk, trading
from copytrade.sandbox.exchange.accounts import Account, Position
from copytrade.sandbox.exchange.engine import Exchange
from copytrade.sandbox.exchange.instruments import FIRST_SPOT, INSTRUMENTS
from copytrade.sandbox.exchange.path import KNOT_MS

KEEP_TIME_MS = 30_000
CATCH_UP_MS = 5 * 60_000
"""Step of fast time, also after a stop."""


def tick(exchange: Exchange) -> None:
    """Let happen what has come due since the last tick."""
    now = exchange.clock.now()
    if now <= exchange.ticked:
        return
    before, exchange.ticked = exchange.ticked, now
    for index, price in exchange.market.held.items():
        if index < FIRST_SPOT:
            exchange.market.path.hold(index, now, price)
    for instrument in INSTRUMENTS:
        if exchange.resting[instrument.index]:
            low, high = _span(exchange, instrument.index, before, now)
            matching.match_resting(exchange, instrument, low=low, high=high)
    for at in risk.funding_times(exchange, now):
        risk.fund(exchange, at)
    for account in list(exchange.accounts.values()):
        if account.positions:
            liquidate(exchange, account)
    if now // KEEP_TIME_MS != before // KEEP_TIME_MS:
        exchange.keep_time()
    exchange.commit()


def run_to(exchange: Exchange, target: int, *, step: int = CATCH_UP_MS) -> None:
    """Run fast from the last tick up to a time; the clock goes on from there."""
    now = exchange.ticked
    while now < target:
        now = min(now + step, target)
        exchange.clock.fix(now)
        tick(exchange)
    exchange.clock.release()
    exchange.keep_time()
    exchange.commit()


def tick_now(exchange: Exchange) -> None:
    """Let happen what the prices of this very moment bring: after somebody has set them."""
    exchange.ticked = min(exchange.ticked, exchange.clock.now() - 1)
    tick(exchange)


def liquidate(exchange: Exchange, account: Account) -> None:
    """Close what the account can no longer hold."""
    doomed = risk.to_liquidate(exchange.market, account)
    if doomed:
        close_all(exchange, account, doomed)


def close_all(exchange: Exchange, account: Account, doomed: list[Position]) -> None:
    """Close positions at the mark price against their holder's will, and settle with the insurance fund."""
    cross = any(position.instrument not in account.isolated for position in doomed)
    for order in list(account.open.values()):
        shares = cross and (account.unified or order.instrument < FIRST_SPOT)
        if shares or order.instrument in {position.instrument for position in doomed}:
            trading.cancel(exchange, account, order)
    for position in doomed:
        price = exchange.market.price(position.instrument)
        order = trading.close_by_venue(
            exchange, account, instrument=position.instrument, side=position.side, price=price
        )
        risk.clear(exchange, account, position.instrument, order.quote)
    exchange.commit()


def _span(exchange: Exchange, index: int, before: int, now: int) -> tuple[int, int]:
    market = exchange.market
    here = market.price(index)
    if index in market.held or now - before < KNOT_MS:
        return here, here
    inner = market.span(index, before, now)[1:-1]
    return min(here, *inner, here), max(here, *inner, here)
