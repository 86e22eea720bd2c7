"""The exchange part alone, fed with the venues' public prices: where paper accounts live in production."""
