"""Where the pages are."""

from urllib.parse import quote, urlencode

HOME = "/"
TRADERS = "/traders"
TRADER = "/traders/[slug]"
SUBSCRIBE = "/traders/[slug]/subscribe"
WALLET = "/wallet"
COPIES = "/copies"
SUBSCRIPTIONS = "/subscriptions"
ACCOUNTS = "/accounts"
DESK = "/desk"
EARNINGS = "/earnings"
NOTICES = "/notices"
SETTINGS = "/settings"
OPERATOR = "/operator"
OPERATOR_MONEY = "/operator/money"
LOGIN = "/login"
REGISTER = "/register"
MISSING = "404"
"""What Reflex calls the page that stands where an address leads nowhere."""

API_LOGIN = "/api/v1/login"
API_REGISTER = "/api/v1/register"
API_LOGOUT = "/api/v1/logout"
API_SHEETS = "/api/v1/payments/sheets"


def login(*, then: str) -> str:
    """Return the login page that leads back to where the person was going."""
    return f"{LOGIN}?{urlencode({'next': then})}" if local(then) else LOGIN


def trader(slug: str) -> str:
    """Return a trader's page."""
    return f"{TRADERS}/{quote(slug, safe='')}"


def subscribe(slug: str) -> str:
    """Return the page on which one subscribes to a trader."""
    return f"{trader(slug)}/subscribe"


def try_on_paper(slug: str) -> str:
    """Return the page on which one tries a trader with play money."""
    return f"{subscribe(slug)}?paper=1"


def link_account(*, venue: str, market: str, role: str = "copy") -> str:
    """Return the form that links an account, its exchange and market already chosen."""
    return f"{ACCOUNTS}?{urlencode({'role': role, 'venue': venue, 'market': market})}#link"


def sheet(name: str) -> str:
    """Return where a table of money is, for a spreadsheet."""
    return f"{API_SHEETS}/{name}"


def local(path: str) -> bool:
    """Tell whether a path stays on this site: no host, no scheme, nothing a browser could read as one."""
    return path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable() and "\\" not in path
