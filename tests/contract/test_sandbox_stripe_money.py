"""The sandbox's Stripe and its money: balance, fees, disputes, connected accounts, transfers, payouts."""

import json
import sqlite3
from collections.abc import Generator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
import stripe

from tests.contract import stripe_side as side
from tests.contract.sdk_shapes import complaints
from tests.contract.served import Served
from tests.waiting import wait_until

DAY = 86_400
DISPUTED, AT_ONCE = "4000 0000 0000 0259", "4000 0000 0000 0077"
PERSON = {"first": "Alice", "last": "Trader", "email": "alice@copytrade.example", "iban": "DE89370400440532013000"}


@pytest.fixture
def hook(served: Served) -> Generator[side.Hook]:
    """The app's endpoint, of the account itself and of connected ones."""
    with side.hook() as made:
        served.control("POST", "endpoint", url=made.url, secret="whsec_own", connect_secret="whsec_connect")
        yield made


def _charge(served: Served, number: str = side.GOOD, *, amount: int = 2900) -> stripe.Charge:
    """Return the charge of a subscription that was just sold."""
    price = side.priced(served, amount=amount)
    session = side.opened(served, line_items=[{"price": price.id, "quantity": 1}])
    assert side.pay(session.url, number).status_code == 303
    v1 = side.client(served).v1
    return v1.charges.list({"customer": str(session.customer)}).data[0]


def _trader(served: Served, *, state: str | None = "enabled") -> str:
    """Return a connected account, onboarded unless `state` is None."""
    made = side.client(served).v1.accounts.create(
        {"type": "express", "country": "DE", "capabilities": {"transfers": {"requested": True}}}
    )
    if state:
        served.control("POST", "onboard", account=made.id, state=state)
    return made.id


def _ready(served: Served, currency: str = "usd", *, account: str | None = None) -> int:
    options: Any = {"stripe_account": account} if account else {}
    found = side.client(served).v1.balance.retrieve({}, options)
    return sum(one.amount for one in found.available if one.currency == currency)


def _events(hook: side.Hook, type: str) -> list[dict[str, Any]]:
    return [event for event in (json.loads(body) for body, _ in hook.got) if event["type"] == type]


def test_a_charge_costs_a_fee_and_its_money_settles_after_two_days(served: Served) -> None:
    charge, v1 = _charge(served), side.client(served).v1
    charge = v1.charges.retrieve(charge.id, {"expand": ["balance_transaction"]})
    moved = charge.balance_transaction
    assert isinstance(moved, stripe.BalanceTransaction)
    assert (moved.amount, moved.fee, moved.net, moved.status) == (2900, 114, 2786, "pending")
    assert complaints(moved.to_dict(), stripe.BalanceTransaction) == []
    assert _ready(served) == 0
    served.control("POST", "clock", seconds=2 * DAY)
    assert _ready(served) == 2786
    assert v1.balance_transactions.retrieve(moved.id).status == "available"
    assert complaints(v1.balance.retrieve().to_dict(), stripe.Balance) == []


def test_a_refund_does_not_give_the_fee_back(served: Served) -> None:
    charge, v1 = _charge(served, AT_ONCE), side.client(served).v1
    assert _ready(served) == 2786
    refund = v1.refunds.create({"charge": charge.id, "amount": 900})
    moved = v1.balance_transactions.retrieve(str(refund.balance_transaction))
    assert (moved.amount, moved.fee, moved.type, moved.source) == (-900, 0, "refund", refund.id)
    assert _ready(served) == 1886
    assert [one.type for one in v1.balance_transactions.list().data] == ["refund", "charge"]


def test_the_disputed_card_pays_and_then_the_bank_takes_it_back(served: Served, hook: side.Hook) -> None:
    charge, v1 = _charge(served, DISPUTED), side.client(served).v1
    assert (charge.paid, charge.disputed) == (True, True)
    dispute = v1.disputes.list({"charge": charge.id}).data[0]
    assert complaints(dispute.to_dict(), stripe.Dispute) == []
    assert (dispute.status, dispute.amount) == ("needs_response", 2900)
    assert [(one.amount, one.fee, one.net) for one in dispute.balance_transactions] == [(-2900, 1500, -4400)]
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        v1.refunds.create({"charge": charge.id})
    assert refusal.value.code == "charge_disputed"
    wait_until(lambda: {"charge.dispute.created", "charge.dispute.funds_withdrawn"} <= set(hook.types()))


