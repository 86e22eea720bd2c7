"""API handlers of invoices: paid, voided, given up, finalized, previewed."""

from copytrade.sandbox.stripe import billing, invoicing, payments, wishes
from copytrade.sandbox.stripe.errors import ApiError, Json, invalid
from copytrade.sandbox.stripe.forms import allow, boolean, integer, listing, mapping, metadata, text
from copytrade.sandbox.stripe.world import World

PAY = ("payment_method", "paid_out_of_band", "off_session")
PREVIEW = ("customer", "subscription", "subscription_details", "preview_mode")
_DETAILS = ("items", "proration_behavior", "cancel_at_period_end", "cancel_now")


def pay(world: World, params: Json, ids: tuple[str, ...]) -> Json:
    """Handle POST /v1/invoices/:id/pay."""
    invoice = world.get("invoice", ids[0])
    if invoice["status"] == "paid":
        raise ApiError(400, "Invoice is already paid", code="invoice_already_paid")
    if invoice["status"] not in ("open", "uncollectible"):
        raise ApiError(
            400, f"This invoice is {invoice['status']}: only open invoices can be paid.", code="invoice_not_open"
        )
    if boolean(params, "paid_out_of_band", default=False):
        payments.mark_paid(world, invoice)
        billing.taken_off(world, invoice)
        return world.get("invoice", ids[0])
    subscription = world.get("subscription", invoice["parent"]["subscription_details"]["subscription"])
    method = params.get("payment_method") or billing.card_of(subscription, world.get("customer", invoice["customer"]))
    if method is None:
        raise ApiError(400, "There is no default_payment_method set on this Customer or Invoice.")
    world.get("payment_method", method, param="payment_method")
    if not billing.settle(world, invoice, method=method, next_attempt=invoice["next_payment_attempt"]):
        error = payments.card_error(world, invoice)
        raise payments.CardError(error["message"], code=error["code"], decline_code=error["decline_code"])
    return world.get("invoice", ids[0])


def void(world: World, params: Json, ids: tuple[str, ...]) -> Json:
    """Handle POST /v1/invoices/:id/void."""
    return _close(world, ids[0], "void")


def mark_uncollectible(world: World, params: Json, ids: tuple[str, ...]) -> Json:
    """Handle POST /v1/invoices/:id/mark_uncollectible."""
    return _close(world, ids[0], "uncollectible")


def _close(world: World, id: str, status: str) -> Json:
    invoice = invoicing.close(world, world.get("invoice", id), status=status)
    billing.taken_off(world, invoice)
    return invoice


def finalize(world: World, params: Json, ids: tuple[str, ...]) -> Json:
    """Handle POST /v1/invoices/:id/finalize."""
    invoice = world.get("invoice", ids[0])
    if invoice["status"] != "draft":
        raise ApiError(400, "This invoice is already finalized, you can't re-finalize a non-draft invoice.")
    invoicing.finalize(world, invoice, customer=world.get("customer", invoice["customer"]))
    return invoice


def update(world: World, params: Json, ids: tuple[str, ...]) -> Json:
    """Handle POST /v1/invoices/:id."""
    body = world.get("invoice", ids[0])
    return world.change(
        body,
        "invoice.updated",
        metadata=metadata(params, old=body["metadata"]),
        description=params.get("description", body["description"]) or None,
        auto_advance=boolean(params, "auto_advance", default=body["auto_advance"]),
    )


def preview(world: World, params: Json, ids: tuple[str, ...]) -> Json:
    """Handle POST /v1/invoices/create_preview: the next invoice of a subscription, at another price if asked."""
    body = _previewed(world, params)
    details = mapping(params, "subscription_details")
    allow(details, _DETAILS, prefix="subscription_details")
    ends = boolean(details, "cancel_at_period_end", default=body["cancel_at"] is not None)
    if body["status"] not in ("active", "trialing", "past_due", "unpaid") or ends:
        raise ApiError(404, f"No upcoming invoices for customer: {body['customer']}", code="invoice_upcoming_none")
    price, quantity = body["items"]["data"][0]["price"], None
    for one in listing(details, "items"):
        allow(one, ("id", "price", "quantity"), prefix="subscription_details[items][0]")
        if one.get("price"):
            price = world.get("price", one["price"], param="subscription_details[items][0][price]")
            wishes.usable(price, param="subscription_details[items][0][price]")
        if one.get("quantity"):
            quantity = integer(one, "quantity", least=1, most=1_000)
    return billing.preview(world, body, price=price, quantity=quantity)


def _previewed(world: World, params: Json) -> Json:
    if params.get("subscription"):
        return world.get("subscription", params["subscription"], param="subscription")
    customer = world.get("customer", text(params, "customer"), param="customer")
    found = world.store.select("subscription", {"customer": customer["id"]}, but={"status": ["canceled"]})
    if len(found) != 1:
        raise invalid("subscription", f"The customer has {len(found)} subscriptions: name one.")
    return found[0]
