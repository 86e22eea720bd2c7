"""The session's cookie: HttpOnly, SameSite=Lax, Secure behind TLS."""

from fastapi import Response

from copytrade.settings import settings
from copytrade.users.queries import longest_session
from copytrade.users.service import cookie_name


def put(answer: Response, *, token: str) -> None:
    """Set the cookie of a new session."""
    answer.set_cookie(
        cookie_name(),
        token,
        max_age=int(longest_session().total_seconds()),
        path="/",
        httponly=True,
        samesite="lax",
        secure=settings().cookie_secure,
    )
    answer.headers["Cache-Control"] = "no-store"


def drop(answer: Response) -> None:
    """Remove the cookie."""
    answer.delete_cookie(cookie_name(), path="/", httponly=True, samesite="lax", secure=settings().cookie_secure)
    answer.headers["Cache-Control"] = "no-store"
