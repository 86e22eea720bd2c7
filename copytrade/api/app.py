"""The REST API, mounted at the root of the web app: the mission's contracts under /api/v1, probes, headers."""

from fastapi import FastAPI

from copytrade.api import (
    answers,
    docs,
    exchange_accounts,
    health,
    notifications,
    orders,
    payments,
    sheets,
    signing_in,
    subscriptions,
    traders,
    trades,
)
from copytrade.api.headers import Guard
from copytrade.api.routing import PREFIX

CONTRACTS = (
    signing_in.router,
    exchange_accounts.router,
    subscriptions.router,
    payments.router,
    sheets.router,
    traders.router,
    subscriptions.for_copying,
    exchange_accounts.sealed,
    trades.router,
    orders.router,
    trades.everybody,
    notifications.router,
)


def _make() -> FastAPI:
    made = FastAPI(
        title="CopyTrade",
        version="1",
        description="Copy trading on Binance, Bybit and Bitget: the contracts between its services.",
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    answers.add_handlers(made)
    made.add_middleware(Guard)
    for router in (health.router, docs.router, *CONTRACTS):
        made.include_router(router)
    return made


api = _make()
