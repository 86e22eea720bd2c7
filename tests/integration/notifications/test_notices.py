"""Events become notices and mails, once each, in the reader's language."""

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlmodel import Session, select

from copytrade import clock
from copytrade.db.events import Event, record
from copytrade.db.session import transaction
from copytrade.errors import InvalidInput, NotAllowed, NotFound
from copytrade.i18n import translate
from copytrade.notifications import post, queries, service
from copytrade.notifications.models import Mail, Notice
from copytrade.notifications.texts import TEXTS
from copytrade.users import service as users
from copytrade.users.person import Person
from tests.integration.users import people


@pytest.fixture
def mailbox(sandbox: Any) -> Generator[str]:
    """The sandbox's mailbox, empty; the address of its messages."""
    address = f"{sandbox.url}/mail/messages"
    httpx.delete(address)
    yield address
    httpx.delete(address)


def _delivered(session: Session) -> None:
    session.commit()
    service.deliver_due()
    session.expire_all()


def _mails(mailbox: str, person: Person) -> list[dict[str, Any]]:
    return httpx.get(mailbox, params={"to": person.email}).json()


def test_registering_gives_a_notice_and_a_mail(session: Session, mailbox: str) -> None:
    bob = people.bob(session)
    _delivered(session)
    (notice,) = queries.inbox(session, owner=bob.id)
    assert (notice.kind, notice.title, notice.path) == ("user.registered", "Welcome to CopyTrade", "/accounts")
    assert queries.unread(session, owner=bob.id) == 1
    (mail,) = _mails(mailbox, bob)
    assert mail["subject"] == "Welcome to CopyTrade"
    assert "/accounts" in mail["text"]
    assert "/accounts" in mail["html"]


def test_delivering_twice_tells_once(session: Session, mailbox: str) -> None:
    bob = people.bob(session)
    _delivered(session)
    for event in session.exec(select(Event)):
        event.handled_at = None
    _delivered(session)
    assert len(_mails(mailbox, bob)) == 1
    assert len(queries.inbox(session, owner=bob.id)) == 1


def test_a_russian_reader_is_written_to_in_russian(session: Session, mailbox: str) -> None:
    bob = people.bob(session)
    users.set_locale(session, user_id=bob.id, locale="ru")
    record(session, "copy.skipped", user_id=bob.id, trader="Nordwind", symbol="BTC/USDT")
    _delivered(session)
    subjects = {mail["subject"] for mail in _mails(mailbox, bob)}
    assert "Сделка не скопирована" in subjects
    bodies = [notice.body for notice in queries.inbox(session, owner=bob.id)]
    assert "Nordwind: BTC/USDT пропущено. Причина указана в копиях." in bodies


def test_every_kind_has_a_russian_text(session: Session) -> None:
    english = {said for text in TEXTS.values() for said in (text.title, text.body)}
    assert [said for said in english if translate(said, "ru") == said] == []


def test_a_moment_is_told_in_the_readers_zone(session: Session, mailbox: str) -> None:
    bob = people.bob(session)
    users.set_timezone(session, user_id=bob.id, timezone="Europe/Moscow")
    record(session, "payment.failed", user_id=bob.id, trader="Nordwind", until="2026-05-01T21:30:00+00:00")
    _delivered(session)
    assert "2 May 2026, 00:30" in queries.inbox(session, owner=bob.id)[0].body


def test_an_alarm_reaches_every_operator_once_per_cause(session: Session, mailbox: str) -> None:
    bob = people.bob(session)
    operators = [users.make_operator(session, email=f"{name}@copytrade.example") for name in ("olga", "oscar")]
    for cause in ("order-1", "order-1", "order-2"):
        record(session, "alarm.unknown_order", cause=cause, order=cause)
    _delivered(session)
    record(session, "alarm.unknown_order", cause="order-1", order="order-1")
    _delivered(session)
    told = session.exec(select(Notice).where(Notice.kind == "alarm.unknown_order")).all()
    assert sorted((str(row.user_id), row.facts["order"]) for row in told) == sorted(
        (str(_id(operator)), order) for operator in operators for order in ("order-1", "order-2")
    )
    assert all(row.user_id != bob.id for row in told)
    alarms = [mail for mail in httpx.get(mailbox).json() if mail["subject"] == "Alarm: unknown order"]
    assert len(alarms) == 4


def _id(operator: Any) -> Any:
    return operator[0].id if isinstance(operator, tuple) else operator.id


def test_a_preference_switches_off_what_it_may(session: Session, mailbox: str) -> None:
    bob = people.bob(session)
    service.set_preference(session, owner=bob.id, kind="copy.skipped", channel="mail", is_on=False)
    with pytest.raises(InvalidInput):
        service.set_preference(session, owner=bob.id, kind="account.linked", channel="mail", is_on=False)
    record(session, "copy.skipped", user_id=bob.id, trader="Nordwind", symbol="BTC/USDT")
    record(session, "account.linked", user_id=bob.id, label="Main")
    _delivered(session)
    assert {mail["subject"] for mail in _mails(mailbox, bob)} == {"Welcome to CopyTrade", "Exchange account linked"}
    assert {row.kind for row in queries.inbox(session, owner=bob.id)} >= {"copy.skipped", "account.linked"}
    shown = {row.kind: row for row in queries.preferences(session, owner=bob.id)}
    assert (shown["copy.skipped"].mail, shown["copy.skipped"].app) == (False, True)
    assert shown["account.linked"].is_fixed


