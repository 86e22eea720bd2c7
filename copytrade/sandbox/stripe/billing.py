"""Subscriptions through time: first period, renewals, failed payments, the end."""

from copytrade.sandbox.stripe import payments, periods, shapes_billing
from copytrade.sandbox.stripe.errors import ApiError, Json
from copytrade.sandbox.stripe.world import World

RETRY_DAYS = (3, 5, 7)
"""Days between the tries of an unpaid renewal; after the last the subscription is canceled."""
_DAY = 86_400
_LIVE = ("active", "past_due", "trialing", "unpaid")


def period(subscription: Json) -> tuple[int, int]:
    """Return start and end of the current period."""
    item = subscription["items"]["data"][0]
    return item["current_period_start"], item["current_period_end"]


def create(world: World, *, customer: Json, price: Json, quantity: int, metadata: dict[str, str], method: Json) -> Json:
    """Make an incomplete subscription with its first, finalized invoice."""
    now, id = world.now(), world.new_id("sub")
    recurring = price["recurring"]
    end = periods.add(now, interval=recurring["interval"], count=recurring["interval_count"])
    item = shapes_billing.subscription_item(
        id=world.new_id("si"), now=now, subscription=id, price=price, quantity=quantity, period=(now, end)
    )
    subscription = shapes_billing.subscription(
        id=id,
        now=now,
        customer=customer["id"],
        currency=price["currency"],
        items=[item],
        metadata=metadata,
        default_payment_method=method["id"],
    )
    world.save(subscription)
    world.emit("customer.subscription.created", subscription)
    bill(world, subscription, customer=customer, reason="subscription_create")
    return subscription


def bill(world: World, subscription: Json, *, customer: Json, reason: str) -> Json:
    """Make and finalize the invoice of the current period."""
    now, id = world.now(), world.new_id("in")
    item, span = subscription["items"]["data"][0], period(subscription)
    amount = item["price"]["unit_amount"] * item["quantity"]
    name = world.get("product", item["price"]["product"])["name"]
    line = shapes_billing.invoice_line(
        id=world.new_id("il"),
        invoice=id,
        item=item,
        description=f"{item['quantity']} × {name}",
        amount=amount,
        period=span,
    )
    sequence = customer["next_invoice_sequence"]
    invoice = shapes_billing.invoice(
        id=id, now=now, subscription=subscription, customer=customer, amount=amount, lines=[line], billing_reason=reason
    )
    world.emit("invoice.created", world.save(invoice))
    invoice.update(
        status="open",
        number=f"{customer['invoice_prefix']}-{sequence:04d}",
        effective_at=now,
        ending_balance=0,
        hosted_invoice_url=f"{world.base}/invoice/{id}",
        status_transitions={**invoice["status_transitions"], "finalized_at": now},
    )
    world.emit("invoice.finalized", world.save(invoice))
    intent = payments.new_intent(
        world, amount=amount, currency=invoice["currency"], customer=customer["id"], description="Subscription"
    )
    payments.link(world, invoice, intent)
    customer["next_invoice_sequence"] = sequence + 1
    world.save(customer)
    subscription["latest_invoice"] = id
    world.save(subscription)
    return invoice


def settle(world: World, invoice: Json, *, method: str, next_attempt: int | None = None) -> bool:
    """Try to pay an open invoice with a stored card and move its subscription on."""
    subscription = world.get("subscription", invoice["parent"]["subscription_details"]["subscription"])
    if payments.try_card(world, payments.invoice_intent(world, invoice), method):
        payments.mark_paid(world, invoice)
        if subscription["status"] != "canceled":
            _status(world, subscription, "active")
        return True
    payments.mark_failed(world, invoice, next_attempt=next_attempt)
    if subscription["status"] == "active":
        _status(world, subscription, "past_due")
    return False


def renew(world: World, subscription: Json) -> None:
    """Do what the end of a period asks for: end it, or bill the next one."""
    if subscription["status"] not in _LIVE:
        world.save(subscription)
        return
    if subscription["cancel_at_period_end"]:
        end(world, subscription, reason=None)
        return
    item = subscription["items"]["data"][0]
    recurring, finished = item["price"]["recurring"], item["current_period_end"]
    next_end = periods.after(
        finished,
        anchor=subscription["billing_cycle_anchor"],
        interval=recurring["interval"],
        step=recurring["interval_count"],
    )
    item.update(current_period_start=finished, current_period_end=next_end)
    world.change(subscription, "customer.subscription.updated", items=subscription["items"])
    customer = world.get("customer", subscription["customer"])
    invoice = bill(world, subscription, customer=customer, reason="subscription_cycle")
    settle(world, invoice, method=card_of(subscription, customer), next_attempt=world.now() + RETRY_DAYS[0] * _DAY)


def card_of(subscription: Json, customer: Json) -> str:
    """Return the payment method that a renewal charges."""
    found = subscription["default_payment_method"] or customer["invoice_settings"]["default_payment_method"]
    if found is None:
        raise ApiError(400, "This customer has no attached payment source or default payment method.")
    return found


def retry(world: World, invoice: Json) -> None:
    """Try an unpaid renewal again; the last failure cancels the subscription."""
    subscription = world.get("subscription", invoice["parent"]["subscription_details"]["subscription"])
    if invoice["status"] != "open" or subscription["status"] not in _LIVE:
        world.save(invoice)
        return
    customer, tries = world.get("customer", subscription["customer"]), invoice["attempt_count"]
    again = world.now() + RETRY_DAYS[tries] * _DAY if tries < len(RETRY_DAYS) else None
    if not settle(world, invoice, method=card_of(subscription, customer), next_attempt=again) and again is None:
        end(world, world.get("subscription", subscription["id"]), reason="payment_failed")


def end(world: World, subscription: Json, *, reason: str | None) -> Json:
    """Cancel a subscription now."""
    now = world.now()
    details = {**subscription["cancellation_details"], "reason": reason or "cancellation_requested"}
    return world.change(
        subscription,
        "customer.subscription.deleted",
        status="canceled",
        ended_at=now,
        canceled_at=subscription["canceled_at"] or now,
        cancellation_details=details,
    )


def cancel_later(world: World, subscription: Json, *, wanted: bool) -> Json:
    """Let a subscription end with its period, or take that back."""
    return world.change(
        subscription,
        "customer.subscription.updated",
        cancel_at_period_end=wanted,
        cancel_at=period(subscription)[1] if wanted else None,
        canceled_at=world.now() if wanted else None,
        cancellation_details={
            **subscription["cancellation_details"],
            "reason": "cancellation_requested" if wanted else None,
        },
    )


def _status(world: World, subscription: Json, status: str) -> None:
    if subscription["status"] != status:
        world.change(subscription, "customer.subscription.updated", status=status)
