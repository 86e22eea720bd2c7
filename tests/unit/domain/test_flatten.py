"""What is copied is closed at once: by a switch, a loss that was reached, a trader who fell silent."""

from dataclasses import replace
from uuid import uuid4

import pytest

from copytrade.domain.driving import OPEN_GATE, Done, Flatten, Gate, Order
from copytrade.domain.legs import Purpose
from copytrade.domain.planning import PartKind
from copytrade.domain.sizing import CopySettings
from copytrade.domain.skips import SkipReason
from tests.unit.domain.copying import PRICE, Copy, D


def closing(reason: SkipReason = SkipReason.HALTED) -> Gate:
    return Gate(flatten=Flatten(reason, uuid4(), PRICE))


def test_what_is_held_is_closed_with_one_reduce_only_order() -> None:
    copy = Copy(CopySettings())
    copy.trade("1")
    copy.drive()
    copy.gate = closing()
    copy.drive()
    assert copy.sent() == [("buy", 1, False), ("sell", 1, True)]
    assert (copy.leg.target, copy.leg.held) == (0, 0)
    [stop] = [part for part in copy.history.values() if part.kind is PartKind.STOP]
    assert (stop.asked, stop.copied) == (-1, -1)
    assert (SkipReason.HALTED, D(0)) in copy.skips


def test_what_was_not_entered_yet_is_skipped_with_the_reason() -> None:
    copy = Copy(CopySettings())
    copy.trade("1")
    copy.gate = closing(SkipReason.DAILY_LOSS)
    assert isinstance(copy.look(), Done)
    assert copy.skips == [(SkipReason.DAILY_LOSS, D(1))]
    assert not any(part.kind is PartKind.STOP for part in copy.history.values())


def test_a_fill_that_lands_after_the_stop_is_closed_too() -> None:
    copy = Copy(CopySettings())
    copy.trade("1")
    entry = copy.look()
    assert isinstance(entry, Order)
    copy.live(entry, is_unknown=True)
    copy.gate = closing()
    copy.look()
    assert copy.leg.target == 0
    copy.resolve(entry, D(1))
    assert copy.leg.held == 1
    copy.gate = closing()
    copy.drive()
    assert copy.sent()[-1] == ("sell", 1, True)
    assert copy.leg.held == 0


def test_an_entry_that_never_filled_leaves_nothing_behind() -> None:
    copy = Copy(CopySettings())
    copy.trade("1")
    entry = copy.look()
    assert isinstance(entry, Order)
    copy.live(entry, is_unknown=True)
    copy.gate = closing()
    copy.look()
    copy.resolve(entry, D(0))
    assert isinstance(copy.look(), Done)
    assert (copy.leg.target, copy.leg.held, copy.leg.parts) == (0, 0, ())


def test_exits_go_out_however_old_the_last_trade_is_and_entries_do_not() -> None:
    copy = Copy(CopySettings())
    copy.trade("2")
    copy.drive()
    copy.later(10_000)
    copy.trade("1")
    copy.gate = closing()
    decision = copy.look()
    assert isinstance(decision, Order)
    assert (decision.purpose, decision.quantity, decision.reduce_only) == (Purpose.EXIT, 2, True)


def test_hands_off_is_stricter_than_closing() -> None:
    copy = Copy(CopySettings())
    copy.trade("1")
    copy.drive()
    copy.gate = replace(closing(), hands_off=True)
    copy.drive()
    assert copy.leg.target == 1
    assert len(copy.orders) == 1


@pytest.mark.parametrize("later", ["0.5", "-1", "-2"])
def test_when_it_is_lifted_nothing_reopens_and_new_entries_are_copied(later: str) -> None:
    copy = Copy(CopySettings())
    copy.trade("1")
    copy.drive()
    copy.gate = closing()
    copy.drive()
    copy.gate = OPEN_GATE
    copy.drive()
    assert len(copy.orders) == 2
    copy.trade(later)
    copy.drive()
    expected = {"0.5": D("0.5"), "-1": D(0), "-2": D(-1)}[later]
    assert (copy.leg.target, copy.leg.held) == (expected, expected)
