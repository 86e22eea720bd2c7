"""A subscriber's first visit leads by hand: link, choose, pay, watch the first copy arrive."""

import reflex as rx
from sqlmodel import Session

from copytrade.accounts import queries as accounts
from copytrade.accounts.reasons import State as AccountState
from copytrade.copying import queries as copying
from copytrade.domain.instruments import Role
from copytrade.i18n.voice import Voice
from copytrade.state import routes
from copytrade.state.asking import Who, live
from copytrade.state.work import read
from copytrade.subscriptions import queries as subscriptions
from copytrade.subscriptions.states import LIVE, State
from copytrade.users.queries import Person

LINK, CHOOSE, PAY, WATCH, DONE = 1, 2, 3, 4, 5
WAYS = {LINK: routes.ACCOUNTS, CHOOSE: routes.TRADERS, PAY: routes.SUBSCRIPTIONS, WATCH: routes.COPIES, DONE: ""}


class Guide(rx.State):
    """Where a new subscriber is."""

    stage: int = DONE
    way: str = ""

    @live(Who.PUBLIC, "user:{asker}")
    async def watch(self, asker: Person | None, voice: Voice) -> None:
        """Find the first step that is still to be done."""
        is_led = asker is not None and asker.is_subscriber
        self.stage = await read(_stage, owner=asker) if is_led and asker else DONE
        self.way = WAYS[self.stage]


def _stage(session: Session, *, owner: Person) -> int:
    linked = any(
        row.role == Role.COPY and row.state == AccountState.ACTIVE for row in accounts.accounts(session, owner=owner.id)
    )
    taken = subscriptions.subscriptions_of(session, owner=owner.id)
    if any(row.state in LIVE or row.state == State.CANCELED for row in taken):
        return DONE if copying.copies(session, owner=owner.id, limit=1).rows else WATCH
    if not linked:
        return LINK
    return PAY if any(row.state == State.INCOMPLETE for row in taken) else CHOOSE
