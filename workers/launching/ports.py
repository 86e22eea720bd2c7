"""Free ports on the loopback address."""

import socket

from copytrade.engines import CannotStart


def is_free(port: int, *, host: str) -> bool:
    """Tell whether a server could listen on `port`."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def next_free(first: int, *, host: str, avoid: frozenset[int] = frozenset()) -> int:
    """Return the first free port from `first` on; CannotStart when a hundred of them are taken."""
    for port in range(first, min(first + 100, 65536)):
        if port not in avoid and is_free(port, host=host):
            return port
    raise CannotStart(f"All ports from {first} to {first + 99} are taken.")


def any_free(*, host: str = "127.0.0.1") -> int:
    """Return a free port that the system chose."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])
