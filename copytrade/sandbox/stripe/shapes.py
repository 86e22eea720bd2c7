"""Stripe's objects as API version 2026-10-28.endive shows them; every required field of the SDK's classes is there."""

from typing import Any

from copytrade.sandbox.stripe.errors import Json

VERSION = "2026-10-28.endive"


def page(url: str, data: list[Json], *, more: bool = False) -> Json:
    """Build a list object."""
    return {"object": "list", "url": url, "has_more": more, "data": data}


def event(*, id: str, now: int, type: str, body: Json, previous: Json | None, pending: int, request: Json) -> Json:
    """Build an event; `previous` holds the changed fields of an update."""
    data: Json = {"object": body}
    if type.endswith(".updated"):
        data["previous_attributes"] = previous or {}
    return {
        "id": id,
        "object": "event",
        "api_version": VERSION,
        "created": now,
        "livemode": False,
        "pending_webhooks": pending,
        "type": type,
        "request": request,
        "data": data,
    }


def product(*, id: str, now: int, name: str, **more: Any) -> Json:
    """Build a product."""
    return {
        "id": id,
        "object": "product",
        "active": True,
        "created": now,
        "updated": now,
        "default_price": None,
        "description": None,
        "images": [],
        "livemode": False,
        "marketing_features": [],
        "metadata": {},
        "name": name,
        "package_dimensions": None,
        "shippable": None,
        "statement_descriptor": None,
        "tax_code": None,
        "type": "service",
        "unit_label": None,
        "url": None,
    } | more


def price(*, id: str, now: int, product: str, currency: str, amount: int, recurring: Json | None, **more: Any) -> Json:
    """Build a price; `amount` in cents."""
    return {
        "id": id,
        "object": "price",
        "active": True,
        "billing_scheme": "per_unit",
        "created": now,
        "currency": currency,
        "custom_unit_amount": None,
        "livemode": False,
        "lookup_key": None,
        "metadata": {},
        "nickname": None,
        "product": product,
        "recurring": recurring,
        "tax_behavior": "unspecified",
        "tiers_mode": None,
        "transform_quantity": None,
        "type": "recurring" if recurring else "one_time",
        "unit_amount": amount,
        "unit_amount_decimal": str(amount),
    } | more


def recurring(interval: str, count: int) -> Json:
    """Build the interval of a price."""
    return {
        "interval": interval,
        "interval_count": count,
        "meter": None,
        "trial_period_days": None,
        "usage_type": "licensed",
    }


def plan(price: Json) -> Json:
    """Build the older form of a price, which subscription items still carry."""
    return {
        "id": price["id"],
        "object": "plan",
        "active": price["active"],
        "amount": price["unit_amount"],
        "amount_decimal": price["unit_amount_decimal"],
        "billing_scheme": "per_unit",
        "created": price["created"],
        "currency": price["currency"],
        "interval": price["recurring"]["interval"],
        "interval_count": price["recurring"]["interval_count"],
        "livemode": False,
        "metadata": price["metadata"],
        "meter": None,
        "nickname": price["nickname"],
        "product": price["product"],
        "tiers_mode": None,
        "transform_usage": None,
        "trial_period_days": None,
        "usage_type": "licensed",
    }


def customer(*, id: str, now: int, **more: Any) -> Json:
    """Build a customer."""
    return {
        "id": id,
        "object": "customer",
        "address": None,
        "balance": 0,
        "created": now,
        "currency": None,
        "default_source": None,
        "delinquent": False,
        "description": None,
        "email": None,
        "invoice_prefix": id[-8:].upper(),
        "invoice_settings": {
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        "livemode": False,
        "metadata": {},
        "name": None,
        "next_invoice_sequence": 1,
        "phone": None,
        "preferred_locales": [],
        "shipping": None,
        "tax_exempt": "none",
        "test_clock": None,
    } | more


def billing_details(*, email: str | None, name: str | None) -> Json:
    """Build who pays."""
    return {"address": None, "email": email, "name": name, "phone": None, "tax_id": None}


def payment_method(*, id: str, now: int, customer: str | None, card: Json, details: Json) -> Json:
    """Build a card as a payment method."""
    return {
        "id": id,
        "object": "payment_method",
        "allow_redisplay": "limited",
        "billing_details": details,
        "card": card,
        "created": now,
        "customer": customer,
        "livemode": False,
        "metadata": {},
        "type": "card",
    }


def card(*, brand: str, last4: str, month: int, year: int, fingerprint: str) -> Json:
    """Build what Stripe shows of a card."""
    return {
        "brand": brand,
        "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
        "country": "US",
        "display_brand": brand,
        "exp_month": month,
        "exp_year": year,
        "fingerprint": fingerprint,
        "funding": "credit",
        "generated_from": None,
        "last4": last4,
        "networks": {"available": [brand], "preferred": None},
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }
