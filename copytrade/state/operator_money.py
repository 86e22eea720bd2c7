"""The operators' page of money: revenue, books, disputes, failed webhooks, differences, what does not move, shares."""

from decimal import Decimal
from typing import Any

import reflex as rx

from copytrade import clock
from copytrade.errors import InvalidInput, NotFound
from copytrade.i18n.voice import Voice
from copytrade.payments import agreeing, operator_queries, stuck
from copytrade.payments import queries as payments
from copytrade.payments import service as payment_service
from copytrade.state.asking import Page, Who, action, live
from copytrade.state.operator_money_lines import (
    BookLine,
    DifferenceLine,
    DisputeLine,
    EventLine,
    RevenueLine,
    ShareLine,
    StuckLine,
    book_line,
    difference_line,
    dispute_line,
    event_line,
    revenue_line,
    revenue_sheet,
    share_line,
    stuck_lines,
)
from copytrade.state.typed import amount_of
from copytrade.state.work import change, read
from copytrade.users import queries as users
from copytrade.users.queries import Person

SHOWN = 50


class OperatorMoney(Page, rx.State):
    """How the money stands."""

    revenue: list[RevenueLine] = []
    books: list[BookLine] = []
    disputes: list[DisputeLine] = []
    open_disputes: int = 0
    events: list[EventLine] = []
    differences: list[DifferenceLine] = []
    open_differences: int = 0
    stuck: list[StuckLine] = []
    shares: list[ShareLine] = []

    @live(Who.OPERATOR, "user:{asker}", "billing")
    async def watch(self, asker: Person, voice: Voice) -> None:
        """Load the money."""
        now = clock.now()
        months = await read(operator_queries.revenue_by_month)
        self.revenue = [revenue_line(row, voice) for row in reversed(months)]
        self.books = [book_line(row, voice) for row in await read(operator_queries.books)]
        disputes = await read(operator_queries.disputes, limit=SHOWN)
        self.disputes = [dispute_line(row, voice, now=now) for row in disputes]
        self.open_disputes = sum(row.is_open for row in disputes)
        self.events = [event_line(row, voice, now=now) for row in await read(payments.failed_events)]
        differences = await read(operator_queries.differences, limit=SHOWN)
        self.differences = [difference_line(row, voice, now=now) for row in differences]
        self.open_differences = sum(row.resolved_at is None for row in differences)
        self.stuck = await read(stuck_lines, voice, now=now)
        self.shares = [share_line(row, voice, now=now) for row in await read(stuck.shares)]
        self.as_of = voice.clock(now)

    @action(Who.OPERATOR)
    async def replay(self, asker: Person, voice: Voice, event_id: str) -> Any:
        """Let a webhook that was given up be worked on again."""
        await change(payment_service.replay_event, by=asker.id, event_id=event_id)
        return OperatorMoney.watch

    @action(Who.OPERATOR)
    async def agree(self, asker: Person, voice: Voice, form: dict[str, Any]) -> Any:
        """Agree on a trader's share of what is paid from now on."""
        percent = amount_of(form, "share")
        if percent is None:
            raise InvalidInput("share was empty", user="Please type a number, for example 0.5.", field="share")
        trader = await read(users.person_by_email, str(form.get("trader", "")).strip().lower())
        if trader is None:
            raise NotFound("trader was not found", user="Nobody of that name was found.", field="trader")
        await change(agreeing.agree, by=asker.id, trader_id=trader.id, share=percent / Decimal(100))
        return [rx.toast.success(voice.say("Agreed. It counts for what is paid from now on.")), OperatorMoney.watch]

    @action(Who.OPERATOR)
    async def export(self, asker: Person, voice: Voice) -> Any:
        """Give the revenue by month as a table for a spreadsheet."""
        return rx.download(data=await read(revenue_sheet), filename=f"revenue-{clock.now():%Y-%m-%d}.csv")
