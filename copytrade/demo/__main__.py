"""`python -m copytrade.demo`: fills a running installation and writes who plays into var/demo-people.json."""

import json
from typing import Any
from uuid import UUID

from copytrade.demo import cast, filling
from copytrade.demo.keys import Key, Keys
from copytrade.domain.instruments import Market, Role, Venue
from copytrade.sandbox.client import Control
from copytrade.settings import settings


class Demo:
    """Fills the installation and remembers what it told whom."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._profiles: dict[str, UUID] = {}
        self._users: list[dict[str, str]] = []
        self._accounts: list[dict[str, str]] = []

    def play(self, traders: tuple[cast.Trader, ...], subscribers: tuple[cast.Subscriber, ...]) -> None:
        """Let everybody in: traders first, since they are copied."""
        for trader in traders:
            self._trader(trader)
        for subscriber in subscribers:
            self._subscriber(subscriber)
        filling.operator(cast.OPERATOR)
        self._tell_user("operator", cast.OPERATOR)

    def content(self) -> dict[str, Any]:
        """Return the demo's people and accounts in the form of demo.json."""
        return {"users": self._users, "exchange_accounts": self._accounts}

    def _trader(self, trader: cast.Trader) -> None:
        owner = filling.person(trader.email, is_trader=True)
        key = (
            self._keys.of_character(trader.name)
            if trader.funds is None
            else self._keys.of_account(f"{trader.name}-lead", funds=trader.funds)
        )
        account_id = filling.exchange_account(owner, role=Role.LEAD, label=f"{trader.name}'s trading account", key=key)
        self._profiles[trader.name] = filling.profile(
            owner, lead_account_id=account_id, name=trader.name, about=trader.about, price=trader.price
        )
        self._tell_user("trader", trader.email)
        if trader.funds is not None or settings().demo_bots:
            # Without bots only the pair that copies by hand is told: a character's account shall not be traded.
            self._tell_account(trader.email, Role.LEAD, key)

    def _subscriber(self, subscriber: cast.Subscriber) -> None:
        owner = filling.person(subscriber.email, is_subscriber=True, locale=subscriber.locale)
        for copy in subscriber.copies:
            key = self._keys.of_account(f"{subscriber.name}-copies-{copy.trader}", funds=copy.funds)
            account_id = filling.exchange_account(owner, role=Role.COPY, label=f"Copies {copy.trader}", key=key)
            filling.subscription(owner, profile_id=self._profiles[copy.trader], copy_account_id=account_id, copy=copy)
            self._tell_account(subscriber.email, Role.COPY, key)
        self._tell_user("subscriber", subscriber.email)

    def _tell_user(self, role: str, email: str) -> None:
        self._users.append({"role": role, "email": email, "password": cast.PASSWORD})

    def _tell_account(self, email: str, end: Role, key: Key) -> None:
        base = f"{settings().sandbox_url}/{Venue.BINANCE}"
        self._accounts.append(
            {
                "role": str(end),
                "user": email,
                "venue": str(Venue.BINANCE),
                "market": str(Market.PERPETUAL),
                "api_key": key.api_key,
                "api_secret": key.api_secret,
                "passphrase": "",
                "api_url": base,
                "ws_url": base.replace("http", "ws", 1),
            }
        )


def main() -> None:
    """Fill the installation of the settings."""
    if settings().is_production:
        raise SystemExit("The demo does not run in production (COPYTRADE_ENVIRONMENT=production).")
    with Control(settings().sandbox_url) as control:
        demo = Demo(Keys(settings().var / "demo-keys.json", control))
        if settings().demo_bots:
            demo.play(cast.TRADERS, cast.SUBSCRIBERS)
        else:
            demo.play((cast.QUIET_TRADER, *cast.TRADERS), (cast.QUIET_SUBSCRIBER,))
    file = settings().var / "demo-people.json"
    file.touch(mode=0o600)
    file.write_text(json.dumps(demo.content(), indent=2))


if __name__ == "__main__":
    main()
