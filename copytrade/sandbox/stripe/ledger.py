"""API handlers of what billing made: subscriptions, invoices, refunds, portal sessions."""

from copytrade.sandbox.stripe import billing, payments, shapes_payment
from copytrade.sandbox.stripe.errors import ApiError, Json, invalid
from copytrade.sandbox.stripe.forms import allow, boolean, integer, mapping, metadata, text
from copytrade.sandbox.stripe.world import World

SUBSCRIPTION = ("cancel_at_period_end", "metadata", "default_payment_method", "proration_behavior", "description")
REFUND = ("charge", "payment_intent", "amount", "reason", "metadata")
PORTAL = ("customer", "return_url", "flow_data", "locale", "configuration")
_REASONS = ("duplicate", "fraudulent", "requested_by_customer")


def update_subscription(world: World, params: Json, ids: tuple[str, ...]) -> Json:
    """Handle POST /v1/subscriptions/:id."""
    body = world.get("subscription", ids[0])
    if body["status"] == "canceled":
        raise ApiError(400, "A canceled subscription can only update its cancellation_details and metadata.")
    if "metadata" in params or "description" in params or "default_payment_method" in params:
        method = params.get("default_payment_method") or body["default_payment_method"]
        if method:
            world.get("payment_method", method, param="default_payment_method")
        body = world.change(
            body,
            "customer.subscription.updated",
            metadata=metadata(params, old=body["metadata"]),
            description=params.get("description", body["description"]) or None,
            default_payment_method=method,
        )
    wanted = boolean(params, "cancel_at_period_end", default=body["cancel_at_period_end"])
    if wanted != body["cancel_at_period_end"]:
        billing.cancel_later(world, body, wanted=wanted)
    return body


def cancel_subscription(world: World, params: Json, ids: tuple[str, ...]) -> Json:
    """Handle DELETE /v1/subscriptions/:id: ends now, refunds nothing."""
    body = world.get("subscription", ids[0])
    if body["status"] == "canceled":
        raise ApiError(404, f"No such subscription: '{ids[0]}'", code="resource_missing", param="id")
    return billing.end(world, body, reason="cancellation_requested")


def pay_invoice(world: World, params: Json, ids: tuple[str, ...]) -> Json:
    """Handle POST /v1/invoices/:id/pay."""
    invoice = world.get("invoice", ids[0])
    if invoice["status"] != "open":
        raise ApiError(400, "Invoice is already paid", code="invoice_already_paid")
    subscription = world.get("subscription", invoice["parent"]["subscription_details"]["subscription"])
    method = params.get("payment_method") or billing.card_of(subscription, world.get("customer", invoice["customer"]))
    if not billing.settle(world, invoice, method=method, next_attempt=invoice["next_payment_attempt"]):
        error = payments.invoice_intent(world, invoice)["last_payment_error"]
        raise payments.CardError(error["message"], code=error["code"], decline_code=error["decline_code"])
    return world.get("invoice", ids[0])


def create_refund(world: World, params: Json, ids: tuple[str, ...]) -> Json:
    """Handle POST /v1/refunds."""
    if not params.get("charge") and not params.get("payment_intent"):
        raise ApiError(400, "One of the following params should be provided: payment_intent or charge.")
    id = params.get("charge")
    if not id:
        intent = world.get("payment_intent", params["payment_intent"], param="payment_intent")
        id = intent["latest_charge"] or ""
    reason = params.get("reason") or None
    if reason is not None and reason not in _REASONS:
        raise invalid("reason", f"Invalid reason: must be one of {', '.join(_REASONS)}")
    return payments.refund(
        world,
        charge=world.get("charge", id, param="charge"),
        amount=integer(params, "amount", least=1) if params.get("amount") else None,
        reason=reason,
        metadata=metadata(params),
    )


def create_portal_session(world: World, params: Json, ids: tuple[str, ...]) -> Json:
    """Handle POST /v1/billing_portal/sessions."""
    customer = world.get("customer", text(params, "customer"), param="customer")
    flow = mapping(params, "flow_data")
    if flow:
        allow(flow, ("type", "subscription_cancel"), prefix="flow_data")
        if flow.get("type") != "subscription_cancel":
            raise invalid("flow_data[type]", "The sandbox's portal has the flow subscription_cancel only.")
        id = text(mapping(flow, "subscription_cancel"), "subscription")
        world.get("subscription", id, param="flow_data[subscription_cancel][subscription]")
        flow = {
            "type": "subscription_cancel",
            "after_completion": {"type": "portal_homepage", "hosted_confirmation": None, "redirect": None},
            "subscription_cancel": {"subscription": id, "retention": None},
            "subscription_update": None,
            "subscription_update_confirm": None,
        }
    id = world.new_id("bps")
    return world.save(
        shapes_payment.portal_session(
            id=id,
            now=world.now(),
            customer=customer["id"],
            return_url=params.get("return_url") or None,
            url=f"{world.base}/portal/{id}",
            flow=flow or None,
        )
    )
