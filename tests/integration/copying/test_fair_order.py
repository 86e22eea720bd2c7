"""Who is served first: ranks rotate from fill to fill, are kept with the parts, and drivers go by them."""

from collections import Counter
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

from sqlmodel import Session, col, select

from copytrade import clock
from copytrade.accounts.snapshots import put_snapshot
from copytrade.copying import service
from copytrade.copying.models import PartRow, SymbolReady
from copytrade.domain.fills import Equity
from copytrade.domain.sizing import CopySettings
from copytrade.subscriptions.consent import RISK_VERSION, Consent, accept
from copytrade.subscriptions.models import Subscription
from copytrade.users import service as users
from tests import paid
from tests.integration.accounts.linking import linked
from tests.integration.copying.desk import BTC, Desk, desk

MORE = 3


def test_ranks_rotate_and_orders_leave_in_their_order(session: Session) -> None:
    on = desk(session)
    for number in range(MORE):
        subscriber(on, number)
    everybody = MORE + 1
    for turn in range(2 * everybody):
        on.lead("1" if turn % 2 == 0 else "-1")
        ranks = _ranks(session, turn)
        assert {served for _, served in ranks.values()} == {everybody}
        sendings = on.claim().sendings
        assert [ranks[sending.account.id][0] for sending in sendings] == list(range(1, everybody + 1))
        for sending in sendings:
            on.filled(sending)
    counted = Counter((part.subscription_id, part.rank) for part in on.parts())
    assert len(counted) == everybody * everybody
    assert set(counted.values()) == {2}


def test_who_is_not_concerned_takes_no_rank(session: Session) -> None:
    on = desk(session)
    subscriber(on, 0)
    late = session.get_one(Subscription, on.subscription_id)
    late.started_at = clock.now() + timedelta(minutes=1)
    session.flush()
    on.lead("1")
    assert [(part.rank, part.served) for part in on.parts()] == [(1, 1)]


def _ranks(session: Session, turn: int) -> dict[UUID, tuple[int, int]]:
    """Return rank and number of those served by copy account, of the newest fill."""
    rows = session.exec(select(PartRow).order_by(col(PartRow.id))).all()
    newest = [row for row in rows if row.fill_id == rows[-1].fill_id]
    accounts = {row.subscription_id: row for row in newest}
    assert len(accounts) == len(newest), turn
    found = session.exec(select(Subscription)).all()
    return {one.copy_account_id: (accounts[one.id].rank, accounts[one.id].served) for one in found}


def subscriber(on: Desk, number: int) -> None:
    session, now = on.session, clock.now()
    person = users.register(
        session,
        email=f"subscriber{number}@copytrade.example",
        password="a long enough secret",
        is_trader=False,
        is_subscriber=True,
        accepted_terms=True,
    )
    accept(session, owner=person.id, consent=Consent(RISK_VERSION, "en", "DE"))
    account = linked(session, person.id, api_key=str(number) * 64)
    subscription_id = service.subscribe(
        session,
        owner=person.id,
        profile_id=on.market.profile_id,
        copy_account_id=account,
        settings=CopySettings(max_leverage=Decimal(100)),
    )
    paid.entitle(session, subscription_id=subscription_id, until=now + timedelta(days=30))
    session.get_one(Subscription, subscription_id).started_at = now - timedelta(minutes=1)
    total = Decimal(1_000_000)
    equity = Equity(total=total, wallet=total, unrealized_pnl=Decimal(0), available=total, read_at=now)
    put_snapshot(session, account_id=account, equity=equity, positions=[])
    session.add(SymbolReady(exchange_account_id=account, symbol=BTC, leverage=5, lead_leverage=5, read_at=now))
    session.flush()
