"""Disputes: the bank takes the money back, the account answers, the bank decides."""

from copytrade.sandbox.stripe import balance, shapes_money
from copytrade.sandbox.stripe.currencies import DISPUTE_FEE
from copytrade.sandbox.stripe.errors import ApiError, Json, invalid
from copytrade.sandbox.stripe.forms import allow, boolean, mapping, metadata
from copytrade.sandbox.stripe.schedule import DAY
from copytrade.sandbox.stripe.world import World

UPDATE = ("evidence", "submit", "metadata")
ANSWER_DAYS = 14
REASONS = (
    "bank_cannot_process",
    "credit_not_processed",
    "duplicate",
    "fraudulent",
    "general",
    "product_not_received",
    "product_unacceptable",
    "subscription_canceled",
    "unrecognized",
)
_OPEN = ("needs_response", "under_review")
_DECIDED_BY_WORDS = {"winning_evidence": "won", "losing_evidence": "lost"}


def create(world: World, charge: Json, *, reason: str, amount: int | None = None) -> Json:
    """Dispute a charge: the bank takes the money at once, and Stripe its fee."""
    if not charge["paid"] or charge["disputed"]:
        raise ApiError(400, f"Charge {charge['id']} cannot be disputed.", param="charge")
    if reason not in REASONS:
        raise invalid("reason", f"Invalid reason: must be one of {', '.join(REASONS)}")
    left = charge["amount_captured"] - charge["amount_refunded"]
    taken = left if amount is None else amount
    if not 0 < taken <= left:
        raise invalid("amount", f"A dispute of this charge can be of 1 to {left}.")
    now = world.now()
    due_by = (now // DAY + ANSWER_DAYS) * DAY - 1
    body = shapes_money.dispute(
        id=world.new_id("du"), now=now, charge=charge, amount=taken, reason=reason, due_by=due_by
    )
    world.emit("charge.dispute.created", world.save(body))
    world.change(charge, "charge.updated", disputed=True)
    moved = balance.book(
        world,
        kind="dispute",
        source=body["id"],
        amount=-taken,
        currency=body["currency"],
        description=f"Chargeback withdrawal for {charge['id']}",
        fee=DISPUTE_FEE,
        fee_text="Dispute fee",
    )
    return world.change(body, "charge.dispute.funds_withdrawn", balance_transactions=[moved])


def refuse_refund(world: World, charge: Json) -> None:
    """Refuse to give back what the bank has taken already."""
    if charge["disputed"] and world.store.find("dispute", charge=charge["id"])[0]["status"] != "won":
        raise ApiError(
            400, f"Charge {charge['id']} has been charged back; cannot issue a refund.", code="charge_disputed"
        )


def update(world: World, params: Json, ids: tuple[str, ...]) -> Json:
    """Handle POST /v1/disputes/:id; submitted evidence goes to the bank and can be changed no more."""
    body = world.get("dispute", ids[0])
    given = mapping(params, "evidence")
    allow(given, shapes_money.EVIDENCE_TEXTS, prefix="evidence")
    if given and body["status"] != "needs_response":
        raise ApiError(400, "This dispute has already been submitted or closed: its evidence cannot be changed.")
    evidence = {**body["evidence"], **{name: str(value) or None for name, value in given.items()}}
    details = {**body["evidence_details"]}
    details["has_evidence"] = details["has_evidence"] or bool(given)
    status = body["status"]
    # As at Stripe, evidence is submitted with the call that brings it unless that says otherwise.
    if details["has_evidence"] and boolean(params, "submit", default=bool(given)):
        details |= {"submission_count": details["submission_count"] + 1, "submission_method": "manual"}
        status = "under_review"
    body = world.change(
        body,
        "charge.dispute.updated",
        evidence=evidence,
        evidence_details=details,
        status=status,
        metadata=metadata(params, old=body["metadata"]),
    )
    words = str(evidence["uncategorized_text"] or "")
    if status == "under_review" and words in _DECIDED_BY_WORDS:
        return decide(world, body, status=_DECIDED_BY_WORDS[words])
    return body


def close(world: World, params: Json, ids: tuple[str, ...]) -> Json:
    """Handle POST /v1/disputes/:id/close: the account gives it up."""
    return decide(world, world.get("dispute", ids[0]), status="lost")


def decide(world: World, body: Json, *, status: str) -> Json:
    """End a dispute; a won one gives the money back, but not the fee."""
    if body["status"] not in _OPEN:
        raise ApiError(400, f"This dispute is already closed: {body['id']}", param="dispute")
    if status not in ("won", "lost"):
        raise invalid("status", "A dispute is won or lost.")
    world.change(body, "charge.dispute.closed", status=status)
    if status == "lost":
        return body
    moved = balance.book(
        world,
        kind="dispute_reversal",
        source=body["id"],
        amount=body["amount"],
        currency=body["currency"],
        description=f"Chargeback reversal for {body['charge']}",
    )
    return world.change(
        body, "charge.dispute.funds_reinstated", balance_transactions=[*body["balance_transactions"], moved]
    )


def let_lapse(world: World, body: Json) -> None:
    """Lose a dispute that nobody answered in time."""
    world.change(body, "charge.dispute.updated", evidence_details={**body["evidence_details"], "past_due": True})
    decide(world, body, status="lost")
