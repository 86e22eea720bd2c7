"""Lists of objects: filtered, bounded in time and paged as Stripe does, and always by an index."""

from collections.abc import Callable
from typing import Any

from copytrade.sandbox.stripe import checkout
from copytrade.sandbox.stripe.errors import ApiError, Json, invalid, no_access
from copytrade.sandbox.stripe.forms import allow, integer, mapping, text
from copytrade.sandbox.stripe.shapes import page
from copytrade.sandbox.stripe.store import Created, owned
from copytrade.sandbox.stripe.world import Handler, World

PAGING = ("limit", "starting_after", "ending_before", "created")
_SIGNS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
_ENDED = ["canceled", "incomplete_expired"]
Shown = Callable[[World, Json], Json]


def read(kind: str) -> Handler:
    """Make the handler that shows one object."""

    def handler(world: World, params: Json, ids: tuple[str, ...]) -> Json:
        if kind == "customer" and world.store.switch(f"gone:{ids[0]}", False):
            return {"id": ids[0], "object": "customer", "deleted": True}
        if kind == "account" and world.store.get(ids[0], owner="") is None:
            raise no_access(ids[0])
        return world.get(kind, ids[0])

    return handler


def listed(path: str, kind: str, filters: dict[str, str], *, shown: Shown | None = None) -> Handler:
    """Make the handler that lists a kind; `filters` are parameters with the fields that they compare."""

    def handler(world: World, params: Json, ids: tuple[str, ...]) -> Json:
        equal = {field: _plain(params[name]) for name, field in filters.items() if params.get(name)}
        but: dict[str, Any] = {}
        if kind == "subscription":
            equal, but = _by_status(equal, params)
        found = paged(world, f"/v1/{path}", kind, equal, params, but=but)
        if shown is not None:
            found["data"] = [shown(world, body) for body in found["data"]]
        return found

    return handler


def _by_status(equal: dict[str, Any], params: Json) -> tuple[dict[str, Any], dict[str, Any]]:
    """Leave canceled subscriptions out unless they are asked for."""
    match params.get("status"):
        case None | "":
            return equal, {"status": ["canceled"]}
        case "all":
            return {name: value for name, value in equal.items() if name != "status"}, {}
        case "ended":
            return equal | {"status": _ENDED}, {}
        case _:
            return equal, {}


def _plain(value: Any) -> Any:
    return {"true": 1, "false": 0}.get(value, value) if isinstance(value, str) else value


def bounds(params: Json) -> Created:
    """Return the bounds in time that a list was asked for."""
    wanted = params.get("created")
    if isinstance(wanted, str):
        return [("=", integer(params, "created", most=10**11))]
    given = mapping(params, "created")
    allow(given, _SIGNS, prefix="created")
    return [(_SIGNS[name], integer(given, name, most=10**11)) for name in given]


def paged(
    world: World, url: str, kind: str, equal: dict[str, Any], params: Json, *, but: dict[str, Any] | None = None
) -> Json:
    """Return one page of a kind, newest first."""
    limit = integer(params, "limit", default=10, least=1, most=100)
    cursors = {name: _cursor(world, params, name) for name in ("starting_after", "ending_before")}
    if all(place is not None for place in cursors.values()):
        raise invalid("starting_after", "You can only provide one of these: starting_after, ending_before.")
    found = world.store.select(
        owned(kind, world.owner),
        equal,
        created=bounds(params),
        but=but,
        below=cursors["starting_after"],
        above=cursors["ending_before"],
        limit=limit + 1,
    )
    more = len(found) > limit
    kept = found[-limit:] if cursors["ending_before"] is not None else found[:limit]
    return page(url, kept, more=more)


def _cursor(world: World, params: Json, name: str) -> int | None:
    if not params.get(name):
        return None
    place = world.store.place(text(params, name))
    if place is None:
        raise ApiError(400, f"No such object: '{params[name]}'", code="resource_missing", param=name)
    return place


def events(world: World, params: Json, ids: tuple[str, ...]) -> Json:
    """Handle GET /v1/events."""
    wanted = [params["type"]] if params.get("type") else params.get("types")
    return paged(world, "/v1/events", "event", {"type": wanted} if wanted else {}, params)


def invoice_payments(world: World, params: Json, ids: tuple[str, ...]) -> Json:
    """Handle GET /v1/invoice_payments."""
    equal: dict[str, Any] = {name: params[name] for name in ("invoice", "status") if params.get(name)}
    payment = mapping(params, "payment")
    allow(payment, ("type", "payment_intent"), prefix="payment")
    if payment:
        equal["payment.payment_intent"] = text(payment, "payment_intent")
    return paged(world, "/v1/invoice_payments", "invoice_payment", equal, params)


def session_lines(world: World, params: Json, ids: tuple[str, ...]) -> Json:
    """Handle GET /v1/checkout/sessions/:id/line_items."""
    session = world.get("checkout.session", ids[0])
    return page(f"/v1/checkout/sessions/{ids[0]}/line_items", checkout.lines(world, session))


def invoice_lines(world: World, params: Json, ids: tuple[str, ...]) -> Json:
    """Handle GET /v1/invoices/:id/lines."""
    return world.get("invoice", ids[0])["lines"]


def of_customer(world: World, params: Json, ids: tuple[str, ...]) -> Json:
    """Handle GET /v1/customers/:id/payment_methods."""
    world.get("customer", ids[0])
    url = f"/v1/customers/{ids[0]}/payment_methods"
    return paged(world, url, "payment_method", {"customer": ids[0]}, params)
