"""Copying by hand in one transaction: trader and subscriber in the tables, and each step of the engine when called."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID, uuid4

from sqlmodel import Session, col, select

from copytrade import clock
from copytrade.accounts.models import ExchangeAccount
from copytrade.accounts.snapshots import put_snapshot
from copytrade.capture import service as capture
from copytrade.capture.models import CaptureState
from copytrade.capture.storing import Source
from copytrade.copying import claims, outcomes, planner, resuming, service
from copytrade.copying.desks import Venues
from copytrade.copying.models import CopyOrder, LegRow, PartRow, SkipRow, SymbolReady
from copytrade.copying.outcomes import Told
from copytrade.copying.work import Claimed, Known, Sending
from copytrade.domain.fills import Equity, Fill, Quote
from copytrade.domain.instruments import Market as MarketKind
from copytrade.domain.instruments import MarketRules, Side, Venue
from copytrade.domain.orders import Outcome, OutcomeKind, Refusal, VenueOrder, VenueOrderStatus
from copytrade.domain.sizing import CopySettings
from copytrade.subscriptions.models import Subscription
from tests import paid
from tests.integration.subscriptions.market import Market, opened

BTC = "BTC/USDT:USDT"
RULES = MarketRules(
    symbol=BTC,
    base="BTC",
    quote="USDT",
    quantity_step=Decimal("0.001"),
    price_tick=Decimal("0.1"),
    min_quantity=Decimal("0.001"),
    max_quantity=Decimal(1000),
    max_market_quantity=Decimal(120),
    min_notional=Decimal(5),
)
SPOT_RULES = replace(
    RULES,
    symbol="BTC/USDT",
    quantity_step=Decimal("0.00001"),
    min_quantity=Decimal("0.00001"),
    exits_exempt_from_minimum=False,
)


@dataclass
class Desk:
    """Alice, Bob who copies her, and the engine's steps."""

    session: Session
    market: Market
    subscription_id: UUID
    rules: MarketRules
    place: tuple[str, str, str]
    """Venue, market and mode."""
    price: Decimal = Decimal(60_000)
    trades: int = 0
    asked: frozenset[UUID] = frozenset()
    """Accounts whose equity nothing waits for."""
    turnover: dict[str, Decimal] | None = None
    free: dict[UUID, dict[str, Decimal]] = field(default_factory=dict)
    quotes: dict[tuple[str, str, str, str], Quote] = field(default_factory=dict)

    def fill(
        self,
        quantity: str,
        *,
        at: datetime | None = None,
        order: str = "",
        of: str | None = None,
        symbol: str | None = None,
    ) -> None:
        """Let a fill of Alice's arrive; `of` is the full quantity of her order, where the fill says it."""
        self.trades += 1
        signed = Decimal(quantity)
        fill = Fill(
            trade_id=str(self.trades),
            order_id=order or f"order-{self.trades}",
            symbol=symbol or self.rules.symbol,
            side=Side.of(signed),
            quantity=abs(signed),
            price=self.price,
            fee=Decimal(0),
            fee_asset="USDT",
            venue_time=at or clock.now(),
            order_quantity=Decimal(of) if of is not None else None,
        )
        capture.store_fills(
            self.session,
            account_id=self.market.lead,
            fills=[fill],
            source=Source.STREAM,
            received_at=clock.now(),
        )

    def plan(self) -> planner.Planned:
        """Plan what waits."""
        return planner.plan_lead(self.session, self.market.lead, venues=self.venues, asked=self.asked)

    def resume(self) -> int:
        """Size what waits; return how many openings still wait."""
        return resuming.resume_lead(self.session, self.market.lead, venues=self.venues, asked=self.asked)

    @property
    def venues(self) -> Venues:
        return Venues({self.rules.symbol: self.rules}, turnover=self.turnover)

    def lead(self, quantity: str) -> None:
        """Let Alice trade, and plan it."""
        self.fill(quantity)
        assert self.plan().changes == 1

    def claim(self) -> Claimed:
        """Claim what is due, with a quote at hand."""
        symbol = self.rules.symbol
        quote = Quote(symbol, self.price, self.price, self.price, clock.now())
        known = Known({self.place: {symbol: self.rules}}, {(*self.place, symbol): quote}, self.free)
        return claims.claim(self.session, known=known, owner="test")

    def sending(self) -> Sending:
        """Claim and return the only order that is to be sent."""
        [sending] = self.claim().sendings
        return sending

    def tell(self, sending: Sending, outcome: Outcome) -> None:
        """Tell how sending an order came out."""
        outcomes.write(self.session, [Told(sending.order_id, outcome=outcome)])

    def filled(self, sending: Sending, quantity: Decimal | None = None) -> None:
        """Tell that an order was executed, wholly or in part."""
        self.tell(sending, placed(sending, quantity))

    def bought(self, sending: Sending, *, fee: str) -> None:
        """Tell that a purchase on spot was executed and what it cost in base."""
        outcome = placed(sending)
        assert outcome.order is not None
        order = replace(outcome.order, fee=Decimal(fee), fee_asset=self.rules.base)
        self.tell(sending, replace(outcome, order=order))

    def copy(self, quantity: str) -> None:
        """Let Alice trade and the copy of it be executed."""
        self.lead(quantity)
        self.filled(self.sending())

    def refuse(self, sending: Sending, refusal: Refusal) -> None:
        """Tell that an order was refused for certain."""
        now = clock.real_now()
        self.tell(sending, Outcome(OutcomeKind.REFUSED, sent_at=now, acknowledged_at=now, refusal=refusal))

    def later(self, seconds: float) -> None:
        """Let the service's time go by."""
        clock.set_offset(clock.offset() + timedelta(seconds=seconds))

    def leg(self) -> LegRow:
        return self.session.exec(select(LegRow).execution_options(populate_existing=True)).one()

    def orders(self) -> list[CopyOrder]:
        query = select(CopyOrder).order_by(col(CopyOrder.id)).execution_options(populate_existing=True)
        return list(self.session.exec(query))

    def parts(self) -> list[PartRow]:
        query = select(PartRow).order_by(col(PartRow.id)).execution_options(populate_existing=True)
        return list(self.session.exec(query))

    def skips(self) -> list[tuple[str, Decimal]]:
        return [(row.reason, row.quantity) for row in self.session.exec(select(SkipRow).order_by(col(SkipRow.id)))]


