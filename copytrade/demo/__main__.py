"""`python -m copytrade.demo`: fills a running installation and writes who plays into var/demo-people.json."""

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar
from uuid import UUID

from copytrade.demo import cast, filling
from copytrade.demo.keys import Key, Keys, Place
from copytrade.domain.instruments import Role
from copytrade.sandbox.client import Control
from copytrade.settings import settings

AT_ONCE = 6
"""Accounts that are linked at the same time: each waits for a worker most of its time."""
One = TypeVar("One")
Done = TypeVar("Done")


class Demo:
    """Fills the installation and remembers what it told whom."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._profiles: dict[str, UUID] = {}
        self._places: dict[str, cast.Trader] = {}
        self._users: list[dict[str, str]] = []
        self._accounts: list[dict[str, str]] = []

    def play(self, traders: Sequence[cast.Trader], subscribers: Sequence[cast.Subscriber]) -> None:
        """Let everybody in: traders first, since they are copied."""
        self._places = {trader.name: trader for trader in traders}
        people = dict.fromkeys(trader.email for trader in traders)
        owners = {email: filling.person(email, is_trader=True) for email in people}
        leads = list[UUID]()
        for trader, (profile, key, account_id) in _at_once(lambda one: self._trader(owners[one.email], one), traders):
            self._profiles[trader.name] = profile
            leads.append(account_id)
            if trader.funds is not None or settings().demo_bots:
                # Without bots only the pairs that copy by hand are told: a character's account shall not be traded.
                self._tell_account(trader.email, Role.LEAD, key)
        for email in people:
            self._tell_user("trader", email)
        for subscriber in subscribers:
            self._subscriber(subscriber)
        _at_once(filling.captured, leads)
        filling.operator(cast.OPERATOR)
        self._tell_user("operator", cast.OPERATOR)

    def content(self) -> dict[str, Any]:
        """Return the demo's people and accounts in the form of demo.json."""
        return {"users": self._users, "exchange_accounts": self._accounts}

    def _trader(self, owner: UUID, trader: cast.Trader) -> tuple[UUID, Key, UUID]:
        key = (
            self._keys.of_character(trader.name)
            if trader.funds is None
            else self._keys.of_account(f"{trader.name}-lead", funds=trader.funds, place=trader.place)
        )
        account_id = filling.exchange_account(owner, role=Role.LEAD, label=f"{trader.name}'s trading account", key=key)
        made = filling.profile(
            owner, lead_account_id=account_id, name=trader.name, about=trader.about, price=trader.price
        )
        return made, key, account_id

    def _subscriber(self, subscriber: cast.Subscriber) -> None:
        owner = filling.person(subscriber.email, is_subscriber=True, locale=subscriber.locale)
        for _, key in _at_once(lambda copy: self._copy(owner, subscriber, copy), subscriber.copies):
            if key is not None:
                self._tell_account(subscriber.email, Role.COPY, key)
        self._tell_user("subscriber", subscriber.email)

    def _copy(self, owner: UUID, subscriber: cast.Subscriber, copy: cast.Copy) -> Key | None:
        place = self._places[copy.trader].place
        if copy.is_paper:
            self._copy_on_paper(owner, copy, place)
            return None
        key = self._keys.of_account(f"{subscriber.name}-copies-{copy.trader}", funds=copy.funds, place=place)
        account_id = filling.exchange_account(owner, role=Role.COPY, label=f"Copies {copy.trader}", key=key)
        filling.subscription(owner, profile_id=self._profiles[copy.trader], copy_account_id=account_id, copy=copy)
        return key

    def _copy_on_paper(self, owner: UUID, copy: cast.Copy, place: Place) -> None:
        label = f"Tries {copy.trader} out on paper"
        account_id = filling.paper_account(owner, place=place, label=label, funds=copy.funds)
        settings = filling.settings_of(copy)
        filling.paper_copy(owner, profile_id=self._profiles[copy.trader], copy_account_id=account_id, settings=settings)

    def _tell_user(self, role: str, email: str) -> None:
        self._users.append({"role": role, "email": email, "password": cast.PASSWORD})

    def _tell_account(self, email: str, end: Role, key: Key) -> None:
        base = f"{settings().sandbox_url}/{key.venue}"
        self._accounts.append(
            {
                "role": str(end),
                "user": email,
                "venue": str(key.venue),
                "market": str(key.market),
                "api_key": key.api_key,
                "api_secret": key.api_secret,
                "passphrase": key.passphrase,
                "api_url": base,
                "ws_url": base.replace("http", "ws", 1),
            }
        )


def _at_once(act: Callable[[One], Done], these: Sequence[One]) -> list[tuple[One, Done]]:
    """Do something with each of these, several at the same time; return what came of each, in their order."""
    with ThreadPoolExecutor(AT_ONCE) as threads:
        return list(zip(these, threads.map(act, these), strict=True))


def main() -> None:
    """Fill the installation of the settings."""
    if settings().is_production:
        raise SystemExit("The demo does not run in production (COPYTRADE_ENVIRONMENT=production).")
    with Control(settings().sandbox_url) as control:
        demo = Demo(Keys(settings().var / "demo-keys.json", control))
        if settings().demo_bots:
            demo.play(cast.TRADERS, cast.SUBSCRIBERS)
        else:
            demo.play((*cast.QUIET_TRADERS, *cast.TRADERS), (cast.QUIET_SUBSCRIBER,))
    file = settings().var / "demo-people.json"
    file.touch(mode=0o600)
    file.write_text(json.dumps(demo.content(), indent=2))


if __name__ == "__main__":
    main()
