"""Connect's hosted pages: the onboarding of who is paid, and the Express dashboard."""

import re
import time
from html import escape

from starlette.responses import RedirectResponse, Response

from copytrade.sandbox.stripe import connect
from copytrade.sandbox.stripe.errors import Json
from copytrade.sandbox.stripe.html import document, field, money
from copytrade.sandbox.stripe.store import owned
from copytrade.sandbox.stripe.world import World

_DOCUMENT = ["individual.verification.document"]
_BUTTONS = (
    ("finish", "Finish"),
    ("more", "Finish, but a document is still asked for"),
    ("restrict", "Finish, but be restricted"),
    ("later", "Save for later"),
)


def open_link(world: World, token: str) -> Response | None:
    """Open an account link, which works once and for five minutes; else the app is asked for another."""
    link: Json | None = world.store.switch(f"link:{token}", None)
    if link is None:
        return None
    if link["used"] or link["expires"] < time.time():
        return RedirectResponse(link["refresh_url"], status_code=303)
    world.store.set_switch(f"link:{token}", {**link, "used": True})
    session = world.new_id("ob")[3:]
    world.store.set_switch(f"onboarding:{session}", link)
    return RedirectResponse(f"{world.base}/onboard/{session}", status_code=303)


def onboard(world: World, session: str, form: Json | None) -> Response | None:
    """Show the onboarding, or take what was typed."""
    link: Json | None = world.store.switch(f"onboarding:{session}", None)
    body = world.store.get(link["account"], owner="") if link else None
    if link is None or body is None:
        return None
    if form is None:
        return _show(body)
    action = form.get("action")
    if action == "later":
        return RedirectResponse(link["return_url"], status_code=303)
    if error := _wrong(form):
        return _show(body, typed=form, error=error)
    person = {name: str(form[name]).strip() for name in ("first", "last", "email")}
    iban = re.sub(r"\s", "", str(form["iban"]))
    connect.finish(world, body, **person, iban=iban, due=list(_DOCUMENT) if action == "more" else [])
    if action == "restrict":
        connect.decide(world, body, due=[], disabled="rejected.other")
    return RedirectResponse(link["return_url"], status_code=303)


def _wrong(form: Json) -> str:
    """Return what is wrong with the form, empty when it is right."""
    if not str(form.get("first", "")).strip() or not str(form.get("last", "")).strip():
        return "Your name is incomplete."
    if not re.fullmatch(r"[^@\s]+@[^@\s]+", str(form.get("email", "")).strip()):
        return "Your email is incomplete."
    if not re.fullmatch(r"[A-Z0-9]{8,34}", re.sub(r"\s", "", str(form.get("iban", "")))):
        return "Your account number is incomplete."
    return ""


def _show(body: Json, *, typed: Json | None = None, error: str = "") -> Response:
    known = typed or {"email": body["email"] or ""}
    text = (
        "<h1>Get paid</h1><p>Tell Stripe who you are and where your earnings go.</p>"
        + (f"<p class='error' role='alert'>{escape(error)}</p>" if error else "")
        + "<form method='post'>"
        + field("first", "First name", known, "given-name", "Alice")
        + field("last", "Last name", known, "family-name", "Trader")
        + field("email", "Email", known, "email", "name@example.com")
        + field("iban", "Bank account (IBAN or number)", known, "off", "DE89370400440532013000")
        + "".join(
            f"<button {'class=main ' if name == 'finish' else ''}name='action' value='{name}'"
            f"{' formnovalidate' if name == 'later' else ''}>{label}</button>"
            for name, label in _BUTTONS
        )
        + "</form>"
    )
    return document("Onboarding", text, status=402 if error else 200)


def dashboard(world: World, token: str) -> Response | None:
    """Show an account's payments and payouts."""
    login: Json | None = world.store.switch(f"login:{token}", None)
    body = world.store.get(login["account"], owner="") if login else None
    if body is None:
        return None
    rows = [
        (one["created"], label, one)
        for kind, label in (("charge", "Payment"), ("payout", "Payout"))
        for one in world.store.select(owned(kind, body["id"]), {}, limit=50)
    ]
    lines = "".join(
        f"<tr><td>{label}</td><td>{money(one['amount'], one['currency'])}</td><td>{escape(one['status'])}</td></tr>"
        for _, label, one in sorted(rows, key=lambda row: -row[0])
    )
    return document("Express", f"<h1>{escape(body['email'] or body['id'])}</h1><table>{lines}</table>")
