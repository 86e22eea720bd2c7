"""`make stripe-check`: the contract cases against Stripe's own test mode, with the key of STRIPE_API_KEY."""

import os
import sys

import pytest

NO_KEY = """stripe-check: no key. Set STRIPE_API_KEY to a secret key of Stripe's test mode (sk_test_…), call it again.
Nothing was checked."""
LIVE = "stripe-check: STRIPE_API_KEY is not a key of the test mode (sk_test_…). Nothing was checked, nothing was sent."
HERE_ONLY = """Not checked there, because it needs the sandbox's control interface or its hosted pages: cards typed into
the page, the onboarding's form, transfers and reversals to an onboarded account, payouts to banks, webhooks out of
order, doubled, delayed and refused, faults, the account's own clock, crowds."""


def main() -> int:
    """Run the cases; without a test key say so and fail."""
    key = os.environ.get("STRIPE_API_KEY", "")
    if not key:
        sys.stderr.write(NO_KEY + "\n")
        return 2
    if not key.startswith("sk_test_"):
        sys.stderr.write(LIVE + "\n")
        return 2
    os.environ["COPYTRADE_STRIPE_CHECK_KEY"] = key
    sys.stdout.write(HERE_ONLY + "\n")
    return int(pytest.main(["-q", "-p", "no:cacheprovider", "tests/contract/test_stripe_cases.py", *sys.argv[1:]]))


if __name__ == "__main__":
    raise SystemExit(main())
