"""Binance's own protocol: how its USDT-margined perpetuals are asked and read."""
