"""The sandbox's Stripe: an ASGI app that the unmodified Stripe SDK and a browser talk to."""

import asyncio

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from copytrade.sandbox.stripe import api, balance, clockwork, control, delivery, pages
from copytrade.sandbox.stripe.world import World
from copytrade.settings import Settings

_PREFIX = "/stripe"
_CONTROL = "/_control"
_running: dict[str, World] = {}
_tasks: list[asyncio.Task[None]] = []


async def start(settings: Settings) -> None:
    """Open the state and begin to deliver webhooks; the app's endpoint is registered when its secret is known."""
    if settings.is_production:
        raise RuntimeError("The sandbox's Stripe does not run in production.")
    world = World(settings.var / "sandbox" / "stripe")
    world.base = settings.sandbox_url + _PREFIX
    with world.asked():
        balance.make_good(world)
    _running["world"] = world
    secret = settings.stripe_webhook_secret.get_secret_value()
    if secret:
        host = "127.0.0.1" if settings.host in ("", "0.0.0.0", "::") else settings.host  # noqa: S104 - compared only
        control.endpoint(
            world,
            url=f"http://{host}:{settings.port}/api/v1/payments/notify",
            secret=secret,
            connect_secret=settings.stripe_connect_webhook_secret.get_secret_value(),
        )
    _tasks.extend(asyncio.create_task(work(world)) for work in (delivery.run, clockwork.run))


async def stop() -> None:
    """End the deliveries and close the state."""
    world = _running.pop("world", None)
    if world is None:
        return
    world.stopping.set()
    world.rung.set()
    world.woken.set()
    await asyncio.gather(*_tasks)
    _tasks.clear()
    world.store.close()


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer the API below /v1, the control interface below /_control, the hosted pages elsewhere."""
    if scope["type"] != "http":
        return
    request = Request(scope, receive)
    response = await _answer(request, _path(scope))
    await response(scope, receive, send)


async def _answer(request: Request, path: str) -> Response:
    world = _running.get("world")
    if world is None:
        return JSONResponse({"error": {"type": "api_error", "message": "Not started."}}, status_code=503)
    if path.startswith(_CONTROL + "/"):
        return await control.answer(world, request, path.removeprefix(_CONTROL))
    world.base = f"{request.url.scheme}://{request.url.netloc}{_PREFIX}"
    if path.startswith("/v1/"):
        return await api.answer(world, request, path)
    return await pages.answer(world, request, path)


def _path(scope: Scope) -> str:
    """Return the path below the mount, whether the server above strips it or only names it in root_path."""
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    if root and path.startswith(root + "/"):
        path = path[len(root) :]
    return path.removeprefix(_PREFIX) or "/"
