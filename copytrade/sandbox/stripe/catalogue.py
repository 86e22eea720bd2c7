"""API handlers of what is sold and to whom: products, prices, customers, cards, webhook endpoints."""

import re
import secrets
from urllib.parse import urlsplit

from copytrade.sandbox.stripe import billing, currencies, shapes
from copytrade.sandbox.stripe.errors import Json, invalid
from copytrade.sandbox.stripe.forms import allow, boolean, integer, listing, mapping, metadata, text
from copytrade.sandbox.stripe.world import World

PRODUCT = (
    "name",
    "description",
    "metadata",
    "active",
    "url",
    "images",
    "id",
    "unit_label",
    "statement_descriptor",
)
PRICE = (
    "product",
    "product_data",
    "unit_amount",
    "currency",
    "recurring",
    "metadata",
    "nickname",
    "lookup_key",
    "active",
    "tax_behavior",
)
CUSTOMER = (
    "email",
    "name",
    "description",
    "metadata",
    "phone",
    "preferred_locales",
    "invoice_settings",
    "test_clock",
)
ENDPOINT = (
    "url",
    "enabled_events",
    "description",
    "metadata",
    "api_version",
    "disabled",
)


def create_product(world: World, params: Json, ids: tuple[str, ...]) -> Json:
    """Handle POST /v1/products."""
    id = params.get("id") or world.new_id("prod")
    if world.store.get(id):
        raise invalid("id", f"Product already exists: {id}", code="resource_already_exists")
    body = shapes.product(
        id=id,
        now=world.now(),
        name=text(params, "name"),
        description=params.get("description") or None,
        metadata=metadata(params),
        active=boolean(params, "active", default=True),
        url=params.get("url") or None,
        images=listing(params, "images"),
        unit_label=params.get("unit_label") or None,
        statement_descriptor=params.get("statement_descriptor") or None,
    )
    world.emit("product.created", world.save(body))
    return body


def update_product(world: World, params: Json, ids: tuple[str, ...]) -> Json:
    """Handle POST /v1/products/:id."""
    body = world.get("product", ids[0])
    fields: Json = {name: params[name] or None for name in ("description", "url", "unit_label") if name in params} | {
        "metadata": metadata(params, old=body["metadata"]),
        "active": boolean(params, "active", default=body["active"]),
    }
    if "name" in params:
        fields["name"] = text(params, "name")
    return world.change(body, "product.updated", updated=world.now(), **fields)


def create_price(world: World, params: Json, ids: tuple[str, ...]) -> Json:
    """Handle POST /v1/prices."""
    currency = text(params, "currency").lower()
    if currency not in currencies.KNOWN:
        raise invalid("currency", f"Invalid currency: {currency}.")
    amount = integer(params, "unit_amount")
    recurring = _recurring(params)
    product = _product(world, params)
    body = shapes.price(
        id=world.new_id("price"),
        now=world.now(),
        product=product["id"],
        currency=currency,
        amount=amount,
        recurring=recurring,
        metadata=metadata(params),
        nickname=params.get("nickname") or None,
        lookup_key=params.get("lookup_key") or None,
        active=boolean(params, "active", default=True),
        tax_behavior=params.get("tax_behavior") or "unspecified",
    )
    world.emit("price.created", world.save(body))
    return body


def _recurring(params: Json) -> Json | None:
    given = mapping(params, "recurring")
    if not given:
        return None
    allow(given, ("interval", "interval_count", "usage_type"), prefix="recurring")
    interval = text(given, "interval")
    if interval not in ("day", "week", "month", "year"):
        raise invalid("recurring[interval]", "Invalid recurring[interval]: must be one of day, month, week, or year")
    return shapes.recurring(interval, integer(given, "interval_count", default=1, least=1, most=36))


def _product(world: World, params: Json) -> Json:
    if params.get("product"):
        return world.get("product", params["product"], param="product")
    data = mapping(params, "product_data")
    if not data:
        return world.get("product", text(params, "product"))
    allow(data, ("name", "metadata", "id"), prefix="product_data")
    return create_product(world, data, ())


def update_price(world: World, params: Json, ids: tuple[str, ...]) -> Json:
    """Handle POST /v1/prices/:id; an amount never changes."""
    allow(params, ("metadata", "nickname", "active", "lookup_key"))
    body = world.get("price", ids[0])
    return world.change(
        body,
        "price.updated",
        active=boolean(params, "active", default=body["active"]),
        nickname=params.get("nickname", body["nickname"]) or None,
        lookup_key=params.get("lookup_key", body["lookup_key"]) or None,
        metadata=metadata(params, old=body["metadata"]),
    )


