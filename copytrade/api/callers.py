"""Who calls: a person by the session cookie, from our own pages; a service by its signed token."""

import ipaddress
from typing import Annotated, Any

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyCookie, HTTPBearer

from copytrade.db.session import reading
from copytrade.errors import NotAllowed, NotSignedIn
from copytrade.settings import settings
from copytrade.users.queries import Person, person_of_token
from copytrade.users.service import token_in
from copytrade.users.service_tokens import Scope, ServiceCaller, caller_of

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
JSON = "application/json"
# For the OpenAPI document only; what they find is read again below.
_COOKIE = APIKeyCookie(name="session", scheme_name="session cookie", auto_error=False)
_BEARER = HTTPBearer(scheme_name="service token", auto_error=False)


class CrossSite(NotAllowed):
    """The request came from a page of another site."""

    code = "cross_site"
    text = "This request did not come from our own pages. Please open the page again."

    def __init__(self) -> None:
        super().__init__("request was cross-site", user=self.text)


def same_origin(request: Request) -> None:
    """Raise CrossSite unless the request comes from our pages, or from a program that is no browser and speaks JSON."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if origin is not None:
        if origin not in settings().web_origins or site in ("cross-site", "same-site"):
            raise CrossSite
    elif site is not None:
        if site != "same-origin":
            raise CrossSite
    elif content_type(request) != JSON:
        raise CrossSite


def content_type(request: Request) -> str:
    """Return the media type of the body without its parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def signed_in(request: Request, _cookie: Annotated[str | None, Depends(_COOKIE)] = None) -> Person:
    """Return who is signed in; raise NotSignedIn, or CrossSite where another site's page would change something."""
    if request.method not in SAFE_METHODS:
        same_origin(request)
    token = token_in(request.headers.get("cookie", ""))
    person = None
    if token:
        with reading() as session:
            person = person_of_token(session, token)
    if person is None:
        raise NotSignedIn("nobody is signed in", user="Please sign in.")
    request.state.person = person
    return person


def service_of(request: Request) -> ServiceCaller | None:
    """Return the service that calls, None without a bearer token; raise NotSignedIn for a bad one."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return caller_of(token.strip()) if scheme.lower() == "bearer" else None


def with_scope(caller: ServiceCaller, scope: Scope) -> ServiceCaller:
    """Return the caller; raise NotAllowed unless its token has the scope."""
    if scope not in caller.scopes:
        raise NotAllowed(
            f"token of {caller.name} lacks {scope}", user="The token lacks the right {scope}.", scope=scope
        )
    return caller


def service(scope: Scope) -> Any:
    """Return a dependency that lets in services whose token has the scope, and nobody else."""

    def allowed(request: Request, _token: Annotated[Any, Depends(_BEARER)] = None) -> ServiceCaller:
        caller = service_of(request)
        if caller is None:
            raise NotSignedIn("no service token was given", user="The token is not valid.")
        return with_scope(caller, scope)

    return Security(allowed, scopes=[scope.value])


def person_or(scope: Scope) -> Any:
    """Return a dependency that lets in a signed-in person, or a service whose token has the scope."""

    def allowed(
        request: Request,
        _cookie: Annotated[str | None, Depends(_COOKIE)] = None,
        _token: Annotated[Any, Depends(_BEARER)] = None,
    ) -> Person | ServiceCaller:
        caller = service_of(request)
        return signed_in(request) if caller is None else with_scope(caller, scope)

    return Security(allowed, scopes=[scope.value])


def address_of(request: Request) -> str:
    """Return the caller's address; forwarded ones count only as far as our own proxies say them."""
    address = request.client.host if request.client else ""
    trusted = [ipaddress.ip_network(proxy, strict=False) for proxy in settings().trusted_proxies]
    for told in reversed(request.headers.get("x-forwarded-for", "").split(",")):
        if not _is_within(address, trusted) or not told.strip():
            break
        address = told.strip()
    return address


def _is_within(address: str, networks: list[ipaddress.IPv4Network | ipaddress.IPv6Network]) -> bool:
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(ip in network for network in networks)


SignedIn = Annotated[Person, Depends(signed_in)]
