"""Coupons, promotion codes and the discounts that they become on a subscription."""

import secrets
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from copytrade.sandbox.stripe import currencies, periods, shapes_discount
from copytrade.sandbox.stripe.errors import ApiError, Json, invalid, missing
from copytrade.sandbox.stripe.forms import allow, boolean, integer, listing, mapping, metadata, text
from copytrade.sandbox.stripe.world import World

COUPON = (
    "id",
    "percent_off",
    "amount_off",
    "currency",
    "duration",
    "duration_in_months",
    "max_redemptions",
    "redeem_by",
    "name",
    "metadata",
    "applies_to",
)
CODE = ("promotion", "code", "customer", "expires_at", "max_redemptions", "metadata", "active", "restrictions")
_MOST = 10**11


def create_coupon(world: World, params: Json, ids: tuple[str, ...]) -> Json:
    """Handle POST /v1/coupons."""
    if bool(params.get("percent_off")) is bool(params.get("amount_off")):
        raise ApiError(400, "You must pass either `percent_off` or `amount_off`, but not both.", param="percent_off")
    duration = str(params.get("duration") or "once")
    if duration not in ("once", "repeating", "forever"):
        raise invalid("duration", "Invalid duration: must be one of forever, once, or repeating")
    if (duration == "repeating") is not bool(params.get("duration_in_months")):
        raise invalid("duration_in_months", "`duration_in_months` belongs to the duration `repeating`, and only to it.")
    id = str(params.get("id") or secrets.token_urlsafe(6).replace("-", "x").replace("_", "y"))
    if world.store.get(id):
        raise invalid("id", "Coupon already exists.", code="resource_already_exists")
    given = mapping(params, "applies_to")
    body = shapes_discount.coupon(
        id=id,
        now=world.now(),
        duration=duration,
        duration_in_months=_whole(params, "duration_in_months"),
        max_redemptions=_whole(params, "max_redemptions"),
        redeem_by=_future(world, params, "redeem_by"),
        name=params.get("name") or None,
        metadata=metadata(params),
        **_off(params),
    )
    if given:
        body["applies_to"] = {"products": [str(one) for one in listing(given, "products")]}
    world.emit("coupon.created", world.save(body))
    return body


def _whole(params: Json, name: str) -> int | None:
    return integer(params, name, least=1) if params.get(name) else None


def _future(world: World, params: Json, name: str) -> int | None:
    if not params.get(name):
        return None
    found = integer(params, name, most=_MOST)
    if found <= world.now():
        raise invalid(name, f"`{name}` must be a timestamp in the future.")
    return found


def _off(params: Json) -> Json:
    if params.get("amount_off"):
        currency = text(params, "currency").lower()
        if currency not in currencies.KNOWN:
            raise invalid("currency", f"Invalid currency: {currency}.")
        return {"amount_off": integer(params, "amount_off", least=1), "currency": currency}
    try:
        percent = Decimal(text(params, "percent_off"))
    except InvalidOperation:
        raise invalid("percent_off", f"Invalid decimal: {params['percent_off']}") from None
    if not 0 < percent <= 100 or percent != percent.quantize(Decimal("0.01")):
        raise invalid("percent_off", "`percent_off` must be greater than 0 and at most 100, with two digits at most.")
    return {"percent_off": int(percent) if percent == int(percent) else float(percent)}


def update_coupon(world: World, params: Json, ids: tuple[str, ...]) -> Json:
    """Handle POST /v1/coupons/:id; what it takes off never changes."""
    body = world.get("coupon", ids[0])
    name = params.get("name", body["name"]) or None
    changed = world.change(body, "coupon.updated", name=name, metadata=metadata(params, old=body["metadata"]))
    return shown(world, changed)


