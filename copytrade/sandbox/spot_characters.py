"""Who trades spot on the sandbox: what he holds, he owns."""

from copytrade.sandbox.characters import Character
from copytrade.sandbox.exchange.engine import OrderRequest
from copytrade.sandbox.view import View


def _gather(view: View) -> list[OrderRequest]:
    orders: list[OrderRequest] = []
    for symbol in ("BTCUSDT", "ETHUSDT", "SOLUSDT"):
        away, held = view.deviation(symbol, 72), view.exposure(symbol)
        if away < -0.02 and held < 0.3:
            orders += view.aim(symbol, held + 0.1)
        elif away > 0.03 and held > 0.02:
            orders += view.aim(symbol, held / 2)
    return orders


def _basket(view: View) -> list[OrderRequest]:
    wanted = {"BTCUSDT": 0.35, "ETHUSDT": 0.25, "LTCUSDT": 0.15, "AVAXUSDT": 0.15}
    rising = view.mean("BTCUSDT", 48) > view.mean("BTCUSDT", 240)
    orders: list[OrderRequest] = []
    for symbol, share in wanted.items():
        goal = share if rising else share / 2
        if abs(view.exposure(symbol) - goal) > 0.03:
            orders += view.aim(symbol, goal)
    return sorted(orders, key=lambda order: order.side)


def _follow(view: View) -> list[OrderRequest]:
    orders: list[OrderRequest] = []
    for symbol in ("SUIUSDT", "DOGEUSDT", "LINKUSDT", "NEARUSDT"):
        push, held = view.move(symbol, 24), view.exposure(symbol)
        if held < 0.01 and push > 0.03:
            orders += view.aim(symbol, 0.22)
        elif held > 0.01 and (push < 0 or view.move(symbol, 6) < -0.015):
            orders += view.aim(symbol, 0.0)
    return orders


SPOT_CHARACTERS: tuple[Character, ...] = (
    Character(
        *("morgentau", "Gathers BTC, ETH and SOL when they are cheap, gives half away when they are dear.", 45_000, 1),
        *(("BTCUSDT", "ETHUSDT", "SOLUSDT"), 240, 120, _gather, {35: 5_000}),
        is_spot=True,
    ),
    Character(
        *("wurzelwerk", "A basket of four coins, whole when the market rises, half when it falls.", 80_000, 1),
        *(("BTCUSDT", "ETHUSDT", "LTCUSDT", "AVAXUSDT"), 360, 180, _basket, {20: 10_000, 60: -6_000}),
        venue="bybit",
        is_spot=True,
    ),
    Character(
        *("steppenfuchs", "Follows small coins while they run, and sells out when they stop.", 15_000, 1),
        *(("SUIUSDT", "DOGEUSDT", "LINKUSDT", "NEARUSDT"), 180, 60, _follow),
        venue="bitget",
        is_spot=True,
    ),
)
