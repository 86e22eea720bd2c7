"""What it takes to make an account ready for a symbol: the lead's modes, unless something there is not ours.

Leverage (capped), margin mode and position mode are made the lead's before the first entry and when he changes them,
never while the account holds a position or an order in the symbol that is not ours. A refusal holds entries only.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

import structlog

from copytrade.copying.intentions import is_ours
from copytrade.domain.instruments import MarginMode, PositionSide
from copytrade.domain.quantities import ZERO
from copytrade.domain.skips import SkipReason
from copytrade.errors import OrderRefused
from copytrade.exchanges.port import AccountRef, ExchangeClient

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class LeadModes:
    """Leverage and margin mode of a symbol."""

    leverage: int
    margin: MarginMode


@dataclass(frozen=True, slots=True)
class Wish:
    """What an account should be made like, and what is known of it."""

    account: AccountRef
    symbol: str
    cap: int
    lead: LeadModes | None
    """What the lead has; None where that could not be read."""
    ours: Mapping[PositionSide, Decimal]
    """What our legs hold, by position side."""
    was: LeadModes | None
    """What we set before, None: never."""
    is_hedged: bool = False


@dataclass(frozen=True, slots=True)
class Made:
    """An account as it is now."""

    account_id: UUID
    symbol: str
    leverage: int
    lead_leverage: int
    margin_mode: str
    lead_margin_mode: str
    own: Decimal
    hold: SkipReason | None = None
    is_bad_key: bool = False


async def make(client: ExchangeClient, wish: Wish) -> Made:
    """Make an account ready, or say what holds its entries back; Unavailable or BadCredentials where it is not told."""
    state = await client.state()
    own = {side: state.positions.get((wish.symbol, side), ZERO) - wish.ours.get(side, ZERO) for side in PositionSide}
    net = own[PositionSide.NET]
    if wish.lead is None:
        return of(wish, own=net, hold=SkipReason.LEVERAGE)
    if wish.was == LeadModes(_capped(wish.lead.leverage, wish), wish.lead.margin):
        return of(wish, own=net)
    if not await _has_mode(client, wish, is_flat=not state.positions):
        return of(wish, own=net, hold=SkipReason.POSITION_MODE)
    is_his = any(own.values())
    return await _with_modes(client, wish, wish.lead, own=net, is_his=is_his)


async def _with_modes(client: ExchangeClient, wish: Wish, lead: LeadModes, *, own: Decimal, is_his: bool) -> Made:
    symbol = wish.symbol
    margin, leverage = await client.margin_mode(symbol), await client.leverage(symbol)
    wanted = min(_capped(lead.leverage, wish), await client.max_leverage(symbol))
    made = of(wish, own=own, leverage=wanted)
    if margin is lead.margin and leverage == wanted:
        return made
    reason = SkipReason.LEVERAGE if margin is lead.margin else SkipReason.MARGIN_MODE
    if is_his or any(not is_ours(order.client_order_id) for order in await client.open_orders(symbol)):
        return of(wish, own=own, leverage=wanted, hold=reason)
    try:
        if margin is not lead.margin:
            is_isolated = lead.margin is MarginMode.ISOLATED
            await (client.set_isolated_margin(symbol) if is_isolated else client.set_cross_margin(symbol))
            reason = SkipReason.LEVERAGE
        await client.set_leverage(symbol, wanted)
    except OrderRefused as error:
        log.warning("prepare.refused", account=str(wish.account.id), what=reason.value, code=error.venue_code)
        return of(wish, own=own, leverage=wanted, hold=reason)
    return made


async def _has_mode(client: ExchangeClient, wish: Wish, *, is_flat: bool) -> bool:
    """Make the position mode the lead's while nothing is held; tell whether it is."""
    if await client.is_hedged() is wish.is_hedged:
        return True
    if not is_flat:
        return False
    try:
        await (client.set_hedged() if wish.is_hedged else client.set_one_way())
    except OrderRefused as error:
        log.warning("prepare.mode_refused", account=str(wish.account.id), code=error.venue_code)
        return False
    return True


def _capped(leverage: int, wish: Wish) -> int:
    return max(1, min(leverage or 1, wish.cap))


def of(
    wish: Wish,
    *,
    own: Decimal = ZERO,
    leverage: int | None = None,
    hold: SkipReason | None = None,
    is_bad_key: bool = False,
) -> Made:
    """Return what is written of an account."""
    lead = wish.lead
    margin = lead.margin.value if lead is not None else ""
    return Made(
        account_id=wish.account.id,
        symbol=wish.symbol,
        leverage=leverage or _capped(lead.leverage if lead is not None else 1, wish),
        lead_leverage=lead.leverage if lead is not None else 0,
        margin_mode=margin,
        lead_margin_mode=margin,
        own=own,
        hold=hold,
        is_bad_key=is_bad_key,
    )
