"""The REST API, mounted at the root of the web app: the mission's contracts under /api/v1, probes, headers."""

from fastapi import APIRouter, FastAPI

from copytrade.api import answers, health, signing_in
from copytrade.api.headers import Guard
from copytrade.api.routing import PREFIX

ROUTERS: tuple[APIRouter, ...] = (signing_in.router,)


def _make() -> FastAPI:
    made = FastAPI(
        title="CopyTrade",
        version="1",
        description="Copy trading on Binance, Bybit and Bitget: the services' contracts.",
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    answers.add_handlers(made)
    made.add_middleware(Guard)
    made.include_router(health.router)
    for router in ROUTERS:
        made.include_router(router)
    return made


api = _make()
