"""Prices, currencies and coupons of traders: what is refused, what running subscribers pay, what a code takes off."""

from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import httpx
import pytest
from sqlmodel import Session, select

from copytrade import clock
from copytrade.domain.instruments import Role
from copytrade.errors import Conflict, InvalidInput, NotAllowed, NotFound
from copytrade.payments import bills, coupons, service
from copytrade.payments.coupons import Offer
from copytrade.payments.gateway import PaymentsUnavailable, ask
from copytrade.payments.models import Checkout, StripePrice
from copytrade.payments.selling_models import Coupon, Duration
from copytrade.settings import Settings, settings
from copytrade.subscriptions import service as subscriptions
from copytrade.subscriptions.consent import RISK_VERSION, Consent
from copytrade.subscriptions.models import Profile, RiskConsent, Subscription
from tests.integration.accounts.linking import linked
from tests.integration.payments.buying import Buyer
from tests.integration.payments.paying import Stripe
from tests.integration.subscriptions.market import Market, opened, subscribed
from tests.integration.users import people


@pytest.fixture
def currencies(monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
    bounds = '{"usd": ["1", "10000"], "eur": ["2", "500"], "jpy": ["100", "900000"]}'
    monkeypatch.setenv("COPYTRADE_PRICE_BOUNDS", bounds)
    settings.cache_clear()
    yield
    monkeypatch.undo()
    settings.cache_clear()


def _ask_price(bob: Buyer, price: str, *, also: bool = False, currency: str = "") -> Profile:
    made = subscriptions.save_profile(
        bob.session,
        owner=bob.market.alice.id,
        lead_account_id=bob.market.lead,
        profile_id=bob.market.profile_id,
        name="Nordwind",
        about="",
        price=price,
        currency=currency,
        also_for_running=also,
    )
    bob.session.commit()
    return made


@pytest.mark.parametrize("price", ["0", "-5", "9.999", "0.5", "1e6", "10000.01", "99999999999", "NaN", "", "ten"])
def test_a_price_that_nobody_can_pay_is_refused_and_the_old_one_stays(bob: Buyer, price: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        _ask_price(bob, price)
    assert refusal.value.field == "price"
    bob.session.rollback()
    assert bob.session.get_one(Profile, bob.market.profile_id).price == 29


@pytest.mark.usefixtures("currencies")
@pytest.mark.parametrize(
    ("price", "currency", "field"),
    [("5", "gbp", "currency"), ("1.50", "eur", "price"), ("501", "eur", "price"), ("100.5", "jpy", "price")],
)
def test_a_currency_has_its_own_bounds_and_others_are_refused(
    bob: Buyer, price: str, currency: str, field: str
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        _ask_price(bob, price, currency=currency)
    assert refusal.value.field == field


@pytest.mark.parametrize("days", [-1, 31])
def test_a_trial_has_its_bounds(bob: Buyer, days: int) -> None:
    with pytest.raises(InvalidInput):
        subscriptions.save_profile(
            bob.session,
            owner=bob.market.alice.id,
            lead_account_id=bob.market.lead,
            profile_id=bob.market.profile_id,
            name="Nordwind",
            about="",
            price="29",
            trial_days=days,
        )


def test_settings_whose_currency_has_no_bounds_are_refused() -> None:
    for bad in ({"currency": "eur"}, {"price_bounds": {"usd": ("0", "5")}}, {"price_bounds": {"USD": ("1", "5")}}):
        with pytest.raises(ValueError, match=r"price_bounds|currency"):
            Settings(**bad)  # pyright: ignore[reportArgumentType]


@pytest.mark.usefixtures("currencies")
def test_yen_are_charged_as_they_are_and_booked_apart(bob: Buyer) -> None:
    _ask_price(bob, "3000", currency="jpy")
    bob.id = subscribed(bob.session, bob.market)
    bob.buy()
    [period] = bob.periods
    assert (period.minor, period.currency, period.platform_minor, period.trader_minor) == (3000, "jpy", 600, 2400)
    assert bob.is_balanced()
    assert [one["amount"] for one in bob.told("payment.taken")] == ["3000 JPY"]


@pytest.mark.usefixtures("currencies")
def test_a_currency_changes_for_new_subscribers_only(bob: Buyer) -> None:
    bob.buy()
    with pytest.raises(InvalidInput) as refusal:
        _ask_price(bob, "20", currency="eur", also=True)
    assert refusal.value.field == "currency"
    bob.session.rollback()
    _ask_price(bob, "20", currency="eur")
    bob.later(31.5)
    assert [(one.minor, one.currency) for one in bob.periods] == [(2900, "usd"), (2900, "usd")]
    assert (bob.row.price, bob.row.currency) == (29, "usd")


def test_a_new_price_is_a_new_price_at_stripe_and_running_ones_keep_theirs(bob: Buyer) -> None:
    bob.buy()
    _ask_price(bob, "35")
    assert bob.row.next_price is None
    carol = people.mallory(bob.session)
    copy = linked(bob.session, carol.id, role=Role.COPY, api_key="c" * 64)
    made = subscriptions.subscribe(bob.session, owner=carol.id, profile_id=bob.market.profile_id, copy_account_id=copy)
    service.start_payment(bob.session, owner=carol.id, subscription_id=made.id)
    prices = bob.session.exec(select(StripePrice)).all()
    assert {one.amount for one in prices} == {29, 35}
    assert len({one.stripe_product_id for one in prices}) == 1
    bob.later(31.5)
    assert [one.minor for one in bob.periods] == [2900, 2900]


def test_running_ones_are_told_and_pay_the_new_price_after_the_notice(bob: Buyer) -> None:
    bob.buy()
    bob.later(10)
    _ask_price(bob, "35", also=True)
    _ask_price(bob, "35", also=True)
    [told] = bob.told("subscription.price_changes")
    assert (told["old"], told["new"], told["trader"]) == ("29.00 USD", "35.00 USD", "Nordwind")
    row = bob.row
    assert (row.price, row.next_price, row.next_amount) == (29, 35, 29)
    bob.later(21.5)
    assert [one.minor for one in bob.periods] == [2900, 2900]
    row = bob.row
    assert (row.price, row.next_price, row.next_amount) == (35, None, 35)
    assert bob.remote["items"].data[0].price.unit_amount == 3500
    bob.later(31)
    assert [one.minor for one in bob.periods] == [2900, 2900, 3500]
    assert bob.is_balanced()


def test_a_price_that_is_taken_back_before_its_day_is_never_charged(bob: Buyer) -> None:
    bob.buy()
    _ask_price(bob, "35", also=True)
    _ask_price(bob, "29", also=True)
    assert bob.row.next_price is None
    bob.later(31.5)
    bob.later(31)
    assert [one.minor for one in bob.periods] == [2900, 2900, 2900]


def test_who_is_told_of_a_price_may_leave_before_it(bob: Buyer) -> None:
    bob.buy()
    _ask_price(bob, "35", also=True)
    service.cancel(bob.session, owner=bob.market.bob.id, subscription_id=bob.id)
    bob.session.commit()
    bob.hand_over()
    bob.later(31.5)
    assert (bob.state, [one.minor for one in bob.periods]) == ("canceled", [2900])


def _coupon(bob: Buyer, **offer: object) -> coupons.CouponRow:
    given = {"code": "spring-26", "percent": Decimal(50), **offer}
    made = coupons.create(
        bob.session,
        owner=bob.market.alice.id,
        profile_id=bob.market.profile_id,
        offer=Offer(**given),  # pyright: ignore[reportArgumentType]
    )
    bob.session.commit()
    return made


@pytest.mark.parametrize(
    ("offer", "paid"),
    [
        ({}, [1450, 2900, 2900]),
        ({"percent": None, "amount": Decimal("9.50")}, [1950, 2900, 2900]),
        ({"duration": Duration.REPEATING, "months": 2}, [1450, 1450, 2900]),
        ({"duration": Duration.FOREVER, "percent": Decimal("12.5")}, [2537, 2537, 2537]),
        ({"percent": Decimal(100)}, [0, 2900, 2900]),
    ],
)
def test_a_coupon_takes_off_what_it_says_for_as_long_as_it_says(
    bob: Buyer, offer: dict[str, object], paid: list[int]
) -> None:
    _coupon(bob, **offer)
    bob.buy(code=" Spring-26 ")
    assert bob.state == "active"
    after = bills.charges_of(bob.session, owner=bob.market.bob.id)[bob.id]
    assert after.amount == Decimal(paid[1]) / 100
    for _ in paid[1:]:
        bob.later(31)
    assert [one.minor for one in bob.periods] == paid
    assert [one.platform_minor + one.trader_minor for one in bob.periods] == paid
    assert bob.is_balanced()


BAD_OFFERS = [
    {"code": "x"},
    {"code": "with space"},
    {"code": "ü" * 5},
    {"code": "A" * 31},
    {"percent": None},
    {"percent": Decimal(50), "amount": Decimal(5)},
    {"percent": Decimal(0)},
    {"percent": Decimal(101)},
    {"percent": Decimal("33.333")},
    {"percent": Decimal("NaN")},
    {"percent": None, "amount": Decimal(0)},
    {"percent": None, "amount": Decimal(-1)},
    {"percent": None, "amount": Decimal("0.005")},
    {"percent": None, "amount": Decimal("29.01")},
    {"duration": Duration.REPEATING},
    {"duration": Duration.REPEATING, "months": 0},
    {"duration": Duration.REPEATING, "months": 37},
    {"most": 0},
    {"ends_at": datetime(2026, 1, 1, tzinfo=UTC)},
]


@pytest.mark.parametrize("offer", BAD_OFFERS, ids=str)
def test_a_coupon_that_nobody_can_redeem_is_refused(bob: Buyer, offer: dict[str, object]) -> None:
    with pytest.raises(InvalidInput):
        _coupon(bob, **offer)
    assert bob.session.exec(select(Coupon)).all() == []


def test_a_code_is_good_for_its_traders_profile_only_until_it_ends(bob: Buyer) -> None:
    session, mallory = bob.session, people.mallory(bob.session)
    made = _coupon(bob)
    with pytest.raises(Conflict):
        _coupon(bob, code="SPRING-26")
    lead = linked(session, mallory.id, role=Role.LEAD, api_key="f" * 64)
    other = subscriptions.save_profile(
        session, owner=mallory.id, lead_account_id=lead, name="Südwind", about="", price="10"
    )
    for act in (
        lambda: coupons.create(session, owner=mallory.id, profile_id=bob.market.profile_id, offer=Offer("X10")),
        lambda: coupons.end(session, owner=mallory.id, coupon_id=made.id),
        lambda: coupons.coupons_of(session, owner=mallory.id, profile_id=bob.market.profile_id),
    ):
        with pytest.raises(NotFound):
            act()
    with pytest.raises(InvalidInput):
        coupons.redeemable(session, profile_id=other.id, code="SPRING-26", currency="usd")
    assert coupons.redeemable(session, profile_id=bob.market.profile_id, code="spring-26", currency="usd").id == made.id
    coupons.end(session, owner=bob.market.alice.id, coupon_id=made.id)
    session.commit()
    with pytest.raises(InvalidInput) as refusal:
        service.start_payment(session, owner=bob.market.bob.id, subscription_id=bob.id, code="spring-26")
    assert refusal.value.field == "code"
    assert session.exec(select(Checkout)).all() == []


def test_a_code_that_is_used_up_or_too_late_is_refused(bob: Buyer) -> None:
    _coupon(bob, most=1)
    bob.buy(code="SPRING-26")
    [row] = coupons.coupons_of(bob.session, owner=bob.market.alice.id, profile_id=bob.market.profile_id)
    assert (row.redeemed, row.most) == (1, 1)
    late = _coupon(bob, code="SOON", ends_at=clock.now() + timedelta(days=2))
    clock.set_offset(clock.offset() + timedelta(days=3))
    for code in ("SPRING-26", late.code, "NEVER"):
        with pytest.raises(InvalidInput):
            coupons.redeemable(bob.session, profile_id=bob.market.profile_id, code=code, currency="usd")


def test_a_code_typed_later_closes_the_page_that_was_open_without_it(bob: Buyer) -> None:
    _coupon(bob)
    first = service.start_payment(bob.session, owner=bob.market.bob.id, subscription_id=bob.id)
    second = service.start_payment(bob.session, owner=bob.market.bob.id, subscription_id=bob.id, code="SPRING-26")
    bob.session.commit()
    assert first.url != second.url
    assert "expired" in bob.stripe.pay(first.url).text
    assert service.start_payment(bob.session, owner=bob.market.bob.id, subscription_id=bob.id).url == second.url
    bob.stripe.pay(second.url)
    bob.stripe.wait_for("checkout.session.completed")
    bob.hand_over()
    assert [one.minor for one in bob.periods] == [1450]


def test_stripe_being_away_makes_no_coupon(bob: Buyer) -> None:
    bob.stripe.control("POST", "faults", kind="error_before", match="POST /v1/coupons", count=50)
    with pytest.raises(PaymentsUnavailable):
        _coupon(bob)
    bob.session.rollback()
    assert bob.session.exec(select(Coupon)).all() == []


def test_two_tabs_pay_the_same_page_once(bob: Buyer) -> None:
    one, two = (
        service.start_payment(bob.session, owner=bob.market.bob.id, subscription_id=bob.id).url for _ in range(2)
    )
    bob.session.commit()
    assert one == two
    bob.stripe.pay(one)
    assert bob.stripe.pay(two).status_code in (200, 303, 409, 410)
    bob.stripe.wait_for("checkout.session.completed")
    bob.hand_over()
    with pytest.raises(Conflict):
        service.start_payment(bob.session, owner=bob.market.bob.id, subscription_id=bob.id)
    assert httpx.get(one).status_code in (200, 303, 410)
    assert (len(bob.periods), len(ask(lambda client: client.v1.charges.list({})).data)) == (1, 1)


def _without_consent(session: Session) -> Market:
    market = opened(session)
    for one in session.exec(select(RiskConsent)):
        session.delete(one)
    session.commit()
    return market


def test_without_the_risk_text_nothing_is_made(session: Session) -> None:
    market = _without_consent(session)
    with pytest.raises(Conflict):
        subscribed(session, market)
    for consent, refusal in (
        (Consent("2020-01", "en", "DE"), Conflict),
        (Consent(RISK_VERSION, "en", ""), InvalidInput),
        (Consent(RISK_VERSION, "en", "XX"), InvalidInput),
    ):
        with pytest.raises(refusal):
            subscriptions.subscribe(
                session,
                owner=market.bob.id,
                profile_id=market.profile_id,
                copy_account_id=market.copy,
                consent=consent,
            )
    session.rollback()
    assert session.exec(select(Subscription)).all() == []


def test_the_consent_is_kept_with_version_language_country_and_time(session: Session) -> None:
    market = _without_consent(session)
    before = clock.now()
    for _ in range(2):
        subscriptions.subscribe(
            session,
            owner=market.bob.id,
            profile_id=market.profile_id,
            copy_account_id=market.copy,
            consent=Consent(RISK_VERSION, "ru", "fr"),
        )
    [kept] = session.exec(select(RiskConsent).where(RiskConsent.user_id == market.bob.id)).all()
    assert (kept.version, kept.locale, kept.country) == (RISK_VERSION, "ru", "FR")
    assert before <= kept.accepted_at <= clock.now()


def test_where_paid_copying_is_off_nothing_is_made_and_it_says_so(
    session: Session, stripe: Stripe, monkeypatch: pytest.MonkeyPatch
) -> None:
    market = _without_consent(session)
    monkeypatch.setenv("COPYTRADE_PAID_COPYING_OFF", '["US", "fr"]')
    settings.cache_clear()
    try:
        with pytest.raises(NotAllowed) as refusal:
            subscriptions.subscribe(
                session,
                owner=market.bob.id,
                profile_id=market.profile_id,
                copy_account_id=market.copy,
                consent=Consent(RISK_VERSION, "en", "FR"),
            )
        assert "where you live" in refusal.value.user.text
        session.rollback()
        assert session.exec(select(Subscription)).all() == []
    finally:
        monkeypatch.undo()
        settings.cache_clear()
    made = subscriptions.subscribe(
        session,
        owner=market.bob.id,
        profile_id=market.profile_id,
        copy_account_id=market.copy,
        consent=Consent(RISK_VERSION, "en", "FR"),
    )
    session.commit()
    monkeypatch.setenv("COPYTRADE_PAID_COPYING_OFF", '["FR"]')
    settings.cache_clear()
    try:
        with pytest.raises(NotAllowed):
            service.start_payment(session, owner=market.bob.id, subscription_id=made.id)
        assert ask(lambda client: client.v1.customers.list({})).data == []
    finally:
        monkeypatch.undo()
        settings.cache_clear()
