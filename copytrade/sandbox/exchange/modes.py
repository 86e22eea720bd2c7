"""What an account may set: leverage, margin mode, position mode."""

from copytrade.sandbox.exchange.accounts import Account
from copytrade.sandbox.exchange.engine import Exchange
from copytrade.sandbox.exchange.instruments import FIRST_SPOT, INSTRUMENTS
from copytrade.sandbox.exchange.orders import Reason, Refused


def set_leverage(exchange: Exchange, account: Account, instrument: int, leverage: int) -> int:
    """Set an instrument's leverage; return the largest notional it allows, in money units."""
    rules = INSTRUMENTS[instrument]
    if not 1 <= leverage <= rules.max_leverage:
        raise Refused(Reason.LEVERAGE)
    largest = rules.largest(leverage)
    mark = exchange.market.price(instrument)
    for position in account.open_positions():
        if position.instrument == instrument and abs(position.steps) * mark * rules.unit > largest:
            raise Refused(Reason.POSITION_TOO_LARGE)
    changed = account.leverage_of(instrument) != leverage
    account.leverage[instrument] = leverage
    _keep(exchange, account)
    if changed:
        for watcher in exchange.watchers:
            watcher.leverage(account, instrument)
    return largest


def set_isolated(exchange: Exchange, account: Account, instrument: int, *, isolated: bool) -> None:
    """Make an instrument's margin isolated or cross; refused while it is so already, or in use."""
    if (instrument in account.isolated) == isolated:
        raise Refused(Reason.MARGIN_MODE_SAME)
    if any(order.instrument == instrument for order in account.open.values()):
        raise Refused(Reason.MARGIN_MODE_ORDERS)
    if any(position.instrument == instrument for position in account.open_positions()):
        raise Refused(Reason.MARGIN_MODE_POSITION)
    (account.isolated.add if isolated else account.isolated.discard)(instrument)
    _keep(exchange, account)


def set_hedge(exchange: Exchange, account: Account, *, hedge: bool) -> None:
    """Switch between one-way and hedge mode; refused while it is so already, or anything is open."""
    if account.hedge == hedge:
        raise Refused(Reason.POSITION_MODE_SAME)
    if any(order.instrument < FIRST_SPOT for order in account.open.values()):
        raise Refused(Reason.POSITION_MODE_ORDERS)
    if account.open_positions():
        raise Refused(Reason.POSITION_MODE_POSITION)
    account.hedge = hedge
    _keep(exchange, account)


def _keep(exchange: Exchange, account: Account) -> None:
    account.updated = exchange.clock.now()
    exchange.store.put(account.head())
    exchange.commit()
