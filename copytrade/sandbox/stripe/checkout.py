"""Checkout sessions: made by the API, paid, closed or left to expire on the hosted page."""

from copytrade.sandbox.stripe import billing, cards, payments, shapes, shapes_payment
from copytrade.sandbox.stripe.cards import Typed
from copytrade.sandbox.stripe.errors import Json, invalid
from copytrade.sandbox.stripe.forms import allow, integer, listing, mapping, metadata, text
from copytrade.sandbox.stripe.world import World

PARAMS = (
    "mode",
    "line_items",
    "success_url",
    "cancel_url",
    "client_reference_id",
    "customer",
    "customer_email",
    "metadata",
    "subscription_data",
    "expires_at",
    "locale",
    "payment_method_types",
    "ui_mode",
    "allow_promotion_codes",
    "billing_address_collection",
)


def create(world: World, params: Json, ids: tuple[str, ...]) -> Json:
    """Handle POST /v1/checkout/sessions in subscription mode."""
    if text(params, "mode") != "subscription":
        raise invalid("mode", "The sandbox sells subscriptions only.")
    if params.get("ui_mode", "hosted_page") != "hosted_page":
        raise invalid("ui_mode", "The sandbox has the hosted page only.")
    price, quantity = _line(world, params)
    now, id = world.now(), world.new_id("cs_test")
    data = mapping(params, "subscription_data")
    allow(data, ("metadata", "description"), prefix="subscription_data")
    customer = world.get("customer", params["customer"], param="customer") if params.get("customer") else None
    session = shapes_payment.checkout_session(
        id=id,
        now=now,
        url=f"{world.base}/pay/{id}",
        currency=price["currency"],
        amount=price["unit_amount"] * quantity,
        success_url=text(params, "success_url"),
        cancel_url=params.get("cancel_url") or None,
        client_reference_id=params.get("client_reference_id") or None,
        customer=customer["id"] if customer else None,
        customer_creation=None if customer else "always",
        customer_email=params.get("customer_email") or None,
        locale=params.get("locale") or None,
        metadata=metadata(params),
        expires_at=_expiry(params, now),
    )
    world.store.set_switch(f"session:{id}", {"price": price["id"], "quantity": quantity, "metadata": metadata(data)})
    return world.save(session)


def _expiry(params: Json, now: int) -> int:
    wanted = integer(params, "expires_at", default=now + 86_400, most=10**11)
    if not now + 1_800 - 60 <= wanted <= now + 86_400 + 60:
        raise invalid("expires_at", "The timestamp in `expires_at` must be between 30 minutes and 24 hours from now.")
    return wanted


def _line(world: World, params: Json) -> tuple[Json, int]:
    lines = listing(params, "line_items")
    if len(lines) != 1 or not isinstance(lines[0], dict):
        raise invalid("line_items", "The sandbox takes exactly one line item.")
    allow(lines[0], ("price", "quantity"), prefix="line_items[0]")
    price = world.get("price", text(lines[0], "price"), param="line_items[0][price]")
    if not price["recurring"]:
        raise invalid("line_items[0][price]", "You must provide at least one recurring price in `subscription` mode.")
    if not price["active"]:
        raise invalid("line_items[0][price]", f"The price specified is inactive: {price['id']}")
    return price, integer(lines[0], "quantity", least=1, most=1_000)


def lines(world: World, session: Json) -> list[Json]:
    """Return the lines of a session."""
    sold = world.store.switch(f"session:{session['id']}", {})
    price = world.get("price", sold["price"])
    name = world.get("product", price["product"])["name"]
    return [
        shapes_payment.line_item(
            id="li_" + session["id"][-24:], price=price, quantity=sold["quantity"], description=name
        )
    ]


def expire(world: World, session: Json) -> Json:
    """End an open session without a payment."""
    if session["status"] != "open":
        raise invalid("session", f'Only Checkout Sessions with a status in ["open"] can be expired: {session["id"]}')
    return world.change(session, "checkout.session.expired", status="expired", url=None)


def hold(world: World, session: Json, *, card: Typed, email: str | None) -> Json:
    """Keep a card whose holder has to confirm first."""
    method = cards.method(world, card, customer=None, email=email)
    world.store.set_switch(f"held:{session['id']}", method["id"])
    return method


def held(world: World, session: Json) -> Json | None:
    """Return the card that waits for its holder, if any."""
    id = world.store.switch(f"held:{session['id']}", None)
    return world.get("payment_method", id) if id else None


def decline(world: World, session: Json, *, method: Json, reason: Json) -> None:
    """Log a declined try; the session stays open and no subscription comes to be."""
    intent = payments.new_intent(
        world,
        amount=session["amount_total"],
        currency=session["currency"],
        customer=session["customer"],
        description="Subscription creation",
    )
    payments.charge(world, intent, method=method, decline=reason)
    world.store.set_switch(f"held:{session['id']}", None)


def complete(world: World, session: Json, *, method: Json, email: str | None) -> Json:
    """Take the first payment: customer, subscription, paid invoice, completed session."""
    sold = world.store.switch(f"session:{session['id']}", {})
    customer = _customer(world, session, email=email)
    method["customer"] = customer["id"]
    world.emit("payment_method.attached", world.save(method))
    subscription = billing.create(
        world,
        customer=customer,
        price=world.get("price", sold["price"]),
        quantity=sold["quantity"],
        metadata=sold["metadata"],
        method=method,
    )
    invoice = world.get("invoice", subscription["latest_invoice"])
    billing.settle(world, invoice, method=method["id"])
    world.store.set_switch(f"held:{session['id']}", None)
    return world.change(
        session,
        "checkout.session.completed",
        status="complete",
        payment_status="paid",
        customer=customer["id"],
        customer_details={
            "address": None,
            "email": customer["email"],
            "name": customer["name"],
            "phone": None,
            "tax_exempt": "none",
            "tax_ids": [],
        },
        subscription=subscription["id"],
        invoice=invoice["id"],
        url=None,
    )


def _customer(world: World, session: Json, *, email: str | None) -> Json:
    if session["customer"]:
        return world.get("customer", session["customer"])
    customer = world.save(shapes.customer(id=world.new_id("cus"), now=world.now(), email=email))
    world.emit("customer.created", customer)
    return customer
