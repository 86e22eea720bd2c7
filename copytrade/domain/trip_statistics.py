"""What closed positions tell: win rate, profit factor, payoff, expectancy, holding time, exposure, concentration."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from statistics import median

from copytrade.domain.trips import BREAK_EVEN, EXACT, ZERO, Trip


@dataclass(frozen=True, slots=True)
class TripStatistics:
    """Numbers over `count` closed positions, after fees and funding; None where there is nothing to divide by.

    Break-even positions count in `count`, but neither as win nor as loss. `profit_factor` is None without a loss.
    """

    count: int
    wins: int
    losses: int
    net: Decimal
    gross: Decimal
    fees: Decimal
    funding: Decimal
    win_rate: Decimal | None
    profit_factor: Decimal | None
    payoff: Decimal | None
    expectancy: Decimal | None
    expectancy_ratio: Decimal | None
    average_holding: timedelta | None
    median_holding: timedelta | None
    best_share: Decimal | None
    """The best position's part of all winnings: above one half, the record stands on one trade."""


def statistics(trips: Sequence[Trip]) -> TripStatistics:
    """Return the statistics of closed trips."""
    nets = [trip.net for trip in trips]
    won = [net for net in nets if net >= BREAK_EVEN]
    lost = [-net for net in nets if net <= -BREAK_EVEN]
    count, gains, losses = len(nets), sum(won, ZERO), sum(lost, ZERO)
    win_rate = _ratio(Decimal(len(won)), Decimal(count))
    payoff = _ratio(gains * len(lost), losses * len(won)) if won else None
    total = sum(nets, ZERO)
    holdings = [trip.holding for trip in trips if trip.holding is not None]
    return TripStatistics(
        count=count,
        wins=len(won),
        losses=len(lost),
        net=total,
        gross=sum((trip.gross for trip in trips), ZERO),
        fees=sum((trip.fee for trip in trips), ZERO),
        funding=sum((trip.funding for trip in trips), ZERO),
        win_rate=win_rate,
        profit_factor=_ratio(gains, losses),
        payoff=payoff,
        expectancy=_ratio(total, Decimal(count)),
        expectancy_ratio=(1 + payoff) * win_rate - 1 if payoff is not None and win_rate is not None else None,
        average_holding=sum(holdings, timedelta(0)) / len(holdings) if holdings else None,
        median_holding=timedelta(seconds=median([held.total_seconds() for held in holdings])) if holdings else None,
        best_share=_ratio(max(won), gains) if won else None,
    )


def exposure(trips: Sequence[Trip], *, begins: datetime, ends: datetime) -> float | None:
    """Return the share of a span during which any position was open: the union, not the sum."""
    if ends <= begins:
        return None
    spans = sorted((max(trip.opened_at, begins), min(trip.closed_at or ends, ends)) for trip in trips)
    covered, reached = timedelta(0), begins
    for start, end in spans:
        if end > max(start, reached):
            covered += end - max(start, reached)
            reached = end
    return covered / (ends - begins)


def per_week(count: int, *, days: int) -> float | None:
    """Return how many positions are closed in seven days."""
    return count * 7 / days if days else None


def net_by_symbol(trips: Sequence[Trip]) -> dict[str, Decimal]:
    """Return the realized result after fees and funding of each symbol, best first."""
    totals: dict[str, Decimal] = {}
    for trip in trips:
        totals[trip.symbol] = totals.get(trip.symbol, ZERO) + trip.net
    return dict(sorted(totals.items(), key=lambda item: item[1], reverse=True))


def _ratio(part: Decimal, whole: Decimal) -> Decimal | None:
    return EXACT.divide(part, whole) if whole else None
