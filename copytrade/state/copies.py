"""The history of copies: receipts, what waits, and what was skipped and why. Its filters live in the address."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import reflex as rx
from sqlmodel import Session

from copytrade import clock
from copytrade.accounts import queries as accounts
from copytrade.copying import queries as copying
from copytrade.domain.skips import SkipReason
from copytrade.i18n.reasons import reason_text
from copytrade.i18n.voice import Figure, Voice
from copytrade.state import routes
from copytrade.state.account_names import account_name
from copytrade.state.asking import Page, Who, action, live
from copytrade.state.copy_lines import MINE, STATES, CopyLine, copy_line, own_line
from copytrade.state.copy_sheet import sheet
from copytrade.state.ids import id_of
from copytrade.state.receipt_lines import ReceiptView, receipt_view
from copytrade.state.work import read
from copytrade.subscriptions import queries as subscriptions
from copytrade.users.queries import Person

PER_PAGE = 50
MOST = 500
EVERY = "every"
"""What the page sends for no filter."""
REASONS = tuple(reason.value for reason in SkipReason)


@dataclass(frozen=True, slots=True)
class Summary:
    """What the page's first line tells."""

    copied: str = ""
    skipped: str = ""
    failed: str = ""
    netted: str = ""
    waiting: str = ""
    delay: str = ""
    slippage: str = ""


@dataclass(frozen=True, slots=True)
class SkipTotal:
    """What was not copied for one reason, in sum."""

    reason: str
    text: str
    count: str
    worth: str
    made: Figure
    note: str


@dataclass(frozen=True, slots=True)
class Named:
    """Something to choose: what is sent for it and what is shown."""

    value: str
    text: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the filters ask for; None: everything."""

    profile_id: UUID | None = None
    state: str | None = None
    reason: str | None = None

    @property
    def has_own(self) -> bool:
        """Tell whether the subscriber's own trades stand among the lines: they follow nobody and have no reason."""
        return self.profile_id is None and self.reason is None and self.state in (None, MINE)


class Copies(Page, rx.State):
    """The history with its filters, and the receipt that is open."""

    rows: list[CopyLine] = []
    summary: Summary = Summary()
    skips: list[SkipTotal] = []
    traders: list[Named] = []
    reasons: list[Named] = []
    trader: str = ""
    """The slug of a trader; empty: all of them. Likewise the state and the reason."""
    only: str = ""
    reason: str = ""
    limit: int = PER_PAGE
    more: bool = False
    opened: str = ""
    receipt: ReceiptView = ReceiptView()

    @live(Who.USER, "user:{asker}", every=30.0)
    async def watch(self, asker: Person, voice: Voice) -> None:
        """Load the newest copies that the address asks for."""
        asked = self.router.url.query_parameters
        self.only = asked.get("state", "") if asked.get("state") in (*STATES, MINE) else ""
        self.reason = asked.get("reason", "") if asked.get("reason") in REASONS else ""
        followed = await read(_followed, owner=asker.id)
        self.trader = asked.get("trader", "") if asked.get("trader") in followed else ""
        wanted = self._wanted(followed)
        told = await read(copying.copy_summary, owner=asker.id)
        skips = await read(copying.skip_sums, owner=asker.id, profile_id=wanted.profile_id)
        lines, is_more = await read(_lines, owner=asker.id, wanted=wanted, limit=self.limit, voice=voice)
        self.rows, self.more = lines, is_more and self.limit < MOST
        self.traders = [Named(slug, name) for slug, (_, name) in sorted(followed.items())]
        self.reasons = [Named(one.reason, reason_text(one.reason, voice)) for one in skips]
        self.skips = [_total(one, voice) for one in skips if one.worth]
        self.summary = _summary(told, voice)
        if self.opened:
            await self._read_receipt(asker, voice)
        self.as_of = voice.clock(clock.now())

    @action(Who.USER)
    async def choose(self, asker: Person, voice: Voice, name: str, value: str | list[str]) -> Any:
        """Go to the address that asks for another trader, state or reason."""
        asked = {"trader": self.trader, "state": self.only, "reason": self.reason}
        if name in asked:
            asked[name] = "" if value == EVERY else str(value)[:60]
        self.limit = PER_PAGE
        wanted = {key: found for key, found in asked.items() if found}
        return [rx.redirect(f"{routes.COPIES}?{urlencode(wanted)}" if wanted else routes.COPIES)]

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
        self.opened = copy_id
        await self._read_receipt(asker, voice)

    @action(Who.USER)
    async def export(self, asker: Person, voice: Voice) -> Any:
        """Give what the filters show as a table for a spreadsheet."""
        followed = await read(_followed, owner=asker.id)
        text = await read(sheet, owner=asker.id, **_filters(self._wanted(followed)))
        return rx.download(data=text, filename=f"copies-{clock.now():%Y-%m-%d}.csv")

    async def _read_receipt(self, asker: Person, voice: Voice) -> None:
        """Read the receipt that is open as it stands now; none stays open where it is nobody's or another's."""
        copy_id, self.opened = self.opened, ""
        found = await read(copying.receipt, owner=asker.id, copy_order_id=id_of(copy_id))
        self.receipt, self.opened = receipt_view(found, voice), copy_id

    def _wanted(self, followed: dict[str, tuple[UUID, str]]) -> Wanted:
        profile_id = followed[self.trader][0] if self.trader in followed else None
        return Wanted(profile_id, self.only or None, self.reason or None)


def _followed(session: Session, *, owner: UUID) -> dict[str, tuple[UUID, str]]:
    """Return the profiles that somebody copies or copied, by slug, with their names."""
    rows = subscriptions.subscriptions_of(session, owner=owner)
    return {row.slug: (row.profile_id, row.trader_name) for row in rows}


def _filters(wanted: Wanted) -> dict[str, Any]:
    state = None if wanted.state == MINE else wanted.state
    return {"profile_id": wanted.profile_id, "state": state, "reason": wanted.reason}


def _lines(session: Session, *, owner: UUID, wanted: Wanted, limit: int, voice: Voice) -> tuple[list[CopyLine], bool]:
    """Return copies and own trades as one history, newest first, and whether there is more of it."""
    dated: list[tuple[datetime, CopyLine]] = []
    is_more, since = False, None
    if wanted.state != MINE:
        found = copying.copies(session, owner=owner, limit=limit, **_filters(wanted))
        dated += [(row.at, copy_line(row, voice)) for row in found.rows]
        is_more = found.next is not None
        # Older trades of his own would stand below the last copy that is shown.
        since = found.rows[-1].at if is_more else None
    if wanted.has_own:
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


def _summary(told: copying.CopySummary, voice: Voice) -> Summary:
    return Summary(
        copied=voice.number(told.copied, places=0),
        skipped=voice.number(told.skipped, places=0),
        failed=voice.number(told.failed, places=0),
        netted=voice.count(told.netted, "{n} evened out", "{n} evened out"),
        waiting=voice.number(told.waiting, places=0),
        delay=voice.milliseconds(told.delay_p50_ms),
        slippage=voice.basis_points(told.slippage_p50_bps),
    )


def _total(one: copying.SkipSum, voice: Voice) -> SkipTotal:
    return SkipTotal(
        reason=one.reason,
        text=reason_text(one.reason, voice),
        count=voice.number(one.count, places=0),
        worth=voice.money(one.worth),
        made=voice.change(one.pnl if one.waiting < one.count else None),
        note=voice.count(one.waiting, "{n} not known yet", "{n} not known yet") if one.waiting else "",
    )
