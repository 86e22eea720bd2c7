"""API handlers of subscriptions: made, changed, canceled, resumed."""

from copytrade.sandbox.stripe import billing, discounts, invoicing, payments, prorations, shapes, wishes
from copytrade.sandbox.stripe.errors import ApiError, Json, invalid
from copytrade.sandbox.stripe.forms import allow, boolean, integer, mapping, metadata, text
from copytrade.sandbox.stripe.world import World

_SHARED = (
    "cancel_at_period_end",
    "cancel_at",
    "metadata",
    "default_payment_method",
    "proration_behavior",
    "description",
    "items",
    "discounts",
    "trial_end",
    "trial_settings",
    "off_session",
    "payment_behavior",
    "payment_settings",
    "collection_method",
)
CREATE = (*_SHARED, "customer", "currency", "trial_period_days")
UPDATE = (*_SHARED, "pause_collection", "cancellation_details")
CANCEL = ("invoice_now", "prorate", "cancellation_details")
RESUME = ("billing_cycle_anchor", "proration_behavior", "payment_behavior")
_BEHAVIORS = ("allow_incomplete", "default_incomplete", "error_if_incomplete", "pending_if_incomplete")


def create(world: World, params: Json, ids: tuple[str, ...]) -> Json:
    """Handle POST /v1/subscriptions."""
    customer = world.get("customer", text(params, "customer"), param="customer")
    wishes.check_collection(params)
    price, quantity, _ = wishes.item(world, params, required=True)
    behavior = params.get("payment_behavior") or "allow_incomplete"
    if behavior not in _BEHAVIORS:
        raise invalid("payment_behavior", f"Invalid payment_behavior: must be one of {', '.join(_BEHAVIORS)}")
    wish = billing.Wish(
        price=price,
        quantity=quantity or 1,
        metadata=metadata(params),
        description=params.get("description") or None,
        method=wishes.method(world, params),
        trial_end=wishes.trial_end(world, params),
        without_card=wishes.without_card(params),
        discounts=discounts.asked(world, params, customer=customer["id"], currency=price["currency"]),
    )
    body = billing.create(world, customer, wish=wish)
    if body["status"] == "incomplete" and behavior != "default_incomplete":
        _first_payment(world, body, customer, behavior)
    body = world.get("subscription", body["id"])
    return _ending(world, body, params)


def _first_payment(world: World, body: Json, customer: Json, behavior: str) -> None:
    method = billing.card_of(body, customer)
    if method is None:
        raise ApiError(
            400,
            "This customer has no attached payment source or default payment method. Please consider adding a default"
            " payment method.",
            code="resource_missing",
        )
    invoice = world.get("invoice", body["latest_invoice"])
    if billing.settle(world, invoice, method=method):
        return
    if behavior == "error_if_incomplete":
        error = payments.card_error(world, invoice)
        raise ApiError(402, error["message"], type="card_error", code=error["code"], decline_code=error["decline_code"])


def update(world: World, params: Json, ids: tuple[str, ...]) -> Json:
    """Handle POST /v1/subscriptions/:id."""
    body = world.get("subscription", ids[0])
    if body["status"] in ("canceled", "incomplete_expired") and set(params) - {"metadata", "cancellation_details"}:
        raise ApiError(400, "A canceled subscription can only update its cancellation_details and metadata.")
    wishes.check_collection(params)
    fields = _plain_fields(world, body, params)
    changed = {name: value for name, value in fields.items() if body[name] != value}
    if changed:
        body = world.change(body, "customer.subscription.updated", **changed)
    if "items" in params:
        body = _reprice(world, body, params)
    if "trial_end" in params:
        body = _move_trial(world, body, params)
    return _ending(world, body, params)


def _plain_fields(world: World, body: Json, params: Json) -> Json:
    fields: Json = {"metadata": metadata(params, old=body["metadata"])}
    if "description" in params:
        fields["description"] = params["description"] or None
    if "default_payment_method" in params:
        fields["default_payment_method"] = wishes.method(world, params)
    if "trial_settings" in params:
        fields["trial_settings"] = {"end_behavior": {"missing_payment_method": wishes.without_card(params)}}
    if "cancellation_details" in params:
        given = mapping(params, "cancellation_details")
        allow(given, ("comment", "feedback"), prefix="cancellation_details")
        fields["cancellation_details"] = {**body["cancellation_details"], **given}
    if "discounts" in params:
        fields["discounts"] = _rediscount(world, body, params)
    if "pause_collection" in params:
        fields["pause_collection"] = wishes.pause(world, params)
    return fields


def _rediscount(world: World, body: Json, params: Json) -> list[str]:
    wanted = discounts.asked(world, params, customer=body["customer"], currency=body["currency"])
    kept = [one["discount"] for one in wanted if "discount" in one]
    for id in body["discounts"]:
        if id not in kept:
            discounts.drop(world, id)
    return [*kept, *(discounts.give(world, body, one) for one in wanted if "discount" not in one)]


