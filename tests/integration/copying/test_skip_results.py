"""What was not copied gets the result it would have made, once the trader has left what he opened."""

from datetime import timedelta
from decimal import Decimal

from sqlmodel import Session, col, select

from copytrade import clock
from copytrade.copying import ending, service, skip_results
from copytrade.copying.models import SkipRow
from copytrade.copying.service import EndMode
from copytrade.domain.sizing import CopySettings
from copytrade.subscriptions import queries as subscriptions
from tests.integration.copying.desk import Desk, desk

HALF = CopySettings(max_leverage=Decimal(100), max_position_notional=Decimal(30_000))


def test_a_skip_is_priced_when_the_trader_has_left_what_he_opened(session: Session) -> None:
    on = desk(session, settings=HALF)
    on.lead("1")
    _at(on, 61_000).lead("-0.5")
    assert skip_results.price_lately() == 0
    assert _results(session) == [("max_position", None, False)]
    _at(on, 59_000).lead("-0.5")
    assert skip_results.price_lately() == 1
    assert skip_results.price_lately() == 0
    # The skipped half lay on top: it is what he sold first.
    assert _results(session) == [("max_position", Decimal(500), True)]


def test_a_flip_leaves_what_was_open_and_opens_the_other_side(session: Session) -> None:
    on = desk(session, settings=CopySettings(is_paused=True))
    on.lead("1")
    _at(on, 61_000).lead("-3")
    _at(on, 60_500).lead("2")
    assert skip_results.price_lately() == 2
    assert _results(session) == [
        ("paused", Decimal(1000), True),
        ("paused", Decimal(1000), True),
    ]


def test_what_he_held_before_and_buys_again_does_not_price_it(session: Session) -> None:
    on = desk(session, settings=CopySettings(is_paused=True))
    on.lead("2")
    _at(on, 61_000).lead("1")
    _at(on, 62_000).lead("-1")
    _at(on, 63_000).lead("1")
    assert skip_results.price_all() == 1
    assert [pnl for _, pnl, _ in _results(session)] == [None, Decimal(1000), None]


def test_the_end_of_a_copy_would_have_ended_what_was_not_copied(session: Session) -> None:
    on = desk(session, settings=HALF)
    on.lead("1")
    on.filled(on.sending())
    _at(on, 62_000).lead("1")
    service.stop(session, owner=on.market.bob.id, subscription_id=on.subscription_id, mode=EndMode.CLOSE)
    for ended in subscriptions.ended_unsettled(session):
        ending.settle(session, ended, now=clock.now())
    assert skip_results.price_lately() == 2
    assert [pnl for _, pnl, _ in _results(session)] == [Decimal(1000), Decimal(0)]


def test_an_exit_that_was_skipped_has_no_result(session: Session) -> None:
    on = desk(session)
    on.copy("1")
    on.lead("-1")
    on.claim()
    [opening, leaving] = on.parts()
    session.add(SkipRow(part_id=leaving.id, subscriber_id=leaving.subscriber_id, reason="own_trade",
                        quantity=Decimal(1), skipped_at=clock.now()))  # fmt: skip
    session.flush()
    assert (opening.lead_before, opening.lead_after) == (0, 1)
    assert (leaving.lead_before, leaving.lead_after) == (1, 0)
    assert skip_results.price_lately() == 0
    assert _results(session) == [("own_trade", None, True)]


def test_an_exit_that_the_usual_round_missed_is_found_by_the_daily_one(session: Session) -> None:
    on = desk(session, settings=CopySettings(is_paused=True))
    on.lead("1")
    _at(on, 61_000).lead("-1")
    assert skip_results._price(since=skip_results._first_id(clock.real_now() + timedelta(minutes=1))) == 0  # pyright: ignore[reportPrivateUsage]
    assert skip_results.price_all() == 1


def _at(on: Desk, price: int) -> Desk:
    on.price = Decimal(price)
    return on


def _results(session: Session) -> list[tuple[str, Decimal | None, bool]]:
    query = select(SkipRow).where(col(SkipRow.quantity) > 0).order_by(col(SkipRow.id))
    rows = session.exec(query.execution_options(populate_existing=True))
    return [(row.reason, row.pnl, row.priced_at is not None) for row in rows]