@pytest.mark.parametrize(
    ("words", "ends", "fees"), [("winning_evidence", "won", 1500), ("losing_evidence", "lost", 4400)]
)
def test_a_dispute_is_decided_by_its_evidence(
    served: Served, hook: side.Hook, words: str, ends: str, fees: int
) -> None:
    charge, v1 = _charge(served, AT_ONCE), side.client(served).v1
    before = _ready(served)
    made = served.control("POST", "dispute", charge=charge.id, reason="product_not_received")
    staged = v1.disputes.update(made["id"], {"evidence": {"product_description": "signals"}, "submit": False})
    assert (staged.status, staged.evidence_details.has_evidence) == ("needs_response", True)
    decided = v1.disputes.update(made["id"], {"evidence": {"uncategorized_text": words}})
    assert decided.status == ends
    assert before - _ready(served) == fees
    wait_until(lambda: "charge.dispute.closed" in hook.types())
    wait_until(lambda: ("charge.dispute.funds_reinstated" in hook.types()) is (ends == "won"))
    with pytest.raises(stripe.InvalidRequestError):
        v1.disputes.close(made["id"])


def test_a_dispute_that_nobody_answers_is_lost(served: Served) -> None:
    made = served.control("POST", "dispute", charge=_charge(served).id)
    served.control("POST", "clock", seconds=15 * DAY)
    found = side.client(served).v1.disputes.retrieve(made["id"])
    assert (found.status, found.evidence_details.past_due) == ("lost", True)


def test_a_trader_is_onboarded_on_the_hosted_page(served: Served, hook: side.Hook) -> None:
    v1, account = side.client(served).v1, _trader(served, state=None)
    before = v1.accounts.retrieve(account)
    assert complaints(before.to_dict(), stripe.Account) == []
    assert (before.details_submitted, before.payouts_enabled, before.type) == (False, False, "express")
    with pytest.raises(stripe.InvalidRequestError, match="has not completed onboarding"):
        v1.accounts.login_links.create(account)
    link = v1.account_links.create(
        {
            "account": account,
            "refresh_url": "http://127.0.0.1:1/refresh",
            "return_url": "http://127.0.0.1:1/return",
            "type": "account_onboarding",
        }
    )
    assert complaints(link.to_dict(), stripe.AccountLink) == []
    page = httpx.get(link.url).headers["location"]
    assert httpx.get(link.url).headers["location"] == "http://127.0.0.1:1/refresh"
    assert "bank account" in httpx.get(page).text.lower()
    assert "account number is incomplete" in httpx.post(page, data={**PERSON, "iban": "1", "action": "finish"}).text
    done = httpx.post(page, data={**PERSON, "action": "finish"})
    assert done.headers["location"] == "http://127.0.0.1:1/return"
    after = v1.accounts.retrieve(account)
    assert complaints(after.to_dict(), stripe.Account) == []
    assert (after.details_submitted, after.payouts_enabled, after.charges_enabled) == (True, True, True)
    assert after.capabilities is not None
    assert after.capabilities.transfers == "active"
    assert "Express" in httpx.get(v1.accounts.login_links.create(account).url).text
    wait_until(lambda: _events(hook, "account.updated"))
    body, signature = next(one for one in hook.got if b"account.updated" in one[0])
    assert stripe.Webhook.construct_event(body, signature, "whsec_connect").account == account


@pytest.mark.parametrize(
    ("action", "submitted", "reason"),
    [
        ("more", True, "requirements.past_due"),
        ("restrict", True, "rejected.other"),
        ("later", False, "requirements.past_due"),
    ],
)
def test_an_account_may_be_held_back(served: Served, action: str, submitted: bool, reason: str) -> None:
    v1, account = side.client(served).v1, _trader(served, state=None)
    urls = {"refresh_url": "http://127.0.0.1:1/refresh", "return_url": "http://127.0.0.1:1/return"}
    link = v1.account_links.create({"account": account, "type": "account_onboarding", **urls})  # pyright: ignore[reportArgumentType]
    page = httpx.get(link.url).headers["location"]
    assert httpx.post(page, data={**PERSON, "action": action}).headers["location"] == urls["return_url"]
    found = v1.accounts.retrieve(account)
    assert (found.details_submitted, found.payouts_enabled) == (submitted, False)
    assert found.requirements is not None
    assert found.requirements.disabled_reason == reason
    served.control("POST", "onboard", account=account, state="enabled")
    assert v1.accounts.retrieve(account).payouts_enabled is True