def _reprice(world: World, body: Json, params: Json) -> Json:
    """Give a subscription another price or quantity, with or without reckoning for the running period."""
    price, quantity, id = wishes.item(world, params, required=False)
    old = body["items"]["data"][0]
    if id != old["id"]:
        raise invalid("items[0][id]", "The sandbox's subscriptions have one item: name it by its id.")
    price, quantity = price or old["price"], quantity or old["quantity"]
    if price["currency"] != body["currency"]:
        raise invalid(
            "items[0][price]",
            f"The price specified only supports `{price['currency']}`. This doesn't match the expected currency:"
            f" `{body['currency']}`.",
        )
    behavior = params.get("proration_behavior") or "create_prorations"
    if behavior not in ("none", "create_prorations", "always_invoice"):
        raise invalid("proration_behavior", "Must be one of always_invoice, create_prorations, or none")
    prorated = behavior != "none" and body["status"] in ("active", "past_due")
    item = {**old, "price": price, "plan": shapes.plan(price), "quantity": quantity}
    if prorated:
        prorations.add(world, body, old, credit=True)
    body = world.change(body, "customer.subscription.updated", items={**body["items"], "data": [item]})
    customer = world.get("customer", body["customer"])
    method = billing.card_of(body, customer)
    if _cycle(price) != _cycle(old["price"]) and body["status"] != "trialing":
        billing.start_period(world, body, anew=True)
        billing.bill_period(world, body, customer=customer, method=method, reason="subscription_update")
        return world.get("subscription", body["id"])
    if prorated:
        prorations.add(world, body, item, credit=False)
    if prorated and behavior == "always_invoice":
        _bill_pending(world, body, customer, method)
    return world.get("subscription", body["id"])


def _cycle(price: Json) -> tuple[str, int]:
    return price["recurring"]["interval"], price["recurring"]["interval_count"]


def _bill_pending(world: World, body: Json, customer: Json, method: str | None) -> None:
    invoice = invoicing.bill(world, body, customer=customer, reason="subscription_update", lines=[])
    if invoice["status"] == "open":
        billing.settle(world, invoice, method=method)


def _move_trial(world: World, body: Json, params: Json) -> Json:
    """End a trial now, or let it last until another moment."""
    until = wishes.trial_end(world, params)
    item = body["items"]["data"][0]
    if until is None:
        if body["status"] != "trialing":
            return body
        item["current_period_end"] = world.now()
        body |= {"trial_end": world.now(), "billing_cycle_anchor": world.now()}
        billing.renew(world, world.save(body))
        return world.get("subscription", body["id"])
    item["current_period_end"] = until
    return world.change(
        body,
        "customer.subscription.updated",
        status="trialing",
        trial_start=body["trial_start"] or world.now(),
        trial_end=until,
        billing_cycle_anchor=until,
        items=body["items"],
    )


def _ending(world: World, body: Json, params: Json) -> Json:
    """Let a subscription end later as was asked, or take that back."""
    if params.get("cancel_at") and params.get("cancel_at_period_end"):
        raise invalid("cancel_at", "You may only pass one of `cancel_at` or `cancel_at_period_end`.")
    if "cancel_at" in params:
        at = integer(params, "cancel_at", most=wishes.FAR) if params["cancel_at"] else None
        if at is not None and at <= world.now():
            raise invalid("cancel_at", "`cancel_at` must be in the future.")
        return billing.cancel_later(world, body, wanted=at is not None, at=at)
    wanted = boolean(params, "cancel_at_period_end", default=body["cancel_at_period_end"])
    if wanted != body["cancel_at_period_end"]:
        body = billing.cancel_later(world, body, wanted=wanted)
    return body


def cancel(world: World, params: Json, ids: tuple[str, ...]) -> Json:
    """Handle DELETE /v1/subscriptions/:id: ends now; unused time becomes a credit when asked, never a refund."""
    body = world.get("subscription", ids[0])
    if body["status"] in ("canceled", "incomplete_expired"):
        raise ApiError(404, f"No such subscription: '{ids[0]}'", code="resource_missing", param="id")
    prorated = boolean(params, "prorate", default=False)
    if prorated and body["status"] in ("active", "past_due"):
        prorations.add(world, body, body["items"]["data"][0], credit=True)
    if boolean(params, "invoice_now", default=False) and prorations.pending(world, body):
        customer = world.get("customer", body["customer"])
        _bill_pending(world, body, customer, billing.card_of(body, customer))
        body = world.get("subscription", body["id"])
    details = mapping(params, "cancellation_details")
    allow(details, ("comment", "feedback"), prefix="cancellation_details")
    body["cancellation_details"] = {**body["cancellation_details"], **details}
    return billing.end(world, body, reason="cancellation_requested")


def resume(world: World, params: Json, ids: tuple[str, ...]) -> Json:
    """Handle POST /v1/subscriptions/:id/resume: a paused one begins anew when it can be paid."""
    body = world.get("subscription", ids[0])
    if body["status"] != "paused":
        raise ApiError(400, "This subscription is not paused, so that it cannot be resumed.")
    customer = world.get("customer", body["customer"])
    method = billing.card_of(body, customer)
    if method is None:
        raise ApiError(400, "This customer has no attached payment source or default payment method.")
    billing.start_period(world, body, status="past_due", anew=True)
    billing.bill_period(world, body, customer=customer, method=method, reason="subscription_update")
    body = world.get("subscription", ids[0])
    if body["status"] == "active":
        world.emit("customer.subscription.resumed", body)
    return body
