"""A trader and a subscriber who copies him, put on stage through the services, with the sandbox's truth beside them."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

from sqlalchemy import text

from copytrade import clock
from copytrade.copying import service as copying
from copytrade.db.session import reading, transaction
from copytrade.demo import filling
from copytrade.demo.keys import Key, Place, made
from copytrade.domain.instruments import Market, Role, Venue
from copytrade.domain.sizing import CopySettings, SizingMode
from copytrade.exchanges.venues import is_served
from copytrade.sandbox.client import Control
from tests import paid
from tests.waiting import wait_until

SYMBOL = "BTCUSDT"
PERPETUAL = (Venue.BINANCE, Market.PERPETUAL)
PLACES: list[Place] = [(venue, market) for venue in Venue for market in Market if is_served(venue, market=market)]
FUNDS = Decimal(1_000_000)


@dataclass(frozen=True, slots=True)
class Account:
    """An exchange account, known to the service and to the sandbox."""

    id: UUID
    owner: UUID
    key: Key
    is_paper: bool = False


@dataclass(frozen=True, slots=True)
class Pair:
    """Alice's lead account and Bob's copy account, joined by an active subscription."""

    control: Control
    lead: Account
    copy: Account
    profile_id: UUID
    subscription_id: UUID

    @property
    def market(self) -> Market:
        """Return the market on which both trade."""
        return self.lead.key.market

    def trade(self, side: str, quantity: str, *, position_side: str | None = None) -> None:
        """Let Alice trade at the market, by hand; in hedge mode she says on which side (LONG, SHORT)."""
        self.control.place(
            self.lead.key.account_id, SYMBOL, side, quantity, market=self.market.value, position_side=position_side
        )

    def hedged(self, account: "Account") -> dict[str, Decimal]:
        """Return what an account in hedge mode holds long and short, both unsigned."""
        rows = self.control.account(account.key.account_id)["positions"]
        return {row["positionSide"]: abs(Decimal(row["positionAmt"])) for row in rows if row["symbol"] == SYMBOL}

    def lead_position(self) -> Decimal:
        """Return what Alice holds at the venue."""
        return self._held(self.lead)

    def copy_position(self) -> Decimal:
        """Return what Bob holds at the venue."""
        return self._held(self.copy)

    def _held(self, account: "Account") -> Decimal:
        if self.market is Market.SPOT:
            return Decimal(self.control.coins(account.key.account_id).get("BTC", "0"))
        return self.control.position(account.key.account_id, SYMBOL)

    def copy_orders(self) -> list[dict[str, str]]:
        """Return Bob's orders at the venue."""
        return self.control.orders(self.copy.key.account_id)

    def set_ratio(self, ratio: str) -> None:
        """Let Bob change how much of each trade he copies."""
        self.choose(CopySettings(mode=SizingMode.RATIO, factor=Decimal(ratio)))

    def set_fixed(self, amount: str) -> None:
        """Let Bob copy each order of hers for the same amount in USDT."""
        most = Decimal(amount) * 10
        self.choose(CopySettings(mode=SizingMode.FIXED_QUOTE, factor=Decimal(amount), max_position_notional=most))

    def choose(self, settings: CopySettings) -> None:
        """Let Bob choose how he copies."""
        with transaction() as session:
            copying.save_settings(
                session, owner=self.copy.owner, subscription_id=self.subscription_id, settings=settings
            )

    def wait_for_copy(self, quantity: str, *, timeout: float = 30) -> None:
        """Wait until Bob holds `quantity` at the venue."""
        wait_until(
            lambda: self.copy_position() == Decimal(quantity),
            timeout=timeout,
            what=f"the copy of {quantity} (it is {self.copy_position()})",
        )


def account(control: Control, owner: UUID, *, role: Role, name: str, place: Place = PERPETUAL) -> Account:
    """Open a funded account at the sandbox and link it; the capture worker must run."""
    key = made(control, name, funds=FUNDS, place=place)
    return Account(filling.exchange_account(owner, role=role, label=name, key=key), owner, key)


def pair(control: Control, *, settings: CopySettings | None = None, place: Place = PERPETUAL) -> Pair:
    """Put the two on stage, with sizing `ratio` 0.1 unless told; wait until the lead's baseline is known."""
    joined = begin(control, settings=settings, place=place)
    wait_until(lambda: has_baseline(joined), timeout=40, what="the lead's baseline")
    return joined


def begin(control: Control, *, settings: CopySettings | None = None, place: Place = PERPETUAL) -> Pair:
    """Put the two on stage and do not wait for the lead's baseline."""
    where = "" if place == PERPETUAL else f"-{place[0]}-{place[1]}"
    alice = filling.person("alice@copytrade.example", is_trader=True)
    bob = filling.person("bob@copytrade.example", is_subscriber=True)
    lead = account(control, alice, role=Role.LEAD, name=f"alice-lead{where}", place=place)
    copy = account(control, bob, role=Role.COPY, name=f"bob-copy{where}", place=place)
    profile_id = filling.profile(alice, lead_account_id=lead.id, name=f"alice{where}", about="", price=Decimal(25))
    with transaction() as session:
        subscription_id = copying.subscribe(
            session,
            owner=bob,
            profile_id=profile_id,
            copy_account_id=copy.id,
            settings=settings or CopySettings(mode=SizingMode.RATIO, factor=Decimal("0.1")),
        )
        paid.entitle(session, subscription_id=subscription_id, until=clock.now() + timedelta(days=30))
    return Pair(control, lead, copy, profile_id, subscription_id)


def has_baseline(joined: Pair) -> bool:
    """Tell whether capture knows what the lead holds: from then on he is copied."""
    with reading() as session:
        row = session.connection().execute(
            text("select baseline_at from trades.capture_states where exchange_account_id = :id"),
            {"id": joined.lead.id},
        )
        found = row.first()
        return found is not None and found[0] is not None


@dataclass(frozen=True, slots=True)
class Ledger:
    """What the service says of one lead's fills: how many, how many planned, and what became of them in all."""

    fills: int
    planned: int
    parts_twice: int
    asked: Decimal
    copied: Decimal
    skipped: Decimal
    netted: Decimal
    unended: int


def ledger(lead_account_id: UUID) -> Ledger:
    """Return the sums over all parts of a lead's legs, unsigned."""
    with reading() as session:
        row = (
            session.connection()
            .execute(
                text(
                    """
                    select
                      (select count(*) from trades.fills where exchange_account_id = :id and not is_history),
                      (select count(*) from trades.fills
                        where exchange_account_id = :id and not is_history and planned_at is not null),
                      (select count(*) from (select leg_id, fill_id, kind from trades.copy_parts
                        where lead_account_id = :id and fill_id is not null
                        group by leg_id, fill_id, kind having count(*) > 1) twice),
                      coalesce(sum(abs(asked)), 0), coalesce(sum(abs(copied)), 0), coalesce(sum(abs(skipped)), 0),
                      coalesce(sum(abs(netted)), 0),
                      (select count(*) from trades.copy_orders o join trades.legs l on l.id = o.leg_id
                        where l.lead_account_id = :id and o.state in ('planned', 'sending', 'unknown', 'placed'))
                    from trades.copy_parts where lead_account_id = :id
                    """
                ),
                {"id": lead_account_id},
            )
            .one()
        )
        return Ledger(*row)
