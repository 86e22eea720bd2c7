"""From a venue's word about an order to what became of it: some only say that they took it, some keep the fee back."""

import asyncio
from dataclasses import replace

import structlog

from copytrade.domain.instruments import Market, Side
from copytrade.domain.orders import OrderKind, OrderRequest, Outcome, OutcomeKind, VenueOrder
from copytrade.domain.quantities import ZERO
from copytrade.errors import ExchangeError
from copytrade.exchanges.port import ExchangeClient

log = structlog.get_logger()

LOOK_AGAIN_S = (0.0, 0.05, 0.15, 0.4)
"""Pauses before the looks at an order that was only acknowledged; the resolver goes on after the last."""


async def settled(client: ExchangeClient, request: OrderRequest, outcome: Outcome) -> Outcome:
    """Return an outcome with what became of a placed order, as far as the venue tells it at once.

    Where a purchase on spot was filled and its fee cannot be read, the order is left out: it has to be looked up.
    """
    if outcome.kind is not OutcomeKind.PLACED:
        return outcome
    order = outcome.order
    try:
        if order is None or not order.has_ended:
            order = await _looked_up(client, request) or order
        if order is not None:
            order = await with_fee(client, order)
    except ExchangeError as error:
        log.info("order.not_settled", client_order_id=request.client_order_id, code=error.venue_code)
        order = None if order is None or lacks_fee(order, market=client.ref.market) else order
    return replace(outcome, order=order)


async def _looked_up(client: ExchangeClient, request: OrderRequest) -> VenueOrder | None:
    found = None
    # A limit that rests may rest for days: one look tells that it is there.
    for pause in LOOK_AGAIN_S[:1] if request.kind is OrderKind.LIMIT else LOOK_AGAIN_S:
        await asyncio.sleep(pause)
        found = await client.look_up(request.symbol, request.client_order_id) or found
        if found is not None and found.has_ended:
            return found
    return found


def lacks_fee(order: VenueOrder, *, market: Market) -> bool:
    """Tell whether an order must not be booked yet: on spot a purchase brings less than it filled."""
    return market is Market.SPOT and order.side is Side.BUY and order.filled > 0 and order.fee is None


async def with_fee(client: ExchangeClient, order: VenueOrder) -> VenueOrder | None:
    """Return an order with its fee where booking needs it; None while the venue's list of its fills is incomplete."""
    if not lacks_fee(order, market=client.ref.market):
        return order
    fills = await client.order_fills(order.symbol, order.venue_order_id)
    if sum((fill.quantity for fill in fills), ZERO) != order.filled:
        return None
    base = order.symbol.partition("/")[0]
    in_base = [fill for fill in fills if fill.fee_asset == base]
    paid = in_base or [fill for fill in fills if fill.fee_asset == fills[0].fee_asset]
    return replace(order, fee=sum((fill.fee for fill in paid), ZERO), fee_asset=paid[0].fee_asset)
