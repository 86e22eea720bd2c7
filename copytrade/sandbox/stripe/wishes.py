"""What a request wants of a subscription: its item, its card, its trial, its pause, each checked."""

from copytrade.sandbox.stripe.errors import ApiError, Json, invalid
from copytrade.sandbox.stripe.forms import allow, integer, listing, mapping, text
from copytrade.sandbox.stripe.schedule import DAY
from copytrade.sandbox.stripe.world import World

FAR = 10**11
"""The latest moment that anything can be set to."""
_WITHOUT_CARD = ("cancel", "pause", "create_invoice")


def check_collection(params: Json) -> None:
    """Refuse invoices that are sent instead of charged."""
    if params.get("collection_method", "charge_automatically") != "charge_automatically":
        raise invalid("collection_method", "The sandbox charges automatically only.")


def item(world: World, params: Json, *, required: bool) -> tuple[Json, int | None, str | None]:
    """Return price, quantity and id of the one item that was given."""
    given = listing(params, "items")
    if len(given) != 1 or not isinstance(given[0], dict):
        if required and not given:
            raise ApiError(400, "Missing required param: items.", code="parameter_missing", param="items")
        raise invalid("items", "The sandbox's subscriptions have exactly one item.")
    allow(given[0], ("id", "price", "quantity", "metadata"), prefix="items[0]")
    quantity = integer(given[0], "quantity", least=1, most=1_000) if given[0].get("quantity") else None
    if not given[0].get("price") and not required:
        return {}, quantity, given[0].get("id")
    price = world.get("price", text(given[0], "price"), param="items[0][price]")
    usable(price, param="items[0][price]")
    return price, quantity, given[0].get("id")


def usable(price: Json, *, param: str) -> None:
    """Refuse a price that nobody can subscribe to."""
    if not price["recurring"]:
        raise invalid(
            param, "The price specified is set to `type=one_time` but this field only accepts recurring prices."
        )
    if not price["active"]:
        raise invalid(param, f"The price specified is inactive: {price['id']}")


def method(world: World, params: Json) -> str | None:
    """Return the card that a subscription is to be paid with, if one was named."""
    if not params.get("default_payment_method"):
        return None
    return world.get("payment_method", params["default_payment_method"], param="default_payment_method")["id"]


def trial_end(world: World, params: Json, *, prefix: str = "") -> int | None:
    """Return when a trial ends, by its days or its moment; None without one."""
    days, moment = params.get("trial_period_days"), params.get("trial_end")
    if days and moment:
        raise invalid(f"{prefix}trial_end", "You can only provide one of trial_end and trial_period_days.")
    if days:
        return world.now() + integer(params, "trial_period_days", least=1, most=730) * DAY
    if not moment or moment == "now":
        return None
    found = integer(params, "trial_end", most=FAR)
    if found <= world.now():
        raise invalid(f"{prefix}trial_end", "Invalid timestamp: must be an integer Unix timestamp in the future.")
    return found


def without_card(params: Json) -> str:
    """Return what happens at the end of a trial that has no card."""
    given = mapping(params, "trial_settings")
    if not given:
        return "create_invoice"
    allow(given, ("end_behavior",), prefix="trial_settings")
    found = text(mapping(given, "end_behavior"), "missing_payment_method")
    if found not in _WITHOUT_CARD:
        raise invalid(
            "trial_settings[end_behavior][missing_payment_method]", f"Must be one of {', '.join(_WITHOUT_CARD)}"
        )
    return found


def pause(world: World, params: Json) -> Json | None:
    """Return how the collection is to be paused, None when it goes on."""
    given = mapping(params, "pause_collection")
    if not given:
        return None
    allow(given, ("behavior", "resumes_at"), prefix="pause_collection")
    behavior = text(given, "behavior")
    if behavior not in ("void", "keep_as_draft", "mark_uncollectible"):
        raise invalid("pause_collection[behavior]", "Must be one of keep_as_draft, mark_uncollectible, or void")
    at = integer(given, "resumes_at", most=FAR) if given.get("resumes_at") else None
    if at is not None and at <= world.now():
        raise invalid("pause_collection[resumes_at]", "`resumes_at` must be in the future.")
    return {"behavior": behavior, "resumes_at": at}
