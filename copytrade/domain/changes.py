"""What happened to a lead's position, in the order in which it is planned."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from copytrade.domain.instruments import Instrument


class ChangeKind(StrEnum):
    """Why the lead's position moved."""

    FILL = "fill"
    REBASE_REDUCE = "rebase_reduce"
    """Two readings found him nearer zero, or on the other side (then it goes to 0); `price` is the mark price."""
    MISSED = "missed"
    """Two readings found him further away: nothing opens, the difference is a lot with target 0."""
    JOIN = "join"
    """He held it when a subscription started that joins open positions: from 0 to P, at the market's price."""


@dataclass(frozen=True, slots=True)
class LeadChange:
    """One step of a lead's position from `before` to `after` (both signed, base units), at `price` in quote."""

    fill_id: UUID | None
    """The stored fill; None for a re-basing."""
    instrument: Instrument
    before: Decimal
    after: Decimal
    price: Decimal
    venue_time: datetime
    received_at: datetime
    kind: ChangeKind = ChangeKind.FILL
    order_id: str = ""
    """The lead's order at the venue, over all of whose fills the limit per order counts."""
    order_share: Decimal | None = None
    """This fill's part of its order (0..1) in the unit the order was given in; None until known."""
    is_late: bool = False
    """Its opening part is older than a fill already planned: skipped OUT_OF_ORDER, an exit is applied."""
    lead_fill_quantity: Decimal = Decimal(0)
    """Unsigned base quantity of the fill, its fee included: for the receipt and, on spot, for the size of a copy."""
    turn: int = 0
    """How many changes of the instrument were planned before: the order of subscribers rotates by it."""

    @property
    def moved(self) -> Decimal:
        """Return the signed quantity by which the position moved."""
        return self.after - self.before
