"""Which of several processes captures an account: leases in the database, shared out evenly among those alive."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from copytrade import clock
from copytrade.db.model import TRADES

_ALIVE = text(f"""
INSERT INTO {TRADES}.capture_processes (kind, owner, alive_until) VALUES (:kind, :owner, :until)
ON CONFLICT (kind, owner) DO UPDATE SET alive_until = excluded.alive_until
""")  # noqa: S608 - only the schema's name goes in, here and below
_DEAD = text(f"DELETE FROM {TRADES}.capture_processes WHERE kind = :kind AND alive_until < :now")  # noqa: S608
_COUNT = text(f"SELECT count(*) FROM {TRADES}.capture_processes WHERE kind = :kind")  # noqa: S608
_KEEP = text(f"""
UPDATE {TRADES}.capture_leases SET leased_until = :until
WHERE kind = :kind AND owner = :owner AND leased_until < :soon AND exchange_account_id = ANY(:accounts)
""")  # noqa: S608
_HELD = text(f"""
SELECT exchange_account_id FROM {TRADES}.capture_leases
WHERE kind = :kind AND owner = :owner AND exchange_account_id = ANY(:accounts)
""")  # noqa: S608
_TAKE = text(f"""
INSERT INTO {TRADES}.capture_leases (kind, exchange_account_id, owner, leased_until)
SELECT CAST(:kind AS text), account, CAST(:owner AS uuid), CAST(:until AS timestamptz)
FROM unnest(CAST(:accounts AS uuid[])) AS account
WHERE NOT EXISTS (
    SELECT 1 FROM {TRADES}.capture_leases held
    WHERE held.kind = CAST(:kind AS text) AND held.exchange_account_id = account AND held.leased_until >= :now
)
ORDER BY account LIMIT :most
ON CONFLICT (kind, exchange_account_id)
DO UPDATE SET owner = excluded.owner, leased_until = excluded.leased_until
WHERE capture_leases.leased_until < :now
RETURNING exchange_account_id
""")  # noqa: S608
_LEAVE = text(f"""
DELETE FROM {TRADES}.capture_leases
WHERE kind = :kind AND owner = :owner AND NOT exchange_account_id = ANY(CAST(:kept AS uuid[]))
""")  # noqa: S608
_HEARD = text(f"""
UPDATE {TRADES}.capture_leases lease SET heard_at = GREATEST(lease.heard_at, said.at)
FROM unnest(CAST(:accounts AS uuid[]), CAST(:times AS timestamptz[])) AS said (account, at)
WHERE lease.kind = :kind AND lease.owner = :owner AND lease.exchange_account_id = said.account
""")  # noqa: S608
_GONE = text(f"DELETE FROM {TRADES}.capture_processes WHERE kind = :kind AND owner = :owner")  # noqa: S608


def share(session: Session, accounts: Collection[UUID], *, kind: str, owner: UUID, validity: timedelta) -> set[UUID]:
    """Renew this process's leases, give up what is more than its share, take what is free; return what it holds."""
    now = clock.real_now()  # leases are about processes, whose time is never moved
    connection = session.connection()
    # A lease is written anew when a third of it is over: thousands each second would be a load of its own.
    common = {"kind": kind, "owner": owner, "now": now, "until": now + validity, "soon": now + validity * 2 / 3}
    connection.execute(_ALIVE, common)
    connection.execute(_DEAD, common)
    processes: int = connection.execute(_COUNT, common).scalar_one()
    fair = -(-len(accounts) // processes)
    ours = {**common, "accounts": list(accounts)}
    connection.execute(_KEEP, ours)
    held = sorted(row.exchange_account_id for row in connection.execute(_HELD, ours))
    kept = set(held[:fair])
    connection.execute(_LEAVE, {**common, "kept": list(kept)})
    wanted = set(accounts).difference(held)
    if len(kept) < fair and wanted:
        most = fair - len(kept)
        taken = connection.execute(_TAKE, {**common, "accounts": sorted(wanted), "most": most})
        kept |= {row.exchange_account_id for row in taken}
    return kept


def note_heard(session: Session, heard: Mapping[UUID, datetime], *, kind: str, owner: UUID) -> None:
    """Note when this process last heard of accounts that it holds."""
    # Not in the account's state, whose row is the lock under which its fills are planned.
    if heard:
        said = {"accounts": list(heard), "times": list(heard.values())}
        session.connection().execute(_HEARD, {"kind": kind, "owner": owner, **said})


def give_back(session: Session, *, kind: str, owner: UUID) -> None:
    """Let all leases of a process go, since it ends: another takes them at once."""
    session.connection().execute(_LEAVE, {"kind": kind, "owner": owner, "kept": []})
    session.connection().execute(_GONE, {"kind": kind, "owner": owner})
