"""What changes analytics: bringing records up to date. Everything here can be run at any time, twice, or never."""

from uuid import UUID

import structlog
from sqlmodel import Session

from copytrade.accounts import queries as accounts
from copytrade.analytics.platform import platform_numbers
from copytrade.analytics.refreshing import Refreshed, refresh_account
from copytrade.analytics.results import refresh_results
from copytrade.capture import queries as capture
from copytrade.db.bell import ring
from copytrade.db.session import reading, transaction
from copytrade.domain.instruments import Role
from copytrade.subscriptions import queries as subscriptions

__all__ = ["Refreshed", "platform_numbers", "refresh_account", "refresh_all", "refresh_profile", "refresh_results"]

LEADERBOARD = "leaderboard"
log = structlog.get_logger()


def refresh_profile(session: Session, profile_id: UUID) -> Refreshed | None:
    """Bring a profile's lead account up to date and ring for those who look at it; None: nothing new."""
    lead = subscriptions.profile(session, profile_id).lead_account_id
    done = refresh_account(session, lead, has_history=capture.history_done(session, account_id=lead))
    if done is not None:
        ring(session, f"profile:{profile_id}")
    return done


def refresh_all() -> int:
    """Bring every captured account and every subscription's result up to date, each account in its transaction.

    Return how many accounts had something new. One account's bug does not stop the others; it is raised at the end.
    """
    with reading() as session:
        leads = accounts.active(session, role=Role.LEAD)
        # A subscriber's wallet begins where he linked it: what he did before was not copied.
        refs = [*leads, *accounts.active(session, role=Role.COPY)]
        pasts = capture.with_history(session, account_ids=[ref.id for ref in leads])
    failures: list[Exception] = []
    done = 0
    for ref in refs:
        try:
            with transaction() as session:
                done += refresh_account(session, ref.id, has_history=ref.id in pasts) is not None
        except Exception as error:  # noqa: BLE001 - the others go on, and all of them are raised below
            log.error("analytics.account_failed", account_id=str(ref.id), reason=type(error).__name__)
            failures.append(error)
    with transaction() as session:
        if refresh_results(session) or done:
            ring(session, LEADERBOARD)
    if failures:
        raise ExceptionGroup("accounts could not be refreshed", failures)
    return done