def test_mallory_marks_nothing_of_bobs_as_read(session: Session, mailbox: str) -> None:
    bob, mallory = people.bob(session), people.mallory(session)
    _delivered(session)
    (notice,) = queries.inbox(session, owner=bob.id)
    service.mark_read(session, owner=mallory.id, notice_id=notice.id)
    service.mark_read(session, owner=mallory.id)
    session.expire_all()
    assert queries.unread(session, owner=bob.id) == 1
    service.mark_read(session, owner=bob.id, notice_id=notice.id)
    session.expire_all()
    assert queries.unread(session, owner=bob.id) == 0
    assert [row.kind for row in queries.inbox(session, owner=mallory.id)] == ["user.registered"]


def test_names_with_markup_stay_text(session: Session, mailbox: str) -> None:
    bob = people.bob(session)
    name = "<script>alert(1)</script>\r\nBcc: x@y"
    record(session, "subscription.activated", user_id=bob.id, trader=name)
    _delivered(session)
    (mail,) = [mail for mail in _mails(mailbox, bob) if mail["subject"] == "Your subscription is active"]
    assert "<script>" not in mail["html"]
    assert "&lt;script&gt;" in mail["html"]
    assert mail["to"] == [bob.email]


def test_a_fact_that_is_missing_is_a_dash(session: Session, mailbox: str) -> None:
    bob = people.bob(session)
    record(session, "copy.failed", user_id=bob.id, trader="Nordwind")
    _delivered(session)
    assert queries.inbox(session, owner=bob.id)[0].body.startswith("Nordwind: – could not")


def test_a_mail_waits_for_a_server_that_is_away_and_goes_out_once(
    session: Session, mailbox: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bob = people.bob(session)
    right = post.settings()
    monkeypatch.setattr(post, "settings", lambda: right.model_copy(update={"smtp_port": 1}))
    _delivered(session)
    assert session.exec(select(Mail.state)).all() == ["pending"]
    monkeypatch.setattr(post, "settings", lambda: right)
    for mail in session.exec(select(Mail)):
        mail.try_at = clock.real_now()
    _delivered(session)
    _delivered(session)
    assert session.exec(select(Mail.state)).all() == ["sent"]
    assert len(_mails(mailbox, bob)) == 1


def test_a_service_tells_a_person_something_once_by_its_key(session: Session, mailbox: str) -> None:
    bob = people.bob(session)
    facts = {"trader": "Nordwind", "symbol": "BTC/USDT"}
    told = [
        service.notify(session, user_id=bob.id, kind="copy.failed", facts=facts, dedupe_key="one") for _ in range(2)
    ]
    assert told == [True, False]
    _delivered(session)
    assert len([mail for mail in _mails(mailbox, bob) if mail["subject"] == "A copy failed"]) == 1


def test_a_service_tells_nothing_of_an_unknown_kind_to_nobody_or_too_much(session: Session) -> None:
    bob = people.bob(session)
    with pytest.raises(InvalidInput):
        service.notify(session, user_id=bob.id, kind="alarm.fire", facts={})
    with pytest.raises(InvalidInput):
        service.notify(session, user_id=bob.id, kind="copy.failed", facts={"trader": "x" * 600})
    with pytest.raises(NotFound):
        service.notify(session, user_id=uuid4(), kind="copy.failed", facts={})


def test_an_address_that_the_server_refuses_does_not_hold_up_the_others(session: Session, mailbox: str) -> None:
    lost = people._registered(session, "refused@copytrade.example", is_subscriber=True)
    bob = people.bob(session)
    _delivered(session)
    rows = {row.user_id: row for row in session.exec(select(Mail))}
    assert (rows[lost.id].state, rows[lost.id].error) == ("pending", "SMTPRecipientsRefused")
    assert rows[bob.id].state == "sent"
    assert len(_mails(mailbox, bob)) == 1
    rows[lost.id].attempts, rows[lost.id].try_at = post.MOST_ATTEMPTS - 1, clock.real_now()
    _delivered(session)
    assert session.exec(select(Mail.state).where(Mail.user_id == lost.id)).one() == "failed"
    [failed] = queries.failed_mails(session)
    operator, _ = users.make_operator(session, email="olga@copytrade.example")
    with pytest.raises(NotAllowed):
        service.send_again(session, by=bob.id, mail_id=failed.id)
    service.send_again(session, by=operator.id, mail_id=failed.id)
    assert queries.failed_mails(session) == []
    with pytest.raises(NotFound):
        service.send_again(session, by=operator.id, mail_id=failed.id)
    _delivered(session)
    assert session.exec(select(Mail.attempts).where(Mail.user_id == lost.id)).one() == 1


def test_several_workers_at_once_send_each_mail_once(committed: object, mailbox: str) -> None:
    with transaction() as session:
        persons = [
            people._registered(session, f"person{number}@copytrade.example", is_subscriber=True) for number in range(12)
        ]
    with ThreadPoolExecutor(4) as pool:
        for future in [pool.submit(service.deliver_due) for _ in range(4)]:
            future.result()
    service.deliver_due()
    sent = sorted(mail["to"][0] for mail in httpx.get(mailbox).json())
    assert sent == sorted(person.email for person in persons)
