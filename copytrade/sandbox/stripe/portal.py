"""The customer's portal and the page of an invoice: cancel, take that back, another card, pay what is open."""

from datetime import UTC, datetime
from html import escape

from starlette.responses import RedirectResponse, Response

from copytrade.sandbox.stripe import billing, cards
from copytrade.sandbox.stripe.errors import Json
from copytrade.sandbox.stripe.html import card_form, document, money
from copytrade.sandbox.stripe.world import World


def show(world: World, session: Json, *, error: str = "") -> Response:
    """Show the customer's subscriptions and invoices."""
    subscriptions = world.store.find("subscription", customer=session["customer"])
    invoices = world.store.find("invoice", customer=session["customer"])
    body = (
        "<h1>Your subscriptions</h1>"
        + ("".join(_row(world, one) for one in subscriptions) or "<p>There are none.</p>")
        + "<h1>Invoices</h1><table>"
        + "".join(
            f"<tr><td><a href='{escape(one['hosted_invoice_url'] or '')}'>{escape(one['number'] or one['id'])}</a></td>"
            f"<td>{money(one['total'], one['currency'])}</td><td>{escape(one['status'])}</td></tr>"
            for one in invoices
        )
        + "</table><h1>Another card</h1>"
        + card_form(error=error, typed={}, button="Save card", close=False)
        + (f"<p><a href='{escape(session['return_url'])}'>Return</a></p>" if session["return_url"] else "")
    )
    return document("Customer portal", body, status=402 if error else 200)


def _row(world: World, subscription: Json) -> str:
    item = subscription["items"]["data"][0]
    name = world.get("product", item["price"]["product"])["name"]
    until = datetime.fromtimestamp(item["current_period_end"], UTC).date().isoformat()
    text = f"<p><b>{escape(name)}</b>, {money(item['price']['unit_amount'], item['price']['currency'])}, "
    if subscription["status"] == "canceled":
        return text + "canceled</p>"
    later = subscription["cancel_at_period_end"]
    action, label = ("resume", "Don't cancel subscription") if later else ("cancel", "Cancel subscription")
    return (
        text
        + (f"cancels on {until}" if later else f"{escape(subscription['status'])}, next invoice on {until}")
        + "</p>"
        f"<form method='post'><input type='hidden' name='subscription' value='{escape(subscription['id'])}'>"
        f"<button name='action' value='{action}'>{label}</button></form>"
    )


def act(world: World, session: Json, form: Json) -> Response:
    """Do what a button of the portal says."""
    if form.get("action") == "pay":
        return _another_card(world, session, form)
    subscription = world.store.get(str(form.get("subscription", "")))
    if subscription is None or subscription.get("customer") != session["customer"]:
        return document("Not found", "<h1>There is no such subscription.</h1>", status=404)
    if subscription["status"] != "canceled":
        billing.cancel_later(world, subscription, wanted=form.get("action") == "cancel")
    return RedirectResponse(session["url"], status_code=303)


def _another_card(world: World, session: Json, form: Json) -> Response:
    try:
        replace_card(world, world.get("customer", session["customer"]), form, checked=True)
    except cards.BadCard as error:
        return show(world, session, error=str(error))
    return RedirectResponse(session["url"], status_code=303)


def replace_card(world: World, customer: Json, form: Json, *, checked: bool = False) -> Json:
    """Make a typed card the default of a customer and of his subscriptions; `checked` asks its bank first."""
    card = cards.typed(form, now=world.now())
    method = cards.method(world, card, customer=customer["id"], email=customer["email"])
    if checked and (refused := cards.refused_when_attached(world, method)):
        world.store.remove(method["id"])
        raise cards.BadCard(refused["message"])
    world.emit("payment_method.attached", method)
    world.change(
        customer,
        "customer.updated",
        invoice_settings={**customer["invoice_settings"], "default_payment_method": method["id"]},
    )
    for subscription in world.store.find("subscription", customer=customer["id"]):
        if subscription["status"] != "canceled":
            world.change(subscription, "customer.subscription.updated", default_payment_method=method["id"])
    return method


def invoice(world: World, body: Json, *, error: str = "") -> Response:
    """Show an invoice, with a form while it is open."""
    text = (
        f"<h1>Invoice {escape(body['number'] or '')}</h1><p class='amount'>{money(body['total'], body['currency'])}</p>"
    )
    if body["invoice_pdf"]:
        text += f"<p><a href='{escape(body['invoice_pdf'])}'>Download PDF</a></p>"
    text += "<table>" + "".join(
        f"<tr><td>{escape(line['description'] or '')}</td><td>{money(line['amount'], body['currency'])}</td></tr>"
        for line in body["lines"]["data"]
    )
    text += "</table>"
    if body["status"] != "open":
        return document("Invoice", text + f"<p>{escape(body['status'])}</p>")
    return document(
        "Invoice", text + card_form(error=error, typed={}, button="Pay", close=False), status=402 if error else 200
    )


def pay_invoice(world: World, body: Json, form: Json) -> Response:
    """Pay an open invoice with a typed card, which becomes the default."""
    if body["status"] != "open":
        return invoice(world, body)
    try:
        method = replace_card(world, world.get("customer", body["customer"]), form)
    except cards.BadCard as error:
        return invoice(world, body, error=str(error))
    if not billing.settle(world, body, method=method["id"], next_attempt=body["next_payment_attempt"]):
        reason = cards.decline(world, method) or {}
        return invoice(world, body, error=str(reason.get("message", "")))
    return RedirectResponse(body["hosted_invoice_url"], status_code=303)
