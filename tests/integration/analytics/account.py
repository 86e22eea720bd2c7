"""An exchange account as it is captured: what a venue would book, written through the services' own tables."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from sqlalchemy import delete
from sqlmodel import Session, col

from copytrade import clock
from copytrade.accounts.models import AccountEquity, AccountPosition, EquitySnapshot
from copytrade.accounts.snapshots import put_snapshot
from copytrade.capture.models import AccountEntry, CaptureState, DailyClose, StoredFill
from copytrade.domain.fills import Equity, Position
from copytrade.domain.instruments import Market, Role, Side, Venue
from copytrade.domain.nav import Cash, day_end
from copytrade.domain.trip_book import TripBook
from copytrade.domain.trips import ZERO, Execution

BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"
FEE_RATE = Decimal("0.0004")


def days_ago(days: int, *, hour: int = 12) -> datetime:
    """Return an hour of the UTC day so many days before today."""
    midnight = clock.now().astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight - timedelta(days=days) + timedelta(hours=hour)


@dataclass(slots=True)
class CapturedAccount:
    """Books what happens on an account and keeps the truth to compare with."""

    session: Session
    id: UUID
    owner: UUID
    wallet: list[Cash] = field(default_factory=list[Cash])
    book: TripBook = field(default_factory=TripBook)
    counter: int = 0

    def deposit(self, at: datetime, amount: str) -> None:
        self._entry(at, "transfer", Decimal(amount))
        self.wallet.append(Cash(at, Decimal(amount)))

    def fund(self, at: datetime, symbol: str, amount: str) -> None:
        self._entry(at, "funding", Decimal(amount), symbol=symbol)
        self.wallet.append(Cash(at, Decimal(amount)))

    def trade(self, at: datetime, symbol: str, quantity: str, price: str, *, is_captured: bool = True) -> None:
        signed, paid = Decimal(quantity), Decimal(price)
        fee = abs(signed) * paid * FEE_RATE
        done = self.book.apply(Execution(symbol, signed, paid, at, fee=fee)).realized
        self.wallet.append(Cash(at, (done.gross if done else ZERO) - fee))
        if is_captured:
            self.capture(at, symbol, quantity, price)

    def capture(self, at: datetime, symbol: str, quantity: str, price: str) -> None:
        signed, paid = Decimal(quantity), Decimal(price)
        self.counter += 1
        self.session.add(
            StoredFill(
                exchange_account_id=self.id,
                market=Market.PERPETUAL,
                symbol=symbol,
                position_side="net",
                trade_id=str(self.counter),
                order_id=str(self.counter),
                side=Side.of(signed),
                quantity=abs(signed),
                price=paid,
                fee=abs(signed) * paid * FEE_RATE,
                fee_asset="USDT",
                venue_time=at,
                received_at=at,
                source="poll",
            )
        )
        self.session.commit()

    def read(self, at: datetime, marks: Mapping[str, str]) -> Decimal:
        """Store a snapshot with positions and return the equity."""
        wallet = sum((cash.amount for cash in self.wallet if cash.at <= at), ZERO)
        prices = {symbol: Decimal(price) for symbol, price in marks.items()}
        positions = [
            Position(
                symbol=trip.symbol,
                quantity=trip.quantity * trip.sign,
                entry_price=trip.average_price or ZERO,
                mark_price=prices[trip.symbol],
                unrealized_pnl=trip.unrealized(prices[trip.symbol]),
                leverage=5,
            )
            for trip in self.book.trips.values()
        ]
        open_pnl = sum((held.unrealized_pnl for held in positions), ZERO)
        equity = Equity(wallet + open_pnl, wallet, open_pnl, wallet, at)
        put_snapshot(self.session, account_id=self.id, equity=equity, positions=positions)
        self.session.commit()
        return equity.total

    def history_is_in(self) -> None:
        now = clock.now()
        self.session.merge(
            CaptureState(
                exchange_account_id=self.id,
                user_id=self.owner,
                venue=Venue.BINANCE,
                market=Market.PERPETUAL,
                role=Role.LEAD,
                created_at=now,
                history_done_at=now,
            )
        )
        self.session.commit()

    def _entry(self, at: datetime, kind: str, amount: Decimal, *, symbol: str = "") -> None:
        self.counter += 1
        self.session.add(
            AccountEntry(
                exchange_account_id=self.id,
                entry_id=str(self.counter),
                kind=kind,
                asset="USDT",
                amount=amount,
                symbol=symbol,
                venue_time=at,
            )
        )
        self.session.commit()


def never_read(session: Session, account_id: UUID, *, owner: UUID) -> CapturedAccount:
    """Return a linked account whose equity was not read yet, so that a test may tell its past."""
    for table in (AccountEquity, EquitySnapshot, AccountPosition):
        session.connection().execute(delete(table).where(col(table.exchange_account_id) == account_id))
    session.commit()
    return CapturedAccount(session, account_id, owner)


def closes(session: Session, symbol: str, prices: Mapping[int, str]) -> None:
    """Store daily closes by how many days ago."""
    for days, price in prices.items():
        session.merge(DailyClose(venue=Venue.BINANCE, symbol=symbol, day=day_of(days), close=Decimal(price)))
    session.commit()


def day_of(days: int) -> date:
    return days_ago(days).date()


def end_of(days: int) -> datetime:
    return day_end(day_of(days))


def swing(account: CapturedAccount, *, days: int, until: int = 1) -> dict[int, str]:
    """Deposit 10,000 and make a round trip a day, won and lost in turn, leaving BTC at 100 + a little each day."""
    prices: dict[int, str] = {}
    account.deposit(days_ago(days, hour=1), "10000")
    for ago in range(days - 1, until - 1, -1):
        start = Decimal(100) + (days - ago)
        move = Decimal(3) if ago % 3 else Decimal(-2)
        account.trade(days_ago(ago, hour=3), BTC, "10", str(start))
        account.fund(days_ago(ago, hour=8), BTC, "-0.5")
        account.trade(days_ago(ago, hour=15), BTC, "-10", str(start + move))
        prices[ago] = str(start)
    return prices
