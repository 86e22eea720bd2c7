"""Connect: accounts of those who are paid, links to their onboarding and to their dashboard."""

import hashlib
import time

from copytrade.sandbox.stripe import currencies, shapes_connect
from copytrade.sandbox.stripe.errors import ApiError, Json, invalid
from copytrade.sandbox.stripe.forms import allow, boolean, mapping, metadata, text
from copytrade.sandbox.stripe.schedule import DAY
from copytrade.sandbox.stripe.shapes import page
from copytrade.sandbox.stripe.world import World

CREATE = (
    "type",
    "controller",
    "country",
    "email",
    "capabilities",
    "business_type",
    "business_profile",
    "default_currency",
    "metadata",
    "settings",
)
UPDATE = ("email", "capabilities", "business_type", "business_profile", "default_currency", "metadata", "settings")
LINK = ("account", "refresh_url", "return_url", "type", "collect", "collection_options")
LINK_S = 300
_CURRENCY = {"US": "usd", "GB": "gbp", "CH": "chf", "PL": "pln", "SE": "sek", "NO": "nok", "DK": "dkk", "JP": "jpy"}
_CONTROLLER: Json = {
    "fees": {"payer": "application_express"},
    "losses": {"payments": "application"},
    "requirement_collection": "stripe",
    "stripe_dashboard": {"type": "express"},
}
_CAPABILITIES = ("transfers", "card_payments")


def create(world: World, params: Json, ids: tuple[str, ...]) -> Json:
    """Handle POST /v1/accounts: Express, by its type or by its controller."""
    country = str(params.get("country") or "US")
    if len(country) != 2 or not country.isalpha():
        raise invalid("country", f"Country '{country}' is unknown.", code="country_unsupported")
    currency = str(params.get("default_currency") or _CURRENCY.get(country.upper(), "eur")).lower()
    if currency not in currencies.KNOWN:
        raise invalid("default_currency", f"Invalid currency: {currency}.")
    body = shapes_connect.account(
        id="acct_" + world.new_id("x")[2:18],
        now=world.now(),
        country=country.upper(),
        email=params.get("email") or None,
        currency=currency,
        controller=_controller(params),
        kind="express" if params.get("type") else "none",
    )
    _fill(body, params)
    return world.save(body)


def _controller(params: Json) -> Json:
    """Return how the account is run; the sandbox has accounts with the Express dashboard only."""
    if params.get("type") and params.get("controller"):
        raise ApiError(400, "You may not provide the `type` parameter and `controller` parameters simultaneously.")
    given = mapping(params, "controller")
    if params.get("type") != "express" and not given:
        raise invalid("type", "The sandbox has Express accounts only: say so by `type` or `controller`.")
    allow(given, _CONTROLLER, prefix="controller")
    made = {**_CONTROLLER}
    for name in ("fees", "losses", "stripe_dashboard"):
        key = next(iter(_CONTROLLER[name]))
        inner = mapping(given, name)
        allow(inner, (key,), prefix=f"controller[{name}]")
        if inner:
            made[name] = {key: text(inner, key)}
    if made["stripe_dashboard"]["type"] != "express":
        raise invalid("controller[stripe_dashboard][type]", "The sandbox has the Express dashboard only.")
    return made


def _fill(body: Json, params: Json) -> None:
    body["metadata"] = metadata(params, old=body["metadata"])
    for name in ("email", "business_type"):
        if name in params:
            body[name] = params[name] or None
    profile = mapping(params, "business_profile")
    allow(profile, body["business_profile"], prefix="business_profile")
    body["business_profile"] = {**body["business_profile"], **profile}
    for name, given in mapping(params, "capabilities").items():
        if name not in _CAPABILITIES or not isinstance(given, dict):
            raise invalid(f"capabilities[{name}]", f"The sandbox's capabilities are {', '.join(_CAPABILITIES)}.")
        if boolean(given, "requested", default=False):
            body["capabilities"].setdefault(name, "active" if body["payouts_enabled"] else "inactive")
        else:
            body["capabilities"].pop(name, None)
    schedule = mapping(mapping(mapping(params, "settings"), "payouts"), "schedule")
    if schedule:
        kept = body["settings"]["payouts"]
        body["settings"]["payouts"] = {**kept, "schedule": {**kept["schedule"], "interval": text(schedule, "interval")}}


