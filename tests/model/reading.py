"""Readings of the copy account held against its legs, as `copying.reconciling` does it."""

from datetime import datetime
from decimal import Decimal

from copytrade.copying.models import LegState, OrderState
from copytrade.copying.readiness import Ready
from copytrade.copying.reconciling import SPOT_OWN
from copytrade.copying.records import LegRecord
from copytrade.db.model import new_id
from copytrade.domain import readings
from copytrade.domain.instruments import Market, PositionSide
from copytrade.domain.legs import adopt
from copytrade.domain.quantities import ZERO, sign
from copytrade.domain.sizing import DriftLess, DriftMore
from tests.model.service import COPY, Service


def reconcile(service: Service, held: dict[PositionSide, Decimal], *, read_at: datetime) -> bool | None:
    """Compare a reading with the legs; tell whether a second one is wanted soon."""
    legs = [leg for leg in service.store.legs.values() if leg.state is LegState.FOLLOWING]

    def work() -> bool:
        doubted = [_compare(service, leg, held, read_at) for leg in legs]
        return any(doubted)

    return service.transaction(work)


def _compare(service: Service, leg: LegRecord, held: dict[PositionSide, Decimal], read_at: datetime) -> bool:
    service.store.load(leg)
    if not readings.is_quiet(is_live=bool(leg.leg.live), ended_at=leg.last_order_ended_at, at=read_at):
        return False
    read = held.get(leg.instrument.position_side, ZERO)
    (really,) = readings.missing([leg.leg.held], read, market=leg.instrument.market)
    known = service.ready.get((COPY, leg.instrument.symbol))
    own = read - (leg.leg.held if really is None else really)
    if known is not None and leg.instrument.position_side is PositionSide.NET:
        service.ready[COPY, leg.instrument.symbol] = Ready(sign(own), known.hold, known.is_fresh, read_at)
    if not own or sign(own) != sign(leg.leg.held) or _is_dust(leg, own):
        service.known_more.pop(leg.id, None)
    elif service.known_more.get(leg.id) != own:
        really = leg.leg.held + own
    was = (
        readings.Doubt(leg.drift_reading, leg.drift_read_at)
        if leg.drift_reading is not None and leg.drift_read_at is not None
        else None
    )
    doubt, is_confirmed = readings.judge(was, really, at=read_at, ended_at=leg.last_order_ended_at)
    leg.drift_reading, leg.drift_read_at = (doubt.reading, doubt.since) if doubt else (None, None)
    if really is not None and is_confirmed:
        lost = [
            (order.remaining, service.store.ended[order.id])
            for order in service.store.orders.values()
            if order.leg_id == leg.id and order.state is OrderState.LOST
        ]
        if abs(really) > abs(leg.leg.held):
            service.known_more[leg.id] = own
            leg.is_halted |= service.settings.drift_more is DriftMore.HALT
        elif readings.may_be_ours(really - leg.leg.held, lost, at=read_at):
            doubt = was
            leg.drift_reading, leg.drift_read_at = (was.reading, was.since) if was else (None, None)
        else:
            _adopt(service, leg, really, read_at)
    service.store.save(leg)
    return doubt is not None


def _is_dust(leg: LegRecord, own: Decimal) -> bool:
    return leg.instrument.market is Market.SPOT and abs(own) * leg.price < SPOT_OWN


def _adopt(service: Service, leg: LegRecord, really: Decimal, read_at: datetime) -> None:
    leg.leg, skips = adopt(leg.leg, really, drift_id=new_id(), price=leg.price, at=read_at)
    leg.skip(skips)
    leg.due_at = read_at
    leg.is_halted |= service.settings.drift_less is DriftLess.HALT