def delete_coupon(world: World, params: Json, ids: tuple[str, ...]) -> Json:
    """Handle DELETE /v1/coupons/:id; discounts that were given stay."""
    body = world.get("coupon", ids[0])
    # Discounts go on naming it, so that its terms are kept beside the objects.
    world.store.set_switch(f"coupon:{body['id']}", body)
    world.store.remove(body["id"])
    world.emit("coupon.deleted", body)
    return {"id": body["id"], "object": "coupon", "deleted": True}


def shown(world: World, body: Json) -> Json:
    """Return a coupon or a promotion code with its validity by now."""
    if body["object"] == "coupon":
        body["valid"] = _alive(world, body, until=body["redeem_by"])
    else:
        body["active"] = body["active"] and _alive(world, body, until=body["expires_at"])
    return body


def read_coupon(world: World, params: Json, ids: tuple[str, ...]) -> Json:
    """Handle GET /v1/coupons/:id."""
    return shown(world, world.get("coupon", ids[0]))


def read_code(world: World, params: Json, ids: tuple[str, ...]) -> Json:
    """Handle GET /v1/promotion_codes/:id."""
    return shown(world, world.get("promotion_code", ids[0]))


def _alive(world: World, body: Json, *, until: int | None) -> bool:
    most = body["max_redemptions"]
    return (until is None or world.now() < until) and (most is None or body["times_redeemed"] < most)


def create_code(world: World, params: Json, ids: tuple[str, ...]) -> Json:
    """Handle POST /v1/promotion_codes."""
    promotion = mapping(params, "promotion")
    if not promotion:
        raise missing("promotion")
    allow(promotion, ("type", "coupon"), prefix="promotion")
    coupon = world.get("coupon", text(promotion, "coupon"), param="promotion[coupon]")
    code = str(params.get("code") or secrets.token_hex(4)).upper()
    if not code.replace("-", "").isalnum():
        raise invalid("code", "A promotion code has letters, digits and dashes only.")
    if any(shown(world, one)["active"] for one in world.store.find("promotion_code", code=code)):
        raise ApiError(400, f"An active promotion code with `code: {code}` already exists.", param="code")
    given = mapping(params, "restrictions")
    allow(given, ("first_time_transaction", "minimum_amount", "minimum_amount_currency"), prefix="restrictions")
    body = shapes_discount.promotion_code(
        id=world.new_id("promo"),
        now=world.now(),
        coupon=coupon["id"],
        code=code,
        customer=params.get("customer") or None,
        expires_at=_future(world, params, "expires_at"),
        max_redemptions=_whole(params, "max_redemptions"),
        metadata=metadata(params),
        active=boolean(params, "active", default=True),
        restrictions={
            "first_time_transaction": boolean(given, "first_time_transaction", default=False),
            "minimum_amount": _whole(given, "minimum_amount"),
            "minimum_amount_currency": given.get("minimum_amount_currency") or None,
        },
    )
    world.emit("promotion_code.created", world.save(body))
    return body


def update_code(world: World, params: Json, ids: tuple[str, ...]) -> Json:
    """Handle POST /v1/promotion_codes/:id."""
    body = world.get("promotion_code", ids[0])
    return world.change(
        body,
        "promotion_code.updated",
        active=boolean(params, "active", default=body["active"]),
        metadata=metadata(params, old=body["metadata"]),
    )


def asked(world: World, params: Json, *, customer: str | None, currency: str) -> list[Json]:
    """Return what `discounts` asks for, each `{coupon, promotion_code}` by id and checked."""
    found: list[Json] = []
    for number, one in enumerate(listing(params, "discounts")):
        where = f"discounts[{number}]"
        if not isinstance(one, dict):
            raise invalid(where, "Invalid object")
        allow(one, ("coupon", "promotion_code", "discount"), prefix=where)
        if one.get("discount"):
            known = world.get("discount", text(one, "discount"), param=f"{where}[discount]")
            found.append({"discount": known["id"]})
        elif one.get("promotion_code"):
            code = world.get("promotion_code", text(one, "promotion_code"), param=f"{where}[promotion_code]")
            found.append(by_code(world, code, customer=customer, currency=currency))
        else:
            coupon = world.get("coupon", text(one, "coupon"), param=f"{where}[coupon]")
            _check(world, coupon, currency=currency)
            found.append({"coupon": coupon["id"], "promotion_code": None})
    return found


