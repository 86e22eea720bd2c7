"""The market and the time: prices, books, halts, fast time, traders."""

from typing import Any

from copytrade.sandbox.controls.situation import BadRequest, Situation, instrument, number
from copytrade.sandbox.exchange import ticking
from copytrade.sandbox.exchange.instruments import BY_SYMBOL, FIRST_SPOT, PERPETUALS, SPOTS, Instrument
from copytrade.sandbox.exchange.market import FixedBook
from copytrade.sandbox.exchange.values import text


def show(at: Situation, facts: dict[str, Any]) -> list[dict[str, Any]]:
    market = at.exchange.market
    rows: list[dict[str, Any]] = []
    for rules in SPOTS if facts.get("market") == "spot" else PERPETUALS:
        bid, ask = market.best(rules.index)
        prices = {"mark": market.price(rules.index), "bid": bid, "ask": ask}
        shown = {name: text(price, rules.price_decimals) for name, price in prices.items()}
        held, laid = rules.index in market.held, rules.index in market.books
        stopped = {"halted": rules.index in market.halted, "delisted": rules.index in market.delisted}
        rows.append({"symbol": rules.symbol, **shown, "held": held, "fixed_book": laid, **stopped})
    return rows


def set_price(at: Situation, facts: dict[str, Any]) -> None:
    """Set the mark price: held there (default), or going on from there.

    A spot coin that has a perpetual moves with it, both ways; the others can only be held.
    """
    rules, exchange = _moved(facts), at.exchange
    price = number(facts["price"], rules.price_decimals)
    if price <= 0:
        raise BadRequest("price must be above 0")
    if rules.is_spot and not facts.get("hold", True):
        raise BadRequest("a coin without a perpetual follows another; its price can only be held")
    ticking.tick(exchange)
    if not rules.is_spot:
        exchange.market.path.shift(rules.index, exchange.clock.now(), price)
    if facts.get("hold", True):
        exchange.market.held[rules.index] = price
        exchange.store.put(("held", rules.index, price))
    else:
        _release(at, rules.index)
    ticking.tick_now(exchange)


def _moved(facts: dict[str, Any]) -> Instrument:
    rules = instrument(facts)
    return BY_SYMBOL.get(rules.symbol, rules)


def release(at: Situation, facts: dict[str, Any]) -> None:
    """Let held prices move again, all or the symbol named, from where they are."""
    indexes = [_moved(facts).index] if "symbol" in facts else list(at.exchange.market.held)
    for index in indexes:
        held = at.exchange.market.held.get(index)
        if held is not None and index < FIRST_SPOT:
            at.exchange.market.path.shift(index, at.exchange.clock.now(), held)
        _release(at, index)


def _release(at: Situation, index: int) -> None:
    at.exchange.market.held.pop(index, None)
    at.exchange.store.put(("held", index, None))


def set_book(at: Situation, facts: dict[str, Any]) -> None:
    """Lay out a book that orders consume; without levels the model's book comes back."""
    rules, exchange = instrument(facts), at.exchange
    if not facts.get("bids") and not facts.get("asks") and not facts.get("empty"):
        exchange.market.books.pop(rules.index, None)
        exchange.store.put(("book", rules.index, None, None))
        return
    bids = sorted(_levels(facts.get("bids"), rules.price_decimals, rules.quantity_decimals), reverse=True)
    asks = sorted(_levels(facts.get("asks"), rules.price_decimals, rules.quantity_decimals))
    if bids and asks and bids[0][0] >= asks[0][0]:
        raise BadRequest("the best bid must be below the best ask")
    exchange.market.books[rules.index] = FixedBook(bids, asks)
    exchange.store.put(("book", rules.index, bids, asks))
    ticking.tick_now(exchange)


def _levels(rows: list[list[Any]] | None, price_decimals: int, quantity_decimals: int) -> list[list[int]]:
    return [[number(row[0], price_decimals), number(row[1], quantity_decimals)] for row in rows or []]


def halt(at: Situation, facts: dict[str, Any]) -> None:
    """Stop trading of a symbol, or let it go on."""
    rules, halted = instrument(facts), bool(facts.get("halted", True))
    (at.exchange.market.halted.add if halted else at.exchange.market.halted.discard)(rules.index)
    at.exchange.store.put(("halted", rules.index, halted))


def delist(at: Situation, facts: dict[str, Any]) -> None:
    """Let a symbol vanish from the rules and refuse its orders as unknown, or bring it back."""
    rules, delisted = instrument(facts), bool(facts.get("delisted", True))
    (at.exchange.market.delisted.add if delisted else at.exchange.market.delisted.discard)(rules.index)
    at.exchange.store.put(("delisted", rules.index, delisted))


def time(at: Situation, facts: dict[str, Any]) -> dict[str, int]:
    clock = at.exchange.clock
    return {"now": clock.now(), "offset_ms": clock.offset_ms, "server_time": clock.server_time()}


def advance(at: Situation, facts: dict[str, Any]) -> dict[str, int]:
    """Run time fast by so many seconds; with `traders` they trade meanwhile."""
    exchange = at.exchange
    seconds = float(facts["seconds"])
    if not 0 < seconds <= 400 * 86_400:
        raise BadRequest("seconds must be above 0, 400 days at most")
    ticking.tick(exchange)
    target = exchange.clock.now() + round(seconds * 1000)
    if facts.get("traders"):
        at.traders.run_fast(target)
    else:
        ticking.run_to(exchange, target, step=round(float(facts.get("step_s", 60)) * 1000))
    return time(at, facts)


def traders(at: Situation, facts: dict[str, Any]) -> list[dict[str, Any]]:
    return at.traders.shown()


def run_traders(at: Situation, facts: dict[str, Any]) -> dict[str, bool]:
    """Let the traders trade live, or stop them."""
    at.traders.running = bool(facts.get("running", True))
    return {"running": at.traders.running}


ACTIONS = {
    ("GET", "/market"): show,
    ("POST", "/price"): set_price,
    ("POST", "/price/release"): release,
    ("POST", "/book"): set_book,
    ("POST", "/halt"): halt,
    ("POST", "/delist"): delist,
    ("GET", "/time"): time,
    ("POST", "/advance"): advance,
    ("GET", "/traders"): traders,
    ("POST", "/traders"): run_traders,
}
