"""Binance's protocol: USDT-margined perpetuals, and the spot and sapi calls that clients make on their way."""
