"""The contract: an order that is held back at the last moment never reaches the venue."""

from copytrade.domain.orders import Outcome, OutcomeKind
from copytrade.exchanges.leaving import last_look
from copytrade.exchanges.port import ExchangeClient
from tests.contract.exchanges.places import Account, soon


def test_45_an_order_that_is_held_back_never_left(alice: Account) -> None:
    request = alice.buy("0.5")
    asked = list[str]()

    async def hold_back() -> bool:
        asked.append(request.client_order_id)
        return False

    async def place(client: ExchangeClient) -> Outcome:
        token = last_look.set(hold_back)
        try:
            return await client.place(request, not_after=soon())
        finally:
            last_look.reset(token)

    outcome = alice.run(place)
    assert (outcome.kind, outcome.sent_at) == (OutcomeKind.NOT_SENT, None)
    assert asked == [request.client_order_id]
    assert alice.orders() == []
