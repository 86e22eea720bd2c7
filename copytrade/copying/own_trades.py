"""What a subscriber traded himself on his copy accounts: the captured fills that no order of ours brought."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlmodel import Session

from copytrade.accounts import queries as accounts
from copytrade.capture import queries as capture
from copytrade.capture.queries import FillRow
from copytrade.copying import bulk
from copytrade.copying.rows import OwnTradePage
from copytrade.domain.instruments import Role
from copytrade.subscriptions import queries as subscriptions

NEVER = datetime.max.replace(tzinfo=UTC)
SKEW = timedelta(seconds=5)
"""How far a venue's clock may be behind ours."""
BATCH, MOST_BATCHES = 200, 10
"""How many fills are looked at for one page: who copies a busy trader may have made few trades of his own."""

_OURS = """
SELECT o.exchange_account_id, o.symbol, o.venue_order_id, o.client_order_id, o.created_at
FROM trades.copy_orders o
WHERE (o.subscription_id = ANY(%(subscriptions)s)
       OR (o.exchange_account_id = ANY(%(accounts)s) AND o.service_key IS NOT NULL))
  AND (o.venue_order_id = ANY(%(venue_ids)s) OR o.client_order_id = ANY(%(client_ids)s)
       OR (o.venue_order_id = '' AND o.state IN ('sending', 'placed', 'unknown')))
"""


def own_trades(
    session: Session, *, owner: UUID, cursor: str = "", limit: int = 50, since: datetime | None = None
) -> OwnTradePage:
    """Return a page of a subscriber's own fills, newest first, none before `since`; only his own.

    A fill whose order may still turn out to be one of ours, since its answer was lost, is left out until it is known.
    """
    copy_accounts = accounts.ids_of(session, owner=owner, role=Role.COPY)
    mine = [row.id for row in subscriptions.subscriptions_of(session, owner=owner)]
    found: list[FillRow] = []
    for _ in range(MOST_BATCHES):
        page = capture.fills_page(session, account_ids=copy_accounts, since=since, cursor=cursor, limit=BATCH)
        found += _not_ours(session, page.rows, subscription_ids=mine, account_ids=copy_accounts)
        cursor = page.cursor
        if len(found) >= limit or not cursor:
            break
    if len(found) > limit:
        last = found[limit - 1]
        return OwnTradePage(found[:limit], capture.cursor_after(last))
    return OwnTradePage(found, cursor)


def _not_ours(
    session: Session, fills: Sequence[FillRow], *, subscription_ids: Collection[UUID], account_ids: Collection[UUID]
) -> list[FillRow]:
    rows = bulk.fetch(
        session,
        _OURS,
        subscriptions=list(subscription_ids),
        accounts=list(account_ids),
        venue_ids=[fill.order_id for fill in fills if fill.order_id],
        client_ids=[fill.client_order_id for fill in fills if fill.client_order_id],
    )
    ordered = {(account, venue_id) for account, _, venue_id, _, _ in rows if venue_id}
    asked = {client_id for _, _, _, client_id, _ in rows}
    doubtful: dict[tuple[UUID, str], datetime] = {}
    for account, symbol, venue_id, _, created_at in rows:
        if not venue_id:
            doubtful[account, symbol] = min(created_at - SKEW, doubtful.get((account, symbol), created_at))
    return [
        fill
        for fill in fills
        if (fill.exchange_account_id, fill.order_id) not in ordered
        and fill.client_order_id not in asked
        and fill.venue_time < doubtful.get((fill.exchange_account_id, fill.symbol), NEVER)
    ]
