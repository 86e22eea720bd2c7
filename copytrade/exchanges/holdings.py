"""Spot accounts behind the port: balances stand for positions. Pure."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from copytrade.domain.fills import Balance, Equity, Position
from copytrade.domain.instruments import Market, PositionSide
from copytrade.domain.orders import OrderRequest
from copytrade.exchanges.facts import QUOTE
from copytrade.exchanges.naming import pair

STABLE = frozenset({QUOTE, "USDC", "FDUSD", "TUSD", "USDP", "BUSD", "DAI", "USDE", "USD1", "USDD"})
"""Coins that count as one USDT each."""
_ZERO = Decimal(0)


def worth(balances: Sequence[Balance], *, prices: Mapping[str, Decimal], read_at: datetime) -> Equity:
    """Return what balances are worth in USDT by `prices` of our symbols; coins without a price are left out."""
    total, free = _ZERO, _ZERO
    for one in balances:
        price = Decimal(1) if one.asset in STABLE else prices.get(pair(one.asset, market=Market.SPOT), _ZERO)
        total += one.total * price
        free += one.free if one.asset == QUOTE else _ZERO
    return Equity(total=total, wallet=total, unrealized_pnl=_ZERO, available=free, read_at=read_at)


def held(balances: Sequence[Balance], *, symbols: Mapping[str, object]) -> dict[tuple[str, PositionSide], Decimal]:
    """Return the total of each held coin by its market against USDT; coins without one of `symbols` are left out."""
    named = {pair(one.asset, market=Market.SPOT): one.total for one in balances if one.total > 0}
    return {(symbol, PositionSide.NET): total for symbol, total in named.items() if symbol in symbols}


def position(symbol: str, quantity: Decimal, *, mark_price: Decimal = _ZERO) -> Position:
    """Return a balance as a position; what was paid for it is not known."""
    return Position(
        symbol=symbol, quantity=quantity, entry_price=_ZERO, mark_price=mark_price, unrealized_pnl=_ZERO, leverage=1
    )


def mark_of(balances: Sequence[Balance]) -> str:
    """Return a mark that changes whenever what is held of any coin does."""
    totals = sorted((one.asset, str(one.total.normalize())) for one in balances if one.total != 0)
    return hashlib.blake2b(repr(totals).encode(), digest_size=12).hexdigest()


def check_request(request: OrderRequest) -> None:
    """Raise ValueError where an order asks for what spot does not have."""
    if request.reduce_only:
        raise ValueError("an order on spot cannot be reduce-only")
    if request.position_side is not PositionSide.NET:
        raise ValueError("an order on spot has no position side")
