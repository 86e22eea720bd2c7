"""Contract 7: a service is given a subscriber's secrets, sealed by a worker to the key in the service's token.

The process that answers HTTP only carries the request and the sealed answer; it can open neither.
"""

import base64
import json
from datetime import timedelta
from uuid import UUID

from sqlmodel import Session, col, delete, select

from copytrade import clock
from copytrade.accounts import queries, sealed_box, vault
from copytrade.accounts.keys import CHECK
from copytrade.accounts.models import SecretRequest
from copytrade.db.bell import ring
from copytrade.db.events import record
from copytrade.db.session import transaction
from copytrade.domain.instruments import Role
from copytrade.errors import BadCredentials
from copytrade.exchanges.modes import PAPER
from copytrade.users.service_tokens import KEY_BYTES

KEEP = timedelta(minutes=1)


def ask(session: Session, *, subscriber_id: UUID, service: str, public_key: str) -> UUID:
    """Write down the wish; every hand-over is an event that the subscriber and the operators can see."""
    request = SecretRequest(
        subscriber_id=subscriber_id, service=service[:100], public_key=public_key, requested_at=clock.real_now()
    )
    session.add(request)
    record(session, "account.secrets_requested", user_id=subscriber_id, service=service)
    ring(session, CHECK)
    return request.id


def take(session: Session, *, request_id: UUID) -> list[dict[str, str]] | None:
    """Return the sealed answer once and forget it; None while no worker has answered."""
    request = session.get(SecretRequest, request_id, with_for_update=True)
    if request is None or request.answered_at is None:
        return None
    session.delete(request)
    return request.answer


def answer_all() -> None:
    """Answer what is asked and drop what nobody came back for. Runs in a worker."""
    with transaction() as session:
        rows = session.exec(
            select(SecretRequest)
            .where(col(SecretRequest.answered_at).is_(None))
            .limit(20)
            .with_for_update(skip_locked=True)
        ).all()
        for request in rows:
            request.answer = _sealed_for(session, request)
            request.answered_at = clock.real_now()
            ring(session, f"secrets:{request.id}")
        session.exec(delete(SecretRequest).where(col(SecretRequest.requested_at) < clock.real_now() - KEEP))


def binding(*, account_id: UUID, public_key: str) -> bytes:
    """Return what a sealed secret is bound to: the account and the key that may open it."""
    return f"account_secret|v1|{account_id}|{public_key}".encode()


def _sealed_for(session: Session, request: SecretRequest) -> list[dict[str, str]]:
    to = base64.urlsafe_b64decode(request.public_key + "=" * (-len(request.public_key) % 4))
    if len(to) != KEY_BYTES:
        return []
    told: list[dict[str, str]] = []
    for account in queries.active_of(session, owner=request.subscriber_id, role=Role.COPY):
        if account.mode == PAPER:
            continue  # its key opens nothing at the venue
        try:
            opened = vault.open_credentials(session, account_id=account.id)
        except BadCredentials:
            continue  # logged by the vault; the account's own check pauses it
        content = json.dumps(
            {"api_key": opened.api_key, "api_secret": opened.api_secret, "passphrase": opened.passphrase}
        ).encode()
        box = sealed_box.close(content, to=to, bound_to=binding(account_id=account.id, public_key=request.public_key))
        told.append(
            {
                "id": str(account.id),
                "venue": account.venue,
                "market": account.market,
                "mode": account.mode,
                "sealed": base64.b64encode(box).decode(),
            }
        )
    return told
