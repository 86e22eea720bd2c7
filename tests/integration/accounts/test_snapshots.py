from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlmodel import Session, select

from copytrade import clock
from copytrade.accounts import queries, snapshots, vault
from copytrade.accounts.models import EquitySnapshot, ExchangeSecret
from tests.integration.accounts.linking import equity, linked, position
from tests.integration.users.people import bob


def test_the_newest_reading_wins_however_they_arrive(session: Session) -> None:
    account_id = linked(session, bob(session).id)
    late, early = equity("1200", ago=-timedelta(minutes=5)), equity("1100", ago=-timedelta(minutes=3))
    snapshots.put_snapshot(session, account_id=account_id, equity=late, positions=[])
    snapshots.put_snapshot(session, account_id=account_id, equity=early, positions=[position()])
    assert queries.equities(session, [account_id]) == {account_id: late}
    assert queries.positions(session, account_id) == []


def test_the_curve_has_a_point_a_minute_however_often_the_account_is_read(session: Session) -> None:
    account_id = linked(session, bob(session).id)
    first = queries.equities(session, [account_id])[account_id]
    for seconds in range(15, 181, 15):
        reading = replace(first, total=Decimal(1000 + seconds), read_at=first.read_at + timedelta(seconds=seconds))
        snapshots.put_snapshot(session, account_id=account_id, equity=reading, positions=[])
    points = queries.equity_curve(session, account_id=account_id, since=first.read_at)
    assert [point.total for point in points] == [1000, 1060, 1120, 1180]
    assert len(session.exec(select(EquitySnapshot)).all()) == 4
    assert queries.equities(session, [account_id])[account_id].total == 1180


def test_positions_are_replaced_as_a_whole(session: Session) -> None:
    account_id = linked(session, bob(session).id)
    assert [held.symbol for held in queries.positions(session, account_id)] == ["BTC/USDT:USDT"]
    snapshots.put_snapshot(
        session,
        account_id=account_id,
        equity=equity(ago=-timedelta(minutes=1)),
        positions=[position("ETH/USDT:USDT", "-2"), position("SOL/USDT:USDT", "7.5")],
    )
    held = queries.positions(session, account_id)
    assert [(one.symbol, one.quantity) for one in held] == [
        ("ETH/USDT:USDT", Decimal("-2")),
        ("SOL/USDT:USDT", Decimal("7.5")),
    ]


def test_old_secrets_are_sealed_anew_to_the_newest_key(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    account_id = linked(session, bob(session).id)
    before = vault.opener()(account_id)
    row = session.get_one(ExchangeSecret, account_id)
    newest = row.kek_id
    old_private = vault._keyring()[newest]  # pyright: ignore[reportPrivateUsage]
    monkeypatch.setitem(vault._keyring(), "kold", old_private)  # pyright: ignore[reportPrivateUsage]
    account = queries.owned(session, owner=queries.owner_of(session, account_id), account_id=account_id)
    binding = vault._binding(account_id=account.id, user_id=account.user_id, venue=account.venue, kek_id="kold")  # pyright: ignore[reportPrivateUsage]
    content = b'["%s", "%s", ""]' % (before.api_key.encode(), before.api_secret.encode())
    row.sealed = vault.sealed_box.close(content, to=old_private.public_key().public_bytes_raw(), bound_to=binding)
    row.kek_id = "kold"
    session.commit()
    assert vault.reseal_outdated(session) == 1
    assert session.get_one(ExchangeSecret, account_id).kek_id == newest
    assert vault.open_credentials(session, account_id=account_id) == before
    assert vault.reseal_outdated(session) == 0
    assert clock.now()
