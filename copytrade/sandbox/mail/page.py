"""The mailbox as a page: everything escaped, nothing active; a mail's HTML is shown in a frame that may do nothing."""

from html import escape
from typing import Any

from starlette.responses import HTMLResponse

_STYLE = """
:root{color-scheme:light dark}body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem}
table{width:100%;border-collapse:collapse}td,th{text-align:left;padding:.4rem .6rem;border-bottom:1px solid GrayText}
pre{white-space:pre-wrap;border:1px solid GrayText;padding:1rem}iframe{width:100%;height:30rem;
border:1px solid GrayText;
background:#fff}.quiet{color:GrayText}
"""
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; base-uri 'none';"
    " form-action 'none'; frame-ancestors 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def index(mails: list[dict[str, Any]]) -> HTMLResponse:
    """List the mails."""
    rows = "".join(
        f"<tr><td class='quiet'>{escape(mail['received_at'][:19].replace('T', ' '))}</td>"
        f"<td>{escape(', '.join(mail['to']))}</td>"
        f"<td><a href='/mail/message/{escape(mail['id'])}'>{escape(mail['subject'] or '(no subject)')}</a></td></tr>"
        for mail in mails
    )
    table = f"<table><tr><th>Received (UTC)</th><th>To</th><th>Subject</th></tr>{rows}</table>"
    return _document("Sandbox mailbox", table if mails else "<p>No mail yet.</p>")


def message(mail: dict[str, Any]) -> HTMLResponse:
    """Show one mail: its text, and its HTML in a sandboxed frame."""
    frame = (
        f'<h2>HTML</h2><iframe sandbox srcdoc="{escape(mail["html"], quote=True)}"></iframe>' if mail["html"] else ""
    )
    return _document(
        mail["subject"] or "(no subject)",
        f"<p>From {escape(mail['from'])}<br>To {escape(', '.join(mail['to']))}<br>"
        f"<span class='quiet'>{escape(mail['received_at'])}</span></p><pre>{escape(mail['text'])}</pre>{frame}"
        "<p><a href='/mail/'>All mails</a></p>",
    )


def _document(title: str, body: str) -> HTMLResponse:
    text = (
        f"<!doctype html><html lang='en'><head><meta charset='utf-8'><title>{escape(title)}</title>"
        "<meta name='viewport' content='width=device-width,initial-scale=1'>"
        f"<style>{_STYLE}</style></head><body><h1>{escape(title)}</h1>{body}</body></html>"
    )
    return HTMLResponse(text, headers=_HEADERS)
