"""What a person's exchange accounts are called on his pages, and which of them a subscription may move to."""

from dataclasses import dataclass
from uuid import UUID

from sqlmodel import Session

from copytrade.accounts import queries as accounts
from copytrade.accounts.reasons import State
from copytrade.accounts.rows import AccountRow
from copytrade.domain.instruments import Role
from copytrade.i18n.names import place_name
from copytrade.i18n.voice import Voice
from copytrade.subscriptions.rows import SubscriptionRow


@dataclass(frozen=True, slots=True)
class AccountChoice:
    """An account that may be chosen."""

    id: str
    title: str
    equity: str


def account_name(row: AccountRow, voice: Voice) -> str:
    """Return how a person knows his account."""
    return row.label or place_name(voice, row.venue, row.market)


def account_told(row: AccountRow, voice: Voice) -> str:
    """Return an account's name with its place, which several accounts of one exchange differ by."""
    name, place = account_name(row, voice), place_name(voice, row.venue, row.market)
    return name if name == place else f"{name} ({place})"


def other_accounts(session: Session, *, owner: UUID, row: SubscriptionRow, voice: Voice) -> list[AccountChoice]:
    """Return the owner's copy accounts at the place of a subscription's trader, but the one that it copies to."""
    found = accounts.accounts(session, owner=owner)
    lead = accounts.ref(session, row.lead_account_id)
    return [
        AccountChoice(str(one.id), account_told(one, voice), voice.money(one.equity))
        for one in found
        if one.role == Role.COPY
        and one.state == State.ACTIVE
        and not one.is_paper
        and one.id != row.copy_account_id
        and (one.venue, one.market) == (lead.venue, lead.market)
    ]
