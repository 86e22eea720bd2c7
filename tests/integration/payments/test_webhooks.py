"""The door for webhooks: only Stripe's own, only fresh ones, each once."""

import json
import time

import pytest
import stripe as sdk
from sqlmodel import Session, select

from copytrade import clock
from copytrade.db.events import Event
from copytrade.errors import NotAllowed, NotFound
from copytrade.payments import events, inbox, queries, service
from copytrade.payments.models import Checkout, InboxState, PaidPeriod, WebhookEvent
from copytrade.settings import Settings, settings
from copytrade.subscriptions.models import Profile, Subscription
from copytrade.users.service import make_operator
from tests.integration.payments.paying import Stripe
from tests.integration.subscriptions.market import opened, subscribed
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
        _signed(at=time.time() - events.TOLERANCE_S - 5),
        _signed(at=time.time() + events.TOLERANCE_S + 5),
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


@pytest.mark.parametrize(
    "body",
    ["[]", "{}", "null", "not json", '{"id": "evt_1"}', '{"id": "1", "type": "x", "data": 1}',
     '{"id": "1", "type": "x", "data": {}}', '{"id": "1", "type": "x", "data": {"object": []}}'],
)  # fmt: skip
def test_a_signed_body_that_is_no_event_stores_nothing(session: Session, body: str) -> None:
    with pytest.raises(NotAllowed):
        _give(session, _signed(body), body)
    assert _stored(session) == []


def test_without_a_secret_everything_is_refused(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    without = Settings(stripe_webhook_secret="")  # pyright: ignore[reportArgumentType]
    monkeypatch.setattr(events, "settings", lambda: without)
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


UNKNOWN = {
    "customer.subscription.updated": {"id": "sub_of_nobody"},
    "invoice.paid": {"id": "in_1", "parent": {"subscription_details": {"subscription": "sub_of_nobody"}}},
    "checkout.session.completed": {"id": "cs_of_nobody"},
    "charge.refunded": {"id": "ch_of_nobody"},
    "refund.updated": {"id": "re_1", "charge": "ch_of_nobody"},
    "charge.dispute.created": {"id": "dp_of_nobody", "charge": "ch_of_nobody"},
    "account.updated": {"id": "acct_of_nobody"},
}


def _event(id: str, type: str, found: object) -> str:
    return json.dumps({"id": id, "type": type, "api_version": "x", "data": {"object": found}})


def test_events_of_objects_that_nobody_knows_are_tried_for_a_while_and_then_ignored(
    session: Session, stripe: Stripe
) -> None:
    for type, found in UNKNOWN.items():
        _give(session, _signed(body := _event(f"evt_{type}", type, found)), body)
    session.commit()
    for _ in range(inbox.MOST_UNKNOWN):
        for row in session.exec(select(WebhookEvent).where(WebhookEvent.state == InboxState.PENDING)):
            row.try_at = clock.real_now()
        session.commit()
        service.process_events()
        session.expire_all()
    states = dict(session.exec(select(WebhookEvent.id, WebhookEvent.state)).all())
    assert states == {f"evt_{type}": "ignored" for type in UNKNOWN}
    assert session.exec(select(Event)).all() == []


@pytest.mark.parametrize("comes", [True, False])
def test_an_event_before_our_own_row_waits_for_it_and_is_ignored_where_it_never_comes(
    session: Session, stripe: Stripe, comes: bool
) -> None:
    """Bob's subscription is at Stripe, paid, but not in our tables yet: as where another process is about to commit."""
    market = opened(session)
    id = subscribed(session, market)
    stripe.pay(service.start_payment(session, owner=market.bob.id, subscription_id=id).url)
    session.commit()
    stripe.wait_for("checkout.session.completed")
    row, page = session.get_one(Subscription, id), session.exec(select(Checkout)).one()
    kept, held = row.model_dump(), page.model_dump()
    session.delete(row)
    session.delete(page)
    session.commit()
    stripe.hand_over(session)
    waiting = session.exec(select(WebhookEvent).where(WebhookEvent.state == InboxState.PENDING)).all()
    assert {one.type for one in waiting} >= {"checkout.session.completed", "invoice.paid"}
    assert all("was not found" in one.error for one in waiting)
    if comes:
        session.add_all([Subscription(**kept), Checkout(**held)])
    for _ in range(inbox.MOST_UNKNOWN):
        for one in session.exec(select(WebhookEvent).where(WebhookEvent.state == InboxState.PENDING)):
            one.try_at = clock.real_now()
        session.commit()
        service.process_events()
        session.expire_all()
    assert set(session.exec(select(WebhookEvent.state)).all()) == ({"done", "ignored"} if comes else {"ignored"})
    assert session.exec(select(Subscription.state)).all() == (["active"] if comes else [])
    assert len(session.exec(select(PaidPeriod)).all()) == comes


@pytest.mark.parametrize(
    ("type", "body"),
    [
        ("charge.refunded", "not json"),
        ("charge.refunded", '{"data": {"object": {"no": "id"}}}'),
        ("customer.subscription.updated", '{"data": {"object": {"id": "sub_\\u0000"}}}'),
        ("refund.created", '{"data": {"object": {"id": "re_1", "charge": null}}}'),
        ("invoice.paid", '{"data": {"object": {"parent": {"subscription_details": {"subscription": 5}}}}}'),
    ],
)
def test_an_event_that_cannot_be_read_blocks_no_other_and_calls_the_operators(
    session: Session, type: str, body: str
) -> None:
    now = clock.real_now()
    session.add(WebhookEvent(id="evt_0", type=type, api_version="", body=body, try_at=now, received_at=now))
    harmless = BODY.replace("invoice.paid", "price.created")
    _give(session, _signed(harmless), harmless)
    session.commit()
    service.process_events()
    session.expire_all()
    states = dict(session.exec(select(WebhookEvent.id, WebhookEvent.state)).all())
    assert states == {"evt_0": "failed", "evt_1": "ignored"}
    assert session.exec(select(Event.cause).where(Event.kind == "alarm.webhook_failed")).all() == ["evt_0"]


def test_an_event_that_crashes_the_job_blocks_no_other(session: Session, stripe: Stripe) -> None:
    """A subscription whose profile was torn out of the tables is a bug: it is raised, once the rest is done."""
    market = opened(session)
    id = subscribed(session, market)
    stripe.pay(service.start_payment(session, owner=market.bob.id, subscription_id=id).url)
    session.commit()
    stripe.wait_for("invoice.paid")
    session.delete(session.get_one(Profile, market.profile_id))
    session.commit()
    unknown = _event("evt_0", "charge.refunded", {"id": "ch_of_nobody"})
    _give(session, _signed(unknown), unknown)
    with pytest.raises(KeyError):
        stripe.hand_over(session)
    session.expire_all()
    rows = {row.id: row for row in session.exec(select(WebhookEvent))}
    assert (rows["evt_0"].state, rows["evt_0"].attempts) == ("pending", 1)
    assert "resource_missing" in rows["evt_0"].error
    assert {row.state for row in rows.values() if row.type == "invoice.paid"} == {"pending"}


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