def placed(sending: Sending, quantity: Decimal | None = None) -> Outcome:
    """Return the venue's answer to an order that was executed."""
    request, now = sending.request, clock.real_now()
    filled = request.quantity if quantity is None else quantity
    status = VenueOrderStatus.FILLED if filled == request.quantity else VenueOrderStatus.EXPIRED
    order = VenueOrder(
        venue_order_id=str(uuid4().int % 10**9),
        client_order_id=request.client_order_id,
        symbol=request.symbol,
        side=request.side,
        quantity=request.quantity,
        filled=filled,
        average_price=request.price or Decimal(60_000),
        status=status,
        venue_time=now,
    )
    return Outcome(OutcomeKind.PLACED, sent_at=now, acknowledged_at=now, order=order)


def desk(session: Session, *, settings: CopySettings | None = None, kind: MarketKind = MarketKind.PERPETUAL) -> Desk:
    """Put both into the tables: an active subscription by ratio 1, fresh equities, a lead that is flat and polled."""
    market = opened(session)
    for account in (market.lead, market.copy):
        session.get_one(ExchangeAccount, account).market = kind
    session.flush()
    place = (Venue.BINANCE.value, kind.value, "sandbox")
    settings = settings or CopySettings(max_leverage=Decimal(100))
    subscription_id = service.subscribe(
        session, owner=market.bob.id, profile_id=market.profile_id, copy_account_id=market.copy, settings=settings
    )
    now = clock.now()
    paid.entitle(session, subscription_id=subscription_id, until=now + timedelta(days=30))
    session.get_one(Subscription, subscription_id).started_at = now - timedelta(minutes=1)
    session.add(
        CaptureState(
            exchange_account_id=market.lead,
            user_id=market.alice.id,
            venue=place[0],
            market=place[1],
            role="lead",
            created_at=now,
            baseline_at=now - timedelta(minutes=1),
            polled_until=now + timedelta(hours=1),
        )
    )
    for account in (market.lead, market.copy):
        put_snapshot(session, account_id=account, equity=_equity(now), positions=[])
    if kind is MarketKind.PERPETUAL:
        session.add(SymbolReady(exchange_account_id=market.copy, symbol=BTC, leverage=5, lead_leverage=5, read_at=now))
    session.flush()
    return Desk(session, market, subscription_id, SPOT_RULES if kind is MarketKind.SPOT else RULES, place)


def _equity(at: datetime) -> Equity:
    total = Decimal(1_000_000)
    return Equity(total=total, wallet=total, unrealized_pnl=Decimal(0), available=total, read_at=at)
