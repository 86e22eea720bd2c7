"""A trade copied onto paper by the installation's real processes, with nothing paid and nobody counted."""

from decimal import Decimal

from copytrade.analytics import queries as analytics
from copytrade.db.session import reading
from copytrade.demo import filling
from copytrade.demo.keys import Key
from copytrade.domain.instruments import Market, Role, Venue
from copytrade.domain.sizing import CopySettings, SizingMode
from copytrade.payments import bills
from copytrade.subscriptions import queries as subscriptions
from tests.conftest import Sandbox
from tests.processes import WORKERS, Processes
from tests.stage import Account, Pair, account, has_baseline
from tests.waiting import wait_until

PLACE = (Venue.BYBIT, Market.PERPETUAL)


def test_the_processes_copy_a_trade_onto_paper_without_a_payment(processes: Processes, sandbox: Sandbox) -> None:
    control = sandbox.control
    control.clear_faults()
    control.set_price("BTCUSDT", 60_000)
    processes.start(*WORKERS)
    alice = filling.person("alice@copytrade.example", is_trader=True)
    bob = filling.person("bob@copytrade.example", is_subscriber=True)
    lead = account(control, alice, role=Role.LEAD, name="alice-lead", place=PLACE)
    copy_id = filling.paper_account(bob, place=PLACE, label="Bob tries", funds=Decimal(20_000))
    profile_id = filling.profile(alice, lead_account_id=lead.id, name="alice", about="", price=Decimal(25))
    ratio = CopySettings(mode=SizingMode.RATIO, factor=Decimal("0.1"))
    made = filling.paper_copy(bob, profile_id=profile_id, copy_account_id=copy_id, settings=ratio)
    number = next(row["account_id"] for row in control.accounts() if str(copy_id) in row["name"])
    pair = Pair(control, lead, Account(copy_id, bob, Key(number, "", "", venue=PLACE[0])), profile_id, made)
    wait_until(lambda: has_baseline(pair), timeout=40, what="the lead's baseline")
    pair.trade("BUY", "1")
    pair.wait_for_copy("0.1")
    pair.trade("SELL", "1")
    pair.wait_for_copy("0")
    with reading() as session:
        row = subscriptions.subscription(session, owner=bob, subscription_id=made)
        assert (row.state, row.is_paper, row.price) == ("active", True, 0)
        assert subscriptions.profile(session, profile_id).subscribers == 0
        assert analytics.platform_numbers(session).copies_today == 0
        assert bills.invoices_of(session, owner=bob) == []
