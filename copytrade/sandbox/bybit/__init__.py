"""Bybit v5 in front of the exchange: unified accounts, spot and USDT perpetuals, REST and websockets."""
