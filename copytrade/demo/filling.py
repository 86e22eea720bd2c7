"""Each step as a user would take it, done once: what is there already is left as it is."""

import time
from collections.abc import Callable
from decimal import Decimal
from typing import TypeVar
from uuid import UUID

import httpx

from copytrade.accounts import paper
from copytrade.accounts import queries as account_queries
from copytrade.accounts import service as accounts
from copytrade.accounts.reasons import Reason, State
from copytrade.accounts.rows import AccountRow
from copytrade.capture import queries as capture
from copytrade.copying import service as copying
from copytrade.db.session import reading, transaction
from copytrade.demo.cast import PASSWORD, Copy
from copytrade.demo.keys import Key, Place
from copytrade.domain.instruments import Role
from copytrade.domain.sizing import CopySettings, SizingMode
from copytrade.errors import Conflict
from copytrade.payments import connect
from copytrade.payments import service as payments
from copytrade.subscriptions import profiles
from copytrade.subscriptions import queries as subscription_queries
from copytrade.subscriptions.consent import RISK_VERSION, Consent, accept
from copytrade.users import service as users

CARD = {"number": "4242 4242 4242 4242", "expiry": "12 / 34", "cvc": "123", "name": "Demo", "action": "pay"}
WHO = {
    "first": "Demo",
    "last": "Trader",
    "email": "demo@copytrade.example",
    "iban": "DE89370400440532013000",
    "action": "finish",
}
"""What a trader tells Stripe of himself."""
PATIENCE_S = 150.0
ATTEMPTS = 3
"""On a busy machine the sandbox may be too slow for a check: whoever links tries again."""
Found = TypeVar("Found")


def person(email: str, *, is_trader: bool = False, is_subscriber: bool = False, locale: str = "en") -> UUID:
    """Register somebody, or find him; who subscribes accepts the risk text."""
    try:
        with transaction() as session:
            made = users.register(
                session,
                email=email,
                password=PASSWORD,
                is_trader=is_trader,
                is_subscriber=is_subscriber,
                locale=locale,
                accepted_terms=True,
            ).id
            if is_subscriber:
                accept(session, owner=made, consent=Consent(RISK_VERSION, locale, "DE"))
            return made
    except Conflict:
        with transaction() as session:
            who, token = users.log_in(session, email=email, password=PASSWORD, address="127.0.0.1", user_agent="demo")
            users.log_out(session, token=token)
            return who.id


def operator(email: str) -> UUID:
    """Make somebody an operator."""
    who = person(email, is_subscriber=True)
    with transaction() as session:
        users.make_operator(session, email=email)
    return who


def exchange_account(owner: UUID, *, role: Role, label: str, key: Key) -> UUID:
    """Link a key and wait until a worker has checked it."""
    known = _account(owner, label)
    if known is not None:
        return known
    reason = ""
    for _ in range(ATTEMPTS):
        row = _verdict(owner, _link(owner, role=role, label=label, key=key), what=f"the check of {label}")
        if row.state == State.ACTIVE:
            return row.id
        reason = row.reason
        if reason != Reason.EXCHANGE_AWAY:
            break
    raise RuntimeError(f"the exchange account {label} was refused: {reason}")


def paper_account(owner: UUID, *, place: Place, label: str, funds: Decimal) -> UUID:
    """Open a paper account and wait until a worker has its key."""
    known = _account(owner, label)
    if known is not None:
        return known
    reason = ""
    for _ in range(ATTEMPTS):
        with transaction() as session:
            made = paper.open_account(session, owner=owner, venue=place[0], market=place[1], funds=funds, label=label)
        row = _verdict(owner, made, what=f"the paper account {label}")
        if row.state == State.ACTIVE:
            return row.id
        reason = row.reason
    raise RuntimeError(f"the paper account {label} was refused: {reason}")


def _link(owner: UUID, *, role: Role, label: str, key: Key) -> UUID:
    with transaction() as session:
        return accounts.link(
            session,
            owner=owner,
            venue=key.venue,
            market=key.market,
            role=role,
            label=label,
            api_key=key.api_key,
            api_secret=key.api_secret,
            passphrase=key.passphrase,
        )


def _account(owner: UUID, label: str) -> UUID | None:
    with reading() as session:
        rows = account_queries.accounts(session, owner=owner)
    return next((row.id for row in rows if row.label == label and row.state == State.ACTIVE), None)


