"""What a Bybit account holds, read from its one wallet and its positions; and a mark of both."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from copytrade.domain.fills import Balance, Equity, Position
from copytrade.domain.instruments import PositionSide
from copytrade.exchanges.bybit.shapes import QUOTE, ZERO, Body, listed, optional
from copytrade.exchanges.values import number, plain, text

_STABLE = frozenset({"USDT", "USDC", "DAI", "USDE"})


def wallet(body: Any) -> Body:
    """Return the one wallet of an answer."""
    return listed(body)[0]


def balances(told: Body) -> list[Balance]:
    """Return what the account has of each coin; in USDT what positions and orders bind is not free."""
    return [_balance(row) for row in told["coin"]]


def _balance(row: Body) -> Balance:
    total = number(row["walletBalance"])
    bound = sum((optional(row.get(name)) for name in ("locked", "totalPositionIM", "totalOrderIM")), ZERO)
    return Balance(asset=text(row["coin"]), free=max(total - bound, ZERO), total=total)


def margin_equity(told: Body, *, read_at: datetime) -> Equity:
    """Return the worth of what stands behind perpetuals: all collateral, or the USDT where the venue tells no sum."""
    none: Body = {}
    coin: Body = next((row for row in told["coin"] if row["coin"] == QUOTE), none)
    unrealized = optional(told.get("totalPerpUPL") or coin.get("unrealisedPnl"))
    if told.get("totalMarginBalance"):
        total, available = number(told["totalMarginBalance"]), number(told["totalAvailableBalance"])
    else:
        total = optional(coin.get("equity"))
        available = _balance(coin).free if coin else ZERO
    return Equity(
        total=total,
        wallet=total - unrealized,
        unrealized_pnl=unrealized,
        available=available,
        read_at=read_at,
    )


def spot_equity(told: Body, *, symbols: Mapping[str, str], read_at: datetime) -> Equity:
    """Return the worth of all coins that have a market against USDT, and of stable ones at 1."""
    total = sum((_worth(row) for row in told["coin"] if row["coin"] in _STABLE or _pair(row) in symbols), ZERO)
    free = next((one.free for one in balances(told) if one.asset == QUOTE), ZERO)
    return Equity(total=total, wallet=total, unrealized_pnl=ZERO, available=free, read_at=read_at)


def _pair(row: Body) -> str:
    """Return the venue's name of a coin's market against USDT."""
    return f"{row['coin']}{QUOTE}"


def _worth(row: Body) -> Decimal:
    return number(row["walletBalance"]) if row["coin"] in _STABLE else optional(row.get("usdValue"))


def held_coins(told: Body, *, symbols: Mapping[str, str]) -> dict[tuple[str, PositionSide], Decimal]:
    """Return the balances of the coins that are traded against USDT, as positions; `symbols`: ours by the venue's."""
    found = {symbols[_pair(row)]: number(row["walletBalance"]) for row in told["coin"] if _pair(row) in symbols}
    return {(symbol, PositionSide.NET): held for symbol, held in found.items() if held}


def held_positions(positions: Iterable[Position]) -> dict[tuple[str, PositionSide], Decimal]:
    """Return the quantities of positions."""
    return {(one.symbol, one.position_side): one.quantity for one in positions if one.quantity}


def mark(told: Body, positions: Sequence[Body] = ()) -> str:
    """Return a text that changes with every trade: it moves a balance, or a position and when it was changed."""
    coins = sorted((row["coin"], plain(number(row["walletBalance"]))) for row in told["coin"])
    held = sorted(
        (row["symbol"], row["positionIdx"], row["side"], plain(number(row["size"])), row["updatedTime"])
        for row in positions
    )
    return hashlib.blake2b(repr((coins, held)).encode(), digest_size=12).hexdigest()
