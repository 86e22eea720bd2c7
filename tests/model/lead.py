"""The lead's account: what he really does, and what his venue tells of it, sooner, later, twice or never."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID, uuid5

from copytrade.capture.ordering import Waiting
from copytrade.domain.instruments import PositionSide
from copytrade.domain.quantities import ZERO
from tests.model.chance import Chance, Place, Trouble
from tests.model.venue import FEE

NAMES = UUID(int=7)
LIST_LAG_S = 4.0
"""How late at most a fill appears in the venue's list; the engine reckons with five."""


@dataclass(frozen=True, slots=True)
class TrueFill:
    """One execution of the lead, as it was; `share` is its part of its order."""

    number: int
    side: PositionSide
    signed: Decimal
    fee: Decimal
    price: Decimal
    at: datetime
    after: Decimal
    order_id: str
    share: Decimal
    is_reported: bool
    listed_at: datetime

    @property
    def moved(self) -> Decimal:
        return self.signed - self.fee


@dataclass(slots=True)
class Lead:
    """The truth of one lead account."""

    place: Place
    symbol: str
    chance: Chance
    tells_position: bool
    """Whether his fills carry the venue's own position after them."""
    held: dict[PositionSide, Decimal] = field(default_factory=dict)
    fills: list[TrueFill] = field(default_factory=list)
    orders: int = 0
    held_before: dict[PositionSide, Decimal] = field(default_factory=dict)
    """What he held when the subscription started."""
    transfers: list[tuple[datetime, PositionSide, Decimal]] = field(default_factory=list)
    """Coins that came in or left without a fill."""

    @property
    def sides(self) -> Sequence[PositionSide]:
        if self.place is Place.HEDGE:
            return (PositionSide.LONG, PositionSide.SHORT)
        return (PositionSide.NET,)

    def order(
        self, side: PositionSide, signed: Decimal, *, price: Decimal, now: datetime, step: Decimal
    ) -> list[TrueFill]:
        """Carry out one order in some parts, a moment apart; return its fills, the first of them now."""
        self.orders += 1
        order_id, total = f"lead-{self.orders}", abs(signed)
        parts = self._parts(total, step)
        done = list[TrueFill]()
        for part in parts:
            done.append(self._fill(side, part.copy_sign(signed), order_id, part / total, price=price, now=now))
            now += self.chance.seconds(0, 0.4) if self.chance.rng.random() < 0.7 else timedelta(0)
        return done

    def vanish(self, side: PositionSide, change: Decimal, *, price: Decimal, now: datetime) -> TrueFill:
        """Move the position without anything that would ever tell of it."""
        return self._fill(side, change, "", Decimal(1), price=price, now=now, is_reported=False)

    def transfer(self, side: PositionSide, change: Decimal, *, now: datetime) -> None:
        """Move coins in or out of the account."""
        self.transfers.append((now, side, change))
        self.held[side] = self.held.get(side, ZERO) + change

    def waiting(self, fill: TrueFill, *, now: datetime, is_streamed: bool) -> Waiting:
        """Return a fill as capture stores it."""
        tells = self.tells_position and self.place is not Place.SPOT
        return Waiting(
            id=uuid5(NAMES, str(fill.number)),
            trade_id=str(fill.number),
            signed=fill.signed,
            price=fill.price,
            venue_time=fill.at,
            received_at=now,
            position_after=fill.after if tells else None,
            order_id=fill.order_id,
            order_share=fill.share,
            symbol=self.symbol,
            fee=fill.fee,
            fee_asset=self.symbol.partition("/")[0] if fill.fee else "USDT",
            is_streamed=is_streamed,
        )

    def held_at(self, side: PositionSide, at: datetime) -> Decimal:
        """Return what he held at a moment."""
        held = self.held.get(side, ZERO)
        held -= sum((change for when, where, change in self.transfers if when > at and where is side), ZERO)
        for fill in reversed(self.fills):
            if fill.at <= at:
                break
            if fill.side is side:
                held -= fill.moved
        return held

    def _fill(
        self,
        side: PositionSide,
        signed: Decimal,
        order_id: str,
        share: Decimal,
        *,
        price: Decimal,
        now: datetime,
        is_reported: bool = True,
    ) -> TrueFill:
        pays_in_base = self.place is Place.SPOT and Trouble.FEES in self.chance.troubles and signed > 0
        fee = signed * FEE if pays_in_base else ZERO
        after = self.held[side] = self.held.get(side, ZERO) + signed - fee
        lag = self.chance.seconds(0, LIST_LAG_S) if self.chance.strikes(Trouble.LAGGING_READS) else timedelta(0)
        fill = TrueFill(
            len(self.fills) + 1, side, signed, fee, price, now, after, order_id, share, is_reported, now + lag
        )
        self.fills.append(fill)
        return fill

    def _parts(self, total: Decimal, step: Decimal) -> list[Decimal]:
        count = self.chance.rng.choice([1, 1, 1, 2, 3, 5])
        parts, left = list[Decimal](), total
        for _ in range(count - 1):
            part = self.chance.rng.randint(0, int(left / step)) * step
            if part:
                parts.append(part)
                left -= part
        return [*parts, left] if left else parts
