"""Trading orders against the market's levels and against each other, and booking what was traded."""

from copytrade.sandbox.exchange import spot
from copytrade.sandbox.exchange.accounts import Account, position_record
from copytrade.sandbox.exchange.engine import Exchange
from copytrade.sandbox.exchange.instruments import INSTRUMENTS, Instrument
from copytrade.sandbox.exchange.orders import BUY, BY_VENUE, OPEN, Fill, IncomeKind, Order, OrderType, Status
from copytrade.sandbox.exchange.values import divide


def match_resting(exchange: Exchange, instrument: Instrument, *, low: int, high: int) -> None:
    """Trade what rests in the book against a market that has been from `low` to `high` (ticks)."""
    book = exchange.resting[instrument.index]
    fixed = exchange.market.books.get(instrument.index)
    edges = exchange.market.edges(instrument.index)
    for side in (1, -1):
        for order in book.orders(side):
            if fixed is not None:
                _meet_fixed(exchange, order, fixed.asks if side == BUY else fixed.bids)
                continue
            beyond = order.price - low - edges[1] if side == BUY else high + edges[0] - order.price
            if beyond < 0:
                break
            room = instrument.depth_steps * (1 + beyond // instrument.gap)
            _trade_resting(exchange, order, steps=min(order.remaining, room), trade=exchange.new_id())


def _meet_fixed(exchange: Exchange, order: Order, levels: list[list[int]]) -> None:
    for price, room in [(price, room) for price, room in levels if (price - order.price) * order.side <= 0]:
        if order.status in OPEN:
            steps = _trade_resting(exchange, order, steps=min(order.remaining, room), trade=exchange.new_id())
            _take(exchange, order, price, steps)


def execute(
    exchange: Exchange, account: Account, order: Order, *, price: int, steps: int, maker: bool, trade: int
) -> None:
    """Book one execution: position, wallet, fee, ledger, or coins on spot; and tell everybody."""
    instrument = INSTRUMENTS[order.instrument]
    now = exchange.clock.now()
    notional = price * steps * instrument.unit
    if instrument.is_spot:
        fill = spot.trade(exchange, account, order, price=price, steps=steps, maker=maker, trade=trade)
    else:
        fill = _trade(exchange, account, order, price=price, steps=steps, maker=maker, trade=trade)
    account.add_fill(fill)
    account.updated = order.updated = now
    order.executed += steps
    order.quote += notional
    order.status = Status.FILLED if not order.remaining else Status.PARTIALLY_FILLED
    order.margin = order.margin * order.remaining // (order.remaining + steps)
    if not order.remaining:
        account.open.pop(order.id, None)
    exchange.store.put(fill.record())
    exchange.market.note(order.instrument, price, now)
    if instrument.is_spot:
        tell(exchange, account, order, "TRADE", fill)
        spot.tell(exchange, account, fill)
        return
    exchange.store.put(("w", account.id, account.wallet, now))
    position = account.position(order.instrument, order.position_side)
    exchange.store.put(position_record(account.id, position))
    for watcher in exchange.watchers:
        watcher.balance(account, "ORDER", 0, [position])
    tell(exchange, account, order, "CALCULATED" if order.type in BY_VENUE else "TRADE", fill)


def _trade(
    exchange: Exchange, account: Account, order: Order, *, price: int, steps: int, maker: bool, trade: int
) -> Fill:
    instrument = INSTRUMENTS[order.instrument]
    now = exchange.clock.now()
    notional = price * steps * instrument.unit
    fee = divide(notional * (account.maker_ppm if maker else account.taker_ppm), 1_000_000)
    realized = _move(account, order, notional=notional, steps=steps, now=now)
    account.wallet += realized - fee
    if realized:
        exchange.book_income(account, IncomeKind.REALIZED_PNL, realized, instrument=order.instrument, trade=trade)
    exchange.book_income(account, IncomeKind.COMMISSION, -fee, instrument=order.instrument, trade=trade)
    return Fill(
        *(trade, order.id, account.id, order.instrument, order.side, price, steps, fee, realized, maker),
        *(order.position_side, now),
    )


def _move(account: Account, order: Order, *, notional: int, steps: int, now: int) -> int:
    """Change the position by an execution and return the realized PnL."""
    position = account.position(order.instrument, order.position_side)
    position.updated = now
    held, realized = abs(position.steps), 0
    closing = min(steps, held) if position.steps * order.side < 0 else 0
    if closing:
        cost = position.cost * closing // held
        proceeds = notional * closing // steps
        realized = (proceeds - cost) if position.steps > 0 else (cost - proceeds)
        position.cost -= cost
        position.isolated_wallet -= position.isolated_wallet * closing // held
        position.steps += order.side * closing
        notional -= proceeds
    if steps > closing:
        position.steps += order.side * (steps - closing)
        position.cost += notional
        if order.instrument in account.isolated:
            position.isolated_wallet += notional // account.leverage_of(order.instrument)
    position.realized += realized
    return realized


def match(exchange: Exchange, account: Account, order: Order) -> None:
    """Trade an order against resting orders and the market's levels, best price first."""
    index = order.instrument
    resting = exchange.resting[index]
    bound = _bound(exchange, order)
    levels = exchange.market.levels(index, order.side)
    level = next(levels, None)
    while order.remaining and order.status in OPEN:
        other = resting.best(-order.side) if resting else None
        if other is not None and (level is None or (other.price - level[0]) * order.side <= 0):
            price, room = other.price, other.remaining
        elif level is not None:
            other, (price, room) = None, level
        else:
            return
        if (price - bound) * order.side > 0:
            return
        steps = min(order.remaining, room) if order.purse < 0 else spot.within(order, price, room)
        if not steps:
            return
        if other is not None:
            _trade_with(exchange, account, order, other, steps)
            continue
        execute(exchange, account, order, price=price, steps=steps, maker=False, trade=exchange.new_id())
        _take(exchange, order, price, steps)
        level = next(levels, None)


def _take(exchange: Exchange, order: Order, price: int, steps: int) -> None:
    book = exchange.market.books.get(order.instrument)
    if book is not None:
        exchange.market.take(order.instrument, order.side, price, steps)
        exchange.store.put(("book", order.instrument, [*map(list, book.bids)], [*map(list, book.asks)]))


def _trade_with(exchange: Exchange, account: Account, order: Order, other: Order, steps: int) -> None:
    owner = exchange.accounts[other.account]
    if owner is account:
        exchange.resting[other.instrument].remove(other)
        end(exchange, owner, other, Status.EXPIRED)
        exchange.store.put(other.record())
        return
    trade = exchange.new_id()
    steps = _trade_resting(exchange, other, steps=steps, trade=trade)
    if steps:
        execute(exchange, account, order, price=other.price, steps=steps, maker=False, trade=trade)


def _trade_resting(exchange: Exchange, other: Order, *, steps: int, trade: int) -> int:
    """Trade a resting order as a maker, one that only closes never beyond its position; return the steps traded."""
    owner = exchange.accounts[other.account]
    if other.only_closes:
        position = owner.position(other.instrument, other.position_side)
        steps = min(steps, abs(position.steps) if position.steps * other.side < 0 else 0)
    if steps:
        execute(exchange, owner, other, price=other.price, steps=steps, maker=True, trade=trade)
    else:
        end(exchange, owner, other, Status.EXPIRED)
    if other.status not in OPEN:
        exchange.resting[other.instrument].remove(other)
    exchange.store.put(other.record())
    return steps


def _bound(exchange: Exchange, order: Order) -> int:
    """Return the worst price in ticks that an order may trade at."""
    if order.type is OrderType.LIMIT:
        return order.price
    mark = exchange.market.price(order.instrument)
    return mark + order.side * mark * INSTRUMENTS[order.instrument].band_ppm // 1_000_000


def end(exchange: Exchange, account: Account, order: Order, status: Status) -> None:
    """Close an order for good, with what it has executed so far."""
    held = order.margin > 0
    order.status = status
    order.margin = 0
    order.updated = exchange.clock.now()
    account.open.pop(order.id, None)
    tell(exchange, account, order, status.value, None)
    if held:
        spot.tell_held(exchange, account, order)


def tell(exchange: Exchange, account: Account, order: Order, execution: str, fill: Fill | None) -> None:
    """Tell everybody what became of an order."""
    for watcher in exchange.watchers:
        watcher.order(account, order, execution, fill)
