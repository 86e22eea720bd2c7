"""What pages and the API are given: frozen rows with exact numbers; whoever shows them formats them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from copytrade.analytics.curves import Point
from copytrade.domain.performance import Month
from copytrade.domain.ranking import Unranked


@dataclass(frozen=True, slots=True)
class CopyQuality:
    """How closely copies follow: milliseconds from the fill to the accepted order, basis points (+ is worse)."""

    count: int = 0
    delay_p50_ms: float | None = None
    delay_p95_ms: float | None = None
    delay_p99_ms: float | None = None
    slippage_p50_bps: float | None = None
    slippage_p95_bps: float | None = None
    slippage_p99_bps: float | None = None


@dataclass(frozen=True, slots=True)
class SubscribersResult:
    """What a trader's subscribers earned, ended subscriptions included: fractions of what they started with."""

    count: int = 0
    net: Decimal = Decimal(0)
    median: float | None = None
    worst_tenth: float | None = None
    share_in_profit: float | None = None


@dataclass(frozen=True, slots=True)
class LeaderRow:
    """One line of the leaderboard; `place` is None with a reason where there is no rank."""

    profile_id: UUID
    slug: str
    name: str
    venue: str
    market: str
    price: Decimal
    currency: str
    place: int | None
    unranked: Unranked | None
    age_days: int
    equity: Decimal | None
    total_return: float | None
    pnl: Decimal
    max_drawdown: float | None
    sharpe: float | None
    sortino: float | None
    win_rate: Decimal | None
    profit_factor: Decimal | None
    closed: int
    days: int
    open_positions: int
    per_week: float | None
    curve: Sequence[float]
    spark: str
    is_reconciled: bool
    subscribers: int
    results: SubscribersResult
    quality: CopyQuality


@dataclass(frozen=True, slots=True)
class Leaderboard:
    """One page of the leaderboard, how many match in all and how many of them have a rank."""

    rows: Sequence[LeaderRow]
    total: int
    ranked: int


@dataclass(frozen=True, slots=True)
class DayRow:
    """A UTC day of an account; `level` is the growth of 1 since the first day shown, restarts included."""

    day: date
    equity: Decimal
    flow: Decimal
    change: Decimal
    day_return: float
    level: float
    drawdown: float
    epoch: int
    is_rebuilt: bool


@dataclass(frozen=True, slots=True)
class TripRow:
    """A closed position as it is listed."""

    symbol: str
    is_long: bool
    opened_at: datetime
    closed_at: datetime
    quantity: Decimal
    entry_price: Decimal
    exit_price: Decimal
    gross: Decimal
    fee: Decimal
    funding: Decimal
    net: Decimal
    net_return: Decimal | None
    is_liquidated: bool
    is_estimated: bool


@dataclass(frozen=True, slots=True)
class OpenPositionRow:
    """A position held now; quantity is signed, `leverage` None where the venue does not tell."""

    symbol: str
    quantity: Decimal
    entry_price: Decimal
    mark_price: Decimal
    notional: Decimal
    unrealized_pnl: Decimal
    leverage: int | None
    venue: str = ""


@dataclass(frozen=True, slots=True)
class SymbolRow:
    """What a symbol brought in a window: closed positions, net of fees and funding."""

    symbol: str
    net: Decimal
    closed: int


@dataclass(frozen=True, slots=True)
class Numbers:
    """The numbers of one window; fractions, money in USDT, drawdowns ≥ 0; None where undefined."""

    window: str
    days: int = 0
    pnl: Decimal = Decimal(0)
    total_return: float | None = None
    cagr: float | None = None
    volatility: float | None = None
    sharpe: float | None = None
    sortino: float | None = None
    calmar: float | None = None
    max_drawdown: float | None = None
    current_drawdown: float | None = None
    longest_drawdown_days: int | None = None
    best_day: float | None = None
    worst_day: float | None = None
    best_day_share: float | None = None
    closed: int = 0
    wins: int = 0
    losses: int = 0
    net: Decimal = Decimal(0)
    fees: Decimal = Decimal(0)
    funding: Decimal = Decimal(0)
    win_rate: Decimal | None = None
    profit_factor: Decimal | None = None
    payoff: Decimal | None = None
    expectancy: Decimal | None = None
    best_share: Decimal | None = None
    average_holding_s: float | None = None
    median_holding_s: float | None = None
    exposure: float | None = None
    per_week: float | None = None


@dataclass(frozen=True, slots=True)
class ProfileStats:
    """A trader's page: head, numbers of the window, series, lists; `as_of` is when equity was last read."""

    profile_id: UUID
    trader_id: UUID
    slug: str
    name: str
    about: str
    venue: str
    market: str
    price: Decimal
    currency: str
    is_published: bool
    numbers: Numbers
    age_days: int
    equity: Decimal | None
    as_of: datetime | None
    is_reconciled: bool
    restarts: int
    rebuilt_days: int
    place: int | None
    unranked: Unranked | None
    days: Sequence[DayRow]
    benchmark: Sequence[tuple[date, float]]
    months: Sequence[Month]
    symbols: Sequence[SymbolRow]
    trips: Sequence[TripRow]
    positions: Sequence[OpenPositionRow]
    subscribers: int
    results: SubscribersResult
    quality: CopyQuality
    place_quality: CopyQuality
    """Of all copies at his venue and market, whoever is copied."""


@dataclass(frozen=True, slots=True)
class TraderPnl:
    """What one subscription brought its subscriber; `price` is paid each month on top."""

    subscription_id: UUID
    profile_id: UUID
    name: str
    slug: str
    net: Decimal
    realized: Decimal
    unrealized: Decimal
    fees: Decimal
    net_return: float | None


@dataclass(frozen=True, slots=True)
class FlowRow:
    """A deposit (positive) or withdrawal."""

    at: datetime
    amount: Decimal


@dataclass(frozen=True, slots=True)
class WalletStats:
    """A subscriber's wallet over all his copy accounts; `pnl` and `growth` leave flows apart."""

    equity: Decimal | None
    as_of: datetime | None
    available: Decimal | None
    unrealized_pnl: Decimal
    pnl: Decimal
    growth: float | None
    since: datetime | None
    numbers: Numbers
    curve: Sequence[Point]
    flows: Sequence[FlowRow]
    positions: Sequence[OpenPositionRow]
    traders: Sequence[TraderPnl]
    symbols: Sequence[SymbolRow]
    trips: Sequence[TripRow]
    accounts: int


@dataclass(frozen=True, slots=True)
class PlatformNumbers:
    """What the landing page tells: live counts over the whole installation."""

    traders: int
    subscribers: int
    copies_today: int
    median_delay_ms: float | None
    median_slippage_bps: float | None