def test_a_transfer_takes_what_is_there_and_no_more(served: Served, hook: side.Hook) -> None:
    v1, account = side.client(served).v1, _trader(served)
    _charge(served)
    facts: Any = {"amount": 2000, "currency": "usd", "destination": account, "transfer_group": "payout:1"}
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        v1.transfers.create(facts)
    assert refusal.value.code == "balance_insufficient"
    served.control("POST", "clock", seconds=2 * DAY)
    facts["metadata"] = {"payout": "1"}
    made = v1.transfers.create(facts, {"idempotency_key": "payout:1"})
    again = v1.transfers.create(facts, {"idempotency_key": "payout:1"})
    assert made.id == again.id
    assert complaints(made.to_dict(), stripe.Transfer) == []
    assert [one.id for one in v1.transfers.list({"transfer_group": "payout:1"}).data] == [made.id]
    assert (_ready(served), _ready(served, account=account)) == (786, 2000)
    wait_until(lambda: _events(hook, "transfer.created"))
    assert "account" not in _events(hook, "transfer.created")[0]


def test_a_transfer_needs_an_account_that_may_be_paid(served: Served) -> None:
    v1, account = side.client(served).v1, _trader(served, state="more")
    _charge(served, AT_ONCE)
    for destination, code in ((account, "insufficient_capabilities_for_transfer"), ("acct_none", "resource_missing")):
        with pytest.raises(stripe.InvalidRequestError) as refusal:
            v1.transfers.create({"amount": 100, "currency": "usd", "destination": destination})
        assert refusal.value.code == code


def test_a_transfer_of_a_charge_does_not_wait_for_its_money(served: Served) -> None:
    v1, account, charge = side.client(served).v1, _trader(served), _charge(served)
    facts: Any = {"currency": "usd", "destination": account, "source_transaction": charge.id, "amount": 2320}
    assert v1.transfers.create(facts).amount == 2320
    facts["amount"] = 581
    with pytest.raises(stripe.InvalidRequestError):
        v1.transfers.create(facts)
    assert _ready(served, account=account) == 0
    served.control("POST", "clock", seconds=5 * DAY)
    assert [one.amount for one in v1.payouts.list({}, {"stripe_account": account}).data] == [2320]


def test_a_transfer_is_reversed_in_parts_until_it_is_gone(served: Served, hook: side.Hook) -> None:
    v1, account = side.client(served).v1, _trader(served)
    _charge(served, AT_ONCE)
    made = v1.transfers.create({"amount": 2000, "currency": "usd", "destination": account})
    back = v1.transfers.reversals.create(made.id, {"amount": 500, "metadata": {"refund": "1"}})
    assert complaints(back.to_dict(), stripe.TransferReversal) == []
    assert (v1.transfers.retrieve(made.id).amount_reversed, v1.transfers.retrieve(made.id).reversed) == (500, False)
    with pytest.raises(stripe.InvalidRequestError):
        v1.transfers.reversals.create(made.id, {"amount": 1501})
    v1.transfers.reversals.create(made.id)
    assert v1.transfers.retrieve(made.id).reversed is True
    assert [one.amount for one in v1.transfers.reversals.list(made.id).data] == [1500, 500]
    assert (_ready(served), _ready(served, account=account)) == (2786, 0)
    wait_until(lambda: len(_events(hook, "transfer.reversed")) == 2)


def test_a_transfer_that_went_to_the_bank_cannot_be_taken_back(served: Served, hook: side.Hook) -> None:
    v1, account = side.client(served).v1, _trader(served)
    _charge(served, AT_ONCE)
    made = v1.transfers.create({"amount": 2000, "currency": "usd", "destination": account})
    served.control("POST", "clock", seconds=4 * DAY)
    payout = v1.payouts.list({}, {"stripe_account": account}).data[0]
    assert complaints(payout.to_dict(), stripe.Payout) == []
    assert (payout.amount, payout.status) == (2000, "paid")
    wait_until(lambda: _events(hook, "payout.paid"))
    assert _events(hook, "payout.paid")[0]["account"] == account
    assert v1.payouts.list().data == []
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        v1.transfers.reversals.create(made.id)
    assert refusal.value.code == "balance_insufficient"
    served.control("PUT", "settling", reserves=True)
    v1.transfers.reversals.create(made.id)
    assert _ready(served, account=account) == -2000


