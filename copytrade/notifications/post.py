"""Mails written in the reader's language and handed to the SMTP server, each until it is taken."""

import smtplib
import ssl
from collections.abc import Generator
from contextlib import contextmanager
from datetime import timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from html import escape
from uuid import UUID

import structlog
from sqlmodel import Session, col, select

from copytrade import clock
from copytrade.db.session import transaction
from copytrade.i18n import known, translate
from copytrade.notifications.models import Mail, MailState
from copytrade.notifications.texts import text_of
from copytrade.notifications.wording import Words, words
from copytrade.settings import settings
from copytrade.users import queries as users
from copytrade.users.person import Person

log = structlog.get_logger()
_TIMEOUT_S = 10
_BATCH = 50
MOST_ATTEMPTS = 15
_LONGEST_PAUSE_S = 3600


def send_due() -> None:
    """Send the mails that are due over one connection; those that the server does not take are tried again."""
    if not settings().smtp_host:
        return
    while ids := _due():
        try:
            with _server() as server:
                for id in ids:
                    _send(id, server)
        except (OSError, smtplib.SMTPException) as error:
            log.warning("mail.server_away", reason=type(error).__name__)
            return


def _due() -> list[UUID]:
    """Take the next mails and hide them for a minute from every other sender."""
    with transaction() as session:
        rows = session.exec(
            select(Mail)
            .where(Mail.state == MailState.PENDING, col(Mail.try_at) <= clock.real_now())
            .order_by(col(Mail.try_at), col(Mail.id))
            .limit(_BATCH)
            .with_for_update(skip_locked=True)
        ).all()
        for row in rows:
            row.attempts += 1
            row.try_at = clock.real_now() + timedelta(seconds=min(15 * 2**row.attempts, _LONGEST_PAUSE_S))
            session.add(row)
        return [row.id for row in rows]


@contextmanager
def _server() -> Generator[smtplib.SMTP]:
    config = settings()
    with smtplib.SMTP(config.smtp_host, config.smtp_port, timeout=_TIMEOUT_S) as server:
        if config.smtp_starttls:
            server.starttls(context=ssl.create_default_context())
        if config.smtp_user:
            server.login(config.smtp_user, config.smtp_password.get_secret_value())
        yield server


def _send(id: UUID, server: smtplib.SMTP) -> None:
    with transaction() as session:
        row = session.get_one(Mail, id)
        person = users.person(session, row.user_id)
        try:
            server.send_message(write(row, person))
        except (smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError, smtplib.SMTPSenderRefused) as error:
            _refused(session, row, error)
            return
        row.state, row.sent_at, row.error = MailState.SENT, clock.real_now(), ""
        session.add(row)


def _refused(session: Session, row: Mail, error: smtplib.SMTPException) -> None:
    row.error = type(error).__name__
    if row.attempts >= MOST_ATTEMPTS:
        row.state = MailState.FAILED
    session.add(row)
    log.warning("mail.refused", mail_id=str(row.id), reason=row.error)


def write(mail: Mail, person: Person) -> EmailMessage:
    """Return the mail for a person: text and HTML in his language, with a Message-ID of its own."""
    said = words(mail.kind, mail.facts, locale=person.locale, timezone=person.timezone)
    sender_name, sender = parseaddr(settings().mail_from)
    message = EmailMessage()
    message["Subject"] = " ".join(said.title.split())
    message["From"] = Address(sender_name, addr_spec=sender)
    message["To"] = Address(addr_spec=person.email)
    message["Date"] = format_datetime(clock.real_now())
    message["Message-ID"] = f"<{mail.id}@{sender.partition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    if not text_of(mail.kind).is_security:
        message["List-Unsubscribe"] = f"<{settings().web_url}/settings>"
    message.set_content(_plain(said, person.locale))
    message.add_alternative(_html(said, person.locale), subtype="html")
    return message


def _plain(said: Words, locale: str) -> str:
    return f"{said.body}\n\n{settings().web_url}{said.path}\n\n-- \nCopyTrade\n{_footer(locale)}\n"


def _html(said: Words, locale: str) -> str:
    address = escape(f"{settings().web_url}{said.path}", quote=True)
    return (
        f"<!doctype html><html lang='{known(locale)}'><body style='font-family:sans-serif;line-height:1.5'>"
        f"<h2>{escape(said.title)}</h2><p>{escape(said.body)}</p><p><a href='{address}'>{address}</a></p>"
        f"<p style='color:#777'>CopyTrade<br>{escape(_footer(locale))}</p></body></html>"
    )


def _footer(locale: str) -> str:
    return translate("You choose what we write about on your settings page.", known(locale))
