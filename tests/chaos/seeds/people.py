"""What people do in a seed while everything goes wrong: begin, change their minds, trade by hand, throw switches."""

import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

import psycopg
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from copytrade import clock
from copytrade.accounts import paper
from copytrade.accounts import service as accounts
from copytrade.accounts.reasons import State
from copytrade.copying import service as copying
from copytrade.copying.service import SwitchMode, SwitchScope
from copytrade.db.session import transaction
from copytrade.domain.sizing import EndMode
from copytrade.errors import Conflict
from copytrade.sandbox.client import ControlError
from tests.chaos.seeds import choices
from tests.chaos.seeds.world import SIZES, Copy, Frozen, Spare, World, on_paper
from tests.stage import FUNDS

Later = list[tuple[float, str, Callable[[], object]]]
THROWN_S = (2.0, 5.0)
"""How long a switch stays thrown."""


@dataclass(slots=True)
class People:
    """Subscribers and the operator, by lot; where the database is away they try again, as people do."""

    world: World
    chance: random.Random
    later: Later
    thrown: set[str] = field(default_factory=set[str])
    """Whom a switch holds back now."""

    def act(self, at: float) -> str:
        """Let somebody do something; return what."""
        acts, weights = zip(*_ACTS, strict=True)
        return self.chance.choices(acts, weights)[0](self, at)

    def _subscribe(self, at: float) -> str:
        """Somebody begins to copy in the middle of it all."""
        if not self.world.spare:
            return ""
        spare = self.world.spare.pop()
        account, lead = spare.account, spare.lead
        if account is None:
            self._insist(at, "a paper account", lambda: self._open(at, spare))
            return f"somebody copies {lead.account.key.account_id} on paper"
        settings = choices.settings(self.chance)
        self._insist(
            at, f"the start of {account.key.account_id}", lambda: self.world.subscribe(account, lead, settings)
        )
        return f"{account.key.account_id} copies {lead.account.key.account_id}"

    def _open(self, at: float, spare: Spare) -> None:
        (venue, market), settings = spare.lead.place, choices.settings(self.chance)
        with transaction() as session:
            id = paper.open_account(session, owner=spare.owner, venue=venue, market=market, funds=FUNDS)

        def start() -> None:
            with transaction() as session:
                state = accounts.result(session, owner=spare.owner, account_id=id).state
            if state == State.ACTIVE:
                account = on_paper(self.world.control, id, spare.owner, place=spare.lead.place)
                self.world.subscribe(account, spare.lead, settings)
            elif state == State.CHECKING and len(tries) < 60:
                tries.append(at)
                self.later.append((at + len(tries) / 2, f"{id} waits for its key", again))

        def again() -> None:
            self._insist(at, f"the start of {id}", start)

        tries = list[float]()
        again()

    def _settings(self, at: float) -> str:
        """A subscriber changes his mind: his sizing, a pause, a stop, the end."""
        copies = [copy for copy in self.world.copies if copy.ended_by is None]
        if not copies:
            return ""
        copy = self.chance.choice(copies)
        name = copy.account.key.account_id
        if self.chance.random() < 0.85:
            copy.chosen.append(choices.changed(copy.settings, self.chance))
            self._insist(at, f"settings of {name}", lambda: self._save(copy))
            return f"copy {name}: {copy.rules[-1]}, paused {copy.settings.is_paused}"
        copy.ended_by = self.chance.choice(list(EndMode))
        self._insist(at, f"the end of {name}", lambda: self._stop(copy))
        return f"copy {name}: ends, {copy.ended_by}"

    def _save(self, copy: Copy) -> None:
        if copy.ended_by is None:
            with transaction() as session:
                copying.save_settings(
                    session, owner=copy.account.owner, subscription_id=copy.subscription_id, settings=copy.settings
                )

    def _stop(self, copy: Copy) -> None:
        assert copy.ended_by is not None
        # The first try may have come through though the database went away.
        with suppress(Conflict), transaction() as session:
            copying.stop(session, owner=copy.account.owner, subscription_id=copy.subscription_id, mode=copy.ended_by)

    def _by_hand(self, at: float) -> str:
        """A subscriber trades on his copy account himself, for himself or against what was copied."""
        if not self.world.copies:
            return ""
        copy = self.chance.choice(self.world.copies)
        symbol, side = self.chance.choice(copy.lead.symbols), self.chance.choice(("BUY", "BUY", "SELL"))
        quantity = self.chance.randrange(1, 12) * SIZES[symbol]
        position_side = self.chance.choice(("LONG", "SHORT")) if copy.lead.is_hedged else None
        number = copy.account.key.account_id
        try:
            self.world.control.place(
                number, symbol, side, quantity, market=copy.lead.place[1].value, position_side=position_side
            )
        except ControlError as error:
            return f"{number} by hand: {symbol} {side} {quantity} refused: {error}"
        return f"{number} by hand: {symbol} {position_side or ''} {side} {quantity}"

    def _switch(self, at: float) -> str:
        """Copying is held back, by an operator or by a subscriber for himself, and let go on a little later."""
        copy, scope = self.chance.choice(self.world.copies), self.chance.choice(list(SwitchScope))
        mode = self.chance.choice([mode for mode in SwitchMode if mode is not SwitchMode.ON])
        seconds, name = self.chance.uniform(*THROWN_S), _name(scope, copy)
        if name in self.thrown:
            return ""
        self.thrown.add(name)
        since, until = list[datetime](), list[datetime]()

        def throw() -> None:
            if not until:
                self._throw(scope, name, mode)
                since.append(clock.real_now())

        def lift() -> None:
            # It counts as lifted from the first try on, which may have come through.
            until.append(clock.real_now())
            self._throw(scope, name, SwitchMode.ON)
            self.thrown.discard(name)
            if mode is SwitchMode.HANDS_OFF and since:
                self.world.frozen.append(Frozen(name, since[0], until[0]))

        self._insist(at, f"{scope} {name}: {mode}", throw)
        self.later.append((at + seconds, f"{scope} is on", lambda: self._insist(at + seconds, "a switch", lift)))
        return f"{scope} {name}: {mode} for {seconds:.1f} s"

    def _throw(self, scope: SwitchScope, name: str, mode: SwitchMode) -> None:
        with transaction() as session:
            copying.set_switch(session, by=self.world.operator, scope=scope, scope_id=name, mode=mode, reason="a seed")

    def _insist(self, at: float, what: str, act: Callable[[], object]) -> None:
        """Do it now, or, where the database is away, a little later, as a person would."""
        try:
            act()
        except (SQLAlchemyError, psycopg.Error, RedisError):
            self.later.append((at + 1.0, what, lambda: self._insist(at + 1.0, what, act)))


def _name(scope: SwitchScope, copy: Copy) -> str:
    match scope:
        case SwitchScope.PLATFORM:
            return "all"
        case SwitchScope.VENUE:
            return copy.lead.place[0].value
        case SwitchScope.TRADER:
            return str(copy.lead.profile_id)
        case SwitchScope.SUBSCRIBER:
            return str(copy.account.owner)


_ACTS: tuple[tuple[Callable[[People, float], str], int], ...] = (
    (People._subscribe, 3),
    (People._settings, 5),
    (People._by_hand, 2),
    (People._switch, 2),
)
