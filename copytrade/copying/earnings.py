"""What subscriptions made with their copies: what their orders paid and brought, and what is open at market."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from sqlmodel import Session

from copytrade.copying import bulk
from copytrade.domain.quantities import EXACT, ZERO

# One statement, so one snapshot: a fill between two of them would be paid for and not yet held.
_EARNINGS = """
WITH leg AS MATERIALIZED (
    SELECT id, subscription_id, copy_account_id, symbol, held FROM trades.legs
    WHERE subscription_id = ANY(%(ids)s) AND state <> 'kept'
), filled AS (
    SELECT leg_id, fee_asset, sum(fee) AS fee,
        sum(CASE side WHEN 'buy' THEN -filled ELSE filled END * coalesce(average_price, reference)) AS cash
    FROM trades.copy_orders WHERE leg_id IN (SELECT id FROM leg) AND filled > 0 GROUP BY leg_id, fee_asset
), paid AS (
    SELECT leg_id, sum(cash) AS cash,
        jsonb_object_agg(fee_asset, fee::text) FILTER (WHERE fee <> 0) AS fees
    FROM filled GROUP BY leg_id
), drifted AS (
    SELECT leg_id, sum(-asked * price) AS cash FROM trades.copy_parts
    WHERE leg_id IN (SELECT id FROM leg) AND kind = 'drift' AND fill_id IS NULL GROUP BY leg_id
)
SELECT subscription_id, copy_account_id, symbol, held, coalesce(paid.cash, 0) + coalesce(drifted.cash, 0),
    coalesce(fees, '{}')
FROM leg LEFT JOIN paid ON paid.leg_id = leg.id LEFT JOIN drifted ON drifted.leg_id = leg.id
"""


@dataclass(frozen=True, slots=True)
class Earning:
    """One leg: what its orders and drifts brought in quote (negative: cost), by which fees, and what it holds."""

    subscription_id: UUID
    account_id: UUID
    symbol: str
    held: Decimal
    cash: Decimal
    fees: Mapping[str, Decimal]
    """By asset; one taken in base on spot is in `held` already."""

    def wanted(self) -> set[str]:
        """Return the symbols whose marks value this leg."""
        held = {self.symbol} if self.held else set[str]()
        return held | {_pair(self.symbol, asset) for asset in self.fees}

    def worth(self, marks: Mapping[str, Decimal]) -> Decimal | None:
        """Return the PnL in quote at these marks, None where the open position's is missing."""
        mark = marks.get(self.symbol)
        if self.held and mark is None:
            return None
        pnl = self.cash + EXACT.multiply(self.held, mark or ZERO)
        for asset, fee in self.fees.items():
            # A coin without a price cost next to nothing: fees are paid in what the venue itself lists.
            price = Decimal(1) if asset == _quote(self.symbol) else marks.get(_pair(self.symbol, asset), ZERO)
            pnl -= EXACT.multiply(fee, price)
        return pnl


def of(session: Session, *, subscription_ids: Collection[UUID]) -> list[Earning]:
    """Return what each leg of these subscriptions brought since its start, in one statement."""
    rows = bulk.fetch(session, _EARNINGS, ids=list(subscription_ids))
    return [
        Earning(subscription, account, symbol, held, cash, _fees(symbol, fees))
        for subscription, account, symbol, held, cash, fees in rows
    ]


def _fees(symbol: str, fees: Mapping[str, str]) -> dict[str, Decimal]:
    in_base = symbol.partition("/")[0] if ":" not in symbol else ""
    return {asset: Decimal(fee) for asset, fee in fees.items() if asset and asset != in_base}


def _quote(symbol: str) -> str:
    return symbol.partition("/")[2].partition(":")[0]


def _pair(symbol: str, asset: str) -> str:
    """Return the symbol of the same market that tells what an asset is worth."""
    return f"{asset}/{symbol.partition('/')[2]}"
