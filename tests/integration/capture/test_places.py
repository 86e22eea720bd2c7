"""Every venue and market, captured by stream and by poll: all trades stored once, P what the venue says."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from copytrade.capture import polling, streaming
from copytrade.capture.storing import Source
from copytrade.domain.changes import ChangeKind
from copytrade.domain.instruments import Market, Role, Venue
from copytrade.sandbox.client import Control
from tests.integration.capture.conftest import Lead, link, opened
from tests.waiting import wait_until
from workers.loop import Part, WarmLoop

PLACES = [(venue, market) for venue in Venue for market in Market]


def lead_at(control: Control, venue: Venue, market: Market, *, role: Role = Role.LEAD, **facts: object) -> Lead:
    made = opened(control, venue=venue, market=market, **facts)
    return Lead(*link(control, role=role, made=made, venue=venue, market=market), control)


def at_venue(lead: Lead) -> dict[str, Decimal]:
    """What the lead holds, as the sandbox says: coins on spot, its one position on perpetuals."""
    if lead.ref.market is Market.SPOT:
        coins = {asset: Decimal(total) for asset, total in lead.control.coins(lead.number).items()}
        return {f"{asset}/USDT": total for asset, total in coins.items() if total and asset != "USDT"}
    position = lead.control.position(lead.number, "BTCUSDT")
    return {"BTC/USDT:USDT": position} if position else {}


def assert_captured(leads: list[Lead]) -> None:
    for lead in leads:
        where = f"{lead.ref.venue} {lead.ref.market}"
        wait_until(
            lambda lead=lead: lead.plan() or {fill.trade_id for fill in lead.stored()} == lead.venue_trades(),
            timeout=20,
            what=f"all trades of {where}",
        )
        wait_until(lambda lead=lead: lead.plan() or lead.held() == at_venue(lead), timeout=15, what=f"P of {where}")
        stored = lead.stored()
        assert len(stored) == len({fill.trade_id for fill in stored}), where
        told = {str(row["id"]): row for row in lead.control.fills(lead.number)}
        for fill in stored:
            row = told[fill.trade_id]
            assert (fill.fee, fill.fee_asset) == (Decimal(row["commission"]), row["commissionAsset"]), where
            assert fill.quantity == Decimal(row["qty"]), where


@pytest.mark.parametrize("parts", [(polling.run, streaming.run), (polling.run,)], ids=["streamed", "polled"])
def test_a_leads_day_at_every_place(
    committed: object, control: Control, run_parts: Callable[..., WarmLoop], parts: tuple[Part, ...]
) -> None:
    leads = [lead_at(control, venue, market) for venue, market in PLACES]
    run_parts(*parts)
    for lead in leads:
        lead.wait_for_baseline()
    if streaming.run in parts:
        for lead in leads:
            wait_until(lambda lead=lead: lead.state().stream_connected_at, timeout=15, what="stream connected")
    for side, quantity in (("BUY", "1"), ("BUY", "0.5"), ("SELL", "0.7")):
        for lead in leads:
            lead.trade(side, quantity)
    assert_captured(leads)
    for lead in leads:
        if lead.ref.market is Market.SPOT:
            lead.trade("SELL", "0.79")
        else:
            lead.trade("SELL", "1.3")  # through zero
    assert_captured(leads)
    for lead in leads:
        kinds = {change.kind for change in lead.planned}
        assert kinds == {ChangeKind.FILL}, lead.ref
        assert all(change.lead_fill_quantity > 0 for change in lead.planned)
    if streaming.run in parts:
        assert {fill.source for lead in leads for fill in lead.stored()} == {Source.STREAM}


def test_copy_accounts_trades_at_every_place_are_stored_and_never_planned(
    committed: object, control: Control, run_parts: Callable[..., WarmLoop]
) -> None:
    copies = [lead_at(control, venue, market, role=Role.COPY) for venue, market in PLACES]
    for copy in copies:
        copy.trade("BUY", "0.2")
    run_parts(polling.run)
    for copy in copies:
        wait_until(lambda copy=copy: {fill.trade_id for fill in copy.stored()} == copy.venue_trades(), timeout=20)
        assert all(fill.is_history for fill in copy.stored())
        assert copy.plan() == []
