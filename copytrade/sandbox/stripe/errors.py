"""Stripe's errors: the body and the HTTP status that the SDK turns into its exception classes."""

from typing import Any

Json = dict[str, Any]


class ApiError(Exception):
    """An answer other than 200, in Stripe's form."""

    def __init__(
        self, status: int, message: str, *, type: str = "invalid_request_error", code: str | None = None, **more: Any
    ) -> None:
        super().__init__(message)
        self.status = status
        self.body: Json = {"error": {"type": type, "message": message, **({"code": code} if code else {}), **more}}


def missing(param: str) -> ApiError:
    """Build the error for a required parameter that was not given."""
    return ApiError(400, f"Missing required param: {param}.", code="parameter_missing", param=param)


def unknown(param: str) -> ApiError:
    """Build the error for a parameter that this endpoint does not know."""
    return ApiError(400, f"Received unknown parameter: {param}", code="parameter_unknown", param=param)


def invalid(param: str, message: str, *, code: str | None = None) -> ApiError:
    """Build the error for a parameter whose value cannot be used."""
    return ApiError(400, message, code=code, param=param)


def no_such(kind: str, id: str, *, param: str = "id") -> ApiError:
    """Build the 404 for an object that does not exist."""
    return ApiError(404, f"No such {kind}: '{id}'", code="resource_missing", param=param)


def no_such_reference(kind: str, id: str, *, param: str) -> ApiError:
    """Build the 400 for a parameter that names an object that does not exist."""
    return ApiError(400, f"No such {kind}: '{id}'", code="resource_missing", param=param)


def no_access(account: str) -> ApiError:
    """Build the 403 for a connected account that is not ours, or not there any more."""
    return ApiError(
        403,
        f"The provided key does not have access to account '{account}' (or that account does not exist)."
        " Application access may have been revoked.",
        code="account_invalid",
    )
