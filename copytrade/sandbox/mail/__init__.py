"""The sandbox's mail: an SMTP listener that keeps what it gets, and a page and JSON that show it."""

import asyncio
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser

from aiosmtpd.smtp import SMTP, Envelope, Session
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from copytrade.sandbox.mail.page import index, message
from copytrade.sandbox.mail.store import Mailbox
from copytrade.settings import Settings

_PREFIX = "/mail"


class _Listener:
    """The running mailbox and its SMTP server."""

    mailbox: Mailbox | None = None
    server: asyncio.Server | None = None
    address: tuple[str, int] = ("", 0)


class _Handler:
    """Keeps every mail that the SMTP server takes."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take any recipient but those whose address begins with `refused`."""
        if address.lower().startswith("refused"):
            return "550 No such user here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Store one mail and accept it; what was accepted is on disk."""
        raw = envelope.content if isinstance(envelope.content, bytes) else (envelope.content or "").encode()
        parsed = BytesParser(_class=EmailMessage, policy=policy.default).parsebytes(raw)
        self._mailbox.add(parsed, to=[str(one) for one in envelope.rcpt_tos])
        return "250 OK"


async def start(settings: Settings) -> None:
    """Open the mailbox and listen for SMTP; port 0 takes a free one."""
    if settings.is_production:
        raise RuntimeError("The sandbox's mail does not run in production.")
    mailbox = Mailbox(settings.var / "sandbox" / "mail")
    loop, handler = asyncio.get_running_loop(), _Handler(mailbox)
    server = await loop.create_server(
        lambda: SMTP(handler, ident="CopyTrade sandbox", loop=loop),
        host=settings.sandbox_host,
        port=settings.sandbox_smtp_port,
    )
    host, port = server.sockets[0].getsockname()[:2]
    _Listener.mailbox, _Listener.server, _Listener.address = mailbox, server, (host, port)


async def stop() -> None:
    """Close the listener and the mailbox."""
    if _Listener.server is not None:
        _Listener.server.close()
        _Listener.server = None
    if _Listener.mailbox is not None:
        _Listener.mailbox.close()
        _Listener.mailbox = None


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer the page, the list as JSON, and where SMTP listens."""
    if scope["type"] != "http":
        return
    response = _answer(Request(scope, receive), _path(scope))
    await response(scope, receive, send)


def _answer(request: Request, path: str) -> Response:
    mailbox = _Listener.mailbox
    if mailbox is None:
        return JSONResponse({"error": "Not started."}, status_code=503)
    match request.method, path.strip("/").split("/"):
        case "GET", [""]:
            return index(mailbox.all())
        case "GET", ["smtp"]:
            return JSONResponse({"host": _Listener.address[0], "port": _Listener.address[1]})
        case "GET", ["messages"]:
            return JSONResponse(mailbox.all(to=request.query_params.get("to")))
        case "DELETE", ["messages"]:
            mailbox.clear()
            return JSONResponse([])
        case "GET", ["messages", id] if found := mailbox.get(id):
            return JSONResponse(found)
        case "GET", ["message", id] if found := mailbox.get(id):
            return message(found)
        case _:
            return JSONResponse({"error": "There is no such page."}, status_code=404)


def _path(scope: Scope) -> str:
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    if root and path.startswith(root + "/"):
        path = path[len(root) :]
    return path.removeprefix(_PREFIX) or "/"
