"""`expand[]`: ids in an answer replaced by the objects they name, up to four levels deep."""

from typing import Any

from copytrade.sandbox.stripe import balance, checkout
from copytrade.sandbox.stripe.errors import ApiError, Json
from copytrade.sandbox.stripe.shapes import page
from copytrade.sandbox.stripe.world import World


def expand(world: World, body: Json, paths: list[str]) -> Json:
    """Return the answer with every path expanded."""
    for path in paths:
        parts = path.split(".")
        if len(parts) > 4:
            raise ApiError(400, "You cannot expand more than 4 levels of a property.", param="expand")
        _walk(world, body, parts, path)
    return body


def _walk(world: World, node: Any, parts: list[str], path: str) -> None:
    if isinstance(node, list):
        for item in node:
            _walk(world, item, parts, path)
        return
    if not isinstance(node, dict):
        return
    name, rest = parts[0], parts[1:]
    if name not in node:
        node[name] = _included(world, node, name, path)
    elif isinstance(node[name], str):
        found = world.store.get(node[name])
        if found is not None and found["object"] == "balance_transaction":
            found = balance.shown(world, found)
        if found is None:
            raise ApiError(400, f"This property cannot be expanded ({path}).", param="expand")
        node[name] = found
    elif isinstance(node[name], list):
        node[name] = [(world.store.get(one) or one) if isinstance(one, str) else one for one in node[name]]
    if rest:
        _walk(world, node[name], rest, path)


def _included(world: World, node: Json, name: str, path: str) -> Json:
    """Return the lists that an object shows only when they are asked for."""
    match node.get("object"), name:
        case "checkout.session", "line_items":
            return page(f"/v1/checkout/sessions/{node['id']}/line_items", checkout.lines(world, node))
        case "invoice", "payments":
            found = world.store.find("invoice_payment", invoice=node["id"])
            return page(f"/v1/invoice_payments?invoice={node['id']}", found)
        case "charge", "refunds":
            return page(f"/v1/refunds?charge={node['id']}", world.store.find("refund", charge=node["id"]))
        case "customer", "subscriptions":
            found = world.store.find("subscription", customer=node["id"])
            return page(f"/v1/subscriptions?customer={node['id']}", found)
        case _:
            raise ApiError(400, f"This property cannot be expanded ({path}).", param="expand")
