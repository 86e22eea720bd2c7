"""A wild run on the real engine: for each subscriber and each part of every fill the receipt adds up, exactly.

What each part asked for is reckoned here once more, from the lead's executions as the exchange tells them and from the
skips alone: a stack of pieces of his position, each with what should be held for it.
"""

import random
from collections.abc import Generator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

import pytest
from sqlmodel import col, select

from copytrade import clock
from copytrade.accounts import checking, snapshots
from copytrade.capture import polling, streaming
from copytrade.capture.models import StoredFill
from copytrade.copying import engine
from copytrade.copying import service as copying
from copytrade.copying.models import CopyOrder, LegRow, OrderPart, PartRow, SkipRow
from copytrade.db.session import reading, transaction
from copytrade.demo import filling
from copytrade.domain.instruments import Role
from copytrade.domain.sizing import CopySettings
from copytrade.engines import Engines
from tests import engines as test_engines
from tests import paid
from tests.conftest import Sandbox
from tests.stage import SYMBOL, Account, Pair, account, ledger, pair
from tests.waiting import wait_until
from workers.loop import WarmLoop

D = Decimal
ROUNDS = 16
SCARCE = 6
"""The round in which the lead takes all that the book has near the price."""
CLOSE = Fraction(1, 10**12)
"""The engine keeps 18 decimals of what it divides."""
BOB = CopySettings(factor=D("0.1"), max_leverage=D(100), max_entry_age_s=3)
CAROL = CopySettings(factor=D("0.037"), max_leverage=D(100), max_position_notional=D(6000), max_entry_age_s=3)


@dataclass
class Stage:
    """Alice and two who copy her: Bob by a tenth, Carol by less and with a limit."""

    pair: Pair
    carol: Account
    carols: UUID
    chosen: dict[UUID, CopySettings] = field(default_factory=dict)
    factors: list[tuple[datetime, UUID, Decimal]] = field(default_factory=list)

    def choose(self, subscription_id: UUID, settings: CopySettings) -> None:
        owner = self.carol.owner if subscription_id == self.carols else self.pair.copy.owner
        with transaction() as session:
            copying.save_settings(session, owner=owner, subscription_id=subscription_id, settings=settings)
        self.chosen[subscription_id] = settings
        self.factors.append((clock.now(), subscription_id, settings.factor))

    def factor_at(self, subscription_id: UUID, at: datetime) -> Fraction:
        known = [factor for since, who, factor in self.factors if who == subscription_id and since <= at]
        return Fraction(known[-1])

    def settle(self) -> None:
        """Wait until every fill is planned and nothing is left that could be traded."""
        wait_until(self._is_planned, timeout=30, what="all fills planned")
        wait_until(self._is_quiet, timeout=30, what="legs at rest")

    def _is_planned(self) -> bool:
        told = ledger(self.pair.lead.id)
        return told.fills == told.planned == len(self.pair.control.fills(self.pair.lead.key.account_id))

    def _is_quiet(self) -> bool:
        with reading() as session:
            legs = session.exec(select(LegRow).where(LegRow.lead_account_id == self.pair.lead.id)).all()
        return ledger(self.pair.lead.id).unended == 0 and all(leg.due_at is None for leg in legs)


@pytest.fixture(scope="module")
def stage(database: Engines, sandbox: Sandbox) -> Generator[Stage]:
    control = sandbox.control
    control.clear_faults()
    control.set_price(SYMBOL, 60_000)
    loop = WarmLoop([polling.run, streaming.run, checking.run, snapshots.run, engine.run])
    loop.start()
    try:
        joined = pair(control, settings=BOB)
        person = filling.person("carol@copytrade.example", is_subscriber=True)
        carol = account(control, person, role=Role.COPY, name="carol-copy")
        with transaction() as session:
            carols = copying.subscribe(
                session, owner=person, profile_id=joined.profile_id, copy_account_id=carol.id, settings=CAROL
            )
            paid.entitle(session, subscription_id=carols, until=clock.now() + timedelta(days=30))
        made = Stage(joined, carol, carols)
        made.choose(joined.subscription_id, BOB)
        made.choose(carols, CAROL)
        yield made
    finally:
        control.clear_faults()
        control.clear_book(SYMBOL)
        loop.stop()
        test_engines.wipe(database)