def create_customer(world: World, params: Json, ids: tuple[str, ...]) -> Json:
    """Handle POST /v1/customers."""
    body = shapes.customer(id=world.new_id("cus"), now=world.now(), **_person(world, params, {}))
    world.emit("customer.created", world.save(body))
    return body


def update_customer(world: World, params: Json, ids: tuple[str, ...]) -> Json:
    """Handle POST /v1/customers/:id."""
    body = world.get("customer", ids[0])
    return world.change(body, "customer.updated", **_person(world, params, body))


def _person(world: World, params: Json, old: Json) -> Json:
    email = params.get("email", old.get("email")) or None
    if email is not None and not re.fullmatch(r"[^@\s]+@[^@\s]+", email):
        raise invalid("email", f"Invalid email address: {email}", code="email_invalid")
    fields: Json = {name: params.get(name, old.get(name)) or None for name in ("name", "description", "phone")} | {
        "email": email,
        "metadata": metadata(params, old=old.get("metadata")),
    }
    if "preferred_locales" in params:
        fields["preferred_locales"] = listing(params, "preferred_locales")
    if params.get("test_clock"):
        if old:
            raise invalid("test_clock", "A customer's test clock cannot be changed.")
        clock = world.get("test_helpers.test_clock", params["test_clock"], param="test_clock")
        fields |= {"test_clock": clock["id"]}
    settings = mapping(params, "invoice_settings")
    if settings:
        allow(settings, ("default_payment_method",), prefix="invoice_settings")
        method = world.get("payment_method", text(settings, "default_payment_method"), param="invoice_settings")
        kept = old.get("invoice_settings") or shapes.customer(id="cus_00000000", now=0)["invoice_settings"]
        fields["invoice_settings"] = {**kept, "default_payment_method": method["id"]}
    return fields


def create_endpoint(world: World, params: Json, ids: tuple[str, ...], *, secret: str | None = None) -> Json:
    """Handle POST /v1/webhook_endpoints; the secret is in this answer and in no later one."""
    secret = secret or "whsec_" + secrets.token_hex(24)
    version = params.get("api_version") or shapes.VERSION
    if version != shapes.VERSION:
        raise invalid("api_version", f"Invalid API version: {version}")
    body: Json = {
        "id": world.new_id("we"),
        "object": "webhook_endpoint",
        "api_version": version,
        "application": None,
        "created": world.now(),
        "description": params.get("description") or None,
        "enabled_events": _events(params),
        "livemode": False,
        "metadata": metadata(params),
        "status": "enabled",
        "url": _address(params),
    }
    world.store.set_switch(f"connect:{body['id']}", boolean(params, "connect", default=False))
    world.save(body)
    world.store.set_switch(f"secret:{body['id']}", secret)
    return {**body, "secret": secret}


def update_endpoint(world: World, params: Json, ids: tuple[str, ...]) -> Json:
    """Handle POST /v1/webhook_endpoints/:id."""
    body = world.get("webhook_endpoint", ids[0])
    if "url" in params:
        body["url"] = _address(params)
    if "enabled_events" in params:
        body["enabled_events"] = _events(params)
    if "disabled" in params:
        body["status"] = "disabled" if boolean(params, "disabled", default=False) else "enabled"
    body["metadata"] = metadata(params, old=body["metadata"])
    return world.save(body)


def _address(params: Json) -> str:
    url = text(params, "url")
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise invalid("url", "Not a valid URL", code="url_invalid")
    return url


def _events(params: Json) -> list[str]:
    events = listing(params, "enabled_events")
    if not events:
        raise invalid("enabled_events", "You must specify at least one event.", code="parameter_missing")
    return [str(event) for event in events]


def delete(world: World, params: Json, ids: tuple[str, ...]) -> Json:
    """Handle DELETE of a product, a customer or a webhook endpoint (the first id is the kind)."""
    kind, id = ids
    body = world.get(kind, id)
    if kind == "customer":
        for one in world.store.select(
            "subscription", {"customer": id}, but={"status": ["canceled", "incomplete_expired"]}
        ):
            billing.end(world, one, reason=None)
        world.store.set_switch(f"gone:{id}", True)
    world.store.remove(id)
    world.forget_known()
    gone: Json = {"id": id, "object": kind, "deleted": True}
    if kind != "webhook_endpoint":
        world.emit(f"{kind}.deleted", body)
    return gone
