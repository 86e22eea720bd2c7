"""The `copytrade` command, for operators: `up`, `migrate`, `keys`, `operator add EMAIL`, `token NAME …`."""

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy.exc import OperationalError

from copytrade.engines import CannotStart
from copytrade.errors import CopyTradeError
from copytrade.installation import installation_keys, local_environment
from copytrade.settings import ROOT, settings


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return the exit code, with one sentence on stderr where it is not 0."""
    asked = _parser().parse_args(arguments)
    try:
        _reach_local_installation()
        asked.run(asked)
    except (CopyTradeError, CannotStart) as problem:
        return _refuse(str(problem))
    except OperationalError:
        return _refuse("The database does not answer; start the installation first (`make demo`, or `copytrade up`).")
    return 0


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

    token = commands.add_parser("token", help="issue a token for a service that calls the REST API")
    token.add_argument("name")
    token.add_argument("--scope", action="append", required=True, help="may be given several times")
    token.add_argument("--public-key", help="X25519, base64: what secrets are sealed to for this service")
    token.add_argument("--days", type=int, default=365)
    token.set_defaults(run=_issue_token)
    return parser


if __name__ == "__main__":
    sys.exit(main())
