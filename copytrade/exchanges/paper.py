"""Asks our paper exchange for an account: the only thing it does that a venue does not."""

from decimal import Decimal
from typing import Any
from uuid import UUID

import aiohttp

from copytrade.domain.instruments import Market, Venue
from copytrade.errors import Unavailable
from copytrade.exchanges.port import Credentials
from copytrade.settings import settings

_WITHIN_S = 10.0


async def issue(account_id: UUID, *, venue: Venue, market: Market, funds: Decimal) -> Credentials:
    """Return the key of an account with these funds (USDT), opened on the first call; Unavailable where it is away.

    Asked again for the same account it gives the same key, so a caller that dies in between loses nothing.
    """
    asked = {"name": str(account_id), "market": market.value, "funds": f"{funds:f}"}
    url = f"{settings().paper_url(venue)}/{venue}/paper/accounts"
    headers = {"Authorization": f"Bearer {settings().paper_token.get_secret_value()}"}
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_WITHIN_S)) as session,
            session.post(url, json=asked, headers=headers) as answer,
        ):
            told: dict[str, Any] = await answer.json() if answer.status == 200 else {}
            if not told:
                raise Unavailable(f"the paper exchange answered {answer.status}", venue=venue.value)
            return Credentials(told["api_key"], told["api_secret"], told.get("passphrase", ""))
    except (aiohttp.ClientError, TimeoutError, ValueError, KeyError) as error:
        # The body holds a secret: only the kind of the failure is told.
        reason = type(error).__name__
    raise Unavailable(f"the paper exchange did not answer: {reason}", venue=venue.value)
