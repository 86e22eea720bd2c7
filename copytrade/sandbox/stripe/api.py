"""The REST API: key, version, parameters, idempotency, faults, expansion, Stripe's error form."""

import base64
import hashlib
import secrets
import time

import orjson
from starlette.requests import Request
from starlette.responses import Response

from copytrade.sandbox.stripe import expansion, faults, forms, routes
from copytrade.sandbox.stripe.errors import ApiError, Json, no_access
from copytrade.sandbox.stripe.payments import CardError
from copytrade.sandbox.stripe.routes import Route
from copytrade.sandbox.stripe.shapes import VERSION
from copytrade.sandbox.stripe.world import World

_KEPT = 86_400


async def answer(world: World, request: Request, path: str) -> Response:
    """Answer one API call."""
    id = "req_" + secrets.token_hex(7)
    body = await request.body()
    fault = faults.take(world, f"{request.method} {path}")
    try:
        await faults.before(world, fault)
        status, result, replayed = _run(world, request, path, body, id)
        await faults.after(world, fault)
    except ApiError as error:
        status, result, replayed = error.status, error.body, False
    headers = {"Request-Id": id, "Stripe-Version": VERSION}
    if replayed:
        headers["Idempotent-Replayed"] = "true"
    if key := request.headers.get("idempotency-key"):
        headers["Idempotency-Key"] = key
    return Response(orjson.dumps(result), status_code=status, headers=headers, media_type="application/json")


def _run(world: World, request: Request, path: str, body: bytes, id: str) -> tuple[int, Json, bool]:
    _authorize(request)
    version = request.headers.get("stripe-version", VERSION)
    if version != VERSION:
        raise ApiError(400, f"Invalid Stripe API version: {version}")
    route, ids = routes.find(request.method, path)
    params = forms.parse(body if request.method == "POST" else request.url.query)
    expand = [str(item) for item in forms.listing(params, "expand")]
    params.pop("expand", None)
    key = request.headers.get("idempotency-key") if request.method == "POST" else None
    if key and (account := request.headers.get("stripe-account")):
        key = f"{account} {key}"
    fingerprint = hashlib.sha256(f"{request.method} {path}\n".encode() + body).hexdigest()
    if key and (saved := _saved(world, key, fingerprint)):
        return *saved, True
    forms.allow(params, route.params)
    status = 200
    with world.asked(id=id, key=key, owner=_account(world, request, route)):
        try:
            result = expansion.expand(world, route.handler(world, params, ids), expand)
        except CardError as error:
            status, result = error.status, error.body
        if key:
            _save(world, key, fingerprint, status, result)
    return status, result, False


def _account(world: World, request: Request, route: Route) -> str:
    """Return the connected account that a request speaks for, empty for the account itself."""
    id = request.headers.get("stripe-account", "")
    if not id:
        return ""
    found = world.store.get(id, owner="")
    if found is None or found["object"] != "account":
        raise no_access(id)
    if not route.connect:
        raise ApiError(400, "The sandbox's connected accounts have balance, charges, payouts and events only.")
    return id


def _authorize(request: Request) -> None:
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        key = base64.b64decode(key + "==").decode("utf-8", "replace").partition(":")[0]
    if not key:
        raise ApiError(401, "You did not provide an API key.")
    if not key.startswith("sk_test_"):
        raise ApiError(401, f"Invalid API Key provided: {key[:7]}{'*' * 8}")


def _saved(world: World, key: str, fingerprint: str) -> tuple[int, Json] | None:
    row = world.store.db.execute(
        "select fingerprint, status, body from answers where key = ? and created > ?", (key, time.time() - _KEPT)
    ).fetchone()
    if row is None:
        return None
    if row[0] != fingerprint:
        raise ApiError(
            400,
            "Keys for idempotent requests can only be used with the same parameters they were first used with."
            f" Try using a key other than '{key}' if you meant to execute a different request.",
            type="idempotency_error",
        )
    return row[1], orjson.loads(row[2])


def _save(world: World, key: str, fingerprint: str, status: int, body: Json) -> None:
    now = time.time()
    world.store.db.execute("delete from answers where created <= ?", (now - _KEPT,))
    world.store.db.execute(
        "insert or replace into answers values (?, ?, ?, ?, ?)",
        (key, fingerprint, status, orjson.dumps(body).decode(), now),
    )
