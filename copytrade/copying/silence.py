"""What becomes of open copies while their lead cannot be heard: told, protected or closed, as each subscriber chose."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

import structlog
from sqlmodel import Session

from copytrade import clock
from copytrade.accounts import queries as accounts
from copytrade.capture import queries as capture
from copytrade.copying import bulk, guarding, records, settings_rows
from copytrade.copying.marks import Askers, Marks, Place, askers_of, place_of, read_marks
from copytrade.db.bell import ring
from copytrade.db.events import record
from copytrade.db.session import reading, transaction
from copytrade.domain.quantities import EXACT, ONE
from copytrade.domain.sizing import CopySettings, SilenceMode
from copytrade.domain.skips import SkipReason
from copytrade.exchanges.port import AccountRef, ClientPool
from copytrade.failpoints import Label, reach
from copytrade.settings import settings
from copytrade.subscriptions import queries as subscriptions

log = structlog.get_logger()

EVERY_S = 5.0
LONGEST_WATCH_S = 30.0
"""Nobody was heard while we were not there ourselves: a lead is watched for so long before he counts as silent."""


@dataclass(frozen=True, slots=True)
class Protected:
    """A leg of a silent lead whose subscriber wants it closed when the market moves against it."""

    leg_id: UUID
    account_id: UUID
    symbol: str
    held: Decimal
    price: Decimal | None
    """The market's when the silence began; None until it was read."""
    loss: Decimal


@dataclass(slots=True)
class Watch:
    """What one process has seen of silent leads."""

    pool: ClientPool
    _since: dict[UUID, float] = field(default_factory=dict[UUID, float])
    """When this process first saw a lead unheard, by its own clock that nobody moves."""

    async def sweep(self) -> None:
        """Note who fell silent and who is heard again, and protect what is to be protected."""
        protected, refs, askers = await asyncio.to_thread(self._look)
        if protected:
            wanted = defaultdict[Place, set[str]](set)
            for leg in protected:
                wanted[place_of(refs[leg.account_id])].add(leg.symbol)
            marks = await read_marks(self.pool, wanted, askers=askers)
            await asyncio.to_thread(_protect, protected, refs, marks)

    def _look(self) -> tuple[list[Protected], dict[UUID, AccountRef], Askers]:
        with reading() as session:
            unheard = _unheard(session, now=clock.now())
        silent = self._seen_long_enough(unheard)
        with transaction() as session:
            note(session, silent, now=clock.now())
            protected = to_protect(session)
            refs = accounts.refs(session, {one.account_id for one in protected})
            return protected, refs, askers_of(session, refs)

    def _seen_long_enough(self, unheard: Mapping[UUID, datetime]) -> dict[UUID, datetime]:
        now = time.monotonic()
        self._since = {lead: self._since.get(lead, now) for lead in unheard}
        watched = min(settings().silence_after_s, LONGEST_WATCH_S)
        return {lead: at for lead, at in unheard.items() if now - self._since[lead] >= watched}


def _unheard(session: Session, *, now: datetime) -> dict[UUID, datetime]:
    """Return the leads of open copies that were not heard for too long, and when they last were."""
    rows = bulk.fetch(
        session, "SELECT DISTINCT lead_account_id FROM trades.legs WHERE state = 'following' AND held <> 0"
    )
    leads = [lead for (lead,) in rows]
    heard = capture.heard(session, leads) if leads else {}
    oldest = now - timedelta(seconds=settings().silence_after_s)
    return {lead: at for lead in leads if (at := heard.get(lead, oldest)) <= oldest}


def note(session: Session, silent: Mapping[UUID, datetime], *, now: datetime) -> None:
    """Note which leads are silent (and since when) and which are heard again; the caller commits.

    Legs are looked at in either case: a subscriber may want them closed, and entries go on once he is heard.
    """
    _begin(session, silent, now=now)
    _end(session, now=now)


def _begin(session: Session, silent: Mapping[UUID, datetime], *, now: datetime) -> None:
    if not silent:
        return
    begun = bulk.fetch(
        session,
        "UPDATE trades.copy_stands stand SET silent_since = said.at"
        " FROM unnest(%(leads)s::uuid[], %(times)s::timestamptz[]) AS said (lead, at), trades.copy_settings chosen"
        " WHERE chosen.lead_account_id = said.lead AND stand.subscription_id = chosen.subscription_id"
        " AND silent_since IS NULL AND EXISTS (SELECT 1 FROM trades.legs"
        " WHERE legs.subscription_id = chosen.subscription_id AND legs.state = 'following' AND legs.held <> 0)"
        " RETURNING stand.subscription_id, said.at",
        leads=list(silent),
        times=list(silent.values()),
    )
    ids = [subscription_id for subscription_id, _ in begun]
    chosen = settings_rows.of(session, ids)
    for subscription_id, since in begun:
        _tell_begin(session, subscription_id, chosen[subscription_id], since=since)
    if ids:
        log.warning("copying.lead_silent", leads=len(silent), subscriptions=len(ids))
        guarding.wake(session, ids, now=now)
        reach(Label.SILENCE_BEGUN)


