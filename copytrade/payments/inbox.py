"""The webhooks' inbox: verified, stored once, worked off one by one."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any, cast

import stripe
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from copytrade import clock
from copytrade.db.bell import ring
from copytrade.db.events import record
from copytrade.db.session import transaction
from copytrade.errors import CopyTradeError, NotAllowed, NotFound
from copytrade.payments import sync
from copytrade.payments.models import InboxState, WebhookEvent
from copytrade.settings import settings

TOLERANCE_S = 300
"""How old, or how far in the future, a signature may be."""
MOST_ATTEMPTS = 12
_LONGEST_PAUSE_S = 3600
_LEASE_S = 90
_verify = cast("Callable[[str, str, str, int], bool]", stripe.WebhookSignature.verify_header)  # pyright: ignore[reportUnknownMemberType] - the SDK leaves its tolerance untyped
LARGEST_BODY = 1_000_000


def receive(session: Session, *, body: bytes, signature: str) -> None:
    """Store a webhook whose signature is Stripe's and fresh; a repeated one changes nothing."""
    event = _verified(body, signature)
    values = {
        "id": str(event["id"]),
        "type": str(event["type"]),
        "api_version": str(event.get("api_version") or ""),
        "body": body.decode(),
        "state": InboxState.PENDING,
        "attempts": 0,
        "error": "",
        "try_at": clock.real_now(),
        "received_at": clock.real_now(),
    }
    session.connection().execute(insert(WebhookEvent).values(values).on_conflict_do_nothing())
    ring(session, "billing")


def _verified(body: bytes, signature: str) -> dict[str, Any]:
    secret = settings().stripe_webhook_secret.get_secret_value()
    refusal = NotAllowed("webhook was not signed by Stripe", user="The signature is not valid.")
    if not secret or len(body) > LARGEST_BODY:
        raise refusal
    try:
        _verify(body.decode(), signature, secret, TOLERANCE_S)
        signed_at = int(dict(part.split("=", 1) for part in signature.split(","))["t"])
        event: object = json.loads(body)
    except (stripe.SignatureVerificationError, ValueError, KeyError):
        raise refusal from None
    if signed_at > clock.real_now().timestamp() + TOLERANCE_S:
        raise refusal
    if not isinstance(event, dict) or not {"id", "type", "data"} <= event.keys():
        raise refusal
    return cast("dict[str, Any]", event)


def work_off() -> int:
    """Handle every webhook that is due, each in a transaction of its own; return how many."""
    done = 0
    while _one():
        done += 1
    return done


def replay(session: Session, *, event_id: str) -> None:
    """Let a webhook that was given up be tried again from the start."""
    row = session.get(WebhookEvent, event_id, with_for_update=True)
    if row is None or row.state != InboxState.FAILED:
        raise NotFound(f"webhook {event_id} had not failed", user="There is no such failed message any more.")
    row.state, row.attempts, row.try_at = InboxState.PENDING, 0, clock.real_now()
    session.add(row)
    ring(session, "billing")


def _one() -> bool:
    with transaction() as session:
        row = session.exec(
            select(WebhookEvent)
            .where(WebhookEvent.state == InboxState.PENDING, col(WebhookEvent.try_at) <= clock.real_now())
            .order_by(col(WebhookEvent.received_at), col(WebhookEvent.id))
            .limit(1)
            .with_for_update(skip_locked=True)
        ).first()
        if row is None:
            return False
        _claim(session, row)
    if row.state == InboxState.PENDING:
        _work_on(row.id)
    return True


def _claim(session: Session, row: WebhookEvent) -> None:
    """Count the try and hide the row for a while, so that one which crashes the job never blocks the others."""
    if row.attempts >= MOST_ATTEMPTS:
        row.state = InboxState.FAILED
        record(session, "alarm.webhook_failed", cause=row.id, event=row.id, type=row.type, error=row.error)
    row.attempts += 1
    row.try_at = clock.real_now() + timedelta(seconds=_LEASE_S)
    session.add(row)


def _work_on(id: str) -> None:
    with transaction() as session:
        row = session.get_one(WebhookEvent, id)
        try:
            with session.begin_nested():
                is_ours = _handle(session, row.type, json.loads(row.body)["data"]["object"])
        except CopyTradeError as error:
            row.error = error.message
            row.try_at = clock.real_now() + timedelta(seconds=min(2**row.attempts, _LONGEST_PAUSE_S))
        else:
            row.state = InboxState.DONE if is_ours else InboxState.IGNORED
            row.handled_at, row.error = clock.real_now(), ""
        session.add(row)


def _handle(session: Session, type: str, body: dict[str, Any]) -> bool:
    """Act on one event; False where it is none of ours."""
    match type:
        case "checkout.session.completed" | "checkout.session.expired" | "checkout.session.async_payment_succeeded":
            return sync.checkout(session, stripe_session_id=body["id"])
        case "invoice.payment_failed" | "invoice.payment_action_required":
            id = _subscription_of(body)
            return bool(id) and sync.payment_failed(session, stripe_subscription_id=id, invoice_id=body["id"])
        case "charge.refunded":
            return sync.refund(session, charge_id=body["id"])
        case "charge.dispute.created":
            record(session, "alarm.dispute", cause=body["id"], dispute=body["id"], charge=body["charge"])
            return True
        case _ if type.startswith("customer.subscription."):
            return sync.subscription(session, stripe_subscription_id=body["id"])
        case "invoice.paid" | "invoice.voided" | "invoice.marked_uncollectible":
            id = _subscription_of(body)
            return bool(id) and sync.subscription(session, stripe_subscription_id=id)
        case _:
            return False


def _subscription_of(invoice: dict[str, Any]) -> str:
    parent: dict[str, Any] = invoice.get("parent") or {}
    details: dict[str, Any] = parent.get("subscription_details") or {}
    return str(details.get("subscription") or "")
