"""With whose money an account trades, and at which address: the venue's own, or our sandbox and paper exchange."""

from copytrade.settings import settings

TESTNET = "testnet"
"""The venue's own demo trading."""
SANDBOX = "sandbox"
"""Our sandbox: demo and tests only."""
PAPER = "paper"
"""Play money at our paper exchange, which has the venue's prices; nobody types a key for it."""
_OURS = (SANDBOX, PAPER)


def is_served(mode: str) -> bool:
    """Return whether this installation has clients for accounts of a mode."""
    return settings().is_paper_served if mode == PAPER else mode in settings().exchange_modes


def base_url(mode: str, *, venue: str) -> str:
    """Return what takes the place of the venue's own addresses, empty where nothing does."""
    if mode == PAPER:
        return settings().paper_url(venue)
    return settings().sandbox_url if mode == SANDBOX else ""


def goes_direct(mode: str) -> bool:
    """Return whether accounts of a mode are reached past the proxies: what is ours is on our own network."""
    return mode in _OURS and not settings().egress_in_sandbox


def limits_factor(mode: str) -> float:
    """Return by how much more than its venue a mode allows an address."""
    if mode == PAPER and settings().is_production:
        return settings().paper_limits_factor
    return settings().sandbox_limits_factor if mode in _OURS else 1.0
