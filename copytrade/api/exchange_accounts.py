"""Contracts 2 and 7: a person links exchange accounts; a service is given a subscriber's secrets, sealed to its key."""

import asyncio
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from fastapi import Response
from pydantic import BaseModel, Field, SecretStr

from copytrade.accounts import handover, paper, queries, reasons, service
from copytrade.accounts.rows import AccountRow
from copytrade.api.callers import SignedIn
from copytrade.api.callers import service as for_service
from copytrade.api.routing import contract
from copytrade.api.waiting import until
from copytrade.db.session import reading, transaction
from copytrade.domain.instruments import Role
from copytrade.errors import InvalidInput, NotAllowed, NotFound, Unavailable
from copytrade.settings import settings
from copytrade.users.service_tokens import Scope, ServiceCaller

router = contract("2 · exchange accounts")
sealed = contract("7 · secrets for services")

ANSWER_TIMEOUT_S = 10.0


class Linking(BaseModel):
    """An exchange account to link; key, secret and passphrase are sealed at once and never shown again."""

    venue: str = Field(max_length=20, examples=["binance"])
    market: str = Field(default="perpetual", max_length=20, examples=["perpetual"])
    role: str = Field(max_length=10, examples=["copy"], description="`lead`: its trades are copied; `copy`: it copies")
    label: str = Field(default="", max_length=200, examples=["Main account"])
    api_key: SecretStr = Field(max_length=1000, examples=["the key"])
    api_secret: SecretStr = Field(max_length=1000, examples=["the secret"])
    passphrase: SecretStr = Field(default=SecretStr(""), max_length=1000, examples=[""])
    mode: str | None = Field(default=None, max_length=10, examples=["sandbox"])


class PaperOpening(BaseModel):
    """An account with play money, to try a trader out before paying."""

    venue: str = Field(max_length=20, examples=["binance"])
    market: str = Field(default="perpetual", max_length=20, examples=["perpetual"])
    funds: Decimal = Field(default=paper.USUAL_FUNDS, examples=["10000"], description="USDT, from 100 to 1,000,000")
    label: str = Field(default="", max_length=200, examples=["To try things out"])


class AccountAnswer(BaseModel):
    """An exchange account as its owner sees it: never a secret."""

    id: UUID
    venue: str
    market: str
    role: str
    mode: str = Field(description="`live`, `testnet`, `sandbox` or `paper`")
    label: str
    key_hint: str = Field(description="the last four characters of the API key")
    state: str = Field(description="`checking`, `active` or `paused`")
    reason: str = Field(description="why it is paused, empty otherwise")
    permissions: dict[str, Any]
    ip_restricted: bool | None
    key_expires_at: datetime | None
    linked_at: datetime | None
    checked_at: datetime | None
    equity: Decimal | None = Field(description="in USDT")
    equity_at: datetime | None

    @classmethod
    def of(cls, row: AccountRow) -> "AccountAnswer":
        """Return the answer for a row."""
        return cls(**asdict(row))


class SealedAnswer(BaseModel):
    """One copy account and its secret, which only the holder of the token's private key opens."""

    id: UUID
    venue: str
    market: str
    mode: str
    sealed: str = Field(
        description="base64 of: version 1 | ephemeral X25519 public key (32) | nonce (12) | AES-256-GCM of JSON; "
        "key: HKDF-SHA256(shared, salt = both public keys, info = `copytrade sealed box v1`), associated data "
        "`account_secret|v1|<id>|<public key>`"
    )


class KeyRefused(InvalidInput):
    """The exchange's answer about a key made us refuse it."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"key was refused: {reason}", user=reasons.sentence(reason), field="api_key")
        self.code = reason


@router.post("/accounts", status_code=201, responses={202: {"model": AccountAnswer}})
async def link(typed: Linking, person: SignedIn, answer: Response) -> AccountAnswer:
    """Link an exchange account: 201 once a worker has checked the key, 202 while it still does, 422 when refused."""
    if not (person.is_trader if typed.role == Role.LEAD else person.is_subscriber):
        raise NotAllowed(f"{typed.role} account without the role", user="Your account does not have this role.")

    def take() -> UUID:
        with transaction() as session:
            return service.link(
                session,
                owner=person.id,
                venue=typed.venue,
                market=typed.market,
                role=typed.role,
                label=typed.label,
                api_key=typed.api_key.get_secret_value(),
                api_secret=typed.api_secret.get_secret_value(),
                passphrase=typed.passphrase.get_secret_value(),
                mode=typed.mode,
            )

    return await _checked(person.id, await asyncio.to_thread(take), answer)


@router.post("/accounts/paper", status_code=201, responses={202: {"model": AccountAnswer}})
async def open_on_paper(typed: PaperOpening, person: SignedIn, answer: Response) -> AccountAnswer:
    """Open an account with play money to copy onto: 201 once it works, 202 while it is still being opened."""
    if not person.is_subscriber:
        raise NotAllowed("paper account without the role", user="Your account does not have this role.")

    def take() -> UUID:
        with transaction() as session:
            return paper.open_account(
                session,
                owner=person.id,
                venue=typed.venue,
                market=typed.market,
                funds=typed.funds,
                label=typed.label,
            )

    return await _checked(person.id, await asyncio.to_thread(take), answer)


async def _checked(owner: UUID, account_id: UUID, answer: Response) -> AccountAnswer:
    """Wait for a worker's word on an account."""

    def checked() -> AccountRow | None:
        with transaction() as session:
            row = service.result(session, owner=owner, account_id=account_id)
        return None if row.state == reasons.State.CHECKING else row

    row = await until(f"user:{owner}", checked, timeout=service.LINK_CHECK_TIMEOUT.total_seconds())
    if row is not None and row.state == reasons.State.REFUSED:
        raise KeyRefused(row.reason)
    if row is None:
        answer.status_code = 202
    return await asyncio.to_thread(_shown, owner, account_id)


def _shown(owner: UUID, account_id: UUID) -> AccountAnswer:
    with reading() as session:
        return AccountAnswer.of(queries.account(session, owner=owner, account_id=account_id))


@router.get("/accounts")
def linked(person: SignedIn) -> list[AccountAnswer]:
    """Return the caller's exchange accounts."""
    with reading() as session:
        return [
            AccountAnswer.of(row)
            for row in queries.accounts(session, owner=person.id)
            if row.state != reasons.State.REFUSED
        ]


@sealed.get("/accounts/{subscriber_id}")
async def secrets(
    subscriber_id: UUID, caller: Annotated[ServiceCaller, for_service(Scope.ACCOUNTS_SECRETS)]
) -> list[SealedAnswer]:
    """Return a subscriber's copy accounts with their secrets sealed to the token's key. Off unless configured."""
    if not settings().api_account_secrets_enabled:
        raise NotFound("secrets for services are off", user="This is not enabled in this installation.")
    key = caller.public_key
    if key is None:
        raise InvalidInput(f"token of {caller.name} has no key", user="The token names no key to seal to.")

    def ask() -> UUID:
        with transaction() as session:
            return handover.ask(session, subscriber_id=subscriber_id, service=caller.name, public_key=key)

    request_id = await asyncio.to_thread(ask)

    def taken() -> list[dict[str, str]] | None:
        with transaction() as session:
            return handover.take(session, request_id=request_id)

    told = await until(f"secrets:{request_id}", taken, timeout=ANSWER_TIMEOUT_S)
    if told is None:
        raise Unavailable("no worker answered", venue="")
    return [SealedAnswer.model_validate(one) for one in told]
