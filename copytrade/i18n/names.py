"""What venues, markets and symbols are called on pages."""

from copytrade.i18n.voice import Voice

VENUES = {"binance": "Binance", "bybit": "Bybit", "bitget": "Bitget"}


def venue_name(venue: str) -> str:
    """Return the name of an exchange as it writes itself."""
    return VENUES.get(venue, venue.capitalize())


def market_name(voice: Voice, market: str) -> str:
    """Return what a market is called."""
    return voice.say("perpetuals") if market == "perpetual" else voice.say("spot")


def place_name(voice: Voice, venue: str, market: str) -> str:
    """Return exchange and market as one name."""
    return f"{venue_name(venue)} {market_name(voice, market)}"


def symbol_name(symbol: str) -> str:
    """Return a symbol without its settlement asset: `BTC/USDT:USDT` is `BTC/USDT`."""
    return symbol.partition(":")[0]


def is_spot(symbol: str) -> bool:
    """Tell whether a symbol is of the spot market: only derivatives name what they are settled in."""
    return ":" not in symbol


def kind_name(voice: Voice, symbol: str) -> str:
    """Return the short name of a symbol's market, to stand beside it."""
    return voice.say("spot") if is_spot(symbol) else voice.say("perp")


def base_asset(symbol: str) -> str:
    """Return the asset that a symbol's quantity is in."""
    return symbol.partition("/")[0]
