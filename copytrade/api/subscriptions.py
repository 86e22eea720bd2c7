"""Contracts 3 and 6: a person subscribes and sees his subscriptions; a service learns who copies a trader."""

from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

import structlog
from pydantic import BaseModel, Field

from copytrade import clock
from copytrade.api.callers import SignedIn, service
from copytrade.api.payments import PaymentAnswer
from copytrade.api.routing import contract
from copytrade.copying import service as copying
from copytrade.db.session import reading, transaction
from copytrade.domain.billing import TRANSITIONS, Happening, State
from copytrade.domain.sizing import (
    CopySettings,
    Direction,
    DriftLess,
    DriftLiquidated,
    DriftModes,
    DriftMore,
    EndMode,
    LossUnit,
    SilenceMode,
    SizingMode,
    StartMode,
    StopMode,
)
from copytrade.errors import CopyTradeError, NotAllowed
from copytrade.payments import coupons
from copytrade.payments import service as payments
from copytrade.subscriptions import queries
from copytrade.subscriptions.consent import RISK_VERSION, Consent
from copytrade.subscriptions.rows import SubscriptionRow
from copytrade.users.service_tokens import Scope, ServiceCaller

router = contract("3 · subscriptions")
for_copying = contract("6 · a trader's subscribers")
log = structlog.get_logger()

STATES = (
    "`incomplete`: not paid yet · `trialing`, `active`: copied · `past_due`: a renewal was not paid, copied through "
    "the days of grace · `unpaid`, `paused`, `disputed`: exits are followed, nothing is opened · `canceled`: ended"
)
ENDS = {pair for pair, state in TRANSITIONS.items() if state is State.CANCELED}
Limit = Annotated[Decimal | None, Field(examples=["500"], description="in USDT; null: no limit")]


class SettingsBody(BaseModel):
    """How a subscription copies; what is left out takes its default."""

    mode: SizingMode = Field(default=SizingMode.RATIO, examples=["ratio"])
    factor: Decimal = Field(default=Decimal(1), examples=["0.1"], description="k, a, p or q of the mode")
    max_order_notional: Limit = None
    max_position_notional: Limit = None
    max_total_notional: Limit = None
    max_open_positions: int | None = Field(default=None, examples=[5])
    max_leverage: Decimal = Field(default=Decimal(5), examples=["5"])
    max_slippage: Decimal | None = Field(default=None, examples=["0.005"], description="a fraction; null: by coin")
    max_entry_age_s: int = Field(default=60, examples=[60])
    keeps_margin: bool = False
    is_paused: bool = False
    symbols: list[str] = Field(default_factory=list, max_length=200, examples=[["BTC/USDT:USDT"]])
    directions: Direction = Direction.BOTH
    start_mode: StartMode = StartMode.NEW_ONLY
    end_mode: EndMode = EndMode.FOLLOW_EXITS
    max_daily_loss: Decimal | None = Field(
        default=None, examples=["100"], description="since 00:00 UTC, in its unit; null: no limit"
    )
    daily_loss_unit: LossUnit = Field(
        default=LossUnit.QUOTE, description="`quote`: USDT; `share`: a fraction of the account's equity then"
    )
    max_drawdown: Decimal | None = Field(
        default=None, examples=["0.2"], description="from the peak of these copies, in its unit; null: no limit"
    )
    drawdown_unit: LossUnit = LossUnit.QUOTE
    stop_mode: StopMode = Field(default=StopMode.KEEP, description="what a reached loss limit does beside entries")
    drift_less: DriftLess = DriftLess.ADOPT
    drift_more: DriftMore = DriftMore.IGNORE
    drift_liquidated: DriftLiquidated = DriftLiquidated.PAUSE
    drift_modes: DriftModes = DriftModes.HOLD
    silence: SilenceMode = Field(default=SilenceMode.HOLD, description="while the trader's account cannot be heard")
    silence_loss: Decimal = Field(default=Decimal("0.05"), examples=["0.05"], description="a fraction, for `protect`")

    def settings(self) -> CopySettings:
        """Return the settings as the engine knows them; what they may be is checked there."""
        told: dict[str, Any] = {**dict(self), "symbols": tuple(self.symbols)}
        return CopySettings(**told)

    @classmethod
    def of(cls, settings: CopySettings) -> "SettingsBody":
        """Return the answer for settings."""
        return cls.model_validate(asdict(settings))


class ConsentBody(BaseModel):
    """That the risk text was read and accepted, and where the person lives."""

    version: str = Field(examples=[RISK_VERSION], description="of the risk text; an older one is refused with 409")
    locale: str = Field(default="en", max_length=5, examples=["en"], description="in which it was read")
    country: str = Field(examples=["DE"], description="ISO 3166-1 alpha-2")


class SubscriptionWish(BaseModel):
    """Whom to copy, on which account, how."""

    profile_id: UUID
    copy_account_id: UUID
    settings: SettingsBody = Field(default_factory=SettingsBody)
    consent: ConsentBody | None = Field(
        default=None, description="needed once, and again when the risk text changes; never for a paper account"
    )
    code: str = Field(default="", max_length=30, examples=["SPRING-26"], description="a coupon of the trader's")


