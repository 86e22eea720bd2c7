"""Cancelling, going on after all, ending at once, subscribing again, moving, traders who go: told, none paid twice."""

from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlmodel import Session, select

from copytrade import clock
from copytrade.accounts import service as accounts
from copytrade.copying import service as copying
from copytrade.domain.instruments import Role
from copytrade.domain.sizing import CopySettings, EndMode
from copytrade.errors import Conflict, InvalidInput, NotFound
from copytrade.payments import bills, service
from copytrade.payments.gateway import PaymentsUnavailable, ask
from copytrade.payments.models import Checkout, StripeSubscription
from copytrade.payments.selling_models import RefundMade
from copytrade.settings import settings
from copytrade.subscriptions import queries as subscription_queries
from copytrade.subscriptions import service as subscriptions
from copytrade.subscriptions.models import Subscription
from tests.integration.accounts.linking import linked
from tests.integration.payments.buying import Buyer, own_clock, until
from tests.integration.payments.paying import Stripe
from tests.integration.subscriptions.market import opened, subscribed
from tests.integration.users import people

AT_ONCE = "4000 0000 0000 0077"


@pytest.fixture
def bob(session: Session, stripe: Stripe) -> Generator[Buyer]:
    with own_clock():
        made = Buyer(session, stripe, opened(session))
        made.buy(AT_ONCE)
        yield made


