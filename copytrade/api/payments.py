"""Contract 4: start paying for a subscription; Stripe tells what became of a payment."""

import asyncio
from typing import Annotated
from uuid import UUID

from fastapi import Request
from pydantic import BaseModel, Field

from copytrade import metrics
from copytrade.api.callers import person_or
from copytrade.api.routing import contract
from copytrade.db.session import reading, transaction
from copytrade.errors import NotAllowed, NotFound
from copytrade.payments import service
from copytrade.subscriptions import queries as subscriptions
from copytrade.users.queries import Person
from copytrade.users.service_tokens import Scope, ServiceCaller

router = contract("4 · payments")

Payer = Annotated[Person | ServiceCaller, person_or(Scope.PAYMENTS_START)]


class PaymentWish(BaseModel):
    """Which subscription is to be paid."""

    subscription_id: UUID
    code: str = Field(default="", max_length=30, examples=["SPRING-26"], description="a coupon of the trader's")


class PaymentAnswer(BaseModel):
    """Where to send the payer."""

    url: str = Field(examples=["https://checkout.stripe.com/c/pay/cs_test_a1"])
    state: str = Field(
        examples=["open"],
        description="`open`: the page waits to be paid · `processing`: it was paid, and the subscription is active "
        "once Stripe has told us so · `past_due`: the address of the portal, to pay a renewal that failed",
    )


class Received(BaseModel):
    """A webhook is stored."""

    received: bool = True


@router.post("/payments")
def start(wish: PaymentWish, caller: Payer) -> PaymentAnswer:
    """Start the payment of a subscription, or take up the one that was started: 200 with the payment page."""
    owner = caller.id if isinstance(caller, Person) else _subscriber(wish.subscription_id)
    with transaction() as session:
        begun = service.start_payment(session, owner=owner, subscription_id=wish.subscription_id, code=wish.code)
    return PaymentAnswer(url=begun.url, state=begun.state)


def _subscriber(subscription_id: UUID) -> UUID:
    with reading() as session:
        found = subscriptions.by_ids(session, {subscription_id}).get(subscription_id)
    if found is None:
        raise NotFound(f"subscription {subscription_id} was not found", user="There is no such subscription.")
    return found.subscriber_id


@router.post("/payments/notify")
async def notify(request: Request) -> Received:
    """Take a webhook signed by Stripe: 200 once it is stored; a repeated one changes nothing, a forged one is 403."""
    await asyncio.to_thread(_store, await request.body(), request.headers.get("stripe-signature", ""))
    return Received()


def _store(body: bytes, signature: str) -> None:
    try:
        with transaction() as session:
            service.receive_webhook(session, body=body, signature=signature)
    except NotAllowed:
        metrics.webhooks.labels(outcome="forged").inc()
        raise
    metrics.webhooks.labels(outcome="stored").inc()