class SubscriptionAnswer(BaseModel):
    """A subscription as its owner sees it."""

    id: UUID
    profile_id: UUID
    trader_id: UUID
    trader_name: str = Field(examples=["Nordwind"])
    slug: str = Field(examples=["nordwind"])
    copy_account_id: UUID
    is_paper: bool = Field(default=False, description="onto a paper account: free, and active until stopped")
    state: str = Field(examples=["incomplete"], description=STATES)
    price: Decimal = Field(examples=["29"], description="of a month, before a coupon")
    currency: str = Field(examples=["usd"])
    entitled_until: datetime | None = Field(description="end of the paid time or of the trial, without days of grace")
    is_ending: bool = Field(description="it runs out with the paid time and is not renewed")
    trial_days: int = Field(examples=[0], description="free days that it begins, or began, with")
    trial_ends_at: datetime | None
    next_charge_at: datetime | None = Field(description="null: nothing is charged any more")
    next_amount: Decimal | None = Field(examples=["29"], description="of that charge, before a coupon")
    next_price: Decimal | None = Field(description="announced; counts from the first renewal after `next_price_from`")
    next_price_from: datetime | None
    end_reason: str = Field(
        examples=[""],
        description="empty while it runs, else "
        + ", ".join(f"`{one}`" for one in Happening if (State.ACTIVE, one) in ENDS or one is Happening.FORGOTTEN),
    )
    successor_id: UUID | None = Field(description="the subscription that goes on in its place, on another account")
    started_at: datetime | None
    ended_at: datetime | None
    created_at: datetime
    settings: SettingsBody | None = None
    payment: PaymentAnswer | None = Field(default=None, description="null where it was not started: POST /payments")


class SubscriberAnswer(BaseModel):
    """An active subscriber of a trader; the account's id, never a key."""

    subscription_id: UUID
    subscriber_id: UUID
    profile_id: UUID
    copy_account_id: UUID
    started_at: datetime
    settings: SettingsBody


def _answer(row: SubscriptionRow, settings: CopySettings | None, payment: PaymentAnswer | None) -> SubscriptionAnswer:
    told = {name: getattr(row, name) for name in SubscriptionAnswer.model_fields if hasattr(row, name)}
    body = SettingsBody.of(settings) if settings else None
    return SubscriptionAnswer(**told, settings=body, payment=payment)


@router.post("/subscriptions", status_code=201)
def subscribe(wish: SubscriptionWish, person: SignedIn) -> SubscriptionAnswer:
    """Subscribe to a trader: 201, incomplete, with the address of the payment page; on paper active at once.

    403 where copying for money is off in the person's country; 409 without consent to the present risk text, or where
    the account copies another trader; 422 with `code` for a coupon that is not good.
    """
    if not person.is_subscriber:
        raise NotAllowed("caller is no subscriber", user="Your account does not have this role.")
    with transaction() as session:
        made = copying.subscribe(
            session,
            owner=person.id,
            profile_id=wish.profile_id,
            copy_account_id=wish.copy_account_id,
            settings=wish.settings.settings(),
            consent=Consent(**dict(wish.consent)) if wish.consent else None,
        )
        if wish.code:
            currency = queries.profile(session, wish.profile_id).currency
            coupons.redeemable(session, profile_id=wish.profile_id, code=wish.code, currency=currency)
    with reading() as session:
        row = queries.subscription(session, owner=person.id, subscription_id=made)
    payment = None if row.is_paper else _payment(person.id, made, code=wish.code)
    with reading() as session:
        row = queries.subscription(session, owner=person.id, subscription_id=made)
        return _answer(row, copying.settings_of(session, subscription_ids=[made]).get(made), payment)


def _payment(owner: UUID, subscription_id: UUID, *, code: str) -> PaymentAnswer | None:
    # The subscription stands whatever the payment provider does; its payment can be started again.
    try:
        with transaction() as session:
            begun = payments.start_payment(session, owner=owner, subscription_id=subscription_id, code=code)
    except CopyTradeError as error:
        log.warning("api.payment_not_started", subscription=str(subscription_id), reason=error.message)
        return None
    return PaymentAnswer(url=begun.url, state=begun.state)


@router.get("/subscriptions")
def mine(person: SignedIn) -> list[SubscriptionAnswer]:
    """Return the caller's subscriptions, newest first."""
    with reading() as session:
        rows = queries.subscriptions_of(session, owner=person.id)
        settings = copying.settings_of(session, subscription_ids=[row.id for row in rows])
        return [_answer(row, settings.get(row.id), None) for row in rows]


@for_copying.get("/subscriptions/{trader_id}")
def of_trader(
    trader_id: UUID, _caller: Annotated[ServiceCaller, service(Scope.SUBSCRIPTIONS_READ)]
) -> list[SubscriberAnswer]:
    """Return a trader's active subscribers with their copy accounts and settings."""
    with reading() as session:
        rows = queries.subscribers_of_person(session, trader_id=trader_id, now=clock.now())
        settings = copying.settings_of(session, subscription_ids=[row.id for row in rows])
        return [
            SubscriberAnswer(
                subscription_id=row.id,
                subscriber_id=row.subscriber_id,
                profile_id=row.profile_id,
                copy_account_id=row.copy_account_id,
                started_at=row.started_at,
                settings=SettingsBody.of(settings[row.id]),
            )
            for row in rows
            if row.id in settings
        ]
