"""The fixture that every test of payments stands on."""

from collections.abc import Generator

import pytest

from tests.conftest import Sandbox
from tests.integration.payments.paying import Stripe, stripe_at


@pytest.fixture
def stripe(sandbox: Sandbox) -> Generator[Stripe]:
    """Stripe, new and empty, with its webhooks delivered to this test alone."""
    with stripe_at(sandbox.url) as made:
        yield made
