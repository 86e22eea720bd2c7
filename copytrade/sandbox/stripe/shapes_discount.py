"""The shapes of coupons, promotion codes and discounts."""

from typing import Any

from copytrade.sandbox.stripe.errors import Json


def coupon(*, id: str, now: int, duration: str, **more: Any) -> Json:
    """Build a coupon."""
    return {
        "id": id,
        "object": "coupon",
        "amount_off": None,
        "created": now,
        "currency": None,
        "duration": duration,
        "duration_in_months": None,
        "livemode": False,
        "max_redemptions": None,
        "metadata": {},
        "name": None,
        "percent_off": None,
        "redeem_by": None,
        "times_redeemed": 0,
        "valid": True,
    } | more


def promotion_code(*, id: str, now: int, coupon: str, code: str, **more: Any) -> Json:
    """Build the code that a customer types."""
    return {
        "id": id,
        "object": "promotion_code",
        "active": True,
        "code": code,
        "created": now,
        "customer": None,
        "expires_at": None,
        "livemode": False,
        "max_redemptions": None,
        "metadata": {},
        "promotion": {"coupon": coupon, "type": "coupon"},
        "restrictions": {"first_time_transaction": False, "minimum_amount": None, "minimum_amount_currency": None},
        "times_redeemed": 0,
    } | more


def discount(*, id: str, now: int, coupon: str, customer: str, subscription: str, **more: Any) -> Json:
    """Build a discount on a subscription."""
    return {
        "id": id,
        "object": "discount",
        "checkout_session": None,
        "customer": customer,
        "end": None,
        "invoice": None,
        "invoice_item": None,
        "promotion_code": None,
        "source": {"coupon": coupon, "type": "coupon"},
        "start": now,
        "subscription": subscription,
        "subscription_item": None,
    } | more
