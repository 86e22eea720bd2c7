"""Bybit v5: unified accounts, spot and USDT perpetuals."""
