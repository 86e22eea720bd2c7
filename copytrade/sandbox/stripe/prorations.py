"""What waits for the next invoice: credits and charges of a price that changed within its period."""

from copytrade.sandbox.stripe import shapes_billing
from copytrade.sandbox.stripe.errors import Json
from copytrade.sandbox.stripe.world import World


def add(world: World, subscription: Json, item: Json, *, credit: bool) -> Json:
    """Let the rest of the period be billed, or credited, at the item's price."""
    now, start, end = world.now(), item["current_period_start"], item["current_period_end"]
    whole = item["price"]["unit_amount"] * item["quantity"]
    part = (2 * whole * (end - now) + (end - start)) // (2 * (end - start))
    name = world.get("product", item["price"]["product"])["name"]
    body = shapes_billing.invoice_item(
        id=world.new_id("ii"),
        now=now,
        subscription=subscription,
        item=item,
        amount=-part if credit else part,
        description=f"{'Unused' if credit else 'Remaining'} time on {name}",
        period=(now, end),
    )
    world.emit("invoiceitem.created", world.save(body))
    return body


def pending(world: World, subscription: Json) -> list[Json]:
    """Return what waits for the next invoice of a subscription, oldest first."""
    found = world.store.find("invoiceitem", customer=subscription["customer"])[::-1]
    return [
        one
        for one in found
        if one["invoice"] is None and one["parent"]["subscription_details"]["subscription"] == subscription["id"]
    ]


def line(world: World, one: Json) -> Json:
    """Build the invoice line of a pending item."""
    return shapes_billing.proration_line(id=world.new_id("il"), one=one)


def take(world: World, subscription: Json, *, invoice: str) -> list[Json]:
    """Return the lines of what waits, which now belongs to an invoice."""
    found = pending(world, subscription)
    for one in found:
        world.save(one | {"invoice": invoice})
    return [line(world, one) for one in found]
