"""How often signing in and registering may be tried, counted in Redis over a moving window.

An account is never locked for everybody: the tight limit counts one account from one address, so that a stranger
cannot lock its owner out; a much wider one over all addresses slows a guess that comes from many places.
"""

import ipaddress
from functools import lru_cache

from limits import RateLimitItem, parse
from limits.storage import RedisStorage
from limits.strategies import MovingWindowRateLimiter
from redis import ConnectionPool, RedisError

from copytrade.settings import settings
from copytrade.users.refusals import SignInUnavailable, TooManyAttempts

_EVERYWHERE = 20
"""An account may be tried this many times as often over all addresses."""


@lru_cache(maxsize=1)
def _limiter() -> MovingWindowRateLimiter:
    # The URI only chooses the class; the pool knows how to reach a socket as well as a host.
    pool = ConnectionPool.from_url(settings().redis_url)
    return MovingWindowRateLimiter(RedisStorage("redis://", connection_pool=pool, key_prefix="throttle"))


def network_of(address: str) -> str:
    """Return the /24 or /48 network of an address, empty for anything that is none: what a list of sessions shows."""
    return _cut(address, v4=24, v6=48)


def before_login(*, email: str, address: str) -> None:
    """Count an attempt at an account; raise TooManyAttempts when it or the address was tried too often."""
    account = parse(settings().login_attempts_per_account)
    wide = type(account)(account.amount * _EVERYWHERE, account.multiples)
    try:
        is_tried_out = not _limiter().test(_per_address(), "login", _place(address))
        _count(account, "account", email, _place(address), refused=is_tried_out)
        _count(wide, "account", email)
    except RedisError as error:
        raise SignInUnavailable from error


def after_wrong_login(*, address: str) -> None:
    """Count a wrong password against the address it came from."""
    try:
        _limiter().hit(_per_address(), "login", _place(address))
    except RedisError as error:
        raise SignInUnavailable from error


def after_right_login(*, email: str, address: str) -> None:
    """Forget the attempts at an account from this place."""
    try:
        _limiter().clear(parse(settings().login_attempts_per_account), "account", email, _place(address))
    except RedisError as error:
        raise SignInUnavailable from error


def before_registering(*, address: str) -> None:
    """Count a registration from an address; raise TooManyAttempts when there were too many."""
    try:
        _count(parse(settings().registrations_per_address), "register", _place(address))
    except RedisError as error:
        raise SignInUnavailable from error


def _per_address() -> RateLimitItem:
    return parse(settings().login_attempts_per_address)


def _place(address: str) -> str:
    # Whoever has one IPv6 address has at least the 2^64 beside it.
    return _cut(address, v4=32, v6=64) or "unknown"


def _cut(address: str, *, v4: int, v6: int) -> str:
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return ""
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    prefix = v4 if ip.version == 4 else v6
    return str(ipaddress.ip_network(f"{ip}/{prefix}", strict=False).network_address)


def _count(limit: RateLimitItem, *names: str, refused: bool = False) -> None:
    if refused or not _limiter().hit(limit, *names):
        raise TooManyAttempts(names[0])
