"""Which path is answered by which handler, with the parameters that it knows."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from copytrade.sandbox.stripe import catalogue, checkout, ledger
from copytrade.sandbox.stripe.errors import ApiError, Json, invalid
from copytrade.sandbox.stripe.forms import allow, integer, mapping, text
from copytrade.sandbox.stripe.shapes import page
from copytrade.sandbox.stripe.world import Handler, World

_PAGING = ("limit", "starting_after", "ending_before", "created")


@dataclass(frozen=True, slots=True)
class Route:
    """One endpoint."""

    method: str
    pattern: re.Pattern[str]
    handler: Handler
    params: Sequence[str]


def _route(method: str, path: str, handler: Handler, *params: str) -> Route:
    pattern = re.compile("^/v1/" + path.replace(":id", "([A-Za-z0-9_]+)") + "$")
    return Route(method, pattern, handler, params)


def _read(kind: str) -> Handler:
    def handler(world: World, params: Json, ids: tuple[str, ...]) -> Json:
        return world.get(kind, ids[0])

    return handler


def _remove(kind: str) -> Handler:
    def handler(world: World, params: Json, ids: tuple[str, ...]) -> Json:
        return catalogue.delete(world, params, (kind, ids[0]))

    return handler


def _listed(path: str, kind: str, filters: dict[str, str]) -> Handler:
    def handler(world: World, params: Json, ids: tuple[str, ...]) -> Json:
        equal: dict[str, Any] = {
            field.replace(".", "__"): _plain(params[name]) for name, field in filters.items() if params.get(name)
        }
        if kind == "subscription" and equal.get("status") == "all":
            del equal["status"]
        found = [body for body in world.store.find(kind, **equal) if _in_time(body, params)]
        if kind == "subscription" and "status" not in params:
            found = [body for body in found if body["status"] != "canceled"]
        return _paged(f"/v1/{path}", found, params)

    return handler


def _plain(value: Any) -> Any:
    return {"true": 1, "false": 0}.get(value, value) if isinstance(value, str) else value


def _in_time(body: Json, params: Json) -> bool:
    wanted = params.get("created")
    if isinstance(wanted, str):
        return body["created"] == int(wanted)
    tests: dict[str, Callable[[int, int], bool]] = {
        "gt": lambda a, b: a > b,
        "gte": lambda a, b: a >= b,
        "lt": lambda a, b: a < b,
        "lte": lambda a, b: a <= b,
    }
    for name, value in mapping(params, "created").items():
        if name not in tests or not str(value).isdigit():
            raise invalid("created", "Invalid object")
        if not tests[name](body["created"], int(value)):
            return False
    return True


def _paged(url: str, found: list[Json], params: Json) -> Json:
    limit = integer(params, "limit", default=10, least=1, most=100)
    ids = [body["id"] for body in found]
    start, end = 0, len(found)
    for name in ("starting_after", "ending_before"):
        if params.get(name) and params[name] not in ids:
            raise ApiError(400, f"No such object: '{params[name]}'", code="resource_missing", param=name)
    if params.get("starting_after"):
        start = ids.index(params["starting_after"]) + 1
    if params.get("ending_before"):
        end = ids.index(params["ending_before"])
        start = max(start, end - limit)
        return page(url, found[start:end], more=start > 0)
    return page(url, found[start : start + limit], more=end > start + limit)


def _events(world: World, params: Json, ids: tuple[str, ...]) -> Json:
    wanted = [params["type"]] if params.get("type") else params.get("types")
    found = world.store.find("event")
    kept = [event for event in found if (not wanted or event["type"] in wanted) and _in_time(event, params)]
    return _paged("/v1/events", kept, params)


def _invoice_payments(world: World, params: Json, ids: tuple[str, ...]) -> Json:
    equal: dict[str, Any] = {name: params[name] for name in ("invoice", "status") if params.get(name)}
    payment = mapping(params, "payment")
    allow(payment, ("type", "payment_intent"), prefix="payment")
    if payment:
        equal["payment__payment_intent"] = text(payment, "payment_intent")
    return _paged("/v1/invoice_payments", world.store.find("invoice_payment", **equal), params)


def _session_lines(world: World, params: Json, ids: tuple[str, ...]) -> Json:
    session = world.get("checkout.session", ids[0])
    return page(f"/v1/checkout/sessions/{ids[0]}/line_items", checkout.lines(world, session))


def _invoice_lines(world: World, params: Json, ids: tuple[str, ...]) -> Json:
    return world.get("invoice", ids[0])["lines"]


def _expire(world: World, params: Json, ids: tuple[str, ...]) -> Json:
    return checkout.expire(world, world.get("checkout.session", ids[0]))


def _lists(path: str, kind: str, **filters: str) -> list[Route]:
    return [
        _route("GET", path, _listed(path, kind, filters), *_PAGING, *filters),
        _route("GET", f"{path}/:id", _read(kind)),
    ]


ROUTES: list[Route] = [
    *_lists("products", "product", active="active"),
    _route("POST", "products", catalogue.create_product, *catalogue.PRODUCT),
    _route("POST", "products/:id", catalogue.update_product, *catalogue.PRODUCT),
    _route("DELETE", "products/:id", _remove("product")),
    *_lists("prices", "price", product="product", active="active", currency="currency"),
    _route("POST", "prices", catalogue.create_price, *catalogue.PRICE),
    _route("POST", "prices/:id", catalogue.update_price, *catalogue.PRICE),
    *_lists("customers", "customer", email="email"),
    _route("POST", "customers", catalogue.create_customer, *catalogue.CUSTOMER),
    _route("POST", "customers/:id", catalogue.update_customer, *catalogue.CUSTOMER),
    _route("DELETE", "customers/:id", _remove("customer")),
    *_lists("payment_methods", "payment_method", customer="customer", type="type"),
    _route("POST", "checkout/sessions", checkout.create, *checkout.PARAMS),
    *_lists(
        "checkout/sessions",
        "checkout.session",
        customer="customer",
        subscription="subscription",
        status="status",
        payment_intent="payment_intent",
    ),
    _route("GET", "checkout/sessions/:id/line_items", _session_lines, *_PAGING),
    _route("POST", "checkout/sessions/:id/expire", _expire),
    *_lists("subscriptions", "subscription", customer="customer", status="status"),
    _route("POST", "subscriptions/:id", ledger.update_subscription, *ledger.SUBSCRIPTION),
    _route("DELETE", "subscriptions/:id", ledger.cancel_subscription, "invoice_now", "prorate"),
    *_lists(
        "invoices",
        "invoice",
        customer="customer",
        status="status",
        subscription="parent.subscription_details.subscription",
    ),
    _route("GET", "invoices/:id/lines", _invoice_lines, *_PAGING),
    _route("POST", "invoices/:id/pay", ledger.pay_invoice, "payment_method"),
    _route("GET", "invoice_payments", _invoice_payments, *_PAGING, "invoice", "status", "payment"),
    _route("GET", "invoice_payments/:id", _read("invoice_payment")),
    *_lists("payment_intents", "payment_intent", customer="customer"),
    *_lists("charges", "charge", customer="customer", payment_intent="payment_intent"),
    _route("POST", "refunds", ledger.create_refund, *ledger.REFUND),
    *_lists("refunds", "refund", charge="charge", payment_intent="payment_intent"),
    _route("POST", "billing_portal/sessions", ledger.create_portal_session, *ledger.PORTAL),
    _route("POST", "webhook_endpoints", catalogue.create_endpoint, *catalogue.ENDPOINT),
    *_lists("webhook_endpoints", "webhook_endpoint"),
    _route("POST", "webhook_endpoints/:id", catalogue.update_endpoint, *catalogue.ENDPOINT),
    _route("DELETE", "webhook_endpoints/:id", _remove("webhook_endpoint")),
    _route("GET", "events", _events, *_PAGING, "type", "types", "delivery_success"),
    _route("GET", "events/:id", _read("event")),
]


def find(method: str, path: str) -> tuple[Route, tuple[str, ...]]:
    """Return the endpoint of a request and the ids in its path."""
    for route in ROUTES:
        found = route.pattern.match(path) if route.method == method else None
        if found:
            return route, found.groups()
    raise ApiError(404, f"Unrecognized request URL ({method}: {path}).")
