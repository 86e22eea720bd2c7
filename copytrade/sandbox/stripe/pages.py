"""The hosted pages: checkout with card and 3-D Secure, the customer's portal, an open invoice."""

from datetime import UTC, datetime
from html import escape
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from copytrade.sandbox.stripe import cards, checkout, onboarding, pdf, portal
from copytrade.sandbox.stripe.currencies import written
from copytrade.sandbox.stripe.errors import ApiError, Json
from copytrade.sandbox.stripe.html import card_form, document, field, money
from copytrade.sandbox.stripe.world import World


async def answer(world: World, request: Request, path: str) -> Response:
    """Answer a hosted page."""
    form = dict(parse_qsl((await request.body()).decode("utf-8", "replace"), keep_blank_values=True))
    parts = path.strip("/").split("/")
    with world.asked():
        match request.method, parts:
            case method, ["pay", id] if session := _open(world, id):
                return _pay(world, session, form) if method == "POST" else _checkout(world, session)
            case method, ["pay", id, "authenticate"] if session := _open(world, id):
                return _authenticate(world, session, form) if method == "POST" else _question(session)
            case method, ["portal", id] if (found := world.store.get(id)) and found[
                "object"
            ] == "billing_portal.session":
                return portal.act(world, found, form) if method == "POST" else portal.show(world, found)
            case _, ["invoice", id, "pdf"] if (found := world.store.get(id)) and found["object"] == "invoice":
                return Response(pdf.invoice(found), media_type="application/pdf")
            case method, ["invoice", id] if (found := world.store.get(id)) and found["object"] == "invoice":
                return portal.pay_invoice(world, found, form) if method == "POST" else portal.invoice(world, found)
            case _, ["connect", token] if opened := onboarding.open_link(world, token):
                return opened
            case method, ["onboard", id] if shown := onboarding.onboard(world, id, form if method == "POST" else None):
                return shown
            case _, ["express", token] if shown := onboarding.dashboard(world, token):
                return shown
            case _:
                return document("Not found", "<h1>There is no such page.</h1>", status=404)


def _open(world: World, id: str) -> Json | None:
    found = world.store.get(id)
    return found if found and found["object"] == "checkout.session" else None


def _checkout(world: World, session: Json, *, error: str = "", typed: Json | None = None) -> Response:
    if closed := _closed(session):
        return closed
    line = checkout.lines(world, session)[0]
    currency, taken = session["currency"], session["total_details"]["amount_discount"]
    body = (
        f"<h1>{escape(line['description'])}</h1>"
        f"<p><span class='amount'>{money(session['amount_total'], currency)}</span>"
        f" <span class='quiet'>{escape(_when(world, session, line))}</span></p>"
        + (f"<p>Discount: {money(taken, currency)}</p>" if taken else "")
        + (_code_form() if session["allow_promotion_codes"] else "")
        + card_form(
            error=error,
            typed=typed or {},
            button="Pay" if session["amount_total"] else "Start",
            email=_email(world, session) is None,
            card=not checkout.goes_without_card(session),
        )
    )
    return document("Pay", body, status=402 if error else 200)


def _when(world: World, session: Json, line: Json) -> str:
    recurring = line["price"]["recurring"]
    count, interval = recurring["interval_count"], recurring["interval"]
    every = interval if count == 1 else f"{count} {interval}s"
    until = checkout.trial_of(world, session)
    if until is None:
        return f"per {every}"
    day = datetime.fromtimestamp(until, UTC).date().isoformat()
    return f"until {day}, then {written(line['amount_subtotal'], session['currency'])} per {every}"


def _code_form() -> str:
    return (
        "<form method='post'>"
        + field("code", "Promotion code", {}, "off", "WELCOME")
        + "<button name='action' value='redeem'>Apply</button></form>"
    )


def _closed(session: Json) -> Response | None:
    if session["status"] == "complete":
        return _success(session)
    if session["status"] == "expired":
        back = f"<p><a href='{escape(session['cancel_url'] or '')}'>Back</a></p>" if session["cancel_url"] else ""
        return document("Expired", f"<h1>This payment page has expired.</h1>{back}", status=410)
    return None


def _success(session: Json) -> Response:
    return RedirectResponse(session["success_url"].replace("{CHECKOUT_SESSION_ID}", session["id"]), status_code=303)


def _email(world: World, session: Json) -> str | None:
    if session["customer"]:
        return world.get("customer", session["customer"])["email"]
    return session["customer_email"]


def _pay(world: World, session: Json, form: Json) -> Response:
    if closed := _closed(session):
        return closed
    if form.get("action") == "close":
        return RedirectResponse(session["cancel_url"] or session["success_url"], status_code=303)
    if form.get("action") == "redeem":
        return _redeem(world, session, form)
    email = _email(world, session) or str(form.get("email", "")).strip()
    if "@" not in email:
        return _checkout(world, session, error="Your email is incomplete.", typed=form)
    if checkout.goes_without_card(session) and not str(form.get("number", "")).strip():
        return _success(checkout.complete(world, session, method=None, email=email))
    try:
        card = cards.typed(form, now=world.now())
    except cards.BadCard as error:
        return _checkout(world, session, error=str(error), typed=form)
    method = checkout.hold(world, session, card=card, email=email)
    if cards.needs_holder(card):
        return RedirectResponse(f"{world.base}/pay/{session['id']}/authenticate", status_code=303)
    return _charge(world, session, method, form)


def _redeem(world: World, session: Json, form: Json) -> Response:
    try:
        checkout.redeem(world, session, code=str(form.get("code", "")))
    except ApiError as error:
        return _checkout(world, session, error=error.body["error"]["message"])
    return RedirectResponse(f"{world.base}/pay/{session['id']}", status_code=303)


def _charge(world: World, session: Json, method: Json, form: Json, *, holder: bool = False) -> Response:
    reason = (
        cards.decline(world, method, holder=holder)
        if session["amount_total"]
        else cards.refused_when_attached(world, method)
    )
    if reason is not None:
        checkout.decline(world, session, method=method, reason=reason)
        return _checkout(world, session, error=reason["message"], typed=form)
    return _success(checkout.complete(world, session, method=method, email=method["billing_details"]["email"]))


def _question(session: Json) -> Response:
    if closed := _closed(session):
        return closed
    return document(
        "3-D Secure",
        "<h1>Your bank asks: is it you?</h1>"
        f"<p class='amount'>{money(session['amount_total'], session['currency'])}</p><form method='post'>"
        "<button class='main' name='action' value='complete'>Complete authentication</button>"
        "<button name='action' value='fail'>Fail authentication</button></form>",
    )


def _authenticate(world: World, session: Json, form: Json) -> Response:
    if closed := _closed(session):
        return closed
    method = checkout.held(world, session)
    if method is None:
        return RedirectResponse(f"{world.base}/pay/{session['id']}", status_code=303)
    if form.get("action") == "complete":
        return _charge(world, session, method, {}, holder=True)
    message = (
        "We are unable to authenticate your payment method. Please choose a different payment method and try again."
    )
    reason = {
        "code": "payment_intent_authentication_failure",
        "decline_code": "authentication_required",
        "message": message,
    }
    checkout.decline(world, session, method=method, reason=reason)
    return _checkout(world, session, error=message)
