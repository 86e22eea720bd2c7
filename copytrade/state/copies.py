"""The history of copies: receipts, what waits, and what was skipped and why."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import reflex as rx
from sqlmodel import Session

from copytrade import clock
from copytrade.accounts import queries as accounts
from copytrade.capture.queries import FillRow
from copytrade.copying import queries as copying
from copytrade.i18n.names import base_asset, kind_name, symbol_name
from copytrade.i18n.reasons import reason_text
from copytrade.i18n.voice import Moment, Voice
from copytrade.state import routes
from copytrade.state.account_names import account_name
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
    "own": "adjusted to the account",
}
TONES = {"copied": "jade", "pending": "iris", "skipped": "amber", "failed": "tomato", "netted": "gray", "own": "gray"}
MINE = "mine"
"""The filter that shows what the subscriber traded himself."""


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
    market: str
    fee: str = ""
    is_mine: bool = False


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
        market=kind_name(voice, row.symbol),
    )


def own_line(row: FillRow, voice: Voice, *, account: str) -> CopyLine:
    """Return a trade of the subscriber's own as it stands beside the copies."""
    price = voice.price(row.price)
    state_text = voice.say("liquidated") if row.is_liquidation else voice.say("your own trade")
    return CopyLine(
        id=str(row.id),
        at=voice.moment(row.venue_time, now=clock.now()),
        clock=voice.clock(row.venue_time),
        day=voice.day(row.venue_time),
        trader=account,
        href="",
        symbol=symbol_name(row.symbol),
        side=voice.say("BUY") if row.side == "buy" else voice.say("SELL"),
        is_buy=row.side == "buy",
        amount=f"{voice.quantity(row.quantity)} {base_asset(row.symbol)} @ {price}",
        state=MINE,
        state_text=state_text,
        tone="tomato" if row.is_liquidation else "gray",
        reason="",
        slippage="",
        delay="",
        market=kind_name(voice, row.symbol),
        fee=voice.say("fee {amount}", amount=f"{voice.quantity(row.fee)} {row.fee_asset}") if row.fee else "",
        is_mine=True,
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
        told = await read(copying.copy_summary, owner=asker.id)
        lines, is_more = await read(_lines, owner=asker.id, only=self.only, limit=self.limit, voice=voice)
        self.rows = lines
        self.more = is_more and self.limit < MOST
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
        self.only = str(state) if state in STATES or state == MINE else ""
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


def _lines(session: Session, *, owner: UUID, only: str, limit: int, voice: Voice) -> tuple[list[CopyLine], bool]:
    """Return copies and own trades as one history, newest first, and whether there is more of it."""
    dated: list[tuple[datetime, CopyLine]] = []
    is_more, since = False, None
    if only != MINE:
        found = copying.copies(session, owner=owner, limit=limit, state=only or None)
        dated += [(row.at, copy_line(row, voice)) for row in found.rows]
        is_more = found.next is not None
        # Older trades of his own would stand below the last copy that is shown.
        since = found.rows[-1].at if is_more else None
    if only in ("", MINE):
        mine = copying.own_trades(session, owner=owner, limit=limit, since=since)
        names = {row.id: account_name(row, voice) for row in accounts.accounts(session, owner=owner)}
        gone = voice.say("an account that is unlinked")
        dated += [
            (row.venue_time, own_line(row, voice, account=names.get(row.exchange_account_id, gone)))
            for row in mine.rows
        ]
        is_more = is_more or bool(mine.next)
    dated.sort(key=lambda pair: pair[0], reverse=True)
    return [line for _, line in dated[:limit]], is_more or len(dated) > limit
