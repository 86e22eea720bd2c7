"""A subscription that moves to another account: what is open stays with the old one, what is new goes to the new."""

from datetime import timedelta
from decimal import Decimal
from uuid import UUID

from sqlmodel import Session, select

from copytrade import clock
from copytrade.accounts.snapshots import put_snapshot
from copytrade.copying import ending, service
from copytrade.copying.models import LegRow, LegState, SymbolReady
from copytrade.domain.fills import Equity
from copytrade.domain.instruments import Role
from copytrade.domain.sizing import EndMode
from copytrade.subscriptions import queries as subscriptions
from copytrade.subscriptions.models import Subscription
from tests.integration.accounts.linking import linked
from tests.integration.copying.desk import BTC, Desk, desk


def _moved(on: Desk, mode: EndMode) -> tuple[UUID, UUID]:
    """Move Bob's subscription to a new account; return the account and the subscription that goes on."""
    session, now = on.session, clock.now()
    account = linked(session, on.market.bob.id, role=Role.COPY, api_key="c" * 64)
    total = Decimal(1_000_000)
    equity = Equity(total=total, wallet=total, unrealized_pnl=Decimal(0), available=total, read_at=now)
    put_snapshot(session, account_id=account, equity=equity, positions=[])
    session.add(SymbolReady(exchange_account_id=account, symbol=BTC, leverage=5, lead_leverage=5, read_at=now))
    again = service.switch_account(
        session, owner=on.market.bob.id, subscription_id=on.subscription_id, copy_account_id=account, mode=mode
    )
    session.get_one(Subscription, again).started_at = now - timedelta(seconds=1)
    session.flush()
    _settle(on)
    return account, again


def _settle(on: Desk) -> None:
    for ended in subscriptions.ended_unsettled(on.session):
        ending.settle(on.session, ended, now=clock.now())


def _legs(on: Desk) -> dict[UUID, LegRow]:
    rows = on.session.exec(select(LegRow).execution_options(populate_existing=True))
    return {leg.subscription_id: leg for leg in rows}


def test_exits_are_followed_on_the_old_account_and_entries_go_to_the_new_one(session: Session) -> None:
    on = desk(session)
    on.copy("1")
    account, again = _moved(on, EndMode.FOLLOW_EXITS)
    on.lead("0.5")
    entry = on.sending()
    assert (entry.account.id, entry.request.quantity) == (account, Decimal("0.5"))
    on.filled(entry)
    on.lead("-1.5")
    exits = {one.account.id: one for one in on.claim().sendings}
    assert {id: one.request.quantity for id, one in exits.items()} == {
        on.market.copy: 1,
        account: Decimal("0.5"),
    }
    for one in exits.values():
        on.filled(one)
    _settle(on)
    legs = _legs(on)
    assert {id: leg.held for id, leg in legs.items()} == {on.subscription_id: 0, again: 0}
    assert {leg.copy_account_id for leg in legs.values()} == {on.market.copy, account}
    assert session.get_one(Subscription, on.subscription_id, populate_existing=True).finished_at is not None


def test_what_is_open_on_the_old_account_is_closed_where_he_says_so(session: Session) -> None:
    on = desk(session)
    on.copy("1")
    _moved(on, EndMode.CLOSE)
    closing = on.sending()
    assert (closing.account.id, closing.request.quantity, closing.request.reduce_only) == (on.market.copy, 1, True)
    on.filled(closing)
    _settle(on)
    assert _legs(on)[on.subscription_id].state == LegState.CLOSED


def test_what_he_keeps_is_his_own(session: Session) -> None:
    on = desk(session)
    on.copy("1")
    _moved(on, EndMode.KEEP)
    leg = _legs(on)[on.subscription_id]
    assert (leg.state, leg.held) == (LegState.KEPT, 1)
    assert on.claim().sendings == []