@pytest.mark.timeout(180)
def test_after_a_wild_run_every_receipt_adds_up_to_what_the_sizing_asked_for(stage: Stage) -> None:
    dice = random.Random(20_261_122)
    for number in range(ROUNDS):
        _disturb(stage, dice, number)
        if number == SCARCE:
            _trade_alone(stage)
        else:
            for _ in range(dice.randint(1, 5)):
                _trade(stage, dice)
        stage.settle()
    for subscription_id, at_venue in (
        (stage.pair.subscription_id, stage.pair.copy_position()),
        (stage.carols, stage.pair.control.position(stage.carol.key.account_id, SYMBOL)),
    ):
        _check(stage, subscription_id, at_venue=at_venue)
    assert _reasons() >= {"paused", "max_position"}
    assert _doubts() > 0


def _reasons() -> set[str]:
    with reading() as session:
        return set(session.exec(select(SkipRow.reason)).all())


def _doubts() -> int:
    with reading() as session:
        query = select(CopyOrder.id).where(col(CopyOrder.unknown_at).is_not(None), col(CopyOrder.resolution) != "")
        return len(session.exec(query).all())


def _disturb(stage: Stage, dice: random.Random, number: int) -> None:
    """Lose an answer, pause, limit, change the ratio, or make the book too thin for an entry."""
    control, bobs = stage.pair.control, stage.pair.subscription_id
    control.clear_book(SYMBOL)
    if number % 3 == 1:
        who = dice.choice((stage.pair.copy, stage.carol)).key.account_id
        control.fault(path="/fapi/v1/order", method="POST", account=who, answer="drop")
    if number % 4 == 2:
        is_paused = not stage.chosen[bobs].is_paused
        stage.choose(bobs, replace(stage.chosen[bobs], is_paused=is_paused))
    if number % 5 == 3:
        stage.choose(stage.carols, replace(stage.chosen[stage.carols], factor=D(dice.randint(20, 60)) / 1000))


def _trade(stage: Stage, dice: random.Random) -> None:
    held = stage.pair.lead_position()
    quantity = D(dice.randint(1, 9)) / 10
    side = "SELL" if held > 2 or (held > -2 and dice.random() < 0.5) else "BUY"
    stage.pair.trade(side, str(quantity))


def _trade_alone(stage: Stage) -> None:
    """Let the lead enter at a price at which nobody else is left: his subscribers step back when they are too late."""
    near, deep = ("60000", "1"), "500"
    if stage.pair.lead_position() >= 0:
        stage.pair.control.set_book(SYMBOL, bids=[("59900", deep)], asks=[near, ("61000", deep)])
        stage.pair.trade("BUY", near[1])
    else:
        stage.pair.control.set_book(SYMBOL, bids=[near, ("59000", deep)], asks=[("60100", deep)])
        stage.pair.trade("SELL", near[1])


@dataclass
class Piece:
    """A piece of the lead's position and what should be held for it."""

    lead: Fraction
    target: Fraction
    part: UUID | None = None


@dataclass
class Stack:
    """The lead's position as pieces, newest last."""

    pieces: list[Piece] = field(default_factory=list)

    @property
    def position(self) -> Fraction:
        return sum((piece.lead for piece in self.pieces), Fraction(0))

    def reduce(self, quantity: Fraction) -> Fraction:
        """Take pieces from the top; return the target that they gave up."""
        given = Fraction(0)
        while quantity and self.pieces:
            top = self.pieces[-1]
            share = min(Fraction(1), quantity / abs(top.lead))
            quantity -= share * abs(top.lead)
            given += share * top.target
            top.lead, top.target = top.lead * (1 - share), top.target * (1 - share)
            if not top.lead:
                self.pieces.pop()
        return given

    def skip(self, part: UUID, quantity: Fraction) -> None:
        """Turn target of a part into nothing, on top of the rest of it."""
        for index in reversed(range(len(self.pieces))):
            piece = self.pieces[index]
            if piece.part != part or not piece.target or not quantity:
                continue
            share = min(Fraction(1), quantity / abs(piece.target))
            quantity -= share * abs(piece.target)
            rest = Piece(piece.lead * share, Fraction(0), part)
            piece.lead, piece.target = piece.lead * (1 - share), piece.target * (1 - share)
            self.pieces[index : index + 1] = [piece, rest] if piece.lead else [rest]
        assert not quantity, "more was skipped than was to be held"


