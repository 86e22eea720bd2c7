"""Logs: one JSON object a line on stderr, with everything that looks like a secret struck out.

The standard library's loggers (ccxt, aiohttp, stripe, rq, SQLAlchemy, granian) go the same way.
"""

import logging
import os
import re
import sys
from collections.abc import Mapping, MutableMapping
from functools import lru_cache
from typing import Any

import structlog
from pydantic import SecretStr

from copytrade.settings import settings

HIDDEN = "***"
_NAMES = (
    r"api[_-]?key|api[_-]?secret|secret|signature|passphrase|password|listen[_-]?key|private[_-]?key|token|cookie"
    r"|authorization|access-[a-z]+|x-bapi-[a-z-]+|x-mbx-apikey|stripe-signature|keyring|pepper"
)
_FIELD = re.compile(_NAMES, re.IGNORECASE)
# name=value, name: value, "name": "value", as in query strings, headers and JSON
_PAIR = re.compile(rf"""((?:{_NAMES})["']?\s*[=:]\s*["']?)((?:bearer|basic)\s+)?[^\s"'&,;}})\]]+""", re.IGNORECASE)
_KNOWN_FORMS = re.compile(r"\b(?:sk|rk|whsec)_[A-Za-z0-9_]{8,}")
# Settings hold these as SecretStr; shorter ones would strike out harmless words.
_SHORTEST_KNOWN = 8
QUIET = (
    "ccxt",
    "aiohttp",
    "urllib3",
    "asyncio",
    "stripe",
    "sqlalchemy",
    "alembic",
    "rq",
    "httpx",
    "httpcore",
    "limits",
)


def configure(process: str) -> None:
    """Send this process's logs to stderr as JSON; called once, by the process's entry."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _named(process),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                redact,
                structlog.processors.JSONRenderer(default=str, ensure_ascii=False),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for name in QUIET:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
        logger.setLevel(logging.WARNING)
    logging.captureWarnings(True)


def redact(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """Strike out values under telling names, and telling pairs and known secrets inside texts."""
    return {name: HIDDEN if _FIELD.fullmatch(name) else cleaned(value) for name, value in event.items()}


def cleaned(value: Any) -> Any:
    """Return a value as it may be logged."""
    match value:
        case str():
            return cleaned_text(value)
        case bytes():
            return cleaned_text(value.decode(errors="replace"))
        case dict():
            return {str(k): HIDDEN if _FIELD.fullmatch(str(k)) else cleaned(v) for k, v in value.items()}
        case list() | tuple() | set() | frozenset():
            return [cleaned(item) for item in value]
        case BaseException():
            return cleaned_text(repr(value))
        case int() | float() | None:
            return value
        case _:
            return cleaned_text(str(value))


def cleaned_text(text: str) -> str:
    """Return a text without what looks like a secret or is one of the installation's own."""
    for known in _own_secrets():
        text = text.replace(known, HIDDEN)
    return _KNOWN_FORMS.sub(HIDDEN, _PAIR.sub(rf"\1{HIDDEN}", text))


@lru_cache(maxsize=1)
def _own_secrets() -> tuple[str, ...]:
    held = [value.get_secret_value() for _, value in settings() if isinstance(value, SecretStr)]
    parts = [part for value in held for part in value.split(",")]
    return tuple(sorted((part for part in parts if len(part) >= _SHORTEST_KNOWN), key=len, reverse=True))


def _named(process: str) -> Any:
    def add(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event.update(process=process, pid=os.getpid())
        return event

    return add
