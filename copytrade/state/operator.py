"""The operators' page: what waits, whose outcome nobody knows, and the switches."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import reflex as rx

from copytrade import clock
from copytrade.capture import queries as capture
from copytrade.copying import queries as copying
from copytrade.copying import service
from copytrade.copying.service import SwitchMode, SwitchScope
from copytrade.copying.switches import PLATFORM
from copytrade.errors import InvalidInput
from copytrade.i18n.names import symbol_name
from copytrade.i18n.voice import Moment, Voice
from copytrade.notifications import queries as notices
from copytrade.payments import queries as payments
from copytrade.state.asking import Page, Who, action, live
from copytrade.state.ids import id_of
from copytrade.state.typed import amount_of
from copytrade.state.work import change, read
from copytrade.users.queries import Person

MODES = tuple(str(mode) for mode in SwitchMode)


@dataclass(frozen=True, slots=True)
class Number:
    """One figure of a room."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Room:
    """The figures of one part of the service."""

    name: str
    numbers: list[Number]


@dataclass(frozen=True, slots=True)
class UnknownOrder:
    """An order that left and whose outcome nobody could find out yet."""

    id: str
    symbol: str
    side: str
    quantity: str
    client_order_id: str
    at: Moment


def _room(name: str, row: Any, voice: Voice) -> Room:
    return Room(
        voice.say(name), [Number(key.replace("_", " "), _shown(value, voice)) for key, value in asdict(row).items()]
    )


def _shown(value: object, voice: Voice) -> str:
    match value:
        case None:
            return "—"
        case datetime():
            return voice.ago(value, now=clock.now())
        case int():
            return voice.number(value, places=0)
        case float():
            return voice.number(value, places=1)
        case _:
            return str(value)


class Operator(Page, rx.State):
    """How the installation stands."""

    rooms: list[Room] = []
    orders: list[UnknownOrder] = []
    mode: str = SwitchMode.ON.value

    @live(Who.OPERATOR, "user:{asker}", "events", every=5.0)
    async def watch(self, asker: Person, voice: Voice) -> None:
        """Load the figures."""
        self.rooms = [
            _room("Capture", await read(capture.capture_health), voice),
            _room("Copying", await read(copying.backlog), voice),
            _room("Webhooks", await read(payments.inbox_numbers), voice),
            _room("Mail", await read(notices.mail_numbers), voice),
        ]
        now = clock.now()
        self.orders = [
            UnknownOrder(
                str(row.order_id),
                symbol_name(row.symbol),
                str(row.side),
                voice.quantity(row.quantity),
                row.client_order_id,
                voice.moment(row.created_at, now=now),
            )
            for row in await read(copying.unknown_orders)
        ]
        switches = await read(copying.switches)
        self.mode = next(
            (str(row.mode) for row in switches if (row.scope, row.scope_id) == (SwitchScope.PLATFORM, PLATFORM)),
            SwitchMode.ON.value,
        )
        self.as_of = voice.clock(now)

    @action(Who.OPERATOR)
    async def switch(self, asker: Person, voice: Voice, mode: str | list[str]) -> Any:
        """Let the whole platform copy, only exit, or do nothing."""
        if mode not in MODES:
            raise InvalidInput("switch mode was unknown", user="Please choose one of the list.")
        await change(
            service.set_switch,
            by=asker.id,
            scope=SwitchScope.PLATFORM,
            scope_id=PLATFORM,
            mode=SwitchMode(str(mode)),
            reason="operator's page",
        )
        return Operator.watch

    @action(Who.OPERATOR)
    async def decide(self, asker: Person, voice: Voice, order_id: str, form: dict[str, Any]) -> Any:
        """Say how much of an order was filled, once the exchange's own pages told."""
        filled = amount_of(form, "filled")
        if filled is None:
            raise InvalidInput("filled was empty", user="Please type a number, for example 0.5.", field="filled")
        await change(service.decide_unknown, by=asker.id, order_id=id_of(order_id), filled=filled)
        return Operator.watch
