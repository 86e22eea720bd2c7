"""What a trader earns: by month, what is paid out next and why, each payout with its lines, and being paid at all."""

from typing import Any

import reflex as rx

from copytrade import clock
from copytrade.analytics.charts import Chart, earnings
from copytrade.i18n.voice import Voice
from copytrade.payments import connect, ledger, trader_payments, trader_queries
from copytrade.payments.months import months_before
from copytrade.state.asking import Page, Who, action, live
from copytrade.state.charting import NO_CHART, palette_of
from copytrade.state.earning_lines import (
    AudienceTold,
    PaidLine,
    PartLine,
    PayoutLine,
    Standing,
    Upcoming,
    audience_told,
    chosen,
    paid_told,
    part_told,
    payout_told,
    standing_told,
    upcoming_told,
)
from copytrade.state.ids import id_of
from copytrade.state.money_sheets import month_sheet
from copytrade.state.work import change, read
from copytrade.subscriptions import audience
from copytrade.subscriptions.churn import subscribers_by_month
from copytrade.users.queries import Person

MONTHS, SHOWN, SHOWN_LINES = 12, 30, 100


class Earnings(Page, rx.State):
    """A trader's money."""

    standing: Standing = Standing()
    share_told: str = ""
    currencies: list[str] = []
    currency: str = ""
    upcoming: Upcoming = Upcoming()
    chart: Chart = NO_CHART
    audience: AudienceTold = AudienceTold()
    payouts: list[PayoutLine] = []
    opened: str = ""
    """The payout whose lines are shown."""
    parts: list[PartLine] = []
    paid: list[PaidLine] = []

    @live(Who.TRADER, "user:{asker}")
    async def watch(self, asker: Person, voice: Voice) -> None:
        """Load what is earned and paid out."""
        now = clock.now()
        standing = await read(connect.standing, owner=asker.id)
        self.standing = standing_told(standing, voice)
        self.share_told = voice.percent(await read(ledger.share_of, trader_id=asker.id), places=0)
        rows = await read(trader_queries.upcoming, owner=asker.id)
        self.currencies = [row.currency.upper() for row in rows]
        currency = chosen(self.currency.lower(), rows)
        self.currency = currency.upper()
        row = next(row for row in rows if row.currency == currency)
        self.upcoming = upcoming_told(row, voice, may_be_paid=standing.may_be_paid)
        months = await read(trader_queries.earnings_by_month, owner=asker.id, months=MONTHS)
        self.chart = earnings(months, currency=currency, voice=voice, palette=await palette_of(self))
        self.audience = audience_told(
            await read(audience.audience_of, owner=asker.id),
            await read(subscribers_by_month, owner=asker.id, since=months_before(now, months=MONTHS), now=now),
            voice,
        )
        payouts = await read(trader_queries.payouts_of, owner=asker.id, limit=SHOWN)
        self.payouts = [payout_told(payout, voice, now=now) for payout in payouts]
        paid = await read(trader_payments.paid_of, owner=asker.id, limit=SHOWN)
        self.paid = [paid_told(one, voice, now=now) for one in paid]
        self.as_of = voice.clock(now)

    @action(Who.TRADER)
    async def choose_currency(self, asker: Person, voice: Voice, currency: str | list[str]) -> Any:
        """Show another currency."""
        self.currency = str(currency)[:3]
        return Earnings.watch

    @action(Who.TRADER)
    async def open(self, asker: Person, voice: Voice, payout_id: str) -> None:
        """Show what a payout is made of; the same again closes it."""
        if self.opened == payout_id:
            self.opened, self.parts = "", []
            return
        lines = await read(trader_queries.payout_lines, owner=asker.id, payout_id=id_of(payout_id), limit=SHOWN_LINES)
        self.parts, self.opened = [part_told(line, voice) for line in lines], payout_id

    @action(Who.TRADER)
    async def get_paid(self, asker: Person, voice: Voice) -> Any:
        """Go to Stripe's onboarding, begun or gone on with."""
        return rx.redirect(await change(connect.onboarding_url, owner=asker.id))

    @action(Who.TRADER)
    async def look_again(self, asker: Person, voice: Voice) -> Any:
        """Ask Stripe how it stands with the trader's account now."""
        await change(connect.look_again, owner=asker.id)
        return Earnings.watch

    @action(Who.TRADER)
    async def dashboard(self, asker: Person, voice: Voice) -> Any:
        """Go to the trader's own pages at Stripe."""
        return rx.redirect(await change(connect.dashboard_url, owner=asker.id))

    @action(Who.TRADER)
    async def export(self, asker: Person, voice: Voice) -> Any:
        """Give the months as a table for a spreadsheet."""
        text = await read(month_sheet, owner=asker.id)
        return rx.download(data=text, filename=f"months-{clock.now():%Y-%m-%d}.csv")
