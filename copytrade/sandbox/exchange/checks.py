"""What is held against an order before it is placed."""

from copytrade.sandbox.exchange import risk, spot
from copytrade.sandbox.exchange.accounts import Account, opening_steps
from copytrade.sandbox.exchange.engine import Exchange, OrderRequest
from copytrade.sandbox.exchange.instruments import INSTRUMENTS, Instrument
from copytrade.sandbox.exchange.orders import BUY, OrderType, PositionSide, Reason, Refused
from copytrade.sandbox.exchange.values import text


def check(exchange: Exchange, account: Account, request: OrderRequest) -> tuple[int, int]:
    """Refuse what breaks a rule; return the steps that may be placed and the margin to hold back, in money units."""
    instrument = INSTRUMENTS[request.instrument]
    if request.instrument in exchange.market.delisted:
        raise Refused(Reason.UNKNOWN_SYMBOL)
    if request.instrument in exchange.market.halted:
        raise Refused(Reason.TRADING_HALTED)
    if instrument.is_spot:
        return spot.check(exchange, account, request)
    _check_side(account, request)
    limit = instrument.max_market_steps if request.type is OrderType.MARKET else instrument.max_steps
    if request.steps <= 0:
        raise Refused(Reason.QUANTITY_ZERO)
    if request.steps > limit:
        raise Refused(Reason.QUANTITY_TOO_LARGE)
    if account.uses(request.instrument, request.client_id):
        raise Refused(Reason.DUPLICATE_CLIENT_ID)
    mark = exchange.market.price(request.instrument)
    price = request.price if request.type is OrderType.LIMIT else mark
    if request.type is OrderType.LIMIT:
        _check_price(instrument, request, mark)
    steps = _reduced(account, request) if request.reduce_only else request.steps
    if not request.reduce_only and request.steps * price * instrument.unit < instrument.min_notional:
        raise Refused(Reason.NOTIONAL_TOO_SMALL, notional=text(instrument.min_notional, 8).rstrip("0").rstrip("."))
    if len(account.open) >= spot.MAX_OPEN:
        raise Refused(Reason.TOO_MANY_OPEN)
    return steps, 0 if request.reduce_only else _check_margin(exchange, account, request, price)


def _check_side(account: Account, request: OrderRequest) -> None:
    if account.hedge == (request.position_side is PositionSide.BOTH):
        raise Refused(Reason.POSITION_SIDE)
    if account.hedge:
        position = account.position(request.instrument, request.position_side)
        closes = (request.side == BUY) == (request.position_side is PositionSide.SHORT)
        if closes and request.steps > abs(position.steps):
            raise Refused(Reason.REDUCE_ONLY)


def _check_price(instrument: Instrument, request: OrderRequest, mark: int) -> None:
    if request.price <= 0:
        raise Refused(Reason.PRICE_ZERO)
    highest = mark * (1_000_000 + instrument.band_ppm) // 1_000_000
    lowest = -(-mark * (1_000_000 - instrument.band_ppm) // 1_000_000)
    if request.side == BUY and request.price > highest:
        raise Refused(Reason.PRICE_TOO_HIGH, limit=text(highest, instrument.price_decimals))
    if request.side != BUY and request.price < lowest:
        raise Refused(Reason.PRICE_TOO_LOW, limit=text(lowest, instrument.price_decimals))


def _reduced(account: Account, request: OrderRequest) -> int:
    """Return what a reduce-only order may be: never more than the position it reduces."""
    position = account.position(request.instrument, request.position_side)
    if position.steps * request.side >= 0:
        raise Refused(Reason.REDUCE_ONLY)
    return min(request.steps, abs(position.steps))


def _check_margin(exchange: Exchange, account: Account, request: OrderRequest, price: int) -> int:
    instrument = INSTRUMENTS[request.instrument]
    position = account.position(request.instrument, request.position_side)
    opening = opening_steps(position, request.side, request.steps)
    if not opening:
        return 0
    leverage = account.leverage_of(request.instrument)
    margin = -(-opening * price * instrument.unit // leverage)
    fee = opening * price * instrument.unit * account.taker_ppm // 1_000_000
    left = opening if opening < request.steps else opening + abs(position.steps)
    if left * price * instrument.unit > instrument.largest(leverage):
        raise Refused(Reason.POSITION_TOO_LARGE)
    if margin + fee > risk.available(exchange.market, account) + risk.released(exchange.market, account, request):
        raise Refused(Reason.MARGIN)
    return margin
