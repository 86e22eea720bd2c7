"""CopyTrade: copy trading on Binance, Bybit and Bitget."""