def _end(session: Session, *, now: datetime) -> None:
    rows = bulk.fetch(
        session,
        "SELECT subscription_id, lead_account_id, silent_since FROM trades.copy_stands"
        " JOIN trades.copy_settings USING (subscription_id) WHERE silent_since IS NOT NULL",
    )
    heard = capture.heard(session, {lead for _, lead, _ in rows}) if rows else {}
    ended = [one for one, lead, since in rows if (at := heard.get(lead)) is not None and at > since]
    if not ended:
        return
    bulk.fetch(
        session,
        "UPDATE trades.copy_stands SET silent_since = NULL WHERE subscription_id = ANY(%(ids)s)",
        ids=ended,
    )
    bulk.fetch(
        session,
        "UPDATE trades.legs SET silence_price = NULL WHERE subscription_id = ANY(%(ids)s)"
        " AND silence_price IS NOT NULL",
        ids=ended,
    )
    for subscription_id in ended:
        _tell(session, subscription_id, "over", at=now)
    guarding.wake(session, ended, now=now)


def _tell_begin(session: Session, subscription_id: UUID, settings: CopySettings, *, since: datetime) -> None:
    share = EXACT.multiply(settings.silence_loss, Decimal(100))
    _tell(session, subscription_id, settings.silence.value, at=since, share=f"{share.normalize():f}")


def _tell(session: Session, subscription_id: UUID, kind: str, *, at: datetime, **facts: str) -> None:
    about = subscriptions.by_ids(session, {subscription_id})[subscription_id]
    record(
        session,
        f"silence.{kind}",
        user_id=about.subscriber_id,
        cause=f"{subscription_id}:{at:%Y%m%d%H%M%S}",
        subscription_id=subscription_id,
        trader=about.trader_name,
        since=at.isoformat(),
        **facts,
    )
    ring(session, f"user:{about.subscriber_id}")


def to_protect(session: Session) -> list[Protected]:
    """Return the open legs of silent leads whose subscribers chose to protect them."""
    rows = bulk.fetch(
        session,
        "SELECT legs.id, legs.copy_account_id, symbol, held, silence_price, silence_loss"
        " FROM trades.copy_stands stand JOIN trades.copy_settings chosen USING (subscription_id)"
        " JOIN trades.legs ON legs.subscription_id = stand.subscription_id"
        " WHERE silent_since IS NOT NULL AND chosen.silence = %(protect)s AND legs.state = 'following'"
        " AND held <> 0 AND target <> 0",
        protect=SilenceMode.PROTECT.value,
    )
    return [Protected(*row) for row in rows]


def _protect(protected: list[Protected], refs: Mapping[UUID, AccountRef], marks: Marks) -> None:
    prices = {leg.leg_id: price for leg in protected if (price := _price(leg, refs, marks)) is not None}
    with transaction() as session:
        protect(session, protected, prices=prices, now=clock.now())
        reach(Label.SILENCE_PROTECTED)


def _price(leg: Protected, refs: Mapping[UUID, AccountRef], marks: Marks) -> Decimal | None:
    return marks.get(place_of(refs[leg.account_id]), {}).get(leg.symbol)


def protect(session: Session, protected: list[Protected], *, prices: Mapping[UUID, Decimal], now: datetime) -> None:
    """Remember the price at which each silence began, and close the legs that the market has moved against since."""
    priced = [leg for leg in protected if leg.leg_id in prices]
    fresh = [leg for leg in priced if leg.price is None]
    if fresh:
        bulk.fetch(
            session,
            "UPDATE trades.legs SET silence_price = said.price FROM unnest(%(ids)s::uuid[], %(prices)s::numeric[])"
            " AS said (id, price) WHERE legs.id = said.id AND silence_price IS NULL",
            ids=[leg.leg_id for leg in fresh],
            prices=[prices[leg.leg_id] for leg in fresh],
        )
    hit = [leg.leg_id for leg in priced if is_against(leg, prices[leg.leg_id])]
    if not hit:
        return
    legs = records.lock(
        session,
        "id = ANY(%(ids)s) AND state = 'following' AND target <> 0 AND silence_price IS NOT NULL"
        " ORDER BY id FOR UPDATE",
        ids=hit,
    )
    for leg in legs:
        _tell(session, leg.subscription_id, "protected", at=now, symbol=leg.instrument.symbol)
    guarding.close(session, legs, reason=SkipReason.SILENT, now=now)


def is_against(leg: Protected, price: Decimal) -> bool:
    """Tell whether the market has moved against a leg by its share since the silence began."""
    if leg.price is None:
        return False
    if leg.held > 0:
        return price <= EXACT.multiply(leg.price, ONE - leg.loss)
    return price >= EXACT.multiply(leg.price, ONE + leg.loss)
