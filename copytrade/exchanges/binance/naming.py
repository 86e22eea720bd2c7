"""Symbols as Binance writes them (BTCUSDT) and as we do (BTC/USDT:USDT)."""

from copytrade.exchanges.ground import Ground

_QUOTE = "USDT"


def symbol_of(ground: Ground, venue_symbol: str) -> str:
    """Return our name of a venue's symbol; one that is new to us is named alike and the markets are loaded again."""
    known = ground.symbols.get(venue_symbol)
    if known is not None:
        return known
    ground.reload_soon()
    base = venue_symbol.removesuffix(_QUOTE)
    return f"{base}/{_QUOTE}:{_QUOTE}" if base and base != venue_symbol else venue_symbol


def id_of(ground: Ground, symbol: str) -> str:
    """Return the venue's name of a symbol."""
    return ground.ids.get(symbol) or symbol.partition(":")[0].replace("/", "")
