"""The history of copies: receipts, what waits, and what was skipped and why."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import reflex as rx

from copytrade import clock
from copytrade.copying import queries as copying
from copytrade.i18n.names import base_asset, symbol_name
from copytrade.i18n.reasons import reason_text
from copytrade.i18n.voice import Moment, Voice
from copytrade.state import routes
from copytrade.state.asking import Page, Who, action, live
from copytrade.state.ids import id_of
from copytrade.state.work import read
from copytrade.users.queries import Person

PER_PAGE = 50
MOST = 500
STATES = {
    "copied": "copied",
    "pending": "waiting",
    "skipped": "skipped",
    "failed": "failed",
    "netted": "evened out",
    "own": "your own trade",
}
TONES = {"copied": "jade", "pending": "iris", "skipped": "amber", "failed": "tomato", "netted": "gray", "own": "gray"}


@dataclass(frozen=True, slots=True)
class CopyLine:
    """One line of the history."""

    id: str
    at: Moment
    clock: str
    day: str
    trader: str
    href: str
    symbol: str
    side: str
    is_buy: bool
    amount: str
    state: str
    state_text: str
    tone: str
    reason: str
    slippage: str
    delay: str


@dataclass(frozen=True, slots=True)
class Step:
    """One stage of a copy: when, and how long after the stage before."""

    name: str
    at: str
    after: str


@dataclass(frozen=True, slots=True)
class ReceiptView:
    """A receipt in full."""

    steps: list[Step] = field(default_factory=list)
    pairs: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Summary:
    """What the page's first sentence tells."""

    copied: str = ""
    skipped: str = ""
    failed: str = ""
    waiting: str = ""
    delay: str = ""
    slippage: str = ""


def copy_line(row: copying.CopyRow, voice: Voice) -> CopyLine:
    """Return a copy as it is shown."""
    quantity = f"{voice.quantity(row.quantity)} {base_asset(row.symbol)}"
    price = f" @ {voice.price(row.price)}" if row.price is not None else ""
    state, reason = _told(row, voice)
    return CopyLine(
        id=str(row.id),
        at=voice.moment(row.at, now=clock.now()),
        clock=voice.clock(row.at),
        day=voice.day(row.at),
        trader=row.trader_name,
        href=routes.trader(row.profile_slug) if row.profile_slug else "",
        symbol=symbol_name(row.symbol),
        side=voice.say("BUY") if row.side == "buy" else voice.say("SELL"),
        is_buy=row.side == "buy",
        amount=f"{quantity}{price}",
        state=state,
        state_text=voice.say(STATES.get(state, state)),
        tone=TONES.get(state, "gray"),
        reason=reason,
        slippage=voice.basis_points(row.slippage_bps) if row.slippage_bps is not None else "",
        delay=voice.milliseconds(row.delay_ms) if row.delay_ms is not None else "",
    )


def _told(row: copying.CopyRow, voice: Voice) -> tuple[str, str]:
    """Return how a line stands and why. A part that was copied is copied, also while a rest of it waits."""
    unit = base_asset(row.symbol)
    if row.state == "pending" and row.copied:
        rest = f"{voice.quantity(row.pending)} {unit}"
        return "copied", voice.say("{rest} of it wait and go with the next fill", rest=rest)
    if row.state == "pending":
        return str(row.state), reason_text(row.reason, voice, row.facts) if row.reason else ""
    why = reason_text(row.reason, voice, row.facts) if row.reason and row.skipped else ""
    if why and row.copied:
        why = voice.say("{rest} of it not: {why}", rest=f"{voice.quantity(row.skipped)} {unit}", why=why)
    return str(row.state), why


def receipt_view(receipt: copying.Receipt, voice: Voice) -> ReceiptView:
    """Return a receipt as it is shown: every stage with its time, then prices and fees."""
    stages = (
        (voice.say("trader's fill"), receipt.lead_at),
        (voice.say("captured"), receipt.captured_at),
        (voice.say("planned"), receipt.planned_at),
        (voice.say("sent"), receipt.sent_at),
        (voice.say("accepted"), receipt.accepted_at),
        (voice.say("filled"), receipt.filled_at),
    )
    steps: list[Step] = []
    before: datetime | None = None
    for name, at in stages:
        if at is None:
            continue
        after = voice.milliseconds((at - before).total_seconds() * 1000) if before else ""
        steps.append(Step(name, voice.clock(at, fraction=True), f"+{after}" if after else ""))
        before = at
    fee = f"{voice.quantity(receipt.fee)} {receipt.fee_asset}" if receipt.fee is not None else "—"
    pairs = [
        (voice.say("Trader's price"), voice.price(receipt.lead_price)),
        (voice.say("Your price"), voice.price(receipt.average_price)),
        (voice.say("Slippage"), voice.basis_points(receipt.slippage_bps)),
        (voice.say("Fee"), fee),
        (voice.say("Covers"), voice.count(receipt.fills, "{n} fill of the trader's", "{n} fills of the trader's")),
        (voice.say("Order at the exchange"), receipt.venue_order_id or "—"),
        (voice.say("Our order id"), receipt.client_order_id),
    ]
    return ReceiptView(steps, pairs)


class Copies(Page, rx.State):
    """The history with its filter, and the receipt that is open."""

    rows: list[CopyLine] = []
    summary: Summary = Summary()
    only: str = ""
    limit: int = PER_PAGE
    more: bool = False
    opened: str = ""
    receipt: ReceiptView = ReceiptView()

    @live(Who.USER, "user:{asker}", every=30.0)
    async def watch(self, asker: Person, voice: Voice) -> None:
        """Load the newest copies."""
        found = await read(copying.copies, owner=asker.id, limit=self.limit, state=self.only or None)
        told = await read(copying.copy_summary, owner=asker.id)
        self.rows = [copy_line(row, voice) for row in found.rows]
        self.more = found.next is not None and self.limit < MOST
        self.summary = Summary(
            copied=voice.number(told.copied, places=0),
            skipped=voice.number(told.skipped, places=0),
            failed=voice.number(told.failed, places=0),
            waiting=voice.number(told.waiting, places=0),
            delay=voice.milliseconds(told.delay_p50_ms),
            slippage=voice.basis_points(told.slippage_p50_bps),
        )
        self.as_of = voice.clock(clock.now())

    @action(Who.USER)
    async def filter(self, asker: Person, voice: Voice, state: str | list[str]) -> Any:
        """Show only one kind of lines."""
        self.only = str(state) if state in STATES else ""
        self.limit = PER_PAGE
        return Copies.watch

    @action(Who.USER)
    async def show_more(self, asker: Person, voice: Voice) -> Any:
        """Show older lines too."""
        self.limit = min(self.limit + PER_PAGE, MOST)
        return Copies.watch

    @action(Who.USER)
    async def open(self, asker: Person, voice: Voice, copy_id: str) -> None:
        """Open a receipt, or close it again."""
        if self.opened == copy_id:
            self.opened = ""
            return
        found = await read(copying.receipt, owner=asker.id, copy_order_id=id_of(copy_id))
        self.receipt, self.opened = receipt_view(found, voice), copy_id
