"""The control interface: put a situation in place, and see the truth on the exchange's side (README.md)."""

import re
from collections.abc import Callable
from typing import Any

from aiohttp import web

from copytrade.sandbox.controls import accounts, faults, market
from copytrade.sandbox.controls.situation import BadRequest, Missing, Situation
from copytrade.sandbox.exchange.orders import Refused

Action = Callable[..., Any]


class Control:
    """Serves /control; every answer is JSON, a mistake is {"error": …} with status 4xx."""

    def __init__(self, situation: Situation) -> None:
        self._situation = situation
        table = {**accounts.ACTIONS, **market.ACTIONS, **faults.ACTIONS}
        self._actions = [(method, _pattern(path), action) for (method, path), action in table.items()]

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        path = request.path.removeprefix("/control").rstrip("/")
        for method, pattern, action in self._actions:
            found = pattern.fullmatch(path)
            if found is not None and method == request.method:
                return await self._act(action, found.groupdict(), request)
        return web.json_response({"error": f"{request.method} {request.path} is no control"}, status=404)

    async def _act(self, action: Action, names: dict[str, str], request: web.BaseRequest) -> web.StreamResponse:
        try:
            facts = await request.json() if request.can_read_body else {}
            if not isinstance(facts, dict):
                raise BadRequest("the body must be a JSON object")
            result = action(self._situation, **names, facts=facts)
        except Missing as error:
            return web.json_response({"error": str(error)}, status=404)
        except Refused as refusal:
            return web.json_response({"error": refusal.reason.value, **refusal.facts}, status=409)
        except (BadRequest, TypeError, ValueError, KeyError) as error:
            return web.json_response({"error": f"{type(error).__name__}: {error}"}, status=400)
        self._situation.exchange.commit()
        return web.json_response({} if result is None else result)


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path))
