"""Openings in the fixed modes whose order is not known yet: they wait, and are sized when it is."""

from dataclasses import replace
from decimal import Decimal

from copytrade.domain.sizing import CopySettings, SizingMode
from copytrade.domain.skips import SkipReason
from tests.unit.domain.copying import Copy, D


def fixed(quantity: str = "0.4", **changes: object) -> Copy:
    settings = CopySettings(mode=SizingMode.FIXED_QUANTITY, factor=D(quantity), max_position_notional=D(100_000))
    return Copy(replace(settings, **changes))


def test_an_opening_waits_for_its_order_and_is_sized_by_it() -> None:
    copy = fixed()
    copy.trade("0.5", order="a")
    assert (copy.leg.target, copy.skips) == (0, [])
    copy.learn(of=None)
    assert copy.leg.target == 0
    copy.learn(of="1")
    assert copy.leg.target == D("0.2")
    copy.drive()
    assert copy.sent() == [("buy", D("0.2"), False)]


def test_what_the_lead_took_back_meanwhile_is_not_asked_for() -> None:
    copy = fixed()
    copy.trade("0.5", order="a")
    copy.trade("-0.2")
    copy.learn(of="0.5")
    assert copy.leg.target == D("0.24")
    copy.trade("-0.3")
    assert copy.leg.target == 0


def test_a_lead_who_is_out_before_his_order_is_known_is_not_copied() -> None:
    copy = fixed()
    copy.trade("0.5", order="a")
    copy.trade("-0.5")
    copy.learn(of="1")
    assert (copy.leg.target, copy.leg.lots) == (0, ())
    assert copy.skipped(SkipReason.ORDER_UNKNOWN) == 0
    assert not copy.waiting


def test_after_the_age_of_entries_it_is_skipped() -> None:
    copy = fixed()
    copy.trade("0.5", order="a")
    copy.later(59)
    copy.learn(of=None)
    assert copy.waiting
    copy.later(2)
    copy.learn(of=None)
    assert copy.skips == [(SkipReason.ORDER_UNKNOWN, D(0))]
    assert copy.leg.target == 0


def test_a_known_order_does_not_make_an_old_opening_young() -> None:
    copy = fixed()
    copy.trade("0.5", order="a")
    copy.later(61)
    copy.learn(of="1")
    assert copy.skips == [(SkipReason.TOO_OLD, D("0.2"))]


def test_the_limits_of_the_moment_of_sizing_count() -> None:
    copy = fixed()
    copy.trade("0.5", order="a")
    copy.settings = replace(copy.settings, max_position_notional=D(6_000))
    copy.learn(of="1")
    assert copy.leg.target == D("0.1")
    assert copy.skips == [(SkipReason.MAX_POSITION, D("0.1"))]
    copy.trade("-0.5")
    assert copy.leg.target == 0


def test_a_pause_meanwhile_is_kept() -> None:
    copy = fixed()
    copy.trade("0.5", order="a")
    copy.settings = replace(copy.settings, is_paused=True)
    copy.learn(of="1")
    assert (copy.leg.target, copy.skips) == (0, [(SkipReason.PAUSED, D("0.2"))])


def test_what_waits_does_not_merge_with_what_was_not_copied() -> None:
    copy = fixed()
    copy.settings = replace(copy.settings, is_paused=True)
    copy.trade("1", order="x", of="1")
    copy.settings = replace(copy.settings, is_paused=False)
    copy.trade("0.5", order="a")
    copy.trade("0.5", order="b")
    copy.settings = replace(copy.settings, is_paused=True)
    copy.trade("1", order="y", of="1")
    copy.settings = replace(copy.settings, is_paused=False)
    assert [lot.lead for lot in copy.leg.lots] == [1, D("0.5"), D("0.5"), 1]
    copy.learn(of="0.5")
    assert copy.leg.target == D("0.8")
    copy.trade("-1")
    assert copy.leg.target == D("0.8")
    copy.trade("-0.5")
    assert copy.leg.target == D("0.4")


def test_only_the_share_that_opens_counts_in_a_flip_that_waited() -> None:
    copy = fixed()
    copy.trade("0.3", order="a", of="0.3")
    copy.trade("-1", order="b")
    copy.learn(of="1")
    assert copy.leg.target == Decimal("-0.28")


def test_shares_of_an_order_that_was_known_late_never_exceed_one() -> None:
    copy = fixed()
    for _ in range(3):
        copy.trade("0.5", order="a")
    copy.learn(of="1")
    assert copy.leg.target == D("0.4")
