"""What subscriptions made with their copies: what their orders paid and brought, and what is open at market."""

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from uuid import UUID

from sqlmodel import Session

from copytrade.copying import bulk
from copytrade.domain.quantities import EXACT, ZERO

SETTLED_AFTER_S = 600.0
REBUILT_EVERY_S = 900.0
"""Sums over old orders are kept for so long; an order that changed behind them is found by what the leg holds."""
_FROM_THE_START = UUID(int=0)

# One statement, so one snapshot: a fill between two of them would be paid for and not yet held.
_SUMS = """
WITH leg AS MATERIALIZED (
    SELECT id, subscription_id, copy_account_id, symbol, held FROM trades.legs
    WHERE subscription_id = ANY(%(ids)s) AND state <> 'kept'
), filled AS (
    SELECT leg_id, id < %(cut)s AS is_old, fee_asset, sum(fee) AS fee,
        sum(CASE side WHEN 'buy' THEN filled ELSE -filled END) AS bought,
        sum(CASE side WHEN 'buy' THEN -filled ELSE filled END * coalesce(average_price, reference)) AS cash
    FROM trades.copy_orders WHERE leg_id IN (SELECT id FROM leg) AND id >= %(since)s AND filled > 0
    GROUP BY leg_id, is_old, fee_asset
), summed AS (
    SELECT leg_id, sum(bought) AS bought, sum(cash) AS cash,
        jsonb_agg(jsonb_build_array(is_old, fee_asset, bought::text, cash::text, coalesce(fee, 0)::text)) AS pieces
    FROM filled GROUP BY leg_id
), drifted AS (
    SELECT leg_id, sum(asked) AS moved, sum(-asked * price) AS cash FROM trades.copy_parts
    WHERE leg_id IN (SELECT id FROM leg) AND kind = 'drift' AND fill_id IS NULL GROUP BY leg_id
)
SELECT leg.id, subscription_id, copy_account_id, symbol, held, coalesce(drifted.moved, 0), coalesce(drifted.cash, 0),
    coalesce(pieces, '[]')
FROM leg LEFT JOIN summed ON summed.leg_id = leg.id LEFT JOIN drifted ON drifted.leg_id = leg.id
"""


@dataclass(frozen=True, slots=True)
class Sums:
    """What orders of one leg bought (signed), paid or brought in quote, and their fees by asset."""

    bought: Decimal = ZERO
    cash: Decimal = ZERO
    fees: Mapping[str, Decimal] = field(default_factory=dict[str, Decimal])

    def __add__(self, other: "Sums") -> "Sums":
        assets = {*self.fees, *other.fees}
        fees = {asset: self.fees.get(asset, ZERO) + other.fees.get(asset, ZERO) for asset in assets}
        return Sums(self.bought + other.bought, self.cash + other.cash, fees)


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


class Books:
    """Reads what legs earned; the sums over orders that are long over are kept, since nothing changes in them."""

    def __init__(self) -> None:
        self._old: dict[UUID, dict[UUID, Sums]] = {}
        """By subscription and leg, over the orders before `_cut`."""
        self._cut, self._made_at = _FROM_THE_START, 0.0

    def of(self, session: Session, subscription_ids: Collection[UUID]) -> list[Earning]:
        """Return what each leg of these subscriptions brought since its start, each subscription in one snapshot."""
        self._renew()
        known = [one for one in subscription_ids if one in self._old]
        found, odd = list[Earning](), set[UUID]()
        for leg in _read(session, known, since=self._cut, cut=self._cut):
            sums = self._old[leg.subscription_id].get(leg.id, Sums()) + leg.new
            if leg.explains(sums):
                found.append(leg.earning(sums))
            else:
                odd.add(leg.subscription_id)
        found = [leg for leg in found if leg.subscription_id not in odd]
        rest = [one for one in subscription_ids if one not in self._old or one in odd]
        return found + self._from_the_start(session, rest)

    def _renew(self) -> None:
        if not self._made_at or time.monotonic() - self._made_at > REBUILT_EVERY_S:
            self._old, self._made_at = {}, time.monotonic()
            self._cut = UUID(int=int((time.time() - SETTLED_AFTER_S) * 1000) << 80)

    def _from_the_start(self, session: Session, subscription_ids: Collection[UUID]) -> list[Earning]:
        self._old |= {one: {} for one in subscription_ids}
        found = list[Earning]()
        for leg in _read(session, subscription_ids, since=_FROM_THE_START, cut=self._cut):
            self._old[leg.subscription_id][leg.id] = leg.old
            found.append(leg.earning(leg.old + leg.new))
        return found


@dataclass(frozen=True, slots=True)
class _Leg:
    id: UUID
    subscription_id: UUID
    account_id: UUID
    symbol: str
    held: Decimal
    moved: Decimal
    """By drifts that were adopted."""
    drifted: Decimal
    old: Sums
    new: Sums

    def explains(self, sums: Sums) -> bool:
        """Tell whether the sums are of all its orders: they add up to what it holds."""
        return sums.bought + self.moved - sums.fees.get(_in_kind(self.symbol), ZERO) == self.held

    def earning(self, sums: Sums) -> Earning:
        fees = {asset: fee for asset, fee in sums.fees.items() if fee and asset not in ("", _in_kind(self.symbol))}
        return Earning(self.subscription_id, self.account_id, self.symbol, self.held, sums.cash + self.drifted, fees)


def _read(session: Session, subscription_ids: Collection[UUID], *, since: UUID, cut: UUID) -> list[_Leg]:
    if not subscription_ids:
        return []
    rows = bulk.fetch(session, _SUMS, ids=list(subscription_ids), since=since, cut=cut)
    return [_leg(row) for row in rows]


def _leg(row: bulk.Row) -> _Leg:
    leg_id, subscription_id, account_id, symbol, held, moved, drifted, pieces = row
    old, new = Sums(), Sums()
    for is_old, asset, bought, cash, fee in pieces:
        sums = Sums(Decimal(bought), Decimal(cash), {str(asset): Decimal(fee)})
        old, new = (old + sums, new) if is_old else (old, new + sums)
    return _Leg(leg_id, subscription_id, account_id, symbol, held, moved, drifted, old, new)


def _in_kind(symbol: str) -> str:
    """Return the asset in which a fee lowers what is held: the base on spot."""
    return "" if ":" in symbol else symbol.partition("/")[0]


def _quote(symbol: str) -> str:
    return symbol.partition("/")[2].partition(":")[0]


def _pair(symbol: str, asset: str) -> str:
    """Return the symbol of the same market that tells what an asset is worth."""
    return f"{asset}/{symbol.partition('/')[2]}"
