"""Margin, liquidation and funding."""

from dataclasses import dataclass

from copytrade.sandbox.exchange.accounts import Account, Position, margin_of, position_record
from copytrade.sandbox.exchange.engine import Exchange, OrderRequest
from copytrade.sandbox.exchange.instruments import FIRST_SPOT, INSTRUMENTS
from copytrade.sandbox.exchange.market import FUNDING_MS, Market
from copytrade.sandbox.exchange.orders import BUY, IncomeKind, Order

LIQUIDATION_PPM = 12_500
"""Of the notional, taken from what is left after a liquidation, for the insurance fund."""


@dataclass(slots=True)
class Margin:
    """What an account has and needs, in money units; `cross` is without what is set aside for isolated positions."""

    wallet: int = 0
    cross_wallet: int = 0
    unrealized: int = 0
    cross_unrealized: int = 0
    positions_initial: int = 0
    cross_initial: int = 0
    orders_initial: int = 0
    maintenance: int = 0
    cross_maintenance: int = 0

    @property
    def balance(self) -> int:
        return self.wallet + self.unrealized

    @property
    def available(self) -> int:
        return self.cross_wallet + self.cross_unrealized - self.cross_initial - self.orders_initial


def margin(market: Market, account: Account) -> Margin:
    """Return an account's margin at the prices of now."""
    found = Margin(wallet=account.wallet, cross_wallet=account.wallet)
    for position in account.positions.values():
        if not position.steps:
            continue
        instrument = INSTRUMENTS[position.instrument]
        mark = market.price(position.instrument)
        unrealized = position.unrealized(mark)
        initial = margin_of(instrument, position.steps, mark, account.leverage_of(position.instrument))
        maintenance = instrument.maintenance(abs(position.steps) * mark * instrument.unit)
        found.unrealized += unrealized
        found.positions_initial += initial
        found.maintenance += maintenance
        if position.instrument in account.isolated:
            found.cross_wallet -= position.isolated_wallet
        else:
            found.cross_unrealized += unrealized
            found.cross_initial += initial
            found.cross_maintenance += maintenance
    if account.open:
        found.orders_initial = sum(order.margin for order in account.open.values() if _binds_wallet(account, order))
    return found


def _binds_wallet(account: Account, order: Order) -> bool:
    return order.instrument < FIRST_SPOT or (account.unified and order.side == BUY)


def available(market: Market, account: Account) -> int:
    """Return the money that a new order may use."""
    if not account.open and not any(position.steps for position in account.positions.values()):
        return account.wallet
    return margin(market, account).available


def released(market: Market, account: Account, request: OrderRequest) -> int:
    """Return the margin that an order sets free by closing a position on its way to the other side."""
    position = account.position(request.instrument, request.position_side)
    if position.steps * request.side >= 0:
        return 0
    instrument = INSTRUMENTS[request.instrument]
    closing = min(request.steps, abs(position.steps))
    mark = market.price(request.instrument)
    return margin_of(instrument, closing, mark, account.leverage_of(request.instrument))


def liquidation_price(market: Market, account: Account, position: Position) -> int:
    """Return the mark price, in ticks, at which the position would be liquidated; 0 when there is none."""
    instrument = INSTRUMENTS[position.instrument]
    if position.instrument in account.isolated:
        money = position.isolated_wallet
    else:
        whole = margin(market, account)
        mark = market.price(position.instrument)
        own = instrument.maintenance(abs(position.steps) * mark * instrument.unit)
        money = whole.cross_wallet + whole.cross_unrealized - position.unrealized(mark)
        money -= whole.cross_maintenance - own
    bracket = instrument.bracket(position.cost)
    numerator = (position.notional_cost - money - bracket.deduction) * 1_000_000
    denominator = instrument.unit * (position.steps * 1_000_000 - abs(position.steps) * bracket.maintenance_ppm)
    return max(0, numerator // denominator)


def to_liquidate(market: Market, account: Account) -> list[Position]:
    """Return the positions that can no longer be held."""
    held = account.open_positions()
    if not held:
        return []
    whole = margin(market, account)
    broke = whole.cross_wallet + whole.cross_unrealized < whole.cross_maintenance
    found: list[Position] = []
    for position in held:
        if position.instrument not in account.isolated:
            if broke:
                found.append(position)
            continue
        instrument = INSTRUMENTS[position.instrument]
        mark = market.price(position.instrument)
        needed = instrument.maintenance(abs(position.steps) * mark * instrument.unit)
        if position.isolated_wallet + position.unrealized(mark) < needed:
            found.append(position)
    return found


def clear(exchange: Exchange, account: Account, instrument: int, notional: int) -> None:
    """Settle a liquidation with the insurance fund: it takes its fee, or bears what is below zero."""
    fee = min(max(0, account.wallet), notional * LIQUIDATION_PPM // 1_000_000)
    change = -account.wallet if account.wallet < 0 and not account.open_positions() else -fee
    if change:
        account.wallet += change
        exchange.book_income(account, IncomeKind.INSURANCE_CLEAR, change, instrument=instrument)
        exchange.store.put(account.head())


def fund(exchange: Exchange, at: int) -> None:
    """Let longs and shorts pay each other at a funding time."""
    for account in exchange.accounts.values():
        for position in account.open_positions():
            instrument = INSTRUMENTS[position.instrument]
            mark = exchange.market.price(position.instrument)
            rate = exchange.market.funding_rate(position.instrument, at)
            amount = -(position.steps * mark * instrument.unit * rate) // 10**8
            account.wallet += amount
            account.updated = exchange.clock.now()
            if position.instrument in account.isolated:
                position.isolated_wallet += amount
                exchange.store.put(position_record(account.id, position))
            exchange.book_income(account, IncomeKind.FUNDING_FEE, amount, instrument=position.instrument)
            exchange.store.put(("w", account.id, account.wallet, account.updated))
            for watcher in exchange.watchers:
                watcher.balance(account, "FUNDING_FEE", amount, [position])
    exchange.funded = at
    exchange.keep_time()


def funding_times(exchange: Exchange, now: int) -> list[int]:
    """Return the funding times that have passed and were not yet paid."""
    first = (exchange.funded // FUNDING_MS + 1) * FUNDING_MS
    return list(range(first, now + 1, FUNDING_MS))