def update(world: World, params: Json, ids: tuple[str, ...]) -> Json:
    """Handle POST /v1/accounts/:id."""
    body = world.get("account", ids[0])
    _fill(body, params)
    world.save(body)
    world.emit("account.updated", body, previous={}, account=body["id"])
    return body


def delete(world: World, params: Json, ids: tuple[str, ...]) -> Json:
    """Handle DELETE /v1/accounts/:id, which only an account without money allows."""
    body = world.get("account", ids[0])
    row = world.store.db.execute("select 1 from money where owner = ? group by currency having sum(net) != 0", ids)
    if row.fetchone():
        raise ApiError(400, "This account cannot be deleted: it has a balance that is not zero.")
    world.store.remove(body["id"])
    return {"id": body["id"], "object": "account", "deleted": True}


def banks(world: World, params: Json, ids: tuple[str, ...]) -> Json:
    """Handle GET /v1/accounts/:id/external_accounts."""
    return world.get("account", ids[0])["external_accounts"]


def create_link(world: World, params: Json, ids: tuple[str, ...]) -> Json:
    """Handle POST /v1/account_links: a page that can be opened once, for five minutes."""
    body = world.get("account", text(params, "account"), param="account")
    kind = text(params, "type")
    if kind not in ("account_onboarding", "account_update"):
        raise invalid("type", "Invalid type: must be one of account_onboarding or account_update")
    if kind == "account_update":
        raise invalid("type", "Account links of type account_update are not for accounts with the Express dashboard.")
    where = {name: text(params, name) for name in ("refresh_url", "return_url")}
    token, expires = world.new_id("ol")[3:], int(time.time()) + LINK_S
    world.store.set_switch(f"link:{token}", {**where, "account": body["id"], "expires": expires, "used": False})
    return {
        "object": "account_link",
        "created": int(time.time()),
        "expires_at": expires,
        "url": f"{world.base}/connect/{token}",
    }


def create_login_link(world: World, params: Json, ids: tuple[str, ...]) -> Json:
    """Handle POST /v1/accounts/:id/login_links."""
    body = world.get("account", ids[0])
    if not body["details_submitted"]:
        raise ApiError(400, "Cannot create a login link for an account that has not completed onboarding.")
    token = world.new_id("ll")[3:]
    world.store.set_switch(f"login:{token}", {"account": body["id"]})
    return {"object": "login_link", "created": world.now(), "url": f"{world.base}/express/{token}"}


def finish(world: World, body: Json, *, first: str, last: str, iban: str, email: str, due: list[str]) -> Json:
    """Take what was told on the onboarding page; with something left in `due` nothing is enabled."""
    bank = shapes_connect.bank(
        id=world.new_id("ba"),
        account=body["id"],
        country=body["country"],
        currency=body["default_currency"],
        last4=iban[-4:],
        holder=f"{first} {last}",
        fingerprint=hashlib.sha256(iban.encode()).hexdigest()[:16],
    )
    body.update(
        email=body["email"] or email,
        business_type=body["business_type"] or "individual",
        details_submitted=True,
        external_accounts=page(body["external_accounts"]["url"], [bank]),
        tos_acceptance={"date": world.now(), "ip": "127.0.0.1", "user_agent": None},
    )
    world.emit("account.external_account.created", bank, account=body["id"])
    return decide(world, body, due=due, disabled="requirements.past_due" if due else None)


def decide(world: World, body: Json, *, due: list[str], disabled: str | None) -> Json:
    """Enable an account, or hold it back for what is still due or for a reason."""
    enabled = not due and disabled is None
    capability = "active" if enabled else "inactive"
    body["payouts_enabled"] = body["charges_enabled"] = enabled
    body["capabilities"] = dict.fromkeys(body["capabilities"], capability)
    body["requirements"] = shapes_connect.requirements(due, disabled=disabled)
    world.save(body)
    world.emit("account.updated", body, previous={}, account=body["id"])
    owned = world.store.db.execute("select coalesce(sum(net), 0) from money where owner = ?", (body["id"],)).fetchone()
    if enabled and owned[0] > 0:
        expect_payout(world, body["id"])
    return body


def expect_payout(world: World, account: str) -> None:
    """Let an account's balance go to its bank on the next day."""
    body = world.get("account", account)
    if world.store.switch(f"payout:{account}", None) is None:
        world.store.set_switch(f"payout:{account}", (world.account_now() // DAY + 1) * DAY)
        world.save(body)
