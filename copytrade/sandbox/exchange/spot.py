"""Spot: coins change hands, and what an open order may need is held back."""

from copytrade.sandbox.exchange import risk
from copytrade.sandbox.exchange.accounts import Account
from copytrade.sandbox.exchange.engine import Exchange, OrderRequest
from copytrade.sandbox.exchange.instruments import FIRST_SPOT, INSTRUMENTS, QUOTE, SPOT_BY_BASE, Instrument
from copytrade.sandbox.exchange.orders import (
    BUY,
    Fill,
    IncomeKind,
    Order,
    OrderType,
    PositionSide,
    Reason,
    Refused,
)
from copytrade.sandbox.exchange.values import MONEY_UNIT, divide, text

FEE_PPM = 1000
THIRD_ASSET_PPM = 750
"""The fee when a third asset pays it."""
MAX_OPEN = 200
_FARTHEST = 5
"""A limit price may be so many times the price, or the price so many times it."""


def coin(account: Account, asset: str) -> int:
    """Return a balance with what open orders hold of it."""
    return account.wallet if account.unified and asset == QUOTE else account.coins.get(asset, 0)


def locked(account: Account, asset: str) -> int:
    """Return what open orders hold of an asset."""
    return sum(order.margin for order in account.open.values() if pays_with(order) == asset)


def pays_with(order: Order) -> str:
    """Return the asset that a spot order pays with; empty for an order of the perpetuals."""
    if order.instrument < FIRST_SPOT:
        return ""
    instrument = INSTRUMENTS[order.instrument]
    return instrument.quote if order.side == BUY else instrument.base


def free(exchange: Exchange, account: Account, asset: str) -> int:
    """Return what a new order may use of an asset."""
    left = coin(account, asset) - locked(account, asset)
    return min(left, risk.available(exchange.market, account)) if account.unified and asset == QUOTE else left


def assets(account: Account) -> list[str]:
    """Return the assets of which there is any."""
    shared = [QUOTE] if account.unified and account.wallet else []
    return shared + [asset for asset, amount in account.coins.items() if amount]


def move(exchange: Exchange, account: Account, changes: dict[str, int]) -> None:
    """Change balances and keep them; nobody is told."""
    for asset, change in changes.items():
        if account.unified and asset == QUOTE:
            account.wallet += change
            exchange.store.put(("w", account.id, account.wallet, exchange.clock.now()))
        else:
            account.coins[asset] = account.coins.get(asset, 0) + change
            exchange.store.put(("c", account.id, asset, account.coins[asset]))


def transfer(exchange: Exchange, account: Account, asset: str, amount: int) -> None:
    """Deposit coins, or withdraw them when the amount is negative; whether there are so many is the caller's to ask."""
    if account.unified and asset == QUOTE:
        exchange.transfer(account, amount)
        return
    kind = IncomeKind.DEPOSIT if amount > 0 else IncomeKind.WITHDRAWAL
    _book(exchange, account, asset, amount, kind)


def to_perpetuals(exchange: Exchange, account: Account, amount: int) -> None:
    """Move USDT from the spot wallet to that of the perpetuals, or back when the amount is negative."""
    if account.unified:
        return
    _book(exchange, account, QUOTE, -amount, IncomeKind.TRANSFER)
    exchange.transfer(account, amount)


def _book(exchange: Exchange, account: Account, asset: str, amount: int, kind: IncomeKind) -> None:
    move(exchange, account, {asset: amount})
    account.updated = exchange.clock.now()
    exchange.book_income(account, kind, amount, instrument=-1, spot_asset=asset)
    for watcher in exchange.watchers:
        watcher.coins(account, kind.value, {asset: amount})


def check(exchange: Exchange, account: Account, request: OrderRequest) -> tuple[int, int]:
    """Refuse what breaks a rule; return the steps that may be placed and what is held back of what they are paid with.

    An order given in money may be of any number of steps.
    """
    instrument = INSTRUMENTS[request.instrument]
    by_money = request.budget > 0 and request.type is OrderType.MARKET
    steps = instrument.max_market_steps if by_money else request.steps
    if steps <= 0:
        raise Refused(Reason.QUANTITY_ZERO)
    if steps > (instrument.max_market_steps if request.type is OrderType.MARKET else instrument.max_steps):
        raise Refused(Reason.QUANTITY_TOO_LARGE)
    if account.uses(request.instrument, request.client_id):
        raise Refused(Reason.DUPLICATE_CLIENT_ID)
    price = exchange.market.price(request.instrument)
    if request.type is OrderType.LIMIT:
        _check_price(instrument, request.price, price)
        price = request.price
    if (request.budget if by_money else steps * price * instrument.unit) < instrument.min_notional:
        raise Refused(Reason.NOTIONAL_TOO_SMALL, notional=text(instrument.min_notional, 8).rstrip("0").rstrip("."))
    if len(account.open) >= MAX_OPEN:
        raise Refused(Reason.TOO_MANY_OPEN)
    return steps, _check_balance(exchange, account, request, price)


