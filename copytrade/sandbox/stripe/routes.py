"""Which path is answered by which handler, with the parameters that it knows."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from copytrade.sandbox.stripe import (
    balance,
    catalogue,
    checkout,
    connect,
    discounts,
    disputes,
    invoices,
    ledger,
    lists,
    methods,
    subscriptions,
    testclocks,
    transfers,
)
from copytrade.sandbox.stripe.errors import ApiError, Json
from copytrade.sandbox.stripe.lists import PAGING
from copytrade.sandbox.stripe.world import Handler, World

_SUBSCRIPTION = "parent.subscription_details.subscription"
_ID = ":id"


@dataclass(frozen=True, slots=True)
class Route:
    """One endpoint; `connect`: it also answers for a connected account."""

    method: str
    path: str
    handler: Handler
    params: Sequence[str]
    connect: bool = False


@dataclass(slots=True)
class _Node:
    """What can follow in a path."""

    parts: dict[str, "_Node"] = field(default_factory=dict)
    routes: dict[str, Route] = field(default_factory=dict)


def _route(method: str, path: str, handler: Handler, *params: str, connect: bool = False) -> Route:
    return Route(method, path, handler, params, connect)


def _remove(kind: str) -> Handler:
    def handler(world: World, params: Json, ids: tuple[str, ...]) -> Json:
        return catalogue.delete(world, params, (kind, ids[0]))

    return handler


def _expire(world: World, params: Json, ids: tuple[str, ...]) -> Json:
    return checkout.expire(world, world.get("checkout.session", ids[0]))


def _lists(
    path: str, kind: str, *, shown: lists.Shown | None = None, connect: bool = False, **filters: str
) -> list[Route]:
    return [
        _route("GET", path, lists.listed(path, kind, filters, shown=shown), *PAGING, *filters, connect=connect),
        _route("GET", f"{path}/:id", lists.read(kind), connect=connect),
    ]


_SOLD = [
    *_lists("products", "product", active="active"),
    _route("POST", "products", catalogue.create_product, *catalogue.PRODUCT),
    _route("POST", "products/:id", catalogue.update_product, *catalogue.PRODUCT),
    _route("DELETE", "products/:id", _remove("product")),
    *_lists("prices", "price", product="product", active="active", currency="currency", lookup_keys="lookup_key"),
    _route("POST", "prices", catalogue.create_price, *catalogue.PRICE),
    _route("POST", "prices/:id", catalogue.update_price, *catalogue.PRICE),
    *_lists("customers", "customer", email="email", test_clock="test_clock"),
    _route("POST", "customers", catalogue.create_customer, *catalogue.CUSTOMER),
    _route("POST", "customers/:id", catalogue.update_customer, *catalogue.CUSTOMER),
    _route("DELETE", "customers/:id", _remove("customer")),
    _route("GET", "customers/:id/payment_methods", lists.of_customer, *PAGING, "type"),
    _route("POST", "payment_methods/:id", methods.update, *methods.UPDATE),
    _route("POST", "payment_methods/:id/attach", methods.attach, "customer"),
    _route("POST", "payment_methods/:id/detach", methods.detach),
    *_lists("payment_methods", "payment_method", customer="customer", type="type"),
    _route("POST", "webhook_endpoints", catalogue.create_endpoint, *catalogue.ENDPOINT, "connect"),
    *_lists("webhook_endpoints", "webhook_endpoint"),
    _route("POST", "webhook_endpoints/:id", catalogue.update_endpoint, *catalogue.ENDPOINT),
    _route("DELETE", "webhook_endpoints/:id", _remove("webhook_endpoint")),
    _route("GET", "events", lists.events, *PAGING, "type", "types", "delivery_success", connect=True),
    _route("GET", "events/:id", lists.read("event"), connect=True),
]
_BILLED = [
    _route("POST", "checkout/sessions", checkout.create, *checkout.PARAMS),
    *_lists(
        "checkout/sessions",
        "checkout.session",
        customer="customer",
        subscription="subscription",
        status="status",
        payment_intent="payment_intent",
    ),
    _route("GET", "checkout/sessions/:id/line_items", lists.session_lines, *PAGING),
    _route("POST", "checkout/sessions/:id/expire", _expire),
    *_lists(
        "subscriptions",
        "subscription",
        customer="customer",
        status="status",
        test_clock="test_clock",
        price="items.data[0].price.id",
    ),
    _route("POST", "subscriptions", subscriptions.create, *subscriptions.CREATE),
    _route("POST", "subscriptions/:id", subscriptions.update, *subscriptions.UPDATE),
    _route("DELETE", "subscriptions/:id", subscriptions.cancel, *subscriptions.CANCEL),
    _route("POST", "subscriptions/:id/resume", subscriptions.resume, *subscriptions.RESUME),
    *_lists("invoiceitems", "invoiceitem", customer="customer", invoice="invoice"),
    *_lists("coupons", "coupon", shown=discounts.shown),
    _route("GET", "coupons/:id", discounts.read_coupon),
    _route("POST", "coupons", discounts.create_coupon, *discounts.COUPON),
    _route("POST", "coupons/:id", discounts.update_coupon, "name", "metadata"),
    _route("DELETE", "coupons/:id", discounts.delete_coupon),
    *_lists(
        "promotion_codes", "promotion_code", shown=discounts.shown, code="code", active="active", customer="customer"
    ),
    _route("GET", "promotion_codes/:id", discounts.read_code),
    _route("POST", "promotion_codes", discounts.create_code, *discounts.CODE),
    _route("POST", "promotion_codes/:id", discounts.update_code, "active", "metadata"),
    *_lists("invoices", "invoice", customer="customer", status="status", subscription=_SUBSCRIPTION),
    _route("GET", "invoices/:id/lines", lists.invoice_lines, *PAGING),
    _route("POST", "invoices/create_preview", invoices.preview, *invoices.PREVIEW),
    _route("POST", "invoices/:id", invoices.update, "metadata", "description", "auto_advance"),
    _route("POST", "invoices/:id/pay", invoices.pay, *invoices.PAY),
    _route("POST", "invoices/:id/void", invoices.void),
    _route("POST", "invoices/:id/mark_uncollectible", invoices.mark_uncollectible),
    _route("POST", "invoices/:id/finalize", invoices.finalize, "auto_advance"),
    _route("GET", "invoice_payments", lists.invoice_payments, *PAGING, "invoice", "status", "payment"),
    _route("GET", "invoice_payments/:id", lists.read("invoice_payment")),
    _route("POST", "billing_portal/sessions", ledger.create_portal_session, *ledger.PORTAL),
]
_MONEY = [
    *_lists("payment_intents", "payment_intent", customer="customer"),
    *_lists(
        "charges",
        "charge",
        connect=True,
        customer="customer",
        payment_intent="payment_intent",
        transfer_group="transfer_group",
    ),
    _route("POST", "refunds", ledger.create_refund, *ledger.REFUND),
    *_lists("refunds", "refund", charge="charge", payment_intent="payment_intent"),
    _route("GET", "balance", balance.retrieve, connect=True),
    _route("GET", "balance_transactions/:id", balance.read, connect=True),
    _route(
        "GET",
        "balance_transactions",
        lists.listed(
            "balance_transactions",
            "balance_transaction",
            {"source": "source", "type": "type", "currency": "currency"},
            shown=balance.shown,
        ),
        *PAGING,
        "source",
        "type",
        "currency",
        connect=True,
    ),
    *_lists("disputes", "dispute", charge="charge", payment_intent="payment_intent"),
    _route("POST", "disputes/:id", disputes.update, *disputes.UPDATE),
    _route("POST", "disputes/:id/close", disputes.close),
]
_CONNECT = [
    *_lists("accounts", "account"),
    _route("POST", "accounts", connect.create, *connect.CREATE),
    _route("POST", "accounts/:id", connect.update, *connect.UPDATE),
    _route("DELETE", "accounts/:id", connect.delete),
    _route("GET", "accounts/:id/external_accounts", connect.banks, *PAGING, "object"),
    _route("POST", "accounts/:id/login_links", connect.create_login_link),
    _route("POST", "account_links", connect.create_link, *connect.LINK),
    *_lists("transfers", "transfer", destination="destination", transfer_group="transfer_group"),
    _route("POST", "transfers", transfers.create, *transfers.CREATE),
    _route("POST", "transfers/:id", transfers.update, "metadata", "description"),
    _route("POST", "transfers/:id/reversals", transfers.reverse, *transfers.REVERSE),
    _route("GET", "transfers/:id/reversals", transfers.reversals, *PAGING),
    _route("GET", "transfers/:id/reversals/:id", transfers.read_reversal),
    *_lists("payouts", "payout", connect=True, status="status", destination="destination"),
]
_CLOCKS = [
    *_lists("test_helpers/test_clocks", testclocks.KIND),
    _route("POST", "test_helpers/test_clocks", testclocks.create, "frozen_time", "name"),
    _route("POST", "test_helpers/test_clocks/:id/advance", testclocks.advance, "frozen_time"),
    _route("DELETE", "test_helpers/test_clocks/:id", testclocks.delete),
]
ROUTES: list[Route] = [*_SOLD, *_BILLED, *_MONEY, *_CONNECT, *_CLOCKS]


def _tree() -> _Node:
    root = _Node()
    for route in ROUTES:
        node = root
        for part in route.path.split("/"):
            node = node.parts.setdefault(part, _Node())
        node.routes[route.method] = route
    return root


_ROOT = _tree()


def find(method: str, path: str) -> tuple[Route, tuple[str, ...]]:
    """Return the endpoint of a request and the ids in its path."""
    node, ids = _ROOT, []
    for part in path.removeprefix("/v1/").split("/"):
        known = node.parts.get(part)
        if known is None:
            known = node.parts.get(_ID)
            ids.append(part)
        if known is None:
            break
        node = known
    else:
        if method in node.routes:
            return node.routes[method], tuple(ids)
    raise ApiError(404, f"Unrecognized request URL ({method}: {path}).")
