"""What we ask Stripe about those who are paid: their accounts, transfers to them and what takes these back."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import stripe

from copytrade.payments.gateway import ask, id_of, moment

_CAUSE = "cause"
"""Name in a reversal's metadata under which it says why it was made."""


@dataclass(frozen=True, slots=True)
class RemoteAccount:
    """An account at Stripe that is paid, as it is now; `requirements` are Stripe's names of what it still asks for."""

    id: str
    payouts_enabled: bool
    transfers_enabled: bool
    details_submitted: bool
    requirements: tuple[str, ...]
    disabled_reason: str


@dataclass(frozen=True, slots=True)
class RemoteTransfer:
    """A transfer as Stripe has it."""

    id: str
    group: str
    destination: str
    minor: int
    reversed_minor: int
    currency: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class RemoteReversal:
    """What took a part of a transfer back."""

    id: str
    minor: int


def create_account(*, user_id: UUID, email: str) -> RemoteAccount:
    """Make the account of a trader and return it; the same one when asked again."""
    return _account(
        ask(
            lambda client: client.v1.accounts.create(
                {
                    "type": "express",
                    "email": email,
                    "capabilities": {"transfers": {"requested": True}},
                    "metadata": {"user_id": str(user_id)},
                },
                {"idempotency_key": f"account:{user_id}"},
            )
        )
    )


def account(stripe_account_id: str) -> RemoteAccount:
    """Return an account as Stripe has it now."""
    return _account(ask(lambda client: client.v1.accounts.retrieve(stripe_account_id)))


def _account(made: stripe.Account) -> RemoteAccount:
    needs, capabilities = made.requirements, made.capabilities
    asked = [*(needs.currently_due or []), *(needs.past_due or [])] if needs else []
    return RemoteAccount(
        id=made.id,
        payouts_enabled=bool(made.payouts_enabled),
        transfers_enabled=bool(capabilities and capabilities.to_dict().get("transfers") == "active"),
        details_submitted=bool(made.details_submitted),
        requirements=tuple(dict.fromkeys(asked)),
        disabled_reason=(needs.disabled_reason or "") if needs else "",
    )


def onboarding_url(stripe_account_id: str, *, refresh_url: str, return_url: str) -> str:
    """Open Stripe's onboarding and return its address, which works once and for some minutes."""
    made = ask(
        lambda client: client.v1.account_links.create(
            {
                "account": stripe_account_id,
                "type": "account_onboarding",
                "refresh_url": refresh_url,
                "return_url": return_url,
            }
        )
    )
    return made.url


def dashboard_url(stripe_account_id: str) -> str:
    """Return the address of an account's dashboard at Stripe."""
    return ask(lambda client: client.v1.accounts.login_links.create(stripe_account_id)).url


def transfer_of(group: str) -> RemoteTransfer | None:
    """Return the transfer that was made for a payout, None where there is none."""
    found = ask(lambda client: client.v1.transfers.list({"transfer_group": group, "limit": 1})).data
    return _transfer(found[0]) if found else None


def create_transfer(*, group: str, key: str, stripe_account_id: str, minor: int, currency: str) -> RemoteTransfer:
    """Move money to a trader's account; PaymentsRefused where Stripe will not, PaymentsUnavailable where who knows."""
    return _transfer(
        ask(
            lambda client: client.v1.transfers.create(
                {
                    "amount": minor,
                    "currency": currency,
                    "destination": stripe_account_id,
                    "transfer_group": group,
                    "metadata": {"payout": group},
                },
                {"idempotency_key": key},
            )
        )
    )


def transfer(transfer_id: str) -> RemoteTransfer:
    """Return a transfer as Stripe has it now."""
    return _transfer(ask(lambda client: client.v1.transfers.retrieve(transfer_id)))


def transfers_since(since: datetime) -> list[RemoteTransfer]:
    """Return the transfers made since a time."""
    pages = ask(lambda client: client.v1.transfers.list({"created": {"gte": int(since.timestamp())}, "limit": 100}))
    return [_transfer(one) for one in ask(lambda _: list(pages.auto_paging_iter()))]


def _transfer(made: stripe.Transfer) -> RemoteTransfer:
    return RemoteTransfer(
        id=made.id,
        group=made.transfer_group or "",
        destination=id_of(made.destination),
        minor=made.amount,
        reversed_minor=made.amount_reversed,
        currency=made.currency,
        created_at=moment(made.created),
    )


def reversal_of(transfer_id: str, *, cause: str) -> RemoteReversal | None:
    """Return what took a transfer back for a cause, None where nothing did."""
    pages = ask(lambda client: client.v1.transfers.reversals.list(transfer_id, {"limit": 100}))
    for made in ask(lambda _: list(pages.auto_paging_iter())):
        if made.metadata and made.metadata.to_dict().get(_CAUSE) == cause:
            return RemoteReversal(made.id, made.amount)
    return None


def create_reversal(transfer_id: str, *, cause: str, key: str, minor: int) -> RemoteReversal:
    """Take a part of a transfer back."""
    made = ask(
        lambda client: client.v1.transfers.reversals.create(
            transfer_id, {"amount": minor, "metadata": {_CAUSE: cause}}, {"idempotency_key": key}
        )
    )
    return RemoteReversal(made.id, made.amount)
