"""Probes and figures: /livez says that the process answers, /readyz that it can work, /metrics how it does."""

from collections.abc import Callable
from functools import lru_cache

from alembic.config import Config
from alembic.script import ScriptDirectory
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from redis import RedisError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException

from copytrade import metrics
from copytrade.api.figures import exposition
from copytrade.db.session import reading
from copytrade.queues import connection
from copytrade.settings import ROOT, settings

router = APIRouter(include_in_schema=False)
LOOPBACK = ("127.0.0.1", "::1", "testclient")


@lru_cache(maxsize=1)
def _head() -> str | None:
    config = Config()
    config.set_main_option("script_location", str(ROOT / "alembic").replace("%", "%%"))
    return ScriptDirectory.from_config(config).get_current_head()


def _database() -> str:
    with reading() as session:
        session.connection().execute(text("SELECT 1"))
    return ""


def _migrations() -> str:
    with reading() as session:
        at = session.connection().execute(text("SELECT version_num FROM alembic_version")).scalar()
    return "" if at == _head() else f"database is at {at}, the code at {_head()}"


def _redis() -> str:
    connection().ping()
    return ""


def _keys() -> str:
    given = settings()
    return "" if given.sealing_key and given.pepper.get_secret_value() else "sealing key or pepper is missing"


CHECKS: dict[str, Callable[[], str]] = {
    "database": _database,
    "migrations": _migrations,
    "redis": _redis,
    "keys": _keys,
}


def readiness() -> dict[str, str]:
    """Return what keeps this installation from working, by part; all empty when it is ready."""
    return {name: _trouble(check) for name, check in CHECKS.items()}


def _trouble(check: Callable[[], str]) -> str:
    try:
        return check()
    except (SQLAlchemyError, RedisError) as error:
        return type(error).__name__


@router.get("/livez")
def livez() -> dict[str, str]:
    """Tell that this process answers."""
    return {"status": "ok"}


@router.get("/readyz")
def readyz() -> JSONResponse:
    """Tell whether database, migrations, Redis and keys are there; 503 and which one is not."""
    found = readiness()
    is_ready = not any(found.values())
    return JSONResponse(
        {"status": "ok" if is_ready else "not ready", "checks": {name: why or "ok" for name, why in found.items()}},
        status_code=200 if is_ready else 503,
    )


@router.get("/metrics")
def figures(request: Request) -> Response:
    """Give the figures to this machine only, unless they have a port of their own (metrics_port)."""
    is_local = request.client is not None and request.client.host in LOOPBACK
    if settings().metrics_port or not is_local or "x-forwarded-for" in request.headers:
        raise HTTPException(404)
    return Response(exposition(), media_type=metrics.CONTENT_TYPE, headers={"Cache-Control": "no-store"})
