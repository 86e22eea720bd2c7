"""The door for webhooks: only Stripe's own, only fresh ones, each once."""

import json
import time

import pytest
import stripe as sdk
from sqlmodel import Session, select

from copytrade.db.events import Event
from copytrade.errors import NotAllowed, NotFound
from copytrade.payments import inbox, queries, service
from copytrade.payments.models import InboxState, WebhookEvent
from copytrade.settings import Settings, settings
from copytrade.users.service import make_operator
from tests.integration.users import people

BODY = json.dumps({"id": "evt_1", "type": "invoice.paid", "api_version": "x", "data": {"object": {"id": "in_1"}}})


def _signed(body: str = BODY, *, secret: str | None = None, at: float | None = None) -> str:
    key = settings().stripe_webhook_secret.get_secret_value() if secret is None else secret
    return sdk.WebhookSignature.generate_signature_header(body, key, int(at or time.time()))


def _give(session: Session, signature: str, body: str = BODY) -> None:
    service.receive_webhook(session, body=body.encode(), signature=signature)


def _stored(session: Session) -> list[str]:
    return list(session.exec(select(WebhookEvent.id)).all())


def test_a_signed_webhook_is_stored_once(session: Session) -> None:
    for _ in range(50):
        _give(session, _signed())
    assert _stored(session) == ["evt_1"]


def test_a_forged_old_future_or_missing_signature_stores_nothing(session: Session) -> None:
    bad = [
        _signed(secret="whsec_of_somebody_else"),
        _signed(secret="whsec_"),
        _signed(at=time.time() - inbox.TOLERANCE_S - 5),
        _signed(at=time.time() + inbox.TOLERANCE_S + 5),
        "",
        "t=1,v1=abc",
        "t=abc,v1=abc",
        "v1=abc",
        _signed().replace("v1=", "v0="),
    ]
    for signature in bad:
        with pytest.raises(NotAllowed):
            _give(session, signature)
    assert _stored(session) == []


def test_a_tampered_body_stores_nothing(session: Session) -> None:
    with pytest.raises(NotAllowed):
        _give(session, _signed(), BODY.replace("in_1", "in_2"))
    assert _stored(session) == []


@pytest.mark.parametrize("body", ["[]", "{}", "null", "not json", '{"id": "evt_1"}'])
def test_a_signed_body_that_is_no_event_stores_nothing(session: Session, body: str) -> None:
    with pytest.raises(NotAllowed):
        _give(session, _signed(body), body)
    assert _stored(session) == []


def test_without_a_secret_everything_is_refused(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    without = Settings(stripe_webhook_secret="")  # pyright: ignore[reportArgumentType]
    monkeypatch.setattr(inbox, "settings", lambda: without)
    with pytest.raises(NotAllowed):
        _give(session, _signed(secret=""))
    assert _stored(session) == []


def test_an_event_that_is_none_of_ours_is_kept_and_ignored(session: Session) -> None:
    body = BODY.replace("invoice.paid", "price.created")
    _give(session, _signed(body), body)
    session.commit()
    service.process_events()
    session.expire_all()
    assert session.exec(select(WebhookEvent.state)).all() == ["ignored"]


def test_a_dispute_calls_the_operators_once(session: Session) -> None:
    for number in range(2):
        body = BODY.replace("invoice.paid", "charge.dispute.created").replace("evt_1", f"evt_{number}")
        body = body.replace('"id": "in_1"', '"id": "dp_1", "charge": "ch_1"')
        _give(session, _signed(body), body)
    session.commit()
    service.process_events()
    causes = session.exec(select(Event.cause).where(Event.kind == "alarm.dispute")).all()
    assert set(causes) == {"dp_1"}


def test_an_event_that_crashes_the_job_blocks_no_other(session: Session) -> None:
    broken = (
        BODY.replace("evt_1", "evt_0").replace('"id": "in_1"', '"no": "id"').replace("invoice.paid", "charge.refunded")
    )
    harmless = BODY.replace("invoice.paid", "price.created")
    _give(session, _signed(broken), broken)
    _give(session, _signed(harmless), harmless)
    session.commit()
    with pytest.raises(KeyError):
        service.process_events()
    service.process_events()
    session.expire_all()
    states = dict(session.exec(select(WebhookEvent.id, WebhookEvent.state)).all())
    assert states == {"evt_0": "pending", "evt_1": "ignored"}


def test_a_webhook_that_was_given_up_is_replayed_by_an_operator_only(session: Session) -> None:
    operator, _ = make_operator(session, email="olga@copytrade.example")
    mallory = people.mallory(session)
    _give(session, _signed())
    with pytest.raises(NotFound):
        service.replay_event(session, by=operator.id, event_id="evt_1")
    row = session.get_one(WebhookEvent, "evt_1")
    row.state, row.attempts, row.error = InboxState.FAILED, inbox.MOST_ATTEMPTS + 1, "Stripe did not answer"
    session.flush()
    assert [(one.id, one.error) for one in queries.failed_events(session)] == [("evt_1", "Stripe did not answer")]
    with pytest.raises(NotAllowed):
        service.replay_event(session, by=mallory.id, event_id="evt_1")
    service.replay_event(session, by=operator.id, event_id="evt_1")
    assert (row.state, row.attempts) == (InboxState.PENDING, 0)
    assert queries.failed_events(session) == []
