"""The sandbox's mailbox: taken over SMTP, kept, shown as JSON and as a page in which nothing runs."""

import signal
import smtplib
from collections.abc import Generator
from email.message import EmailMessage
from pathlib import Path

import httpx
import pytest

from tests.contract.served import Served


@pytest.fixture
def served(tmp_path: Path) -> Generator[Served]:
    """A server of this test's own."""
    server = Served(tmp_path).start()
    yield server
    server.stop()


def _send(
    server: Served, *, subject: str = "Hello", text: str = "Plain", html: str = "", to: str = "bob@x.example"
) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "CopyTrade <no-reply@x.example>", to, subject
    mail.set_content(text)
    if html:
        mail.add_alternative(html, subtype="html")
    where = httpx.get(f"{server.url}/mail/smtp").json()
    with smtplib.SMTP(where["host"], where["port"], timeout=10) as smtp:
        smtp.send_message(mail)


def test_a_mail_is_listed_newest_first_with_all_its_parts(served: Served) -> None:
    _send(served, subject="First")
    _send(served, subject="Квитанция", text="Привет\n", html="<p>Привет</p>", to="olga@x.example")
    second, first = httpx.get(f"{served.url}/mail/messages").json()
    assert first["subject"] == "First"
    assert (second["to"], second["subject"], second["text"].strip()) == (["olga@x.example"], "Квитанция", "Привет")
    assert second["html"].strip() == "<p>Привет</p>"
    assert second["from"] == "CopyTrade <no-reply@x.example>"
    assert second["received_at"].endswith("+00:00")
    assert httpx.get(f"{served.url}/mail/messages", params={"to": "bob@x.example"}).json() == [first]


def test_deleting_empties_the_box(served: Served) -> None:
    _send(served)
    assert httpx.delete(f"{served.url}/mail/messages").json() == []
    assert httpx.get(f"{served.url}/mail/messages").json() == []


@pytest.mark.parametrize("path", ["/mail", "/mail/"])
def test_the_page_shows_mails_without_running_anything(served: Served, path: str) -> None:
    evil = "<img src=x onerror=alert(1)>"
    _send(served, subject=evil, text=evil, html=f"<script>alert(1)</script>{evil}")
    page = httpx.get(served.url + path)
    assert page.status_code == 200
    assert evil not in page.text
    assert "&lt;img src=x" in page.text
    id = httpx.get(f"{served.url}/mail/messages").json()[0]["id"]
    shown = httpx.get(f"{served.url}/mail/message/{id}")
    assert "<script>" not in shown.text
    assert "<iframe sandbox srcdoc=" in shown.text
    assert "default-src 'none'" in shown.headers["content-security-policy"]


def test_mails_survive_a_kill(served: Served) -> None:
    _send(served, subject="Kept")
    served.stop(signal.SIGKILL)
    served.start()
    assert [mail["subject"] for mail in httpx.get(f"{served.url}/mail/messages").json()] == ["Kept"]


def test_an_unknown_page_and_an_unknown_recipient_are_refused(served: Served) -> None:
    assert httpx.get(f"{served.url}/mail/nothing").status_code == 404
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        _send(served, to="refused@x.example")
    assert httpx.get(f"{served.url}/mail/messages").json() == []
