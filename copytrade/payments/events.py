"""Webhooks as they come in: whose signature holds, stored once; and what each makes us read again."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, cast

import stripe
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session

from copytrade import clock
from copytrade.db.bell import ring
from copytrade.errors import NotAllowed
from copytrade.payments.models import InboxState, WebhookEvent
from copytrade.settings import settings

TOLERANCE_S = 300
"""How old, or how far in the future, a signature may be."""
LARGEST_BODY = 1_000_000
_verify = cast("Callable[[str, str, str, int], bool]", stripe.WebhookSignature.verify_header)  # pyright: ignore[reportUnknownMemberType] - the SDK leaves its tolerance untyped
_CHECKOUT = frozenset(
    {
        "checkout.session.completed",
        "checkout.session.expired",
        "checkout.session.async_payment_succeeded",
        "checkout.session.async_payment_failed",
    }
)
_INVOICE = frozenset(
    {
        "invoice.paid",
        "invoice.payment_failed",
        "invoice.payment_action_required",
        "invoice.voided",
        "invoice.marked_uncollectible",
        "invoice.upcoming",
    }
)
_ID = re.compile(r"[A-Za-z0-9_]{3,255}")
_PREFIXES = ("customer.subscription.", "charge.dispute.", "charge.refund", "refund.", "account.")


class TargetKind(StrEnum):
    """What is read again."""

    SUBSCRIPTION = "subscription"
    CHECKOUT = "checkout"
    CHARGE = "charge"
    DISPUTE = "dispute"
    ACCOUNT = "account"


@dataclass(frozen=True, slots=True)
class Target:
    """What an event makes us read again; `of` is the charge of a dispute."""

    kind: TargetKind
    id: str
    of: str = ""

    @property
    def name(self) -> str:
        """How a row of the inbox names it."""
        return f"{self.kind}:{self.id}"


def receive(session: Session, *, body: bytes, signature: str) -> None:
    """Store a webhook whose signature is Stripe's and fresh; a repeated one changes nothing."""
    event = _verified(body, signature)
    now, text, type = clock.real_now(), body.decode(), str(event["type"])
    concerns, target = _concerns(type, text)
    values = {
        "id": str(event["id"]),
        "type": type,
        "api_version": str(event.get("api_version") or ""),
        "body": text,
        "target": target,
        "state": InboxState.PENDING if concerns else InboxState.IGNORED,
        "attempts": 0,
        "error": "",
        "try_at": now,
        "received_at": now,
        "handled_at": None if concerns else now,
    }
    session.connection().execute(insert(WebhookEvent).values(values).on_conflict_do_nothing())
    if concerns:
        ring(session, "billing")


def _concerns(type: str, body: str) -> tuple[bool, str]:
    """Say whether an event concerns us, and what it makes us read; one that cannot be read is given up later."""
    try:
        target = target_of(type, body)
    except ValueError:
        return True, ""
    return target is not None, target.name if target else ""


def _verified(body: bytes, signature: str) -> dict[str, Any]:
    config = settings()
    secrets = [one.get_secret_value() for one in (config.stripe_webhook_secret, config.stripe_connect_webhook_secret)]
    refusal = NotAllowed("webhook was not signed by Stripe", user="The signature is not valid.")
    if len(body) > LARGEST_BODY:
        raise refusal
    try:
        text = body.decode()
        signed_at = int(dict(part.split("=", 1) for part in signature.split(","))["t"])
        if not any(_is_signed(text, signature, secret) for secret in secrets if secret):
            raise refusal
        event: object = json.loads(text)
    except (ValueError, KeyError):
        raise refusal from None
    if signed_at > clock.real_now().timestamp() + TOLERANCE_S:
        raise refusal
    if not _is_event(event):
        raise refusal
    return cast("dict[str, Any]", event)


def _is_event(given: object) -> bool:
    if not isinstance(given, dict) or not {"id", "type", "data"} <= given.keys():
        return False
    data = cast("dict[str, object]", given)["data"]
    return isinstance(data, dict) and isinstance(cast("dict[str, object]", data).get("object"), dict)


def _is_signed(text: str, signature: str, secret: str) -> bool:
    try:
        return _verify(text, signature, secret, TOLERANCE_S)
    except stripe.SignatureVerificationError:
        return False


def target_of(type: str, body: str) -> Target | None:
    """Return what an event makes us read again; None where it tells nothing that concerns us.

    ValueError where it concerns us and names nothing that could be an id.
    """
    is_ours = type in _CHECKOUT or type in _INVOICE or type.startswith(_PREFIXES)
    if not is_ours:
        return None
    found: dict[str, Any] = json.loads(body)["data"]["object"]
    if type in _CHECKOUT:
        return Target(TargetKind.CHECKOUT, _text(found, "id"))
    if type in _INVOICE:
        id = _subscription_of(found)
        return Target(TargetKind.SUBSCRIPTION, id) if id else None
    if type.startswith("customer.subscription."):
        return Target(TargetKind.SUBSCRIPTION, _text(found, "id"))
    if type.startswith("charge.dispute."):
        return Target(TargetKind.DISPUTE, _text(found, "id"), of=_text(found, "charge"))
    if type.startswith("account."):
        return Target(TargetKind.ACCOUNT, _text({"id": json.loads(body).get("account") or found.get("id")}, "id"))
    # Refunds are objects of their own, whose charge is read with all of them.
    return Target(TargetKind.CHARGE, _text(found, "id" if type == "charge.refunded" else "charge"))


def _text(found: dict[str, Any], name: str) -> str:
    text = found.get(name)
    if not isinstance(text, str) or not _ID.fullmatch(text):
        raise ValueError(f"{name} was no id of Stripe's")
    return text


def _subscription_of(invoice: dict[str, Any]) -> str:
    parent: dict[str, Any] = invoice.get("parent") or {}
    details: dict[str, Any] = parent.get("subscription_details") or {}
    return _text(details, "subscription") if details.get("subscription") else ""
