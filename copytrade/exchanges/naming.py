"""Symbols as the venues write them (BTCUSDT) and as we do (BTC/USDT, BTC/USDT:USDT)."""

from copytrade.domain.instruments import Market
from copytrade.exchanges.facts import QUOTE
from copytrade.exchanges.ground import Ground


def symbol_of(ground: Ground, venue_symbol: str) -> str:
    """Return our name of a venue's symbol; one that is new to us is named alike and the markets are loaded again."""
    known = ground.symbols.get(venue_symbol)
    if known is not None:
        return known
    ground.reload_soon()
    base = venue_symbol.removesuffix(QUOTE)
    if not base or base == venue_symbol:
        return venue_symbol
    return pair(base, market=ground.market)


def pair(asset: str, *, market: Market) -> str:
    """Return our name of an asset's market against USDT."""
    return f"{asset}/{QUOTE}" if market is Market.SPOT else f"{asset}/{QUOTE}:{QUOTE}"


def id_of(ground: Ground, symbol: str) -> str:
    """Return the venue's name of a symbol."""
    return ground.ids.get(symbol) or symbol.partition(":")[0].replace("/", "")
