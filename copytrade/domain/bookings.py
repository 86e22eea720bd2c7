"""Bookings of the ledger: what each event does to which account, in minor units of one currency, adding up to zero.

What lies at Stripe, what a bank holds and what Stripe costs are positive; what we earned and what we owe are negative.
"""

from collections.abc import Mapping
from uuid import UUID

from copytrade.domain.terms import Shares, taken_back

STRIPE = "stripe"
"""Our balance at Stripe."""
FEES = "fees"
"""What Stripe kept for itself."""
PLATFORM = "platform"
"""Our own part."""
DISPUTED = "disputed"
"""What banks hold until a dispute is decided."""
_TRADER = "trader:"

Sums = Mapping[str, int]
"""What changes by account."""


def trader_account(user_id: UUID) -> str:
    """Return the account that holds what we owe a trader."""
    return f"{_TRADER}{user_id}"


def trader_of(account: str) -> UUID | None:
    """Return whose account it is, None where it is ours."""
    return UUID(account.removeprefix(_TRADER)) if account.startswith(_TRADER) else None


def paid(shares: Shares, *, trader: UUID) -> Sums:
    """Book a payment that came in."""
    return _sums({STRIPE: shares.platform + shares.trader, **_owed(shares, trader)})


def given_back(shares: Shares, *, trader: UUID) -> Sums:
    """Book a refund that left our balance."""
    return _turned(paid(shares, trader=trader))


def fee(minor: int, *, bearer: str) -> Sums:
    """Book what Stripe kept: on `fees`, or on the account of the trader who bears it."""
    return _sums({STRIPE: -minor, bearer: minor})


def disputed(minor: int) -> Sums:
    """Book what a bank took until a dispute is decided."""
    return _sums({STRIPE: -minor, DISPUTED: minor})


def dispute_won(minor: int) -> Sums:
    """Book that the bank gave it back."""
    return _turned(disputed(minor))


def dispute_lost(shares: Shares, *, trader: UUID) -> Sums:
    """Book that the bank keeps it: both lose their part."""
    back = {account: -minor for account, minor in _owed(shares, trader).items()}
    return _sums({DISPUTED: -shares.platform - shares.trader, **back})


def payout(minor: int, *, trader: UUID) -> Sums:
    """Book what goes from our balance to a trader's."""
    return _sums({STRIPE: -minor, trader_account(trader): minor})


def payout_back(minor: int, *, trader: UUID) -> Sums:
    """Book what came back of a payout, or never left: it is owed again."""
    return _turned(payout(minor, trader=trader))


def more_taken(paid: Shares, *, before: int, more: int) -> Shares:
    """Divide what is taken back of a payment beyond `before`; what exceeds the payment is the platform's loss.

    A negative `more` is what came back to us: a refund that failed, a dispute that was won after all.
    """
    total = paid.platform + paid.trader
    held = [taken_back(paid, refunded=min(max(taken, 0), total)) for taken in (before, before + more)]
    trader = held[1].trader - held[0].trader
    return Shares(platform=more - trader, trader=trader)


def _owed(shares: Shares, trader: UUID) -> dict[str, int]:
    return {PLATFORM: -shares.platform, trader_account(trader): -shares.trader}


def _turned(sums: Sums) -> Sums:
    return {account: -minor for account, minor in sums.items()}


def _sums(sums: dict[str, int]) -> Sums:
    """Return the sums without what does not change; a booking that does not add up is a bug."""
    if sum(sums.values()) != 0:
        raise ArithmeticError(f"booking does not add up: {sums}")
    return {account: minor for account, minor in sums.items() if minor}
