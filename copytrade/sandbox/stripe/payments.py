"""Taking money: payment intents, charges, invoices that get paid or not, refunds."""

from copytrade.sandbox.stripe import balance, cards, disputes, shapes_payment
from copytrade.sandbox.stripe.cards import Behaviour
from copytrade.sandbox.stripe.errors import ApiError, Json
from copytrade.sandbox.stripe.world import World


class CardError(ApiError):
    """A declined card; what was written stays written."""

    def __init__(self, message: str, *, code: str, decline_code: str | None) -> None:
        super().__init__(402, message, type="card_error", code=code, decline_code=decline_code)


def charge(world: World, intent: Json, *, method: Json, decline: Json | None) -> bool:
    """Try a card on an intent and log what happened; return whether it was paid."""
    tried = shapes_payment.charge(id=world.new_id("ch"), now=world.now(), intent=intent, method=method, decline=decline)
    if decline is None:
        card = cards.behaviour(world, method["id"])
        tried["balance_transaction"] = balance.book_charge(world, tried, at_once=card is Behaviour.AT_ONCE)["id"]
        world.emit("charge.succeeded", world.save(tried))
        world.change(
            intent,
            "payment_intent.succeeded",
            status="succeeded",
            amount_received=intent["amount"],
            latest_charge=tried["id"],
            payment_method=method["id"],
            last_payment_error=None,
            next_action=None,
        )
        if card is Behaviour.DISPUTES:
            disputes.create(world, tried, reason="fraudulent")
        return True
    world.emit("charge.failed", world.save(tried))
    error = {**decline, "charge": tried["id"], "payment_method": method, "type": "card_error"}
    world.change(
        intent,
        "payment_intent.payment_failed",
        status="requires_payment_method",
        latest_charge=tried["id"],
        last_payment_error=error,
    )
    return False


def new_intent(world: World, *, amount: int, currency: str, customer: str | None, description: str) -> Json:
    """Make a payment intent."""
    intent = world.save(
        shapes_payment.payment_intent(
            id=world.new_id("pi"),
            now=world.now(),
            amount=amount,
            currency=currency,
            customer=customer,
            description=description,
        )
    )
    world.emit("payment_intent.created", intent)
    return intent


def link(world: World, invoice: Json, intent: Json) -> Json:
    """Connect an intent with the invoice that it pays."""
    return world.save(
        shapes_payment.invoice_payment(id=world.new_id("inpay"), now=world.now(), invoice=invoice, intent=intent["id"])
    )


def invoice_intent(world: World, invoice: Json) -> Json:
    """Return the payment intent of an open invoice."""
    linked = world.store.find("invoice_payment", invoice=invoice["id"])[0]
    return world.get("payment_intent", linked["payment"]["payment_intent"])


def mark_paid(world: World, invoice: Json) -> None:
    """Write an invoice whose intent succeeded as paid."""
    now = world.now()
    for linked in world.store.find("invoice_payment", invoice=invoice["id"]):
        world.change(
            linked,
            "invoice_payment.paid",
            status="paid",
            amount_paid=invoice["amount_due"],
            status_transitions={"canceled_at": None, "paid_at": now},
        )
    invoice.update(
        status="paid",
        attempted=True,
        attempt_count=invoice["attempt_count"] + (1 if invoice["amount_due"] else 0),
        auto_advance=False,
        amount_paid=invoice["amount_due"],
        amount_remaining=0,
        next_payment_attempt=None,
        status_transitions={**invoice["status_transitions"], "paid_at": now},
    )
    world.save(invoice)
    world.emit("invoice.paid", invoice)
    world.emit("invoice.payment_succeeded", invoice)


def mark_failed(world: World, invoice: Json, *, next_attempt: int | None) -> None:
    """Count a failed try on an invoice."""
    invoice.update(
        attempted=True,
        attempt_count=invoice["attempt_count"] + 1,
        next_payment_attempt=next_attempt,
        auto_advance=next_attempt is not None,
    )
    world.save(invoice)
    world.emit("invoice.payment_failed", invoice)
    error = invoice_intent(world, invoice)["last_payment_error"] or {}
    if error.get("code") == "authentication_required":
        world.emit("invoice.payment_action_required", invoice)


def card_error(world: World, invoice: Json) -> Json:
    """Return why the last try on an invoice failed."""
    without = {"code": "missing_payment_method", "decline_code": None, "message": "There is no card to pay with."}
    return invoice_intent(world, invoice)["last_payment_error"] or without


def try_card(world: World, intent: Json, method: str, *, holder: bool = False) -> bool:
    """Charge a stored card, without its holder as renewals do, or when he has just confirmed."""
    stored = world.get("payment_method", method)
    return charge(world, intent, method=stored, decline=cards.decline(world, stored, holder=holder))


def refund(world: World, *, charge: Json, amount: int | None, reason: str | None, metadata: dict[str, str]) -> Json:
    """Give money back, all that is left unless an amount is told."""
    left = charge["amount_captured"] - charge["amount_refunded"]
    disputes.refuse_refund(world, charge)
    if not charge["paid"]:
        raise ApiError(400, "This charge was not paid, so it cannot be refunded.", code="charge_not_refundable")
    if left == 0:
        raise ApiError(
            400, f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded", param="charge"
        )
    if amount is not None and amount > left:
        raise ApiError(
            400, f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})", param="amount"
        )
    body = shapes_payment.refund(
        id=world.new_id("re"),
        now=world.now(),
        charge=charge,
        amount=left if amount is None else amount,
        reason=reason,
        metadata=metadata,
    )
    # Stripe keeps its fee of the charge: the money that goes back is written without one.
    body["balance_transaction"] = balance.book(
        world, kind="refund", source=body["id"], amount=-body["amount"], currency=body["currency"], description="REFUND"
    )["id"]
    world.save(body)
    refunded = charge["amount_refunded"] + body["amount"]
    world.change(charge, "charge.refunded", amount_refunded=refunded, refunded=refunded == charge["amount_captured"])
    world.emit("refund.created", body)
    return body