def _check(stage: Stage, subscription_id: UUID, *, at_venue: Decimal) -> None:
    with reading() as session:
        fills = list(session.exec(select(StoredFill).where(StoredFill.exchange_account_id == stage.pair.lead.id)))
        fills.sort(key=lambda fill: (fill.venue_time, int(fill.trade_id)))
        parts = list(session.exec(select(PartRow).where(PartRow.subscription_id == subscription_id)))
        ids = [part.id for part in parts]
        skips = list(session.exec(select(SkipRow).where(col(SkipRow.part_id).in_(ids)).order_by(col(SkipRow.id))))
        covered = session.exec(select(OrderPart).where(col(OrderPart.part_id).in_(ids))).all()
        leg = session.exec(select(LegRow).where(LegRow.subscription_id == subscription_id)).one()
    told = stage.pair.control.fills(stage.pair.lead.key.account_id)
    assert {fill.trade_id for fill in fills} == {str(one["id"]) for one in told}
    for part in parts:
        _adds_up(part, [one for one in skips if one.part_id == part.id], [c for c in covered if c.part_id == part.id])
    assert sum(part.netted for part in parts) == 0
    assert sum(part.copied for part in parts) == leg.held == at_venue
    pending = sum((part.asked - part.copied - part.skipped - part.netted for part in parts), D(0))
    assert pending == leg.target - leg.held
    asked = _asked(stage, subscription_id, fills, parts, skips)
    assert {(part.fill_id, part.kind) for part in parts} == set(asked)
    for part in parts:
        assert abs(Fraction(part.asked) - asked[part.fill_id, part.kind]) < CLOSE, part


def _adds_up(part: PartRow, skips: list[SkipRow], covered: list[OrderPart]) -> None:
    """Every figure of a part is the sum of its rows, and what is left is pending, none of it the other way."""
    assert sum((one.quantity for one in skips), D(0)) == abs(part.skipped)
    assert sum((one.quantity for one in covered), D(0)) == abs(part.copied)
    pending = part.asked - part.copied - part.skipped - part.netted
    assert part.is_open is bool(pending)
    for piece in (part.copied, part.skipped, part.netted, pending):
        assert piece * part.asked >= 0
    assert part.rank >= 1
    assert part.served == 2


def _asked(
    stage: Stage, subscription_id: UUID, fills: list[StoredFill], parts: list[PartRow], skips: list[SkipRow]
) -> dict[tuple[UUID | None, str], Fraction]:
    """Return what sizing asks for, by fill and kind, reckoned anew."""
    opened = {part.fill_id: part for part in parts if part.kind == "opening"}
    later = [skip for skip in skips if skip.skipped_at > _part(parts, skip).planned_at]
    stack, asked = Stack(), dict[tuple[UUID | None, str], Fraction]()
    for fill in fills:
        assert fill.planned_at is not None
        while later and later[0].skipped_at < fill.planned_at:
            skip = later.pop(0)
            stack.skip(skip.part_id, Fraction(skip.quantity))
        signed = Fraction(fill.quantity) * (1 if fill.side == "buy" else -1)
        position = stack.position
        reduced = min(abs(signed), abs(position)) if position * signed < 0 else Fraction(0)
        if reduced:
            asked[fill.id, "reducing"] = -stack.reduce(reduced)
        rest = signed - (reduced if signed > 0 else -reduced)
        if rest:
            part = opened[fill.id]
            size = rest * stage.factor_at(subscription_id, part.planned_at)
            asked[fill.id, "opening"] = size
            stack.pieces.append(Piece(rest, size, part.id))
            for skip in skips:
                if skip.part_id == part.id and skip.skipped_at == part.planned_at:
                    stack.skip(part.id, Fraction(skip.quantity))
    return asked


def _part(parts: list[PartRow], skip: SkipRow) -> PartRow:
    return next(part for part in parts if part.id == skip.part_id)