@pytest.fixture
def pro_rata(monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
    monkeypatch.setenv("COPYTRADE_REFUND", "pro_rata")
    settings.cache_clear()
    yield
    monkeypatch.undo()
    settings.cache_clear()


def test_cancelling_runs_out_with_the_paid_time_and_charges_nothing_more(bob: Buyer) -> None:
    service.cancel(bob.session, owner=bob.market.bob.id, subscription_id=bob.id)
    service.cancel(bob.session, owner=bob.market.bob.id, subscription_id=bob.id)
    bob.session.commit()
    row = bob.row
    assert (row.state, row.is_ending, row.next_charge_at, bob.may_enter) == ("active", True, None, True)
    assert len(bob.told("subscription.ending")) == 1
    bob.hand_over()
    bob.later(31.5)
    assert (bob.state, bob.row.end_reason, len(bob.periods)) == ("canceled", "period_over", 1)
    assert bob.remote.status == "canceled"


def test_cancelling_can_be_taken_back_and_is_renewed_then(bob: Buyer) -> None:
    service.cancel(bob.session, owner=bob.market.bob.id, subscription_id=bob.id)
    service.go_on(bob.session, owner=bob.market.bob.id, subscription_id=bob.id)
    bob.session.commit()
    bob.hand_over()
    assert (bob.row.is_ending, bob.remote.cancel_at_period_end) == (False, False)
    bob.later(31.5)
    assert (bob.state, len(bob.periods), bob.is_balanced()) == ("active", 2, True)


def test_mallory_cancels_moves_and_takes_back_nothing(bob: Buyer) -> None:
    mallory = people.mallory(bob.session)
    for act in (service.cancel, service.go_on):
        with pytest.raises(NotFound):
            act(bob.session, owner=mallory.id, subscription_id=bob.id)
    with pytest.raises(NotFound):
        subscriptions.switch_account(
            bob.session, owner=mallory.id, subscription_id=bob.id, copy_account_id=bob.market.copy
        )
    assert (bob.state, bob.row.is_ending) == ("active", False)


def test_what_is_not_billed_cannot_be_cancelled(session: Session, stripe: Stripe) -> None:
    market = opened(session)
    id = subscribed(session, market)
    with pytest.raises(Conflict):
        service.cancel(session, owner=market.bob.id, subscription_id=id)


def test_ending_at_once_gives_nothing_back_by_default(bob: Buyer) -> None:
    subscriptions.end(bob.session, owner=bob.market.bob.id, subscription_id=bob.id)
    bob.session.commit()
    bob.tick()
    bob.hand_over()
    assert (bob.state, bob.remote.status, bob.session.exec(select(RefundMade)).all()) == ("canceled", "canceled", [])


@pytest.mark.usefixtures("pro_rata")
def test_ending_at_once_gives_the_unused_days_back_once(bob: Buyer) -> None:
    paid = bob.periods[0]
    clock.set_offset(clock.offset() + timedelta(days=10))
    subscriptions.end(bob.session, owner=bob.market.bob.id, subscription_id=bob.id)
    bob.session.commit()
    for _ in range(3):
        bob.tick()
        service.reconcile()
        bob.hand_over()
    days = (paid.period_end - paid.period_start).days
    unused = (paid.period_end - clock.now()).days
    worth = 2900 * unused // days
    assert (bob.periods[0].refunded_minor, bob.is_balanced()) == (worth, True)
    refunds = ask(lambda client: client.v1.refunds.list({})).data
    assert [(one.amount, one.status) for one in refunds] == [(worth, "succeeded")]
    [row] = bob.session.exec(select(RefundMade)).all()
    assert (row.state, row.stripe_refund_id) == ("done", refunds[0].id)
    assert len(bob.told("payment.refunded")) == 1


@pytest.mark.usefixtures("pro_rata")
def test_a_refund_whose_answer_was_lost_is_made_once(bob: Buyer) -> None:
    bob.stripe.control("POST", "faults", kind="error_after", match="POST /v1/refunds", count=20)
    subscriptions.end(bob.session, owner=bob.market.bob.id, subscription_id=bob.id)
    bob.session.commit()
    bob.tick()
    [row] = bob.session.exec(select(RefundMade)).all()
    assert row.state == "planned"
    bob.stripe.control("DELETE", "faults")
    row.try_at = clock.real_now()
    bob.session.commit()
    bob.tick()
    bob.hand_over()
    assert len(ask(lambda client: client.v1.refunds.list({})).data) == 1
    assert bob.session.exec(select(RefundMade.state)).all() == ["done"]


def test_who_left_subscribes_again_and_pays_anew(bob: Buyer) -> None:
    first = bob.id
    subscriptions.end(bob.session, owner=bob.market.bob.id, subscription_id=bob.id)
    bob.session.commit()
    bob.tick()
    bob.id = subscribed(bob.session, bob.market)
    page = service.start_payment(bob.session, owner=bob.market.bob.id, subscription_id=bob.id)
    bob.session.commit()
    bob.stripe.pay(page.url)
    bob.stripe.wait_for("checkout.session.completed")
    bob.hand_over()
    assert (bob.id != first, bob.state, len(bob.periods)) == (True, "active", 2)


def test_moving_to_another_account_keeps_the_paid_time_and_is_renewed_there(bob: Buyer) -> None:
    session, owner = bob.session, bob.market.bob.id
    other = linked(session, owner, role=Role.COPY, api_key="c" * 64)
    settings_before = CopySettings(max_order_notional=None, max_leverage=bob.row.price)
    copying.save_settings(session, owner=owner, subscription_id=bob.id, settings=settings_before)
    old, before = bob.id, bob.row
    bob.id = copying.switch_account(
        session, owner=owner, subscription_id=old, copy_account_id=other, mode=EndMode.CLOSE
    )
    session.commit()
    row = bob.row
    assert (row.copy_account_id, row.state, row.entitled_until, row.price) == (
        other, "active", before.entitled_until, before.price,
    )  # fmt: skip
    left = subscription_queries.subscription(session, owner=owner, subscription_id=old)
    assert (left.state, left.end_reason, left.end_mode, left.successor_id) == ("canceled", "replaced", "close", bob.id)
    assert [one.id for one in subscription_queries.ended_unsettled(session)] == [old]
    assert copying.settings_of(session, subscription_ids=[bob.id])[bob.id].max_leverage == settings_before.max_leverage
    found = subscription_queries.active_on_lead(session, lead_account_id=bob.market.lead, now=clock.now())
    assert {one.copy_account_id for one in found if one.may_enter} == {other}
    bob.tick()
    assert bob.remote.status == "active"
    bob.later(31.5)
    assert (bob.state, len(bob.periods), bob.is_balanced()) == ("active", 2, True)
    assert {one.subscription_id for one in bob.periods} == {old, bob.id}
    assert "alarm.paid_after_end" not in bob.alarms()
    assert len(bob.told("subscription.ended")) == 0


def test_moving_goes_only_to_an_account_that_fits_and_is_free(bob: Buyer) -> None:
    session, owner = bob.session, bob.market.bob.id
    lead = linked(session, owner, role=Role.LEAD, api_key="d" * 64)
    mallorys = linked(session, people.mallory(session).id, role=Role.COPY, api_key="e" * 64)
    for account, refusal in (
        (bob.market.copy, Conflict), (lead, InvalidInput), (mallorys, NotFound), (uuid4(), NotFound),
    ):  # fmt: skip
        with pytest.raises(refusal):
            subscriptions.switch_account(session, owner=owner, subscription_id=bob.id, copy_account_id=account)
    assert bob.state == "active"


def _another_trader(bob: Buyer) -> UUID:
    session = bob.session
    carol = people.mallory(session)
    lead = linked(session, carol.id, role=Role.LEAD, api_key="f" * 64)
    made = subscriptions.save_profile(
        session, owner=carol.id, lead_account_id=lead, name="Südwind", about="", price="10"
    )
    subscriptions.publish(session, owner=carol.id, profile_id=made.id, may_be_paid=True)
    session.commit()
    return made.id


def test_an_account_copies_one_trader_at_a_time(bob: Buyer) -> None:
    session, owner = bob.session, bob.market.bob.id
    other = _another_trader(bob)
    with pytest.raises(Conflict, match="has subscription"):
        subscriptions.subscribe(session, owner=owner, profile_id=other, copy_account_id=bob.market.copy)
    free = linked(session, owner, role=Role.COPY, api_key="c" * 64)
    waiting = subscriptions.subscribe(session, owner=owner, profile_id=other, copy_account_id=free)
    with pytest.raises(Conflict, match="incomplete"):
        subscriptions.switch_account(session, owner=owner, subscription_id=bob.id, copy_account_id=free)
    subscriptions.end(session, owner=owner, subscription_id=waiting.id)
    assert subscriptions.switch_account(session, owner=owner, subscription_id=bob.id, copy_account_id=free)


def test_a_trader_who_unpublishes_stops_renewals_and_the_paid_time_runs_out(bob: Buyer) -> None:
    subscriptions.unpublish(bob.session, owner=bob.market.alice.id, profile_id=bob.market.profile_id)
    bob.session.commit()
    bob.tick()
    assert (bob.state, bob.row.is_ending, bob.may_enter) == ("active", True, True)
    assert bob.remote.cancel_at_period_end
    [told] = bob.told("subscription.trader_gone")
    assert told["until"] == until(bob.row).isoformat()
    with pytest.raises(Conflict):
        service.go_on(bob.session, owner=bob.market.bob.id, subscription_id=bob.id)
    bob.hand_over()
    bob.later(31.5)
    assert (bob.state, len(bob.periods)) == ("canceled", 1)


def test_a_trader_who_comes_back_can_be_kept(bob: Buyer) -> None:
    owner = bob.market.alice.id
    subscriptions.unpublish(bob.session, owner=owner, profile_id=bob.market.profile_id)
    bob.session.commit()
    bob.tick()
    bob.hand_over()
    subscriptions.publish(bob.session, owner=owner, profile_id=bob.market.profile_id, may_be_paid=True)
    bob.session.commit()
    bob.tick()
    assert bob.row.is_ending
    service.go_on(bob.session, owner=bob.market.bob.id, subscription_id=bob.id)
    bob.session.commit()
    bob.hand_over()
    bob.tick()
    assert (bob.row.is_ending, bob.remote.cancel_at_period_end) == (False, False)


@pytest.mark.usefixtures("pro_rata")
def test_a_trader_who_is_gone_gives_the_unused_days_back_where_that_is_set(bob: Buyer) -> None:
    subscriptions.close_profile(bob.session, owner=bob.market.alice.id, profile_id=bob.market.profile_id)
    bob.session.commit()
    bob.tick()
    bob.hand_over()
    assert (bob.state, bob.row.end_reason, bob.remote.status) == ("canceled", "trader_gone", "canceled")
    assert bob.periods[0].refunded_minor > 2700
    assert bob.is_balanced()
    assert len(bob.told("subscription.trader_refunded")) == 1


def test_a_trader_whose_account_is_unlinked_is_gone(bob: Buyer) -> None:
    accounts.unlink(bob.session, owner=bob.market.alice.id, account_id=bob.market.lead)
    bob.session.commit()
    bob.tick()
    assert (bob.row.is_ending, bob.remote.cancel_at_period_end) == (True, True)
    assert len(bob.told("subscription.trader_gone")) == 1


def test_a_page_of_a_trader_who_is_gone_can_be_paid_no_more(session: Session, stripe: Stripe) -> None:
    market = opened(session)
    id = subscribed(session, market)
    page = service.start_payment(session, owner=market.bob.id, subscription_id=id)
    subscriptions.unpublish(session, owner=market.alice.id, profile_id=market.profile_id)
    session.commit()
    service.process_events()
    assert "expired" in stripe.pay(page.url).text
    session.expire_all()
    assert session.exec(select(Checkout.state)).all() == ["expired"]


def test_money_that_comes_after_the_end_goes_back(session: Session, stripe: Stripe) -> None:
    with own_clock():
        bob = Buyer(session, stripe, opened(session))
        page = service.start_payment(session, owner=bob.market.bob.id, subscription_id=bob.id)
        subscriptions.end(session, owner=bob.market.bob.id, subscription_id=bob.id)
        session.commit()
        clock.set_offset(timedelta(seconds=-60))
        stripe.pay(page.url, AT_ONCE)
        stripe.wait_for("checkout.session.completed")
        row = session.get_one(Subscription, bob.id)
        row.ended_at = clock.now() - timedelta(seconds=60)
        session.commit()
        bob.hand_over()
        bob.tick()
        bob.hand_over()
        assert (bob.state, bob.may_enter, bob.alarms()) == ("canceled", False, {"alarm.paid_after_end"})
        assert ([one.refunded_minor for one in bob.periods], bob.is_balanced()) == ([2900], True)
        assert bob.remote.status == "canceled"


def test_one_that_was_paid_twice_at_stripe_is_paid_once(bob: Buyer) -> None:
    """Two payment pages of one subscription should never both be open; where they are, the second goes back."""
    first = bob.remote
    ask(
        lambda client: client.v1.subscriptions.create(
            {
                "customer": str(first.customer),
                "items": [{"price": first["items"].data[0].price.id}],
                "default_payment_method": str(first.default_payment_method),
                "metadata": {"subscription_id": str(bob.id)},
            }
        )
    )
    bob.hand_over()
    bob.tick()
    bob.hand_over()
    rows = {one.stripe_subscription_id: one for one in bob.session.exec(select(StripeSubscription))}
    assert [(one.status, one.is_surplus) for id, one in rows.items() if id == first.id] == [("active", False)]
    assert [(one.status, one.is_surplus) for id, one in rows.items() if id != first.id] == [("canceled", True)]
    assert sorted(one.refunded_minor for one in bob.periods) == [0, 2900]
    assert (bob.state, bob.is_balanced(), bob.alarms()) == ("active", True, {"alarm.paid_twice"})


def test_stripe_being_away_changes_nothing_here(bob: Buyer) -> None:
    bob.stripe.control("POST", "faults", kind="error_before", match="POST /v1/subscriptions", count=50)
    with pytest.raises(PaymentsUnavailable):
        service.cancel(bob.session, owner=bob.market.bob.id, subscription_id=bob.id)
    bob.session.rollback()
    assert not bob.row.is_ending
    bob.stripe.control("DELETE", "faults")


def test_his_invoices_are_there_to_be_read(bob: Buyer) -> None:
    [paid] = bills.invoices_of(bob.session, owner=bob.market.bob.id)
    assert paid.number
    assert paid.page_url.startswith("http")


def test_months_end_where_the_calendar_has_them(session: Session, stripe: Stripe) -> None:
    """Bought on 31 January 2028: the periods end on 29 February, 31 March, 30 April; nobody loses a day."""
    with own_clock():
        start = datetime(2028, 1, 31, 9, tzinfo=UTC)
        moved = start - clock.real_now()
        stripe.control("POST", "clock", to=int(start.timestamp()))
        clock.set_offset(moved)
        bob = Buyer(session, stripe, opened(session))
        bob.buy(AT_ONCE)
        for days in (30, 31, 31):
            bob.later(days)
        ends = [one.period_end for one in bob.periods]
        assert [(end.month, end.day) for end in ends] == [(2, 29), (3, 31), (4, 30), (5, 31)]
        assert all(before.period_end == after.period_start for before, after in zip(bob.periods, bob.periods[1:]))  # noqa: B905 - one shorter
        assert (bob.state, bob.is_balanced()) == ("active", True)
