"""Many subscribers at once, for measurements: each buys on the hosted page's own code."""

import asyncio

from copytrade.sandbox.stripe import cards, catalogue, checkout
from copytrade.sandbox.stripe.errors import Json, invalid
from copytrade.sandbox.stripe.world import World

_AT_ONCE = 20
_MOST = 20_000


async def gather(world: World, given: Json) -> list[Json]:
    """Let people subscribe to a price with a card; return each one's customer, session, subscription and invoice.

    `people` may name each one's customer, email, metadata and client_reference_id; `count` makes that many strangers.
    """
    people: list[Json] = given.get("people") or [{} for _ in range(int(given.get("count", 0)))]
    if not 0 < len(people) <= _MOST:
        raise invalid("count", f"A crowd is 1 to {_MOST} people.")
    made: list[Json] = []
    for start in range(0, len(people), _AT_ONCE):
        with world.asked():
            made += [
                _buy(world, given, one, number)
                for number, one in enumerate(people[start : start + _AT_ONCE], start=start)
            ]
        await asyncio.sleep(0)
    return made


def _buy(world: World, given: Json, one: Json, number: int) -> Json:
    email = str(one.get("email") or f"subscriber{number}@crowd.example")
    customer = one.get("customer") or catalogue.create_customer(world, {"email": email}, ())["id"]
    facts: Json = one.get("metadata") or {}
    data: Json = {"metadata": facts}
    if given.get("trial_days"):
        data["trial_period_days"] = str(given["trial_days"])
    params: Json = {
        "mode": "subscription",
        "line_items": [{"price": given["price"], "quantity": "1"}],
        "customer": customer,
        "metadata": facts,
        "subscription_data": data,
        "success_url": "http://127.0.0.1/crowd",
    }
    if one.get("client_reference_id"):
        params["client_reference_id"] = one["client_reference_id"]
    session = checkout.create(world, params, ())
    typed = {"number": given.get("card", "4242424242424242"), "expiry": "12/40", "cvc": "123", "name": "Crowd"}
    card = cards.typed(typed, now=world.now())
    done = checkout.complete(world, session, method=checkout.hold(world, session, card=card, email=email), email=email)
    return {
        "customer": customer,
        "session": done["id"],
        "subscription": done["subscription"],
        "invoice": done["invoice"],
    }
