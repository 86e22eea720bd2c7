"""The control interface: clock, faults, webhook switches, cards; see README.md in this folder."""

import json
import time
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from copytrade.sandbox.stripe import cards, catalogue, clockwork, connect, crowd, disputes, portal
from copytrade.sandbox.stripe.errors import ApiError, Json, invalid
from copytrade.sandbox.stripe.faults import Fault
from copytrade.sandbox.stripe.world import World

_SWITCHES = ("hold", "shuffle", "duplicates", "delay_s")


async def answer(world: World, request: Request, path: str) -> Response:
    """Answer one control call."""
    try:
        given = json.loads(await request.body() or b"{}")
        return JSONResponse(await _asked(world, f"{request.method} {path}", given))
    except ApiError as error:
        return JSONResponse(error.body, status_code=error.status)
    except (ValueError, KeyError, TypeError, cards.BadCard) as error:
        return JSONResponse({"error": f"{type(error).__name__}: {error}"}, status_code=400)


async def _asked(world: World, call: str, given: Json) -> Any:
    """Do what takes its time beside the others, or one call whole or not at all."""
    if call == "POST /clock":
        until = int(given["to"]) if "to" in given else world.now() + int(given["seconds"])
        return {"done": await clockwork.advance(world, until), "now": world.now()}
    if call == "POST /crowd":
        return await crowd.gather(world, given)
    with world.asked():
        return _do(world, call, given)


def _do(world: World, call: str, given: Json) -> Any:
    match call:
        case "POST /endpoint":
            return endpoint(
                world,
                url=given["url"],
                secret=given["secret"],
                events=given.get("enabled_events"),
                connect_secret=given.get("connect_secret", ""),
            )
        case "DELETE /state":
            world.store.forget()
            world.forget_known()
            return {}
        case "GET /clock":
            return {"now": world.now(), "offset": world.now() - int(time.time())}
        case "POST /faults":
            fault = {"kind": Fault(given["kind"]), "match": given.get("match", ""), "count": int(given.get("count", 1))}
            if "seconds" in given:
                fault["seconds"] = float(given["seconds"])
            world.store.set_switch("faults", [*world.store.switch("faults", []), fault])
            return world.store.switch("faults", [])
        case "GET /faults":
            return world.store.switch("faults", [])
        case "DELETE /faults":
            world.store.set_switch("faults", [])
            return []
        case "PUT /webhooks":
            return _webhooks(world, given)
        case "GET /backlog":
            row = world.store.db.execute("select count(*) from deliveries where state = 'pending'").fetchone()
            return {"pending": row[0]}
        case "GET /deliveries":
            return deliveries(world)
        case "POST /resend":
            return resend(world, given["event"])
        case "POST /onboard":
            return _onboard(world, given)
        case "POST /dispute":
            charge = world.get("charge", given["charge"])
            return disputes.create(world, charge, reason=given.get("reason", "fraudulent"), amount=given.get("amount"))
        case "POST /dispute/decide":
            return disputes.decide(world, world.get("dispute", given["dispute"]), status=given["status"])
        case "POST /card/renewed":
            method = world.get("payment_method", given["payment_method"])
            card = {**method["card"], **{name: int(given[name]) for name in ("exp_month", "exp_year")}}
            return world.change(method, "payment_method.automatically_updated", card=card)
        case "PUT /settling":
            return _settling(world, given)
        case "PUT /dunning":
            return _dunning(world, given)
        case "POST /card":
            customer = world.get("customer", given["customer"])
            return portal.replace_card(world, customer, {"expiry": "12/40", "cvc": "123", **given})
        case _:
            raise ApiError(404, f"There is no control call {call}.")


def _onboard(world: World, given: Json) -> Json:
    """Put a connected account where its onboarding would: enabled, more asked for, or restricted."""
    body, state = world.get("account", given["account"]), given.get("state", "enabled")
    if state not in ("enabled", "more", "restricted"):
        raise invalid("state", "An account is enabled, more (is needed) or restricted.")
    due = ["individual.verification.document"] if state == "more" else []
    if not body["details_submitted"]:
        email = body["email"] or "trader@example.com"
        connect.finish(world, body, first="Alice", last="Trader", iban="DE89370400440532013000", email=email, due=due)
        if state == "enabled":
            return body
    disabled = "rejected.other" if state == "restricted" else "requirements.past_due" if due else None
    return connect.decide(world, body, due=due, disabled=disabled)


def _settling(world: World, given: Json) -> Json:
    for name in given:
        if name not in ("days", "reserves"):
            raise invalid(name, "Of the balance there are days (until charges can be sent on) and reserves.")
    if "days" in given:
        world.store.set_switch("settling_days", int(given["days"]))
    if "reserves" in given:
        world.store.set_switch("reserves", bool(given["reserves"]))
    return given


def _dunning(world: World, given: Json) -> Json:
    """Set after how many days an unpaid renewal is tried again, and what comes after the last try."""
    days, then = [int(day) for day in given.get("days", [3, 5, 7])], given.get("then", "cancel")
    if then not in ("cancel", "unpaid", "past_due") or any(day < 1 for day in days):
        raise invalid("then", "After the last try a subscription is cancel(ed), unpaid or stays past_due.")
    world.store.set_switch("dunning", {"days": days, "then": then})
    return {"days": days, "then": then}


def _webhooks(world: World, given: Json) -> Json:
    for name in given:
        if name not in _SWITCHES:
            raise invalid(name, f"Webhook switches are {', '.join(_SWITCHES)}.")
    world.store.set_switch("webhooks", given)
    world.rung.set()
    return given


def endpoint(world: World, *, url: str, secret: str, events: list[str] | None = None, connect_secret: str = "") -> Json:
    """Register the app's webhook endpoint with a secret that it knows already, in the place of an earlier one.

    It is registered once more for the events of connected accounts, with a secret of its own if there is one.
    """
    if not secret:
        raise invalid("secret", "An endpoint needs a secret.")
    with world.store.transaction():
        made = _registered(world, "installation", url=url, secret=secret, events=events, connect=False)
        _registered(world, "connect", url=url, secret=connect_secret or secret, events=events, connect=True)
    return made


def _registered(world: World, owner: str, *, url: str, secret: str, events: list[str] | None, connect: bool) -> Json:
    for old in world.store.find("webhook_endpoint", metadata__owner=owner):
        is_same = old["url"] == url and old["enabled_events"] == (events or ["*"])
        if is_same and world.store.switch(f"secret:{old['id']}", "") == secret:
            return old
        catalogue.delete(world, {}, ("webhook_endpoint", old["id"]))
    params: Json = {"url": url, "enabled_events": events or ["*"], "metadata": {"owner": owner}}
    params["connect"] = "true" if connect else "false"
    return catalogue.create_endpoint(world, params, (), secret=secret)


def deliveries(world: World) -> list[Json]:
    """Return every delivery, oldest first."""
    rows = world.store.db.execute(
        "select d.event, json_extract(o.body, '$.type'), d.endpoint, d.attempt, d.state, d.answer"
        " from deliveries d join objects o on o.id = d.event order by d.seq"
    )
    names = ("event", "type", "endpoint", "attempt", "state", "answer")
    return [dict(zip(names, row, strict=True)) for row in rows]


def resend(world: World, event: str) -> Json:
    """Deliver an event once more to every endpoint, as the dashboard's button does."""
    found = world.store.get(event)
    if found is None or found["object"] != "event":
        raise invalid("event", f"No such event: {event}")
    wanted = [one for one in world.listeners() if one.connect is ("account" in found)]
    world.queue(found, wanted, due=time.time())
    return {"event": event}