def _check_price(instrument: Instrument, wanted: int, price: int) -> None:
    if wanted <= 0:
        raise Refused(Reason.PRICE_ZERO)
    if wanted > price * _FARTHEST:
        raise Refused(Reason.PRICE_TOO_HIGH, limit=text(price * _FARTHEST, instrument.price_decimals))
    if wanted * _FARTHEST < price:
        raise Refused(Reason.PRICE_TOO_LOW, limit=text(-(-price // _FARTHEST), instrument.price_decimals))


def _check_balance(exchange: Exchange, account: Account, request: OrderRequest, price: int) -> int:
    instrument = INSTRUMENTS[request.instrument]
    asset = instrument.quote if request.side == BUY else instrument.base
    if request.side == BUY:
        needed = request.budget or _cost(exchange, request, price)
    else:
        needed = (request.steps or -(-request.budget // (price * instrument.unit))) * instrument.lot
    if needed > free(exchange, account, asset):
        raise Refused(Reason.BALANCE)
    return needed if request.type is OrderType.LIMIT else 0


def _cost(exchange: Exchange, request: OrderRequest, price: int) -> int:
    """Return the money that a purchase takes: at its limit, or through the levels of the book."""
    unit = INSTRUMENTS[request.instrument].unit
    if request.type is OrderType.LIMIT:
        return request.steps * price * unit
    cost, left = 0, request.steps
    for level, room in exchange.market.levels(request.instrument, request.side):
        taken = min(left, room)
        cost, left, price = cost + taken * level * unit, left - taken, level
        if not left:
            break
    return cost + left * price * unit


def purse(exchange: Exchange, account: Account, request: OrderRequest) -> int:
    """Return the money that a spot market order cannot go beyond; −1 where nothing binds it."""
    if request.instrument < FIRST_SPOT or request.type is not OrderType.MARKET:
        return -1
    if request.side != BUY:
        return request.budget or -1
    there = free(exchange, account, INSTRUMENTS[request.instrument].quote)
    return min(request.budget, there) if request.budget else there


def within(order: Order, price: int, room: int) -> int:
    """Return how many steps the purse allows at a price; an order given in money is whole when it is used up."""
    one = price * INSTRUMENTS[order.instrument].unit
    left = order.purse - order.quote
    steps = min(order.remaining, room, left // one)
    if order.budget and left - steps * one < one:
        order.steps = order.executed + steps
    return steps


def trade(
    exchange: Exchange, account: Account, order: Order, *, price: int, steps: int, maker: bool, trade: int
) -> Fill:
    """Exchange base and quote, less the fee; return the fill."""
    instrument = INSTRUMENTS[order.instrument]
    amount, notional = steps * instrument.lot, price * steps * instrument.unit
    changes = {instrument.base: order.side * amount, instrument.quote: -order.side * notional}
    received = (instrument.base, amount) if order.side == BUY else (instrument.quote, notional)
    fee_asset, fee = _fee(exchange, account, received, notional)
    changes[fee_asset] = changes.get(fee_asset, 0) - fee
    move(exchange, account, changes)
    return Fill(
        *(trade, order.id, account.id, order.instrument, order.side, price, steps, fee, 0, maker),
        *(PositionSide.BOTH, exchange.clock.now(), fee_asset),
    )


def _fee(exchange: Exchange, account: Account, received: tuple[str, int], notional: int) -> tuple[str, int]:
    """Return what pays the fee and how much: a third asset while there is enough of it, else what is received."""
    third = SPOT_BY_BASE.get(account.fee_asset)
    if third is not None:
        price = exchange.market.price(third.index) * third.unit * 10**third.quantity_decimals
        fee = divide(notional * THIRD_ASSET_PPM * MONEY_UNIT, price * 1_000_000)
        if 0 < fee <= coin(account, third.base) - locked(account, third.base):
            return third.base, fee
    asset, amount = received
    return asset, divide(amount * FEE_PPM, 1_000_000)


def tell(exchange: Exchange, account: Account, fill: Fill) -> None:
    """Tell everybody which balances a fill has changed, and by how much."""
    instrument = INSTRUMENTS[fill.instrument]
    changes = {
        instrument.base: fill.side * fill.steps * instrument.lot,
        instrument.quote: -fill.side * fill.price * fill.steps * instrument.unit,
    }
    changes[fill.fee_asset] = changes.get(fill.fee_asset, 0) - fill.fee
    for watcher in exchange.watchers:
        watcher.coins(account, "TRADE", changes)


def tell_held(exchange: Exchange, account: Account, order: Order) -> None:
    """Tell everybody that what an open spot order holds has changed, and no balance with it."""
    asset = pays_with(order)
    if asset:
        for watcher in exchange.watchers:
            watcher.coins(account, "ORDER", {asset: 0})
