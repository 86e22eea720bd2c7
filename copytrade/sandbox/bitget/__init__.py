"""Bitget's own protocol, version 2 of its classic accounts, in front of the exchange: spot and perpetuals."""
