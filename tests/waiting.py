"""Waiting for a condition instead of sleeping for a guess."""

import http.client
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


def wait_until(condition: Callable[[], T], *, timeout: float = 10, every: float = 0.02, what: str = "") -> T:
    """Return the first true value of `condition`; AssertionError with `what` after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout} s: {what or condition}; last value {value!r}")
        time.sleep(every)


def wait_for_http(
    url: str, *, timeout: float = 60, alive: Callable[[], bool] = lambda: True, log: Path | None = None
) -> None:
    """Wait until `url` answers below 500; AssertionError with the end of `log` when the server is not `alive`."""

    def answers() -> bool:
        if not alive():
            raise AssertionError(f"the server of {url} ended:\n{log.read_text()[-2000:] if log else ''}")
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return answer.status < 500
        except urllib.error.HTTPError as error:
            error.close()
            return error.code < 500
        except (OSError, http.client.HTTPException):
            return False

    wait_until(answers, timeout=timeout, what=url)
