"""Whatever dies between two steps of a payout or of what takes it back: Stripe moves the money once."""

from collections.abc import Generator
from datetime import timedelta
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text
from sqlmodel import Session, select

from copytrade import failpoints
from copytrade.db.events import Event
from copytrade.db.session import reading, transaction
from copytrade.demo import filling
from copytrade.failpoints import OF_MONEY, Label
from copytrade.payments import operator_queries, taking_back
from copytrade.payments.ledger_models import Payout, Reversal
from copytrade.queues import knock
from tests.conftest import HOME, Sandbox
from tests.integration.payments.paying import Stripe, stripe_at
from tests.integration.payments.tills import Till
from tests.processes import Processes
from tests.waiting import wait_until

ALICE = "alice@copytrade.example"
MONEY = ("worker-billing", "worker-notify")
VAR = HOME / "var"
OF_PAYOUTS = sorted(label for label in OF_MONEY if label.startswith("payout."))
OF_REVERSALS = sorted(label for label in OF_MONEY if label.startswith("reversal."))


@pytest.fixture
def stripe(sandbox: Sandbox) -> Generator[Stripe]:
    with stripe_at(sandbox.url) as made:
        httpx.delete(f"{sandbox.url}/mail/messages")
        yield made


@pytest.fixture
def alice(processes: Processes, stripe: Stripe) -> UUID:
    """Alice, who can be paid, with workers that die where they are told to."""
    processes.variables |= {
        "COPYTRADE_FAILPOINTS": "1",
        "COPYTRADE_PAYOUT_EVERY": "daily",
        "COPYTRADE_PAYOUT_MINIMUM": "1",
    }
    failpoints.disarm(var=VAR)
    owner = filling.person(ALICE, is_trader=True)
    filling.onboarded(owner)
    processes.start(*MONEY)
    return owner


def _sold(stripe: Stripe, owner: UUID, minor: int) -> str:
    """Sell a month of Alice's that is free to be paid; return its charge."""
    with transaction() as session:
        return Till(session, stripe, owner).sell(minor, days_ago=9).id


def _go_on(*jobs: str) -> None:
    """Let the jobs come by, and leases be over."""
    with transaction() as session:
        for table in ("payouts", "payout_reversals"):
            session.connection().execute(text(f"update people.{table} set try_at = now() where state = 'planned'"))
    for job in jobs:
        knock("billing", f"workers.jobs.{job}")


def _transfers(stripe: Stripe) -> list[tuple[int, int]]:
    with reading() as session:
        return sorted((one.amount, one.amount_reversed) for one in Till(session, stripe, UUID(int=0)).transfers())


def _told(session: Session, kind: str) -> int:
    return session.exec(select(Event.kind)).all().count(kind)


def _is_taken(label: Label) -> bool:
    return label not in failpoints.armed(var=VAR)


@pytest.mark.timeout(300)
def test_a_worker_that_dies_at_any_step_of_a_payout_pays_once(
    processes: Processes, sandbox: Sandbox, stripe: Stripe, alice: UUID
) -> None:
    paid: list[int] = []
    for number, label in enumerate(OF_PAYOUTS):
        _sold(stripe, alice, 1000 + 100 * number)
        paid.append(800 + 80 * number)
        failpoints.arm(label, var=VAR)

        def is_sent(count: int = number + 1) -> bool:
            _go_on("plan_payouts", "move_payouts")
            with reading() as session:
                return session.exec(select(Payout.state)).all() == ["sent"] * count

        wait_until(is_sent, timeout=60, every=1, what=f"the payout in spite of {label}")
        assert _is_taken(label)
        assert _transfers(stripe) == [(minor, 0) for minor in paid]
    with reading() as session:
        assert _told(session, "payout.sent") == len(OF_PAYOUTS)
        [book] = operator_queries.books(session)
        assert (book.imbalance, book.traders) == (0, 0)

    def mails() -> list[str]:
        knock("notify", "workers.jobs.deliver_notices")
        found = httpx.get(f"{sandbox.url}/mail/messages", params={"to": ALICE}).json()
        return [mail["subject"] for mail in found if mail["subject"] == "Payout sent"]

    wait_until(lambda: len(mails()) == len(OF_PAYOUTS), timeout=60, every=1, what="a mail for each payout")
    assert processes.crashed() == {}


@pytest.mark.timeout(300)
def test_a_worker_that_dies_at_any_step_of_a_reversal_takes_back_once(
    processes: Processes, stripe: Stripe, alice: UUID
) -> None:
    charges = [_sold(stripe, alice, 1000) for _ in OF_REVERSALS]
    _sold(stripe, alice, 10_000)

    def is_sent() -> bool:
        _go_on("plan_payouts", "move_payouts")
        with reading() as session:
            return session.exec(select(Payout.state)).all() == ["sent"]

    wait_until(is_sent, timeout=60, every=1, what="the payout")
    for number, (label, charge) in enumerate(zip(OF_REVERSALS, charges, strict=True), start=1):
        failpoints.arm(label, var=VAR)
        with transaction() as session:
            Till(session, stripe, alice).refund_of(charge)
            assert taking_back.refunds(session, charge_id=charge)

        def is_done(count: int = number) -> bool:
            _go_on("move_payouts")
            with reading() as session:
                return session.exec(select(Reversal.state)).all() == ["done"] * count

        wait_until(is_done, timeout=60, every=1, what=f"the reversal in spite of {label}")
        assert _is_taken(label)
        assert _transfers(stripe) == [(10_400, 800 * number)]
    with reading() as session:
        assert _told(session, "payout.reversed") == len(OF_REVERSALS)
        [book] = operator_queries.books(session)
        assert (book.imbalance, book.traders) == (0, 0)


def test_workers_side_by_side_pay_once(processes: Processes, stripe: Stripe, alice: UUID) -> None:
    processes.start("worker-billing:2")
    for number in range(4):
        _sold(stripe, alice, 1000 + number)

    def are_sent() -> bool:
        for _ in range(3):
            _go_on("plan_payouts", "move_payouts")
        with reading() as session:
            return session.exec(select(Payout.state)).all() == ["sent"]

    wait_until(are_sent, timeout=60, every=1, what="the payout")
    for _ in range(3):
        _go_on("plan_payouts", "move_payouts")
    stripe.control("POST", "clock", seconds=int(timedelta(hours=1).total_seconds()))
    assert _transfers(stripe) == [(3205, 0)]