def by_code(world: World, code: Json, *, customer: str | None, currency: str) -> Json:
    """Return what a promotion code stands for, checked."""
    if not shown(world, code)["active"] or code["customer"] not in (None, customer):
        raise ApiError(400, "This promotion code cannot be redeemed because it is not active.", code="coupon_expired")
    _check(world, world.get("coupon", code["promotion"]["coupon"]), currency=currency)
    return {"coupon": code["promotion"]["coupon"], "promotion_code": code["id"]}


def _check(world: World, coupon: Json, *, currency: str) -> None:
    if not shown(world, coupon)["valid"]:
        raise ApiError(400, f"Coupon expired: {coupon['id']}", code="coupon_expired", param="coupon")
    if coupon["amount_off"] and coupon["currency"] != currency:
        raise invalid(
            "coupon", f"The coupon {coupon['id']} is in {coupon['currency']}, the subscription in {currency}."
        )


def terms(world: World, coupon: str) -> Json:
    """Return the terms of a coupon, deleted or not."""
    return world.store.get(coupon) or world.store.switch(f"coupon:{coupon}", {})


def give(world: World, subscription: Json, wanted: Json, *, session: str | None = None) -> str:
    """Put a discount on a subscription and count its redemption; return its id."""
    coupon, now = world.get("coupon", wanted["coupon"]), world.now()
    months = coupon["duration_in_months"]
    body = shapes_discount.discount(
        id=world.new_id("di"),
        now=now,
        coupon=coupon["id"],
        customer=subscription["customer"],
        subscription=subscription["id"],
        end=periods.add(now, interval="month", count=months) if months else None,
        promotion_code=wanted["promotion_code"],
        checkout_session=session,
    )
    for redeemed in (coupon["id"], wanted["promotion_code"]):
        counted = world.store.get(redeemed) if redeemed else None
        if counted is not None:
            world.save(counted | {"times_redeemed": counted["times_redeemed"] + 1})
    world.emit("customer.discount.created", world.save(body))
    return body["id"]


def live(world: World, ids: list[str], *, at: int) -> list[Json]:
    """Return the discounts that still take something off at a moment."""
    found = [world.get("discount", id) for id in ids]
    return [one for one in found if one["end"] is None or at < one["end"]]


def drop(world: World, id: str) -> None:
    """End a discount."""
    world.emit("customer.discount.deleted", world.get("discount", id))


def apply(world: World, discounts: list[Json], lines: list[Json]) -> list[Json]:
    """Write on the lines what is taken off them; return what each discount takes off in all."""
    totals: list[Json] = []
    for one in discounts:
        coupon, taken = terms(world, one["source"]["coupon"]), 0
        for line in lines:
            off = _off_line(coupon, line, left=(coupon["amount_off"] or 0) - taken)
            if off:
                line["discount_amounts"].append({"amount": off, "discount": one["id"]})
                line["discounts"] = [*line["discounts"], one["id"]]
            taken += off
        totals.append({"amount": taken, "discount": one["id"]})
    return totals


def _off_line(coupon: Json, line: Json, *, left: int) -> int:
    products = (coupon.get("applies_to") or {}).get("products")
    if not line["discountable"] or (products and line["pricing"]["price_details"]["product"] not in products):
        return 0
    rest = line["amount"] - sum(one["amount"] for one in line["discount_amounts"])
    return max(0, off(coupon, rest, left=left))


def off(coupon: Json, amount: int, *, left: int | None = None) -> int:
    """Return what a coupon takes off an amount, half up."""
    if coupon["percent_off"] is not None:
        share: Any = Decimal(str(coupon["percent_off"])) / 100
        return int((amount * share).quantize(Decimal(1), ROUND_HALF_UP))
    return min(amount, coupon["amount_off"] if left is None else left)