def test_an_account_is_express_by_its_type_or_by_its_controller(served: Served) -> None:
    v1 = side.client(served).v1
    controller: Any = {
        "stripe_dashboard": {"type": "express"},
        "fees": {"payer": "application"},
        "losses": {"payments": "application"},
    }
    made = v1.accounts.create({"controller": controller, "capabilities": {"transfers": {"requested": True}}})
    assert (made.type, complaints(made.to_dict(), stripe.Account)) == ("none", [])
    assert made.controller is not None
    assert made.controller.fees is not None
    assert made.controller.fees.payer == "application"
    for wrong in ({"type": "custom"}, {}, {"type": "express", "controller": controller}):
        with pytest.raises(stripe.InvalidRequestError):
            v1.accounts.create(wrong)  # pyright: ignore[reportArgumentType]


def test_an_account_that_is_held_back_is_paid_out_when_it_is_enabled(served: Served) -> None:
    v1, account = side.client(served).v1, _trader(served)
    _charge(served, AT_ONCE)
    v1.transfers.create({"amount": 2000, "currency": "usd", "destination": account})
    served.control("POST", "onboard", account=account, state="more")
    served.control("POST", "clock", seconds=3 * DAY)
    assert v1.payouts.list({}, {"stripe_account": account}).data == []
    served.control("POST", "onboard", account=account)
    served.control("POST", "clock", seconds=2 * DAY)
    assert [one.amount for one in v1.payouts.list({}, {"stripe_account": account}).data] == [2000]


def test_an_unknown_account_is_refused(served: Served) -> None:
    with pytest.raises(stripe.PermissionError):
        side.client(served).v1.balance.retrieve({}, {"stripe_account": "acct_none"})
    gone = _trader(served, state=None)
    assert side.client(served).v1.accounts.delete(gone).deleted is True
    with pytest.raises(stripe.PermissionError):
        side.client(served).v1.accounts.retrieve(gone)


def test_the_state_of_an_earlier_version_gets_its_balance(tmp_path: Path) -> None:
    server = Served(tmp_path, COPYTRADE_STRIPE_WEBHOOK_SECRET="").start()
    try:
        charge = _charge(server, AT_ONCE)
        side.client(server).v1.refunds.create({"charge": charge.id, "amount": 900})
        server.stop()
        with closing(sqlite3.connect(tmp_path / "sandbox" / "stripe" / "stripe.sqlite")) as state:
            state.executescript(
                "delete from objects where kind = 'balance_transaction'; delete from money;"
                "delete from switches where name = 'balance_kept'; drop index objects_clock_due;"
                "alter table objects drop column clock; alter table deliveries drop column lane"
            )
        server.start()
        found = side.client(server).v1.charges.retrieve(charge.id, {"expand": ["balance_transaction"]})
        assert isinstance(found.balance_transaction, stripe.BalanceTransaction)
        assert (found.balance_transaction.net, _ready(server)) == (2786, 1886)
    finally:
        server.stop()


def test_the_balance_is_the_sum_of_its_movements(served: Served) -> None:
    v1, account = side.client(served).v1, _trader(served)
    first, second = _charge(served, AT_ONCE), _charge(served)
    v1.refunds.create({"charge": first.id, "amount": 1000})
    transfer = v1.transfers.create({"amount": 700, "currency": "usd", "destination": account})
    v1.transfers.reversals.create(transfer.id, {"amount": 300})
    dispute = served.control("POST", "dispute", charge=second.id)
    served.control("POST", "dispute/decide", dispute=dispute["id"], status="won")
    for owner, rows in ((None, 7), (account, 2)):
        options: Any = {"stripe_account": owner} if owner else {}
        moved = v1.balance_transactions.list({"limit": 100}, options).data
        assert len(moved) == rows
        balance = v1.balance.retrieve({}, options)
        told = sum(one.amount for one in (*balance.available, *balance.pending))
        assert told == sum(one.net for one in moved)
        assert all(one.net == one.amount - one.fee for one in moved)
