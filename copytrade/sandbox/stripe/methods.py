"""API handlers of cards: attached by Stripe's test names, taken away, their expiry changed."""

from copytrade.sandbox.stripe import cards, payments
from copytrade.sandbox.stripe.errors import ApiError, Json
from copytrade.sandbox.stripe.forms import allow, integer, mapping, metadata, text
from copytrade.sandbox.stripe.world import World

UPDATE = ("card", "metadata")


def attach(world: World, params: Json, ids: tuple[str, ...]) -> Json:
    """Handle POST /v1/payment_methods/:id/attach; a test name such as pm_card_visa makes a new card."""
    customer = world.get("customer", text(params, "customer"), param="customer")
    if ids[0] in cards.TOKENS:
        body = cards.from_token(world, ids[0], customer=customer["id"])
    else:
        body = world.get("payment_method", ids[0])
        if body["customer"] not in (None, customer["id"]):
            raise ApiError(400, "The payment method you provided has already been attached to a customer.")
        body["customer"] = customer["id"]
        world.save(body)
    refused = cards.refused_when_attached(world, body)
    if refused is not None:
        # Nothing of a refused card stays, as nothing of the answer does: only the error is kept for its key.
        world.store.remove(body["id"])
        raise payments.CardError(refused["message"], code=refused["code"], decline_code=refused["decline_code"])
    world.emit("payment_method.attached", body)
    return body


def detach(world: World, params: Json, ids: tuple[str, ...]) -> Json:
    """Handle POST /v1/payment_methods/:id/detach: it pays nothing any more."""
    body = world.get("payment_method", ids[0])
    id = body["customer"]
    if id is None:
        raise ApiError(
            400, "The payment method you provided is not attached to a customer so detachment is impossible."
        )
    customer = world.get("customer", id)
    if customer["invoice_settings"]["default_payment_method"] == body["id"]:
        world.change(
            customer,
            "customer.updated",
            invoice_settings={**customer["invoice_settings"], "default_payment_method": None},
        )
    for one in world.store.find("subscription", customer=id, default_payment_method=body["id"]):
        world.change(one, "customer.subscription.updated", default_payment_method=None)
    return world.change(body, "payment_method.detached", customer=None)


def update(world: World, params: Json, ids: tuple[str, ...]) -> Json:
    """Handle POST /v1/payment_methods/:id."""
    body = world.get("payment_method", ids[0])
    given = mapping(params, "card")
    allow(given, ("exp_month", "exp_year"), prefix="card")
    return world.change(
        body,
        "payment_method.updated",
        metadata=metadata(params, old=body["metadata"]),
        card={**body["card"], **expiry(given)},
    )


def expiry(given: Json) -> Json:
    """Return the month and year of a card as they were given."""
    bounds = {"exp_month": (1, 12), "exp_year": (2000, 2100)}
    return {
        name: integer(given, name, least=least, most=most) for name, (least, most) in bounds.items() if given.get(name)
    }
