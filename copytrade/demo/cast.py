"""Who plays in the demo: people with their accounts, as data."""

from dataclasses import dataclass
from decimal import Decimal

from copytrade.demo.keys import FIRST, Place
from copytrade.domain.instruments import Market, Venue

PASSWORD = "copytrade-demo-2026"  # noqa: S105 - of the demo's people only; production refuses the sandbox
DOMAIN = "copytrade.example"
OPERATOR = f"operator@{DOMAIN}"


@dataclass(frozen=True, slots=True)
class Trader:
    """A profile of the demo: its words, its price in USD a month, and the USDT it begins with where no bot plays it."""

    name: str
    about: str
    price: Decimal
    funds: Decimal | None = None
    """None: the sandbox's character of this name trades, and has traded for weeks."""
    place: Place = FIRST
    owner: str = ""
    """Whose profile it is; empty: somebody of the same name."""

    @property
    def email(self) -> str:
        return f"{self.owner or self.name}@{DOMAIN}"


@dataclass(frozen=True, slots=True)
class Copy:
    """One subscription: whom, by which sizing, with how many USDT on the copy account."""

    trader: str
    mode: str
    factor: Decimal
    funds: Decimal
    max_order_notional: Decimal | None = None
    is_paper: bool = False
    """Tried out with play money: no payment, and nobody counts it."""


@dataclass(frozen=True, slots=True)
class Subscriber:
    """A subscriber of the demo, with a copy account for each trader he copies."""

    name: str
    locale: str
    copies: tuple[Copy, ...]

    @property
    def email(self) -> str:
        return f"{self.name}@{DOMAIN}"


TRADERS = (
    Trader("nordwind", "Swing trades in BTC and ETH, held for days. Few trades, wide stops.", Decimal(25)),
    Trader("kolibri", "Scalps BTC, ETH and SOL against short moves. Many small trades a day.", Decimal(19)),
    Trader("granit", "Follows trends in four coins, long or short, with little leverage.", Decimal(39)),
    Trader("gezeiten", "Sells what rose too far and buys what fell too far. ETH, XRP, ADA.", Decimal(22)),
    Trader("alles_oder_nichts", "Doubles what loses until it comes back. It always came back.", Decimal(9)),
    Trader("raster", "A grid of resting orders around the price of ETH.", Decimal(15)),
    Trader("falter", "Chases what moves in small coins.", Decimal(5)),
    Trader("lotse", "A little BTC, more when it is cheap, never much.", Decimal(12)),
    Trader(
        *("morgentau", "Gathers BTC, ETH and SOL while they are cheap. Spot only.", Decimal(14)),
        place=(Venue.BINANCE, Market.SPOT),
    ),
    Trader(
        *("brandung", "Goes with a breakout and leaves when it tires. On Bybit.", Decimal(29)),
        place=(Venue.BYBIT, Market.PERPETUAL),
    ),
    Trader(
        *("wurzelwerk", "A basket of four coins, whole when the market rises. On Bybit, spot only.", Decimal(18)),
        place=(Venue.BYBIT, Market.SPOT),
    ),
    Trader(
        *("eisvogel", "Dives after sharp falls in SOL and DOGE. On Bitget.", Decimal(21)),
        place=(Venue.BITGET, Market.PERPETUAL),
    ),
    Trader(
        *("steppenfuchs", "Runs with small coins and sells out when they stop. On Bitget, spot only.", Decimal(9)),
        place=(Venue.BITGET, Market.SPOT),
    ),
)

SUBSCRIBERS = (
    Subscriber(
        "bob",
        "en",
        (
            Copy("kolibri", "ratio", Decimal("0.2"), Decimal(5_000)),
            Copy("nordwind", "equity", Decimal(1), Decimal(8_000), Decimal(6_000)),
            Copy("morgentau", "equity", Decimal("0.9"), Decimal(4_000)),
            Copy("eisvogel", "ratio", Decimal("0.1"), Decimal(3_000)),
            Copy("falter", "equity", Decimal(1), Decimal(10_000), is_paper=True),
        ),
    ),
    Subscriber(
        "vera",
        "ru",
        (
            Copy("gezeiten", "equity", Decimal(1), Decimal(2_500)),
            Copy("granit", "ratio", Decimal("0.02"), Decimal(3_000)),
            Copy("brandung", "equity", Decimal(1), Decimal(4_000)),
            Copy("steppenfuchs", "equity", Decimal("0.9"), Decimal(2_000)),
        ),
    ),
    # Too small an account for many of his trades: shows how a minimum is waited for and what is skipped.
    Subscriber(
        "chen",
        "en",
        (
            Copy("kolibri", "equity", Decimal(1), Decimal(150)),
            Copy("falter", "ratio", Decimal("0.5"), Decimal(2_000)),
            Copy("wurzelwerk", "equity", Decimal("0.9"), Decimal(1_500)),
        ),
    ),
)

_BY_HAND = "Trades by hand: whoever holds the keys of this demo is the trader."


def _by_hand(name: str, venue: Venue, market: Market) -> Trader:
    return Trader(name, _BY_HAND, Decimal(25), funds=Decimal(3_000_000), place=(venue, market), owner="alice")


QUIET_TRADERS = (
    _by_hand("alice", Venue.BINANCE, Market.PERPETUAL),
    _by_hand("alice-binance-spot", Venue.BINANCE, Market.SPOT),
    _by_hand("alice-bybit", Venue.BYBIT, Market.PERPETUAL),
    _by_hand("alice-bybit-spot", Venue.BYBIT, Market.SPOT),
    _by_hand("alice-bitget", Venue.BITGET, Market.PERPETUAL),
    _by_hand("alice-bitget-spot", Venue.BITGET, Market.SPOT),
)
"""Of a demo without bots: alice's accounts are moved only by whoever holds the keys in demo.json."""
QUIET_SUBSCRIBER = Subscriber(
    "boris", "en", tuple(Copy(trader.name, "ratio", Decimal("0.1"), Decimal(1_000_000)) for trader in QUIET_TRADERS)
)
