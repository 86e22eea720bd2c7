"""Checkout sessions: made by the API, paid, closed or left to expire on the hosted page."""

from copytrade.sandbox.stripe import (
    billing,
    cards,
    currencies,
    discounts,
    payments,
    shapes,
    shapes_payment,
    wishes,
)
from copytrade.sandbox.stripe.cards import Typed
from copytrade.sandbox.stripe.errors import ApiError, Json, invalid
from copytrade.sandbox.stripe.forms import allow, boolean, integer, listing, mapping, metadata, text
from copytrade.sandbox.stripe.schedule import DAY
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
    "payment_method_collection",
    "ui_mode",
    "discounts",
    "allow_promotion_codes",
    "billing_address_collection",
)
_DATA = ("metadata", "description", "trial_period_days", "trial_end", "trial_settings")


def create(world: World, params: Json, ids: tuple[str, ...]) -> Json:
    """Handle POST /v1/checkout/sessions in subscription mode."""
    if text(params, "mode") != "subscription":
        raise invalid("mode", "The sandbox sells subscriptions only.")
    if params.get("ui_mode", "hosted_page") != "hosted_page":
        raise invalid("ui_mode", "The sandbox has the hosted page only.")
    price, quantity = _line(world, params)
    now, id = world.now(), world.new_id("cs_test")
    customer = world.get("customer", params["customer"], param="customer") if params.get("customer") else None
    sold = _sold(world, params, price=price, quantity=quantity, customer=customer)
    amounts = _amounts(world, sold)
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
        allow_promotion_codes=boolean(params, "allow_promotion_codes", default=False) or None,
        payment_method_collection=_collection(params),
        **amounts,
    )
    world.store.set_switch(f"session:{id}", sold)
    return world.save(session)


def _collection(params: Json) -> str:
    found = str(params.get("payment_method_collection") or "always")
    if found not in ("always", "if_required"):
        raise invalid("payment_method_collection", "Must be one of always or if_required")
    return found


def _sold(world: World, params: Json, *, price: Json, quantity: int, customer: Json | None) -> Json:
    """Return what the page sells, as it is remembered until it is paid."""
    if params.get("discounts") and "allow_promotion_codes" in params:
        raise invalid("discounts", "You may only specify one of these parameters: allow_promotion_codes, discounts.")
    data = mapping(params, "subscription_data")
    allow(data, _DATA, prefix="subscription_data")
    until = wishes.trial_end(world, data, prefix="subscription_data.")
    found = discounts.asked(world, params, customer=customer["id"] if customer else None, currency=price["currency"])
    return {
        "price": price["id"],
        "quantity": quantity,
        "metadata": metadata(data),
        "description": data.get("description") or None,
        "trial_days": integer(data, "trial_period_days", least=1, most=730) if data.get("trial_period_days") else None,
        "trial_end": until if data.get("trial_end") else None,
        "without_card": wishes.without_card(data),
        "discounts": found,
    }


def _amounts(world: World, sold: Json) -> Json:
    """Return what is paid today, as the session shows it; too little to charge is refused."""
    price = world.get("price", sold["price"])
    trial = sold.get("trial_days") or sold.get("trial_end")
    whole = 0 if trial else price["unit_amount"] * sold["quantity"]
    total = whole
    for one in sold.get("discounts", []):
        total -= discounts.off(world.get("coupon", one["coupon"]), total)
    if 0 < total < currencies.least(price["currency"]):
        raise currencies.too_small(price["currency"], what="The Checkout Session's total amount")
    shown = [{"coupon": one["coupon"], "promotion_code": one["promotion_code"]} for one in sold.get("discounts", [])]
    return {
        "amount_subtotal": whole,
        "amount_total": total,
        "discounts": shown,
        "total_details": {"amount_discount": whole - total, "amount_shipping": 0, "amount_tax": 0},
    }


def _expiry(params: Json, now: int) -> int:
    wanted = integer(params, "expires_at", default=now + DAY, most=10**11)
    if not now + 1_800 - 60 <= wanted <= now + DAY + 60:
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
    line = shapes_payment.line_item(
        id="li_" + session["id"][-24:], price=price, quantity=sold["quantity"], description=name
    )
    return [line | {"amount_total": session["amount_total"], "amount_discount": _off(session)}]


def _off(session: Json) -> int:
    return session["total_details"]["amount_discount"]


def redeem(world: World, session: Json, *, code: str) -> Json:
    """Take a promotion code that was typed into the page."""
    found = world.store.find("promotion_code", code=code.strip().upper())
    sold = world.store.switch(f"session:{session['id']}", {})
    if not session["allow_promotion_codes"] or not found:
        raise ApiError(400, "This code is invalid.")
    wanted = discounts.by_code(world, found[0], customer=session["customer"], currency=session["currency"])
    sold["discounts"] = [wanted]
    amounts = _amounts(world, sold)
    world.store.set_switch(f"session:{session['id']}", sold)
    return world.save(session | amounts)


def trial_of(world: World, session: Json) -> int | None:
    """Return when the trial would end if it began now, None without one."""
    sold = world.store.switch(f"session:{session['id']}", {})
    days = sold.get("trial_days")
    return world.now() + days * DAY if days else sold.get("trial_end")


def goes_without_card(session: Json) -> bool:
    """Tell whether nothing is paid today and no card is wanted for later."""
    return session["payment_method_collection"] == "if_required" and not session["amount_total"]


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
    world.store.set_switch(f"held:{session['id']}", None)
    if not session["amount_total"]:
        return
    intent = payments.new_intent(
        world,
        amount=session["amount_total"],
        currency=session["currency"],
        customer=session["customer"],
        description="Subscription creation",
    )
    payments.charge(world, intent, method=method, decline=reason)


def complete(world: World, session: Json, *, method: Json | None, email: str | None) -> Json:
    """Take the first payment: customer, subscription, paid invoice, completed session."""
    customer = _customer(world, session, email=email)
    if method is not None:
        method["customer"] = customer["id"]
        world.emit("payment_method.attached", world.save(method))
    subscription = billing.create(world, customer, wish=_wish(world, session, method))
    invoice = world.get("invoice", subscription["latest_invoice"])
    if invoice["status"] == "open" and method is not None:
        billing.settle(world, invoice, method=method["id"], holder=True)
    world.store.set_switch(f"held:{session['id']}", None)
    return world.change(
        session,
        "checkout.session.completed",
        status="complete",
        payment_status="paid" if invoice["amount_due"] else "no_payment_required",
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


def _wish(world: World, session: Json, method: Json | None) -> billing.Wish:
    sold = world.store.switch(f"session:{session['id']}", {})
    return billing.Wish(
        price=world.get("price", sold["price"]),
        quantity=sold["quantity"],
        metadata=sold["metadata"],
        description=sold.get("description"),
        method=method["id"] if method else None,
        trial_end=trial_of(world, session),
        without_card=sold.get("without_card", "create_invoice"),
        discounts=sold.get("discounts", []),
        session=session["id"],
    )


def _customer(world: World, session: Json, *, email: str | None) -> Json:
    if session["customer"]:
        return world.get("customer", session["customer"])
    customer = world.save(shapes.customer(id=world.new_id("cus"), now=world.now(), email=email))
    world.emit("customer.created", customer)
    return customer
