"""Test clocks: some customers live by a time of their own, which is advanced beside the account's."""

from copytrade.sandbox.stripe import catalogue, periods
from copytrade.sandbox.stripe.errors import ApiError, Json, invalid
from copytrade.sandbox.stripe.forms import integer
from copytrade.sandbox.stripe.world import World

KIND = "test_helpers.test_clock"
_KEPT_S = 30 * 86_400
_FAR = 10**11
_FAR_INTERVALS = 2


def create(world: World, params: Json, ids: tuple[str, ...]) -> Json:
    """Handle POST /v1/test_helpers/test_clocks."""
    body: Json = {
        "id": world.new_id("clock"),
        "object": KIND,
        "created": world.account_now(),
        "deletes_after": world.account_now() + _KEPT_S,
        "frozen_time": integer(params, "frozen_time", most=_FAR),
        "livemode": False,
        "name": params.get("name") or None,
        "status": "ready",
        "status_details": {},
    }
    world.emit(f"{KIND}.created", world.save(body))
    return body


def advance(world: World, params: Json, ids: tuple[str, ...]) -> Json:
    """Handle POST /v1/test_helpers/test_clocks/:id/advance; it goes on after the answer, until the clock is ready."""
    body = world.get(KIND, ids[0])
    until = integer(params, "frozen_time", most=_FAR)
    if body["status"] != "ready":
        raise ApiError(400, "Test clock advancement is underway: wait until its status is `ready`.")
    if until <= body["frozen_time"]:
        raise invalid("frozen_time", "The new frozen time must be after the current frozen time.")
    farthest = _farthest(world, body)
    if farthest is not None and until > farthest:
        raise invalid(
            "frozen_time",
            "Cannot advance the test clock more than two intervals of its shortest subscription at once.",
        )
    world.change(
        body,
        f"{KIND}.advancing",
        status="advancing",
        status_details={"advancing": {"target_frozen_time": until}},
    )
    world.woken.set()
    return body


def _farthest(world: World, body: Json) -> int | None:
    prices = [
        one["items"]["data"][0]["price"]["recurring"]
        for one in world.store.select("subscription", {"test_clock": body["id"]}, but={"status": ["canceled"]})
    ]
    ends = [
        periods.add(body["frozen_time"], interval=one["interval"], count=_FAR_INTERVALS * one["interval_count"])
        for one in prices
    ]
    return min(ends, default=None)


def ready(world: World, id: str) -> None:
    """Write that a clock has arrived."""
    body = world.store.get(id)
    if body is None:
        return
    until = body["status_details"]["advancing"]["target_frozen_time"]
    with world.at(until):
        world.change(body, f"{KIND}.ready", status="ready", status_details={}, frozen_time=until)


def delete(world: World, params: Json, ids: tuple[str, ...]) -> Json:
    """Handle DELETE /v1/test_helpers/test_clocks/:id: its customers go with it."""
    body = world.get(KIND, ids[0])
    for customer in world.store.select("customer", {"test_clock": body["id"]}):
        catalogue.delete(world, {}, ("customer", customer["id"]))
    world.store.remove(body["id"])
    world.forget_known()
    gone: Json = {"id": body["id"], "object": KIND, "deleted": True}
    world.emit(f"{KIND}.deleted", body)
    return gone
