"""Invoices: what is on them, what is taken off, how they are finalized, paid, voided, or only previewed."""

from copytrade.sandbox.stripe import currencies, discounts, payments, prorations, shapes_billing
from copytrade.sandbox.stripe.errors import ApiError, Json
from copytrade.sandbox.stripe.world import World


def bill(
    world: World, subscription: Json, *, customer: Json, reason: str, lines: list[Json], finalized: bool = True
) -> Json:
    """Make the invoice of some lines with all that waits to be billed; `finalized` False leaves a draft."""
    id = world.new_id("in")
    lines = [line | {"invoice": id} for line in (*lines, *prorations.take(world, subscription, invoice=id))]
    invoice = build(world, subscription, customer=customer, id=id, reason=reason, lines=lines, at=world.now())
    world.emit("invoice.created", world.save(invoice))
    subscription["latest_invoice"] = id
    _use_up(world, subscription, invoice)
    world.save(subscription)
    if finalized:
        finalize(world, invoice, customer=customer)
    return invoice


def build(
    world: World, subscription: Json, *, customer: Json, id: str, reason: str, lines: list[Json], at: int
) -> Json:
    """Reckon an invoice without writing it."""
    taken = discounts.apply(world, discounts.live(world, subscription["discounts"], at=at), lines)
    subtotal = sum(line["amount"] for line in lines)
    total = subtotal - sum(one["amount"] for one in taken)
    balance = customer["balance"]
    due = total + balance
    # Less than a card can be charged with is carried over to the next invoice, and so is a credit.
    charged = due if due >= currencies.least(subscription["currency"]) else 0
    invoice = shapes_billing.invoice(
        id=id,
        now=at,
        subscription=subscription,
        customer=customer,
        amount=subtotal,
        lines=lines,
        billing_reason=reason,
        amount_due=charged,
        amount_remaining=charged,
        total=total,
        total_excluding_tax=total,
        discounts=[one["discount"] for one in taken],
        total_discount_amounts=taken,
        starting_balance=balance,
        test_clock=customer["test_clock"],
    )
    invoice["ending_balance"] = due - charged
    return invoice


def _use_up(world: World, subscription: Json, invoice: Json) -> None:
    """Take away the discounts that were good for one invoice, or whose months are over."""
    used = {one["discount"] for one in invoice["total_discount_amounts"] if one["amount"]}
    for id in list(subscription["discounts"]):
        one = world.get("discount", id)
        once = discounts.terms(world, one["source"]["coupon"])["duration"] == "once"
        if (once and id in used) or (one["end"] is not None and one["end"] <= world.now()):
            subscription["discounts"] = [kept for kept in subscription["discounts"] if kept != id]
            discounts.drop(world, id)


def finalize(world: World, invoice: Json, *, customer: Json) -> None:
    """Give a draft its number and what pays it; one with nothing due is paid by that."""
    now, sequence = world.now(), customer["next_invoice_sequence"]
    invoice.update(
        status="open",
        number=f"{customer['invoice_prefix']}-{sequence:04d}",
        effective_at=now,
        hosted_invoice_url=f"{world.base}/invoice/{invoice['id']}",
        invoice_pdf=f"{world.base}/invoice/{invoice['id']}/pdf",
        status_transitions={**invoice["status_transitions"], "finalized_at": now},
    )
    customer["next_invoice_sequence"] = sequence + 1
    world.save(customer)
    if customer["balance"] != invoice["ending_balance"]:
        world.change(customer, "customer.updated", balance=invoice["ending_balance"])
    world.emit("invoice.finalized", world.save(invoice))
    if not invoice["amount_due"]:
        payments.mark_paid(world, invoice)
        return
    intent = payments.new_intent(
        world,
        amount=invoice["amount_due"],
        currency=invoice["currency"],
        customer=customer["id"],
        description="Subscription creation"
        if invoice["billing_reason"] == "subscription_create"
        else "Subscription update",
    )
    payments.link(world, invoice, intent)


def close(world: World, invoice: Json, *, status: str) -> Json:
    """Void an open invoice, or give it up as uncollectible."""
    allowed = ("open", "uncollectible") if status == "void" else ("open",)
    if invoice["status"] not in allowed:
        raise ApiError(400, f"You can only pass in open invoices. This invoice isn't open: it is {invoice['status']}.")
    at = "voided_at" if status == "void" else "marked_uncollectible_at"
    event = "invoice.voided" if status == "void" else "invoice.marked_uncollectible"
    return world.change(
        invoice,
        event,
        status=status,
        auto_advance=False,
        next_payment_attempt=None,
        status_transitions={**invoice["status_transitions"], at: world.now()},
    )


def stop_collecting(world: World, subscription: Json) -> None:
    """Try the open invoices of a subscription no more."""
    for invoice in world.store.select(
        "invoice", {"parent.subscription_details.subscription": subscription["id"], "status": "open"}
    ):
        if invoice["auto_advance"] or invoice["next_payment_attempt"]:
            world.change(invoice, "invoice.updated", auto_advance=False, next_payment_attempt=None)


def period_line(world: World, item: Json, *, period: tuple[int, int], trial: bool = False) -> Json:
    """Build the line that bills one period, or the trial before the first."""
    name = world.get("product", item["price"]["product"])["name"]
    return shapes_billing.invoice_line(
        id=world.new_id("il"),
        invoice="",
        item=item,
        description=f"Trial period for {name}" if trial else f"{item['quantity']} × {name}",
        amount=0 if trial else item["price"]["unit_amount"] * item["quantity"],
        period=period,
    )
