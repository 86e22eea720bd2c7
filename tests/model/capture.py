"""Capture as it is, but for its tables: the stream that may fail, the poll, P and its re-basing, in memory."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import cast
from uuid import UUID

from sqlmodel import SQLModel

from copytrade.capture import readings, service, taking
from copytrade.capture.models import CaptureState, LeadPosition
from copytrade.capture.ordering import Moment, Waiting
from copytrade.domain.changes import LeadChange
from copytrade.domain.fills import AccountState, Equity
from copytrade.domain.instruments import PositionSide, Role, Venue
from copytrade.domain.quantities import ZERO
from tests.model.chance import START, Chance, Place, Trouble
from tests.model.lead import Lead, TrueFill

At = tuple[str, str]
"""Symbol and position side."""
NOTHING = Equity(ZERO, ZERO, ZERO, ZERO, START)


@dataclass(slots=True)
class Capture:
    """What is stored of the lead, and who stores it."""

    lead: Lead
    chance: Chance
    account_id: UUID
    state: CaptureState = field(init=False)
    rows: dict[At, LeadPosition] = field(default_factory=dict)
    stored: dict[str, Waiting] = field(default_factory=dict)
    at: dict[str, At] = field(default_factory=dict)
    unplanned: dict[str, Waiting] = field(default_factory=dict)
    shares_known_at: dict[str, datetime] = field(default_factory=dict)
    """When the order of a fill is read that did not carry it."""
    deaf_until: datetime | None = None
    is_settled: bool = False
    """Whether the newest reading was P in everything."""

    def __post_init__(self) -> None:
        state = CaptureState(
            exchange_account_id=self.account_id,
            user_id=self.account_id,
            venue=Venue.BINANCE.value,
            market=self.lead.place.market.value,
            role=Role.LEAD.value,
            created_at=START,
            baseline_at=START,
            polled_until=START,
            stream_connected_at=START - timedelta(minutes=1),
            poll_began_at=START,
        )
        self.state = cast(CaptureState, _light(state))

    def begin(self) -> None:
        """Take the baseline: what the lead holds already."""
        for side, held in self.lead.held.items():
            self._row((self.lead.symbol, side.value)).quantity = held

    def hear(self, fill: TrueFill, *, now: datetime) -> bool:
        """Store what the stream tells of a fill; tell whether it was new."""
        if self.is_deaf(now):
            return False
        is_new = self._store(fill, now=now, is_streamed=True)
        if not self.lead.tells_position and self.lead.place is not Place.SPOT and self.chance.rng.random() < 0.8:
            row = self._row((self.lead.symbol, fill.side.value))
            if row.seen_at is None or row.seen_at <= fill.at:
                row.seen_quantity, row.seen_at = fill.after, fill.at
        return is_new

    def cut(self, *, until: datetime, now: datetime) -> None:
        """Interrupt the stream."""
        self.deaf_until = until
        self.state.stream_deaf_at = now

    def is_deaf(self, now: datetime) -> bool:
        """Tell whether the stream is away; it is built anew when it may be."""
        if self.deaf_until is None:
            return False
        if now < self.deaf_until:
            return True
        self.deaf_until, self.state.stream_connected_at = None, now
        return False

    def listed(self, *, now: datetime) -> list[TrueFill]:
        """Return what the venue's list of fills shows now, of all that is not stored yet."""
        return [
            fill
            for fill in self.lead.fills
            if fill.is_reported and fill.at <= now and fill.listed_at <= now and str(fill.number) not in self.stored
        ]

    def read(self, *, now: datetime) -> AccountState:
        """Return a reading of the lead's positions, which may lag a little."""
        lag = self.chance.seconds(0, 1) if self.chance.strikes(Trouble.LAGGING_READS) else timedelta(0)
        held = {(self.lead.symbol, side): self.lead.held_at(side, now - lag) for side in self.lead.sides}
        return AccountState(NOTHING, held, "", asked_at=now, answered_at=now)

    def keep(self, *, now: datetime) -> None:
        """Store what the venue's list shows now and nobody told."""
        for fill in self.listed(now=now):
            if self._store(fill, now=now, is_streamed=False) and not self.is_deaf(now):
                self._find_deaf(fill, now=now)

    def settle(self, reading: AccountState, *, began: datetime, price: Decimal) -> None:
        """End a poll that began at `began`: hold its reading against P."""
        state = self.state
        state.polled_until = max(state.polled_until or began, began)
        state.poll_began_at = max(state.poll_began_at or began, began)
        is_spot = self.lead.place is Place.SPOT
        self.is_settled = True
        for (symbol, side), row in self.rows.items():
            held = reading.positions.get((symbol, PositionSide(side)), ZERO)
            if is_spot:
                if row.seen_at is None or row.seen_at <= reading.asked_at:
                    row.seen_quantity, row.seen_at = held, reading.asked_at
                continue
            waiting = [fill for trade, fill in self.unplanned.items() if self.at[trade] == (symbol, side)]
            if readings.compare(row, held=held, waiting=waiting, reading=reading, has_moved=self._has_moved):
                readings.mark(row, price=price)
            self.is_settled &= row.odd_since is None and row.rebase_to is None

    def is_waiting(self) -> bool:
        """Tell whether there is something to plan."""
        return bool(self.unplanned) or any(row.rebase_to is not None for row in self.rows.values())

    def take_next(self, *, now: datetime, price: Decimal) -> list[LeadChange]:
        """Return what may be planned now."""
        waiting = dict[At, list[Waiting]]()
        for trade, fill in self.unplanned.items():
            waiting.setdefault(self.at[trade], []).append(fill)
        spare = service.spare()
        unbroken = service.is_unbroken(self.state, spare=spare) and not self.is_deaf(now)
        moment = Moment(now=now, polled_until=self.state.polled_until, spare=spare, is_unbroken=unbroken)
        changes, contained = service.changes_of(
            self.state, self.rows, waiting, moment=moment, price_of=lambda coin: price
        )
        for fill in contained:
            del self.unplanned[fill.trade_id]
        return changes

    def mark_planned(self, changes: list[LeadChange]) -> None:
        """Set P to where the changes left it, and mark their fills planned."""
        by_id = {fill.id: fill for fill in self.unplanned.values()}
        trades = dict[UUID, tuple[str, int]]()
        groups = dict[At, list[LeadChange]]()
        for change in changes:
            groups.setdefault((change.instrument.symbol, change.instrument.position_side.value), []).append(change)
            if change.fill_id is not None:
                trade = by_id[change.fill_id].trade_id
                trades[change.fill_id] = (trade, 0)
                self.unplanned.pop(trade, None)
        for at, group in groups.items():
            taking.advance(self._row(at), group, trades=trades)

    def fill_of(self, fill_id: UUID) -> Waiting:
        """Return a stored fill."""
        return next(fill for fill in self.stored.values() if fill.id == fill_id)

    def share_of(self, fill: Waiting, *, now: datetime) -> Decimal | None:
        """Return a fill's share of its order, once it was read."""
        return (
            self.lead.fills[int(fill.trade_id) - 1].share
            if now >= self.shares_known_at.get(fill.trade_id, now)
            else None
        )

    def _store(self, fill: TrueFill, *, now: datetime, is_streamed: bool) -> bool:
        trade = str(fill.number)
        if trade in self.stored:
            return False
        at = (self.lead.symbol, fill.side.value)
        self._row(at)
        waiting = self.lead.waiting(fill, now=now, is_streamed=is_streamed)
        if self.chance.strikes(Trouble.ORDER_UNKNOWN):
            waiting = replace(waiting, order_share=None)
            self.shares_known_at[trade] = now + self.chance.seconds(0.5, 80)
        self.stored[trade] = self.unplanned[trade] = waiting
        self.at[trade] = at
        return True

    def _find_deaf(self, fill: TrueFill, *, now: datetime) -> None:
        # A poll that finds what the stream should have told long ago has it built anew.
        connected = self.state.stream_connected_at
        if connected is not None and fill.at > connected and now - fill.at > timedelta(seconds=2):
            self.state.stream_deaf_at, self.state.stream_connected_at = now, now + timedelta(milliseconds=1)

    def _has_moved(self, row: LeadPosition) -> bool:
        at = (row.symbol, row.position_side)
        return any(
            row.odd_since is not None and fill.venue_time > row.odd_since
            for trade, fill in self.stored.items()
            if self.at[trade] == at
        )

    def _row(self, at: At) -> LeadPosition:
        if at not in self.rows:
            row = LeadPosition(exchange_account_id=self.account_id, symbol=at[0], position_side=at[1], quantity=ZERO)
            self.rows[at] = cast(LeadPosition, _light(row))
        return self.rows[at]


def _light(row: SQLModel) -> SimpleNamespace:
    # Nobody tracks its changes here, which would cost a quarter of a run.
    return SimpleNamespace(**row.model_dump())
