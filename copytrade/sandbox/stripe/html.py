"""The look of the hosted pages: plain HTML, no script, clearly marked as a test."""

from html import escape

from starlette.responses import HTMLResponse

from copytrade.sandbox.stripe.currencies import written
from copytrade.sandbox.stripe.errors import Json

_STYLE = """
:root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;margin:0;background:Canvas;color:CanvasText}
main{max-width:26rem;margin:3rem auto;padding:0 1rem}
.test{background:#b45309;color:#fff;text-align:center;padding:.35rem}
h1{font-size:1.3rem;margin:.2rem 0}.amount{font-size:2rem;font-weight:600}label{display:block;margin:.8rem 0 .2rem}
input{box-sizing:border-box;width:100%;font:inherit;padding:.55rem;border:1px solid GrayText;border-radius:.4rem}
.row{display:grid;grid-template-columns:1fr 1fr;gap:.8rem}button{font:inherit;width:100%;padding:.65rem;margin-top:1rem;
border-radius:.4rem;border:1px solid GrayText;cursor:pointer}.main{background:#4f46e5;color:#fff;border-color:#4f46e5}
.error{border:1px solid #dc2626;color:#dc2626;padding:.6rem;border-radius:.4rem}
table{width:100%;border-collapse:collapse}
td{padding:.3rem 0;border-bottom:1px solid GrayText}.quiet{color:GrayText}
"""
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def document(title: str, body: str, *, status: int = 200) -> HTMLResponse:
    """Wrap a page; `body` is escaped by whoever wrote it."""
    text = (
        f"<!doctype html><html lang='en'><head><meta charset='utf-8'><title>{escape(title)}</title>"
        "<meta name='viewport' content='width=device-width,initial-scale=1'>"
        f"<style>{_STYLE}</style></head><body><div class='test'>TEST MODE: no real money moves here</div>"
        f"<main>{body}</main></body></html>"
    )
    return HTMLResponse(text, status_code=status, headers=_HEADERS)


def money(amount: int, currency: str) -> str:
    """Write an amount in minor units."""
    return escape(written(amount, currency))


def card_form(
    *, error: str, typed: Json, button: str, close: bool = True, email: bool = False, card: bool = True
) -> str:
    """Write the form of a card; what was typed stays, except number and code. Without `card` it needs none."""
    address = field("email", "Email", typed, "email", "name@example.com") if email else ""
    return (
        (f"<p class='error' role='alert'>{escape(error)}</p>" if error else "")
        + "<form method='post'>"
        + address
        + ("" if card else "<p class='quiet'>No card is needed today.</p>")
        + field("number", "Card number", {}, "cc-number", "1234 1234 1234 1234")
        + "<div class='row'><div>"
        + field("expiry", "Expiry", typed, "cc-exp", "MM / YY")
        + "</div><div>"
        + field("cvc", "CVC", {}, "cc-csc", "CVC")
        + "</div></div>"
        + field("name", "Cardholder name", typed, "cc-name", "Full name on card")
        + f"<button class='main' name='action' value='pay'>{escape(button)}</button>"
        + ("<button name='action' value='close' formnovalidate>Close</button>" if close else "")
        + "</form>"
    )


def field(name: str, label: str, typed: Json, complete: str, hint: str) -> str:
    """Write one field of a form."""
    value = escape(str(typed.get(name, "")))
    return (
        f"<label for='{name}'>{label}</label><input id='{name}' name='{name}' value='{value}'"
        f" autocomplete='{complete}' placeholder='{hint}'>"
    )
