"""Bitget's own protocol, version 2 of its classic accounts: how spot and perpetuals are asked and read."""
