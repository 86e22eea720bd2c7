"""When a clock next has something to do with an object."""

from copytrade.sandbox.stripe.errors import Json
from copytrade.sandbox.stripe.store import Store

DAY = 86_400
UPCOMING_DAYS = 7
"""So long before a renewal its invoice is announced."""
TRIAL_NOTICE_DAYS = 3
INCOMPLETE_S = 23 * 3_600
"""So long a subscription waits for its first payment."""


def due(store: Store, body: Json) -> int | None:
    """Return the second at which something happens to an object by itself, None for never."""
    match body["object"]:
        case "subscription":
            return _subscription(store, body)
        case "invoice" if body["status"] == "open":
            return body["next_payment_attempt"]
        case "checkout.session" if body["status"] == "open":
            return body["expires_at"]
        case "dispute" if body["status"] == "needs_response":
            return body["evidence_details"]["due_by"]
        case "payout" if body["status"] in ("pending", "in_transit"):
            return body["arrival_date"]
        case "account":
            return store.switch(f"payout:{body['id']}", None)
        case _:
            return None


def told(store: Store, id: str) -> Json:
    """Return what was announced of a subscription: `upcoming` and `trial`, each with the moment it was about."""
    return store.switch(f"told:{id}", {})


def trial_ends_soon(body: Json, *, now: int) -> bool:
    """Tell whether the end of a trial is to be announced."""
    return body["status"] == "trialing" and body["trial_end"] - TRIAL_NOTICE_DAYS * DAY <= now


def _subscription(store: Store, body: Json) -> int | None:
    if body["status"] in ("canceled", "incomplete_expired"):
        return None
    if body["status"] == "incomplete":
        return body["created"] + INCOMPLETE_S
    end = body["items"]["data"][0]["current_period_end"]
    known, moments, ends = told(store, body["id"]), [], body["cancel_at"]
    if body["status"] != "paused":
        moments.append(end)
        if known.get("upcoming") != end and body["status"] in ("active", "trialing") and (not ends or ends > end):
            moments.append(end - UPCOMING_DAYS * DAY)
    if body["status"] == "trialing" and known.get("trial") != body["trial_end"]:
        moments.append(body["trial_end"] - TRIAL_NOTICE_DAYS * DAY)
    if ends:
        moments.append(ends)
    resumes = (body["pause_collection"] or {}).get("resumes_at")
    if resumes:
        moments.append(resumes)
    return min(moments, default=None)
