"""The operators' page: what waits, whose outcome nobody knows, what was given up, and the switches."""

import asyncio
from typing import Any

import reflex as rx

from copytrade import clock, queues
from copytrade.capture import queries as capture
from copytrade.copying import operating, service
from copytrade.copying import queries as copying
from copytrade.copying.service import SwitchMode, SwitchScope
from copytrade.errors import InvalidInput, NotFound
from copytrade.i18n.voice import Voice
from copytrade.notifications import queries as notices
from copytrade.notifications import service as notifications
from copytrade.payments import queries as payments
from copytrade.payments import service as payment_service
from copytrade.state.asking import Page, Who, action, live
from copytrade.state.ids import id_of
from copytrade.state.operator_lines import DeadLetter, OrderLine, Room, letters, order, room
from copytrade.state.operator_switches import (
    Asked,
    ChangeLine,
    SwitchLine,
    asked_for,
    reason_of,
    set_switches,
    switched,
)
from copytrade.state.typed import amount_of
from copytrade.state.work import change, read
from copytrade.users.queries import Person


class Operator(Page, rx.State):
    """How the installation stands."""

    rooms: list[Room] = []
    unknown: list[OrderLine] = []
    on_the_way: list[OrderLine] = []
    letters: list[DeadLetter] = []
    switches: list[SwitchLine] = []
    switched: list[ChangeLine] = []
    scope: str = SwitchScope.PLATFORM.value
    asked: Asked = Asked()

    @live(Who.OPERATOR, "user:{asker}", "events", every=5.0)
    async def watch(self, asker: Person, voice: Voice) -> None:
        """Load the figures."""
        self.rooms = [
            room("Capture", await read(capture.capture_health), voice),
            room("Copying", await read(copying.backlog), voice),
            room("Webhooks", await read(payments.inbox_numbers), voice),
            room("Mail", await read(notices.mail_numbers), voice),
        ]
        now = clock.now()
        lines = [(row.state, order(row, voice, now)) for row in await read(operating.live_orders)]
        self.unknown = [line for state, line in lines if state == "unknown"]
        self.on_the_way = [line for state, line in lines if state != "unknown"]
        jobs = await asyncio.to_thread(queues.dead_jobs)
        self.letters = await read(letters, jobs=jobs, voice=voice)
        self.switches, self.switched = await read(set_switches, voice), await read(switched, voice)
        self.as_of = voice.clock(now)

    @action(Who.OPERATOR)
    async def choose_scope(self, asker: Person, voice: Voice, scope: str) -> None:
        """Show the field that this scope needs."""
        if scope in set(SwitchScope):
            self.scope, self.asked = scope, Asked()

    @action(Who.OPERATOR)
    async def ask(self, asker: Person, voice: Voice, form: dict[str, Any]) -> None:
        """Say what a switch would reach, before it is set."""
        self.asked = Asked()
        self.asked = await read(asked_for, form, voice)

    @action(Who.OPERATOR)
    async def put_aside(self, asker: Person, voice: Voice) -> None:
        """Leave the switch that was asked for alone."""
        self.asked = Asked()

    @action(Who.OPERATOR)
    async def confirm(self, asker: Person, voice: Voice) -> Any:
        """Set the switch that was asked for."""
        asked, self.asked = self.asked, Asked()
        if not asked.scope:
            raise InvalidInput("no switch was asked for", user="Please choose one of the list.")
        await change(
            service.set_switch,
            by=asker.id,
            scope=SwitchScope(asked.scope),
            scope_id=asked.scope_id,
            mode=SwitchMode(asked.mode),
            reason=asked.reason,
        )
        return Operator.watch

    @action(Who.OPERATOR)
    async def let_go_on(self, asker: Person, voice: Voice, form: dict[str, Any]) -> Any:
        """Take a switch back, saying why."""
        reason, scope, scope_id = reason_of(form), str(form.get("scope", "")), str(form.get("scope_id", ""))
        set_now = {(line.scope, line.scope_id) for line in await read(operating.set_switches)}
        if (scope, scope_id) not in set_now:
            raise NotFound("no such switch was set", user="This switch is not set any more.")
        await change(
            service.set_switch,
            by=asker.id,
            scope=SwitchScope(scope),
            scope_id=scope_id,
            mode=SwitchMode.ON,
            reason=reason,
        )
        return Operator.watch

    @action(Who.OPERATOR)
    async def try_again(self, asker: Person, voice: Voice, kind: str, queue: str, letter_id: str) -> Any:
        """Let work that was given up be tried once more."""
        match kind:
            case "event":
                await change(payment_service.replay_event, by=asker.id, event_id=letter_id)
            case "mail":
                await change(notifications.send_again, by=asker.id, mail_id=id_of(letter_id))
            case "job" if queue in queues.QUEUES and await asyncio.to_thread(queues.retry, queue, letter_id):
                pass
            case _:
                raise NotFound("no such letter", user="There is no such failed message any more.")
        return Operator.watch

    @action(Who.OPERATOR)
    async def decide(self, asker: Person, voice: Voice, form: dict[str, Any]) -> Any:
        """Say how much of an order was filled, once the exchange's own pages told."""
        filled = amount_of(form, "filled")
        if filled is None:
            raise InvalidInput("filled was empty", user="Please type a number, for example 0.5.", field="filled")
        await change(service.decide_unknown, by=asker.id, order_id=id_of(form.get("order_id")), filled=filled)
        return Operator.watch
