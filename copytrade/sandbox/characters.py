"""Who trades perpetuals on the sandbox: each with a way of his own, and one whose way ends badly."""

from collections.abc import Callable
from dataclasses import dataclass, field

from copytrade.sandbox.exchange.engine import OrderRequest
from copytrade.sandbox.view import View

Decide = Callable[[View], list[OrderRequest]]


@dataclass(frozen=True, slots=True)
class Character:
    """A trader: what he starts with (USDT), how often he decides, in fast time and live, and how."""

    name: str
    about: str
    deposit: int
    leverage: int
    symbols: tuple[str, ...]
    fast_minutes: int
    live_seconds: int
    decide: Decide
    flows: dict[int, int] = field(default_factory=dict)
    """What he brings in or takes out, by day of the history."""
    venue: str = "binance"
    is_spot: bool = False


def _swing(view: View) -> list[OrderRequest]:
    orders: list[OrderRequest] = []
    for symbol in ("BTCUSDT", "ETHUSDT"):
        trend, held = view.move(symbol, 72), view.exposure(symbol)
        if not held and abs(trend) > 0.025:
            orders += view.aim(symbol, 0.9 if trend > 0 else -0.7)
        elif held and (held * trend < 0 or view.gain(symbol) > 0.09 or view.gain(symbol) < -0.035):
            orders += view.aim(symbol, 0.0)
    return orders


def _scalp(view: View) -> list[OrderRequest]:
    symbol = view.rng.choice(("BTCUSDT", "ETHUSDT", "SOLUSDT"))
    for held in ("BTCUSDT", "ETHUSDT", "SOLUSDT"):
        if view.exposure(held) and view.rng.random() < 0.75:
            return view.aim(held, 0.0)
    if view.exposure(symbol) or view.rng.random() < 0.25:
        return []
    leans = view.move(symbol, 8) + view.rng.gauss(0, 0.002)
    return view.aim(symbol, 0.5 if leans > 0 else -0.5)


def _trend(view: View) -> list[OrderRequest]:
    orders: list[OrderRequest] = []
    for symbol in ("BTCUSDT", "ETHUSDT", "SOLUSDT", "BNBUSDT"):
        wanted = 0.4 if view.mean(symbol, 24) > view.mean(symbol, 120) else -0.3
        if wanted * view.exposure(symbol) <= 0:
            orders += view.aim(symbol, wanted)
    return orders


def _revert(view: View) -> list[OrderRequest]:
    orders: list[OrderRequest] = []
    for symbol in ("ETHUSDT", "XRPUSDT", "ADAUSDT"):
        away, held = view.deviation(symbol, 24), view.exposure(symbol)
        if not held and abs(away) > 0.03:
            orders += view.aim(symbol, -0.3 if away > 0 else 0.3)
        elif held and (held * away > 0 or abs(away) < 0.006 or view.gain(symbol) < -0.06):
            orders += view.aim(symbol, 0.0)
    return orders


def _double_down(view: View) -> list[OrderRequest]:
    symbol = "SOLUSDT"
    held, gain = view.exposure(symbol), view.gain(symbol)
    if not held:
        return view.aim(symbol, 0.5 if view.rng.random() < 0.5 else -0.5)
    if gain > 0.008:
        return view.aim(symbol, 0.0)
    if gain < -0.025:
        return view.aim(symbol, max(-40.0, min(40.0, held * 2)))
    return []


def _grid(view: View) -> list[OrderRequest]:
    symbol, held = "ETHUSDT", view.exposure("ETHUSDT")
    if abs(held) > 1.5:
        return view.aim(symbol, held / 2)
    orders: list[OrderRequest] = []
    for level in (1, 2, 3):
        orders += view.limit(symbol, 1, away=0.007 * level, exposure=0.1)
        orders += view.limit(symbol, -1, away=0.007 * level, exposure=0.1)
    return orders


def _chase(view: View) -> list[OrderRequest]:
    symbol = "DOGEUSDT" if view.rng.random() < 0.6 else "LINKUSDT"
    held, push = view.exposure(symbol), view.move(symbol, 3)
    if held and (held * push < 0 or view.rng.random() < 0.4):
        return view.aim(symbol, 0.0)
    if not held and abs(push) > 0.004:
        return view.aim(symbol, 1.1 if push > 0 else -1.1)
    return []


