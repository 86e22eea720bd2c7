"""What subscribers did themselves on their copy accounts, and what was sent though a switch said hands off."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from sqlalchemy import text

from copytrade.db.session import reading
from tests.chaos.seeds.world import Copy, World

OURS = "ct"
"""How the client ids of our orders begin."""
READ_WITHIN = timedelta(seconds=1)
"""Switches are read 200 ms before a request at most; the rest is for a busy machine."""
SPOT_FEE = Decimal("0.002")


@dataclass(slots=True)
class Hand:
    """What somebody bought and sold himself of one instrument, unsigned; a fee in base is within `fees`."""

    bought: Decimal = Decimal(0)
    sold: Decimal = Decimal(0)
    fees: Decimal = Decimal(0)

    def explains(self, own: Decimal, *, near: Decimal = Decimal(0)) -> bool:
        """Tell whether he may hold so much beside what is copied: what he sold may have been ours, and bought back."""
        return -self.sold - self.fees - near <= own <= self.bought + near

    def __str__(self) -> str:
        return f"+{self.bought} -{self.sold}"


def by_hand(world: World, copy: Copy) -> dict[tuple[str, str], Hand]:
    """Return what a copy's owner traded himself, by symbol and side, from the exchange's books."""
    hands = defaultdict[tuple[str, str], Hand](Hand)
    for order in world.control.orders(copy.account.key.account_id):
        filled = Decimal(order["executedQty"])
        if order["clientOrderId"].startswith(OURS) or not filled:
            continue
        side = order["positionSide"].lower() if copy.lead.is_hedged else "net"
        hand = hands[order["symbol"], side]
        if order["side"] == "BUY":
            hand.bought += filled
            hand.fees += filled * SPOT_FEE if copy.lead.is_spot else Decimal(0)
        else:
            hand.sold += filled
    return dict(hands)


def frozen(world: World, copy: Copy) -> list[str]:
    """Nothing is sent while a switch says hands off."""
    found: list[str] = []
    lead = copy.lead
    names = {"all", lead.place[0].value, str(lead.profile_id), str(copy.account.owner)}
    for one in (one for one in world.frozen if one.scope_id in names):
        since, until = one.since + READ_WITHIN, one.until
        with reading() as session:
            rows = session.connection().execute(
                text(_SENT), {"id": copy.account.id, "since": since, "until": max(since, until)}
            )
            found += [f"order {id} was sent at {at}, hands off since {one.since}" for id, at in rows]
    return found


_SENT = """
select client_order_id, sent_at from trades.copy_orders
where exchange_account_id = :id and sent_at > :since and sent_at < :until
"""
