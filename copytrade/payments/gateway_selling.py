"""What we ask Stripe to change of a running subscription, of coupons, and to give back."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from decimal import Decimal
from uuid import UUID

import stripe

from copytrade.payments.gateway import ask

ASKED_AT_ONCE = 8
_OURS = "refund_id"
"""Name in a refund's metadata under which it carries our id."""


def set_ending(stripe_subscription_id: str, *, is_ending: bool) -> None:
    """Let a subscription end with its paid period, or take that back."""
    ask(lambda client: client.v1.subscriptions.update(stripe_subscription_id, {"cancel_at_period_end": is_ending}))


def change_price(stripe_subscription_id: str, *, item_id: str, price_id: str) -> None:
    """Let a subscription renew at another price; the running period is neither charged nor given back."""
    ask(
        lambda client: client.v1.subscriptions.update(
            stripe_subscription_id,
            {"items": [{"id": item_id, "price": price_id}], "proration_behavior": "none"},
        )
    )


def create_coupon(
    *,
    our_id: UUID,
    product_id: str,
    name: str,
    percent: Decimal | None,
    minor: int | None,
    currency: str,
    duration: str,
    months: int | None,
) -> str:
    """Make a coupon that is good for one product only, and return its id."""
    asked: stripe.params.CouponCreateParams = {
        "name": name[:40],
        "duration": duration,  # pyright: ignore[reportAssignmentType] - one of Duration, which are Stripe's words
        "applies_to": {"products": [product_id]},
        "metadata": {"coupon_id": str(our_id)},
    }
    if months is not None:
        asked["duration_in_months"] = months
    if percent is not None:
        # The SDK has a percentage as a float; with two places it is the same on the wire.
        asked["percent_off"] = float(percent)
    if minor is not None:
        asked["amount_off"], asked["currency"] = minor, currency
    key = f"coupon:{our_id}"
    return ask(lambda client: client.v1.coupons.create(asked, {"idempotency_key": key})).id


def create_promotion_code(
    *, our_id: UUID, coupon_id: str, code: str, most: int | None, ends_at: datetime | None
) -> str:
    """Make the code under which a coupon is redeemed, and return its id."""
    asked: stripe.params.PromotionCodeCreateParams = {
        "promotion": {"type": "coupon", "coupon": coupon_id},
        "code": code,
        "metadata": {"coupon_id": str(our_id)},
    }
    if most is not None:
        asked["max_redemptions"] = most
    if ends_at is not None:
        asked["expires_at"] = int(ends_at.timestamp())
    key = f"code:{our_id}"
    return ask(lambda client: client.v1.promotion_codes.create(asked, {"idempotency_key": key})).id


def end_promotion_code(promotion_code_id: str) -> None:
    """Let a code be redeemed no more; who redeemed it keeps what it takes off."""
    ask(lambda client: client.v1.promotion_codes.update(promotion_code_id, {"active": False}))


def redeemed(promotion_code_id: str) -> int:
    """Return how often a code was redeemed."""
    return ask(lambda client: client.v1.promotion_codes.retrieve(promotion_code_id)).times_redeemed


def redemptions(promotion_code_ids: Sequence[str]) -> list[int]:
    """Return how often each of these codes was redeemed; Stripe tells one at a time, so several are asked at once."""
    with ThreadPoolExecutor(ASKED_AT_ONCE, thread_name_prefix="stripe") as pool:
        return list(pool.map(redeemed, promotion_code_ids))


def create_refund(payment_intent_id: str, *, our_id: UUID, minor: int) -> str:
    """Give so much of a payment back and return the refund's id."""
    made = ask(
        lambda client: client.v1.refunds.create(
            {"payment_intent": payment_intent_id, "amount": minor, "metadata": {_OURS: str(our_id)}},
            {"idempotency_key": f"refund:{our_id}"},
        )
    )
    return made.id


def refund_of(payment_intent_id: str, *, our_id: UUID) -> str:
    """Return the refund that carries our id, empty where there is none."""
    pages = ask(lambda client: client.v1.refunds.list({"payment_intent": payment_intent_id, "limit": 100}))
    for one in ask(lambda _: list(pages.auto_paging_iter())):
        if (one.metadata.to_dict() if one.metadata else {}).get(_OURS) == str(our_id):
            return one.id
    return ""