def _save(view: View) -> list[OrderRequest]:
    held = view.exposure("BTCUSDT")
    dip = view.move("BTCUSDT", 48)
    wanted = 0.6 if dip < -0.03 else 0.35
    return view.aim("BTCUSDT", wanted) if abs(wanted - held) > 0.05 else []


def _break_out(view: View) -> list[OrderRequest]:
    orders: list[OrderRequest] = []
    for symbol in ("BTCUSDT", "ETHUSDT", "XRPUSDT"):
        push, held = view.move(symbol, 12), view.exposure(symbol)
        if not held and abs(push) > 0.022:
            orders += view.aim(symbol, 0.6 if push > 0 else -0.6)
        elif held and (view.gain(symbol) < -0.02 or view.gain(symbol) > 0.05 or held * view.move(symbol, 4) < 0):
            orders += view.aim(symbol, 0.0)
    return orders


def _dive(view: View) -> list[OrderRequest]:
    orders: list[OrderRequest] = []
    for symbol in ("SOLUSDT", "DOGEUSDT"):
        fall, held = view.deviation(symbol, 12), view.exposure(symbol)
        if not held and abs(fall) > 0.02:
            orders += view.aim(symbol, 0.7 if fall < 0 else -0.5)
        elif abs(held) > 0.4 and held * fall > 0 and abs(fall) > 0.008:
            orders += view.aim(symbol, held / 2)
        elif held and (view.gain(symbol) < -0.05 or held * fall > 0):
            orders += view.aim(symbol, 0.0)
    return orders


CHARACTERS: tuple[Character, ...] = (
    Character(
        *("nordwind", "Swing trader: rides moves of several days in BTC and ETH.", 60_000, 5),
        *(("BTCUSDT", "ETHUSDT"), 120, 150, _swing, {40: 15_000}),
    ),
    Character(
        *("kolibri", "Scalper: small, quick trades along the day's move.", 12_000, 10),
        *(("BTCUSDT", "ETHUSDT", "SOLUSDT"), 100, 10, _scalp),
    ),
    Character(
        *("granit", "Trend follower: four coins, long or short, for days.", 150_000, 3),
        *(("BTCUSDT", "ETHUSDT", "SOLUSDT", "BNBUSDT"), 360, 240, _trend, {30: 25_000, 70: -20_000}),
    ),
    Character(
        *("gezeiten", "Mean reversion: sells what rose too far, buys what fell too far.", 35_000, 5),
        *(("ETHUSDT", "XRPUSDT", "ADAUSDT"), 60, 60, _revert),
    ),
    Character(
        *("alles_oder_nichts", "Martingale: doubles what loses, until it does not come back.", 8_000, 50),
        *(("SOLUSDT",), 30, 75, _double_down, {38: 6_000}),
    ),
    Character(
        *("raster", "Grid: rests orders around the price of ETH and lives on the swings.", 25_000, 5),
        *(("ETHUSDT",), 120, 90, _grid, {55: -3_000}),
    ),
    Character(
        *("falter", "Chases what moves, in small coins, and pays for it.", 6_000, 10),
        *(("DOGEUSDT", "LINKUSDT"), 90, 20, _chase),
    ),
    Character(
        *("lotse", "Careful: a little BTC, more when it is cheap, never much.", 200_000, 2),
        *(("BTCUSDT",), 720, 300, _save, {15: 10_000, 45: 10_000, 75: 10_000}),
    ),
    Character(
        *("brandung", "Breakouts: goes with a move when it is strong, and leaves when it tires.", 40_000, 5),
        *(("BTCUSDT", "ETHUSDT", "XRPUSDT"), 120, 60, _break_out, {25: 8_000}),
        venue="bybit",
    ),
    Character(
        *("eisvogel", "Dives after sharp falls in SOL and DOGE, takes half, then the rest.", 18_000, 4),
        *(("SOLUSDT", "DOGEUSDT"), 90, 45, _dive, {50: -2_000}),
        venue="bitget",
    ),
)