def _verdict(owner: UUID, account_id: UUID, *, what: str) -> AccountRow:
    return _wait(lambda: _checked(owner, account_id), what=what)


def _checked(owner: UUID, account_id: UUID) -> AccountRow | None:
    with transaction() as session:
        row = accounts.result(session, owner=owner, account_id=account_id)
    return None if row.state == State.CHECKING else row


def captured(account_id: UUID) -> None:
    """Wait until a lead's baseline is known: what he trades before it is history, and not copied."""

    def is_known() -> bool | None:
        with reading() as session:
            return capture.is_captured(session, account_id=account_id) or None

    _wait(is_known, what=f"the baseline of account {account_id}")


def profile(owner: UUID, *, lead_account_id: UUID, name: str, about: str, price: Decimal) -> UUID:
    """Write a trader's profile and publish it."""
    with transaction() as session:
        rows = subscription_queries.profiles_of(session, owner=owner)
        known = next((row for row in rows if row.lead_account_id == lead_account_id), None)
        if known is not None and known.is_published:
            return known.id
        made = known.id if known else None
        if made is None:
            made = profiles.save_profile(
                session, owner=owner, lead_account_id=lead_account_id, name=name, about=about, price=price
            ).id
    onboarded(owner)
    with transaction() as session:
        connect.publish_profile(session, owner=owner, profile_id=made)
    return made


def onboarded(owner: UUID) -> None:
    """Go through Stripe's onboarding as a trader does: nobody publishes a price who cannot be paid."""
    with reading() as session:
        if connect.may_be_paid(session, user_id=owner):
            return
    with transaction() as session:
        url = connect.onboarding_url(session, owner=owner)
    with httpx.Client(timeout=30) as browser:
        page = browser.get(url, follow_redirects=False).headers["location"]
        answer = browser.post(page, data=WHO, follow_redirects=False)
    if answer.status_code != httpx.codes.SEE_OTHER:
        raise RuntimeError(f"the onboarding answered {answer.status_code}")
    with transaction() as session:
        if not connect.look_again(session, owner=owner).may_be_paid:
            raise RuntimeError("the onboarding left a trader who cannot be paid")


def subscription(owner: UUID, *, profile_id: UUID, copy_account_id: UUID, copy: Copy) -> UUID:
    """Subscribe, pay on the hosted page, and wait until the webhook has activated it."""
    known = _active(owner, profile_id)
    if known is not None:
        return known
    with transaction() as session:
        made = copying.subscribe(
            session, owner=owner, profile_id=profile_id, copy_account_id=copy_account_id, settings=settings_of(copy)
        )
    with transaction() as session:
        page = payments.start_payment(session, owner=owner, subscription_id=made)
    answer = httpx.post(page.url, data=CARD, follow_redirects=False, timeout=30)
    if answer.status_code != httpx.codes.SEE_OTHER:
        raise RuntimeError(f"the payment page answered {answer.status_code}")
    return _wait(lambda: _active(owner, profile_id), what="the payment")


def settings_of(copy: Copy) -> CopySettings:
    """Return the copy settings of a copy of the cast."""
    return CopySettings(mode=SizingMode(copy.mode), factor=copy.factor, max_order_notional=copy.max_order_notional)


def paper_copy(owner: UUID, *, profile_id: UUID, copy_account_id: UUID, settings: CopySettings) -> UUID:
    """Copy a trader on paper: free, and active at once."""
    known = _active(owner, profile_id, is_paper=True)
    if known is not None:
        return known
    with transaction() as session:
        return copying.subscribe(
            session, owner=owner, profile_id=profile_id, copy_account_id=copy_account_id, settings=settings
        )


def _active(owner: UUID, profile_id: UUID, *, is_paper: bool = False) -> UUID | None:
    with reading() as session:
        rows = subscription_queries.subscriptions_of(session, owner=owner)
    found = (row for row in rows if row.profile_id == profile_id and row.is_paper is is_paper)
    return next((row.id for row in found if row.state == "active"), None)


def _wait(look: Callable[[], Found | None], *, what: str) -> Found:
    deadline = time.monotonic() + PATIENCE_S
    while (found := look()) is None:
        if time.monotonic() > deadline:
            raise RuntimeError(f"{what} did not come about within {PATIENCE_S:.0f} s")
        time.sleep(0.1)
    return found
