"""What tests of payments stand on."""

from collections.abc import Generator

import pytest
from sqlmodel import Session

from tests.conftest import Sandbox
from tests.integration.payments.buying import Buyer, own_clock
from tests.integration.payments.paying import Stripe, stripe_at
from tests.integration.subscriptions.market import opened


@pytest.fixture
def stripe(sandbox: Sandbox) -> Generator[Stripe]:
    """Stripe, new and empty, with its webhooks delivered to this test alone."""
    with stripe_at(sandbox.url) as made:
        yield made


@pytest.fixture
def bob(session: Session, stripe: Stripe) -> Generator[Buyer]:
    """Bob, who is about to buy, in a test whose clock nobody else follows."""
    with own_clock():
        yield Buyer(session, stripe, opened(session))
