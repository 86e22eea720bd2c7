"""The inner port: `python -m workers.inner` gives /metrics, /livez and /readyz to whoever watches the installation.

It listens on loopback only; a scraper on another machine comes through the operator's own tunnel or proxy.
"""

import json
import signal
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import structlog

from copytrade import logs, metrics
from copytrade.api.figures import exposition
from copytrade.api.health import readiness
from copytrade.settings import settings

HOST = "127.0.0.1"
JSON = "application/json"
log = structlog.get_logger()


class Probe(BaseHTTPRequestHandler):
    """Answers the three addresses."""

    server_version, sys_version = "copytrade", ""

    def do_GET(self) -> None:
        """Answer one GET."""
        match self.path.partition("?")[0]:
            case "/livez":
                self._answer(200, b'{"status":"ok"}', kind=JSON)
            case "/readyz":
                found = readiness()
                body = {"status": "not ready" if any(found.values()) else "ok", "checks": found}
                self._answer(503 if any(found.values()) else 200, json.dumps(body).encode(), kind=JSON)
            case "/metrics":
                self._answer(200, exposition(), kind=metrics.CONTENT_TYPE)
            case _:
                self._answer(404, b'{"error":{"code":"not_found"}}', kind=JSON)

    def log_message(self, format: str, *args: object) -> None:
        """Log no request: scrapers come every few seconds."""

    def _answer(self, status: int, body: bytes, *, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def serve(port: int) -> ThreadingHTTPServer:
    """Return the bound server; port 0 takes a free one."""
    server = ThreadingHTTPServer((HOST, port), Probe)
    server.daemon_threads = True
    return server


def main() -> None:
    """Serve until told to stop."""
    server = serve(settings().metrics_port)
    for name in (signal.SIGTERM, signal.SIGINT):
        # shutdown() waits for the loop that this very thread runs.
        signal.signal(name, lambda *_: threading.Thread(target=server.shutdown).start())
    log.info("inner.listening", host=HOST, port=server.server_address[1])
    server.serve_forever()
    server.server_close()


if __name__ == "__main__":
    if not settings().metrics_port:
        sys.exit("COPYTRADE_METRICS_PORT is not set: the figures are on the web's own port, for loopback only")
    logs.configure("inner")
    main()
