"""The `copytrade` command, for operators: `up`, `migrate`, `keys`, `operator add EMAIL`, `token NAME …`, `doctor`."""

import argparse
import asyncio
import os
import sys
import tempfile
from collections.abc import Sequence
from getpass import getpass
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from sqlalchemy.exc import OperationalError

from copytrade.domain.instruments import Market, Venue
from copytrade.engines import CannotStart
from copytrade.errors import CopyTradeError, InvalidInput
from copytrade.installation import installation_keys, local_environment
from copytrade.settings import ROOT, settings

if TYPE_CHECKING:
    from copytrade.exchanges.doctor import Finding
    from copytrade.exchanges.port import AccountRef, SecretOpener


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return the exit code, with one sentence on stderr where it is not 0."""
    asked = _parser().parse_args(arguments)
    try:
        _reach_local_installation()
        code = asked.run(asked)
    except (CopyTradeError, CannotStart) as problem:
        return _refuse(str(problem))
    except OperationalError:
        return _refuse("The database does not answer; start the installation first (`make demo`, or `copytrade up`).")
    return code or 0


def _up(_asked: argparse.Namespace) -> None:
    os.execv(sys.executable, [sys.executable, "-m", "workers.launch"])  # noqa: S606 - our own program


def _migrate(_asked: argparse.Namespace) -> None:
    from copytrade.db.migrations import migrate_to_head

    migrate_to_head()


def _add_operator(asked: argparse.Namespace) -> None:
    from copytrade.db.session import transaction
    from copytrade.users.service import make_operator

    with transaction() as session:
        person, password = make_operator(session, email=asked.email)
    print(f"{person.email} is an operator now.")
    if password:
        print(f"Nobody had that address, so an account was made. Its password, shown only now: {password}")


def _issue_token(asked: argparse.Namespace) -> None:
    from copytrade.users.service_tokens import issue

    print(issue(name=asked.name, scopes=set(asked.scope), public_key=asked.public_key, days=asked.days))


def _make_keys(_asked: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as folder:
        made = installation_keys(Path(folder) / "keys")
    print("# For your secret store. Only worker-copy, worker-capture and stream get COPYTRADE_KEYRING.")
    for name, value in made.items():
        if not name.startswith("COPYTRADE_STRIPE"):
            print(f"{name}={value}")


def _doctor(asked: argparse.Namespace) -> int:
    """Print what was found, as a table; 1 where a problem is among it."""
    from copytrade.exchanges.doctor import Verdict

    ref, open_secret = _linked(asked) if asked.account else _typed(asked)
    found = asyncio.run(_examined(ref, open_secret))
    width = max(len(finding.what) for finding in found)
    print(f"{ref.venue.value} {ref.market.value}, {ref.mode}")
    for finding in found:
        print(f"{finding.what:{width}}  {finding.verdict.value:8} {finding.text.format(**finding.facts)}")
    return int(any(finding.verdict is Verdict.PROBLEM for finding in found))


async def _examined(ref: "AccountRef", open_secret: "SecretOpener") -> "Sequence[Finding]":
    from copytrade.exchanges import doctor
    from copytrade.exchanges.pool import Pool

    pool = Pool(open_secret)
    try:
        return await doctor.examine(await pool.get(ref))
    finally:
        await pool.close()


def _linked(asked: argparse.Namespace) -> "tuple[AccountRef, SecretOpener]":
    from copytrade.accounts import queries as accounts
    from copytrade.accounts.vault import opener
    from copytrade.db.session import reading

    with reading() as session:
        ref = accounts.ref(session, asked.account)
    if ref.venue != asked.venue:
        raise InvalidInput(f"This account is one of {ref.venue.value}.")
    return ref, opener()


def _typed(asked: argparse.Namespace) -> "tuple[AccountRef, SecretOpener]":
    from copytrade.exchanges.port import AccountRef, Credentials
    from copytrade.exchanges.venues import facts, is_served

    venue, market = Venue(asked.venue), Market(asked.market)
    mode = asked.mode or settings().exchange_modes[0]
    if mode not in settings().exchange_modes or not is_served(venue, market=market):
        raise InvalidInput(f"{venue.value} {market.value} in mode {mode} is not served by this installation.")
    names = ("KEY", "SECRET", "PASSPHRASE") if facts(venue).has_passphrase else ("KEY", "SECRET")
    credentials = Credentials(*(_secret(name) for name in names))
    return AccountRef(uuid4(), venue, market, mode), lambda account_id: credentials


def _secret(name: str) -> str:
    # Never an argument: others on the machine could see it.
    asked = f"API {name.lower()}"
    value = os.environ.get(f"COPYTRADE_DOCTOR_{name}", "").strip()
    if not value:
        value = (getpass(f"{asked}: ") if sys.stdin.isatty() else sys.stdin.readline()).strip()
    if not value:
        raise InvalidInput(f"The {asked} is missing.")
    return value


def _reach_local_installation() -> None:
    # Run by hand, none of the variables is set that the launcher gives to its processes.
    if os.environ.get("COPYTRADE_DATABASE_URL"):
        return
    var = Path(os.environ.get("COPYTRADE_VAR", "") or ROOT / "var").resolve()
    for name, value in local_environment(var).items():
        os.environ.setdefault(name, value)
    settings.cache_clear()


def _refuse(why: str) -> int:
    print(why, file=sys.stderr)
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="copytrade", description="CopyTrade, for the one who runs it.")
    commands = parser.add_subparsers(required=True, metavar="command")

    up = commands.add_parser("up", help="start everything on this machine; Ctrl-C ends it")
    up.set_defaults(run=_up)

    migrate = commands.add_parser("migrate", help="bring the database to the newest revision")
    migrate.set_defaults(run=_migrate)

    operator = commands.add_parser("operator", help="who runs the platform").add_subparsers(required=True)
    add = operator.add_parser("add", help="make somebody an operator")
    add.add_argument("email")
    add.set_defaults(run=_add_operator)

    keys = commands.add_parser("keys", help="make the secrets of a new installation and print them once")
    keys.set_defaults(run=_make_keys)

    examine = commands.add_parser("doctor", help="examine an exchange account; no order is placed")
    examine.add_argument("venue", choices=[venue.value for venue in Venue])
    examine.add_argument("--market", choices=[market.value for market in Market], default=Market.PERPETUAL.value)
    examine.add_argument("--mode", choices=["live", "testnet", "sandbox"], help="the first allowed one unless given")
    examine.add_argument(
        "--account",
        type=UUID,
        help="an account that is linked here; else the key is read from COPYTRADE_DOCTOR_KEY, _SECRET and "
        "_PASSPHRASE, or asked for",
    )
    examine.set_defaults(run=_doctor)

    token = commands.add_parser("token", help="issue a token for a service that calls the REST API")
    token.add_argument("name")
    token.add_argument("--scope", action="append", required=True, help="may be given several times")
    token.add_argument("--public-key", help="X25519, base64: what secrets are sealed to for this service")
    token.add_argument("--days", type=int, default=365)
    token.set_defaults(run=_issue_token)
    return parser


if __name__ == "__main__":
    sys.exit(main())
