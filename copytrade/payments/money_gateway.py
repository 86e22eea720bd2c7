"""What we ask Stripe about money that moved: refunds, disputes, its fees, and its lists to compare with ours."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import stripe

from copytrade.payments.gateway import ask, id_of, moment

UNDECIDED = ("needs_response", "under_review", "warning_needs_response", "warning_under_review")
_NOT_BACK = ("failed", "canceled")


@dataclass(frozen=True, slots=True)
class RemoteRefund:
    """A refund as Stripe has it; `has_failed`: the money came back to us."""

    id: str
    charge_id: str
    payment_intent_id: str
    minor: int
    currency: str
    has_failed: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class RemoteFee:
    """What Stripe kept of a movement of our balance."""

    transaction_id: str
    minor: int
    currency: str
    payment_intent_id: str
    """Of the charge behind it; empty where there is none."""
    created_at: datetime


@dataclass(frozen=True, slots=True)
class RemoteDispute:
    """A dispute as Stripe has it; `withdrawn` is what the bank took from our balance, 0 for a mere inquiry."""

    id: str
    charge_id: str
    payment_intent_id: str
    minor: int
    currency: str
    reason: str
    status: str
    withdrawn: int
    fees: tuple[RemoteFee, ...]
    evidence_due_at: datetime | None
    created_at: datetime

    @property
    def is_open(self) -> bool:
        """Whether the bank has not decided."""
        return self.status in UNDECIDED


@dataclass(frozen=True, slots=True)
class RemoteInvoice:
    """A paid invoice of Stripe's list."""

    id: str
    stripe_subscription_id: str
    is_ours: bool
    """It carries the id of a subscription of ours."""
    minor: int
    currency: str


def refunds_of(charge_id: str) -> list[RemoteRefund]:
    """Return the refunds of a charge, oldest first."""
    pages = ask(lambda client: client.v1.refunds.list({"charge": charge_id, "limit": 100}))
    return [_refund(one) for one in reversed(ask(lambda _: list(pages.auto_paging_iter())))]


def refunds_since(since: datetime) -> list[RemoteRefund]:
    """Return the refunds made since a time."""
    pages = ask(lambda client: client.v1.refunds.list({"created": _from(since), "limit": 100}))
    return [_refund(one) for one in ask(lambda _: list(pages.auto_paging_iter()))]


def _refund(made: stripe.Refund) -> RemoteRefund:
    return RemoteRefund(
        id=made.id,
        charge_id=id_of(made.charge),
        payment_intent_id=id_of(made.payment_intent),
        minor=made.amount,
        currency=made.currency,
        has_failed=made.status in _NOT_BACK,
        created_at=moment(made.created),
    )


def invoice_of(payment_intent_id: str) -> str:
    """Return which invoice a payment paid, empty for none."""
    links = ask(
        lambda client: client.v1.invoice_payments.list(
            {"payment": {"type": "payment_intent", "payment_intent": payment_intent_id}}
        )
    )
    return id_of(links.data[0].invoice) if links.data else ""


def dispute(dispute_id: str) -> RemoteDispute:
    """Return a dispute as Stripe has it now."""
    return _dispute(ask(lambda client: client.v1.disputes.retrieve(dispute_id)))


def disputes_since(since: datetime) -> list[RemoteDispute]:
    """Return the disputes opened since a time."""
    pages = ask(lambda client: client.v1.disputes.list({"created": _from(since), "limit": 100}))
    return [_dispute(one) for one in ask(lambda _: list(pages.auto_paging_iter()))]


def _dispute(made: stripe.Dispute) -> RemoteDispute:
    intent, due_by = id_of(made.payment_intent), made.evidence_details.due_by
    return RemoteDispute(
        id=made.id,
        charge_id=id_of(made.charge),
        payment_intent_id=intent,
        minor=made.amount,
        currency=made.currency,
        reason=made.reason,
        status=made.status,
        withdrawn=-sum(moved.amount for moved in made.balance_transactions if moved.amount < 0),
        fees=tuple(_fee(moved, intent) for moved in made.balance_transactions if moved.fee),
        evidence_due_at=moment(due_by) if due_by else None,
        created_at=moment(made.created),
    )


def charges_with_fees() -> Iterator[list[RemoteFee]]:
    """Yield what Stripe kept of charges, newest first, a page at a time."""
    params: stripe.params.BalanceTransactionListParams = {"type": "charge", "limit": 100, "expand": ["data.source"]}
    while True:
        page = ask(lambda client: client.v1.balance_transactions.list(params))
        yield [_fee(moved, _intent_behind(moved)) for moved in page.data if moved.fee]
        if not page.has_more:
            return
        params["starting_after"] = page.data[-1].id


def _intent_behind(moved: stripe.BalanceTransaction) -> str:
    return id_of(moved.source.payment_intent) if isinstance(moved.source, stripe.Charge) else ""


def _fee(moved: stripe.BalanceTransaction, intent: str) -> RemoteFee:
    return RemoteFee(
        transaction_id=moved.id,
        minor=moved.fee,
        currency=moved.currency,
        payment_intent_id=intent,
        created_at=moment(moved.created),
    )


def paid_invoices_since(since: datetime) -> list[RemoteInvoice]:
    """Return the invoices of subscriptions that were made since a time and are paid."""
    pages = ask(lambda client: client.v1.invoices.list({"status": "paid", "created": _from(since), "limit": 100}))
    found = [_invoice(one) for one in ask(lambda _: list(pages.auto_paging_iter()))]
    return [one for one in found if one.stripe_subscription_id]


def _invoice(made: stripe.Invoice) -> RemoteInvoice:
    details = made.parent.subscription_details if made.parent else None
    subscription = id_of(details.subscription) if details else ""
    carried = details.metadata.to_dict() if details and details.metadata else {}
    return RemoteInvoice(made.id, subscription, "subscription_id" in carried, made.amount_paid, made.currency)


@dataclass(frozen=True, slots=True)
class RemoteRunning:
    """A subscription that Stripe has not ended."""

    id: str
    status: str
    is_ours: bool


def running_subscriptions() -> list[RemoteRunning]:
    """Return every subscription that Stripe has not ended."""
    pages = ask(lambda client: client.v1.subscriptions.list({"limit": 100}))
    return [
        RemoteRunning(one.id, one.status, "subscription_id" in one.metadata.to_dict())
        for one in ask(lambda _: list(pages.auto_paging_iter()))
    ]


def balance() -> dict[str, int]:
    """Return our balance at Stripe by currency, what is pending included."""
    found = ask(lambda client: client.v1.balance.retrieve())
    totals: dict[str, int] = {}
    for part in (*found.available, *found.pending):
        totals[part.currency] = totals.get(part.currency, 0) + part.amount
    return totals


def _from(since: datetime) -> stripe.params.BalanceTransactionListParamsCreated:
    return {"gte": int(since.timestamp())}
