"""API handlers of refunds and of the portal's sessions."""

from copytrade.sandbox.stripe import payments, shapes_payment
from copytrade.sandbox.stripe.errors import ApiError, Json, invalid
from copytrade.sandbox.stripe.forms import allow, integer, mapping, metadata, text
from copytrade.sandbox.stripe.world import World

REFUND = ("charge", "payment_intent", "amount", "reason", "metadata")
PORTAL = ("customer", "return_url", "flow_data", "locale", "configuration")
_REASONS = ("duplicate", "fraudulent", "requested_by_customer")


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
        flow = _flow(world, flow)
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


def _flow(world: World, given: Json) -> Json:
    """Return the one thing that a portal session is opened for."""
    allow(given, ("type", "subscription_cancel"), prefix="flow_data")
    made: Json = {
        "type": given.get("type"),
        "after_completion": {"type": "portal_homepage", "hosted_confirmation": None, "redirect": None},
        "subscription_cancel": None,
        "subscription_update": None,
        "subscription_update_confirm": None,
    }
    if made["type"] == "payment_method_update":
        return made
    if made["type"] != "subscription_cancel":
        raise invalid(
            "flow_data[type]", "The sandbox's portal flows are subscription_cancel and payment_method_update."
        )
    id = text(mapping(given, "subscription_cancel"), "subscription")
    world.get("subscription", id, param="flow_data[subscription_cancel][subscription]")
    return made | {"subscription_cancel": {"subscription": id, "retention": None}}
