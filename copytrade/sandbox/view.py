"""What a trader sees before he decides, and how he turns a wish into an order."""

import random
from dataclasses import dataclass
from functools import cached_property

from copytrade.sandbox.exchange import risk, spot
from copytrade.sandbox.exchange.accounts import Account
from copytrade.sandbox.exchange.engine import Exchange, OrderRequest
from copytrade.sandbox.exchange.instruments import BY_SYMBOL, QUOTE, SPOT_BY_BASE, SPOT_BY_SYMBOL, Instrument
from copytrade.sandbox.exchange.orders import OrderType, PositionSide, TimeInForce

HOUR_MS = 3_600_000


@dataclass
class View:
    """The market and his own account, at one moment; floats, since he only guesses."""

    exchange: Exchange
    account: Account
    now: int
    rng: random.Random
    is_spot: bool = False

    @cached_property
    def equity(self) -> int:
        if not self.is_spot:
            return risk.margin(self.exchange.market, self.account).balance
        coins = [SPOT_BY_BASE[asset] for asset in spot.assets(self.account) if asset != QUOTE]
        worth = sum(self.held(rules) * self.price(rules) * rules.unit for rules in coins)
        return spot.coin(self.account, QUOTE) + worth

    def rules(self, symbol: str) -> Instrument:
        """Return what a symbol names where he trades."""
        return (SPOT_BY_SYMBOL if self.is_spot else BY_SYMBOL)[symbol]

    def held(self, rules: Instrument) -> int:
        """Return the signed steps he holds."""
        if self.is_spot:
            return spot.coin(self.account, rules.base) // rules.lot
        return self.account.position(rules.index, PositionSide.BOTH).steps

    def move(self, symbol: str, hours: float) -> float:
        """Return the fraction by which a price has moved in the last hours."""
        index = self.rules(symbol).index
        before = self.exchange.market.price_at(index, self.now - round(hours * HOUR_MS))
        return self.exchange.market.price(index) / before - 1

    def mean(self, symbol: str, hours: float, points: int = 12) -> float:
        """Return the mean of a price over the last hours."""
        index, market = self.rules(symbol).index, self.exchange.market
        step = round(hours * HOUR_MS / points)
        return sum(market.price_at(index, self.now - step * n) for n in range(points)) / points

    def deviation(self, symbol: str, hours: float) -> float:
        """Return by which fraction a price stands above its mean over the last hours."""
        return self.price(self.rules(symbol)) / self.mean(symbol, hours) - 1

    def exposure(self, symbol: str) -> float:
        """Return the position's notional over equity, signed."""
        rules = self.rules(symbol)
        return self.held(rules) * self.price(rules) * rules.unit / max(1, self.equity)

    def gain(self, symbol: str) -> float:
        """Return a perpetual position's unrealized PnL as a fraction of what it was opened for."""
        position = self.account.position(self.rules(symbol).index, PositionSide.BOTH)
        return (
            position.unrealized(self.exchange.market.price(position.instrument)) / position.cost
            if position.cost
            else 0.0
        )

    def aim(self, symbol: str, exposure: float) -> list[OrderRequest]:
        """Return the market orders that bring a position, or on spot a coin, to `exposure` × equity."""
        rules, held = self.rules(symbol), self.held(self.rules(symbol))
        wanted = self.steps(rules, exposure)
        change = wanted - held
        side = 1 if change > 0 else -1
        closes = not self.is_spot and (wanted == 0 or (abs(wanted) < abs(held) and wanted * held > 0))
        if not change or (not closes and abs(change) * self.price(rules) * rules.unit < rules.min_notional * 2):
            return []
        size = min(abs(change), rules.max_market_steps)
        return [OrderRequest(rules.index, side, OrderType.MARKET, size, reduce_only=closes, client_id=self.client_id())]

    def limit(self, symbol: str, side: int, *, away: float, exposure: float) -> list[OrderRequest]:
        """Return a resting order `away` (a fraction) from the price."""
        rules = self.rules(symbol)
        price = round(self.price(rules) * (1 - side * away))
        size = abs(self.steps(rules, exposure))
        if size * price * rules.unit < rules.min_notional * 2:
            return []
        form = TimeInForce.GTX
        return [OrderRequest(rules.index, side, OrderType.LIMIT, size, price, form, client_id=self.client_id())]

    def price(self, rules: Instrument) -> int:
        return self.exchange.market.price(rules.index)

    def steps(self, rules: Instrument, exposure: float) -> int:
        return int(exposure * self.equity / (self.price(rules) * rules.unit))

    def client_id(self) -> str:
        return f"{self.rng.choice(('web', 'ios', 'and'))}_{self.rng.getrandbits(80):020x}"
