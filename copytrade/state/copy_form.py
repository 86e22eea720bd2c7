"""The form of copy settings, for whoever subscribes and whoever changes what runs: one form, one example."""

import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import reflex as rx

from copytrade import clock
from copytrade.copying import preview
from copytrade.domain.instruments import Market
from copytrade.domain.sizing import FIXED_MODES, CopySettings
from copytrade.errors import InvalidInput
from copytrade.i18n.voice import Voice
from copytrade.state.asking import Who, action
from copytrade.state.copy_draft import FACTORS, LONGEST_LIST, Draft, position_preset, settings_of, typed
from copytrade.state.example_told import Shown, shown
from copytrade.state.ids import id_of
from copytrade.state.typed import amount_of
from copytrade.state.work import read
from copytrade.users.queries import Person

MARKED = "Please look at the fields that are marked."
ECHO = timedelta(seconds=3)
"""How long a value that was taken back may still come from the browser."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A symbol that the trader trades."""

    symbol: str
    name: str
    base: str


class CopyForm(rx.State, mixin=True):
    """What was typed, what is wrong with it, and what it would do."""

    if TYPE_CHECKING:
        problem: str

    draft: Draft = Draft()
    faults: dict[str, str] = {}
    shown: Shown = Shown()
    choices_of_symbols: list[Choice] = []
    holds: str = ""
    """What the trader holds now, in words."""
    joins_better: str = ""
    can_short: bool = True
    trader: str = ""
    form_round: int = 0
    """Grows when the fields are filled in anew: the browser then takes their values."""
    _profile: str = ""
    _account: str = ""
    _before: CopySettings = CopySettings()
    _factors: dict[str, str] = {}
    """What was typed as the size of each way of sizing."""
    _filled_in: str = ""
    """The limit per position that was filled in last, and when it was taken back."""
    _taken_back_at: datetime | None = None
    _is_refused: bool = False
    """The form was sent with faults that are still there."""

    @action(Who.SUBSCRIBER)
    async def typed(self, asker: Person, voice: Voice, form: dict[str, Any]) -> Any:
        """Take what was typed so far and show what it would do; presets follow the way of sizing."""
        before, self.draft = self.draft, typed(form, before=self.draft)
        ground = await self._ground(asker)
        fills = [*self._follow_mode(before), *self._preset(before, ground)]
        await self._show(ground, voice, only=set(self.faults))
        self._tell_again(voice)
        return fills

    @action(Who.SUBSCRIBER)
    async def add_symbol(self, asker: Person, voice: Voice, base: str) -> Any:
        """Put a coin of the trader's on the list of symbols."""
        words = [word.strip() for word in self.draft.symbols.split(",") if word.strip()]
        if base not in words:
            words.append(base)
        self.draft = replace(self.draft, symbols=", ".join(words)[:LONGEST_LIST])
        await self._show(await self._ground(asker), voice, only=set(self.faults))
        self._tell_again(voice)
        return rx.set_value("symbols", self.draft.symbols)

    async def _fill(self, asker: Person, voice: Voice, draft: Draft, *, before: CopySettings) -> None:
        """Fill the fields in, and say what is known of the trader now."""
        self.draft, self._before, self.faults, self._factors = draft, before, {}, {}
        self._filled_in, self._taken_back_at, self._is_refused = "", None, False
        self.form_round += 1
        await self._look_again(asker, voice)

    async def _look_again(self, asker: Person, voice: Voice) -> None:
        """Say what is known of the trader and his exchange now; what was typed stays."""
        ground = await self._ground(asker)
        self.can_short = ground.market is Market.PERPETUAL
        self.choices_of_symbols = [
            Choice(one.rules.symbol, one.rules.symbol.partition(":")[0], one.rules.base) for one in ground.usual
        ]
        self.holds = (
            voice.count(ground.holds, "He holds {n} position now.", "He holds {n} positions now.")
            if ground.holds
            else voice.say("He holds nothing now.")
        )
        self.joins_better = (
            voice.count(
                ground.holds_better,
                "Now that would be {n} of his positions.",
                "Now that would be {n} of his positions.",
            )
            if ground.holds
            else ""
        )
        await self._show(ground, voice, only=set(self.faults))

    async def _ground(self, asker: Person) -> preview.Ground:
        return await read(
            preview.ground, owner=asker.id, profile_id=id_of(self._profile), copy_account_id=id_of(self._account)
        )

    async def _sent(self, asker: Person, voice: Voice, form: dict[str, Any]) -> CopySettings:
        """Take the whole form; return its settings, or mark every field that is wrong and raise."""
        before, self.draft = self.draft, typed(form, before=self.draft)
        self._preset(before, await self._ground(asker))
        return await self._checked(asker, voice)

    async def _checked(self, asker: Person, voice: Voice) -> CopySettings:
        """Return the settings of the draft, or mark every field that is wrong and raise."""
        ground = await self._ground(asker)
        await self._show(ground, voice, only=None)
        settings, wrong = settings_of(self.draft, before=self._before, market=ground.market, listed=ground.listed)
        self._is_refused = bool(wrong)
        if wrong:
            raise InvalidInput(f"{sorted(wrong)} were no use", user=MARKED)
        return settings

    def _tell_again(self, voice: Voice) -> None:
        """Keep saying that fields are marked until they are right: a late answer to a key must not wipe it away."""
        self._is_refused = self._is_refused and bool(self.faults)
        if self._is_refused:
            self.problem = voice.say(MARKED)

    async def _show(self, ground: preview.Ground, voice: Voice, *, only: set[str] | None) -> None:
        """Show faults (of some fields, or all) and the example; the last one stays while something cannot be read."""
        settings, wrong = settings_of(self.draft, before=self._before, market=ground.market, listed=ground.listed)
        self.faults = {field: voice.said(said) for field, said in wrong.items() if only is None or field in only}
        if not wrong:
            try:
                quantity = amount_of({"q": self.draft.example_quantity}, "q")
                found = preview.of(ground, settings, symbol=self.draft.example_symbol, quantity=quantity)
            except InvalidInput as error:
                self.faults = {**self.faults, "example_quantity": voice.error(error)}
                return
            self.shown = shown(settings, found, ground=ground, name=self.trader, voice=voice)

    def _follow_mode(self, before: Draft) -> list[Any]:
        """Change the size with the way of sizing, unless a new one was typed; each way keeps its own."""
        draft = self.draft
        if draft.mode == before.mode or draft.factor != before.factor:
            return []
        self._factors = {**self._factors, before.mode: before.factor}
        factor = self._factors.get(draft.mode, FACTORS.get(draft.mode, draft.factor))
        self.draft = replace(draft, factor=factor)
        return [_put("factor", factor, was=before.factor)]

    def _preset(self, before: Draft, ground: preview.Ground) -> list[Any]:
        """Fill in the limit per position that a fixed size needs, where none of one's own was typed; take it back.

        What was typed when the answer was still on its way brings the old value once more: for a moment it is ours.
        """
        price = ground.usual[0].price if ground.usual else None
        new = position_preset(self.draft, price=price, equity=ground.equities.copy)
        ours, there = self._filled_in, self.draft.max_position_notional
        if new:
            is_due = new != ours or before.mode not in FIXED_MODES
            if not is_due or there not in ("", ours) or there == new:
                return []
            self._filled_in, self._taken_back_at = new, None
        else:
            now = clock.real_now()
            if not ours or there != ours or now - (self._taken_back_at or now) > ECHO:
                return []
            self._taken_back_at = self._taken_back_at or now
        self.draft = replace(self.draft, max_position_notional=new)
        return [_put("max_position_notional", new, was=there)]


def _put(name: str, value: str, *, was: str) -> Any:
    """Put a value into a field of the browser's, unless something else was typed there meanwhile."""
    field, new, old = json.dumps(name), json.dumps(value), json.dumps(was)
    return rx.call_script(
        f"(() => {{ const field = document.getElementById({field});"
        f" if (field && field.value === {old}) field.value = {new}; }})()"
    )
