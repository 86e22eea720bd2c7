"""The example beside the settings, in words: what he does, what you do then, what is cut, what waits."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from copytrade.copying.preview import Ground
from copytrade.domain.examples import Example, Occasion
from copytrade.domain.instruments import Market
from copytrade.domain.quantities import EXACT, ZERO, ratio
from copytrade.domain.sizing import CopySettings
from copytrade.i18n.reasons import reason_text
from copytrade.i18n.voice import THIN, Voice
from copytrade.state.settings_told import limits_told, losses_told, oddities_told

TEXTS = {
    "buys": "{name} buys {quantity} at {price}: you buy {mine} ({worth}).",
    "sells": "{name} sells {quantity} short at {price}: you sell {mine} ({worth}).",
    "buys_nothing": "{name} buys {quantity} at {price}: you buy nothing.",
    "sells_nothing": "{name} sells {quantity} short at {price}: you sell nothing.",
}


@dataclass(frozen=True, slots=True)
class Shown:
    """The example beside the form, and what the folded groups say."""

    is_known: bool = False
    entry: str = ""
    share: str = ""
    """How much of the account that is."""
    parts: str = ""
    """How a fixed size comes where his order is filled in parts."""
    cuts: tuple[str, ...] = ()
    """What was cut and why, and what waits."""
    exit: str = ""
    limits: str = ""
    losses: str = ""
    oddities: str = ""
    base: str = ""
    quantity: str = ""


def shown(
    settings: CopySettings, found: tuple[Occasion, Example] | None, *, ground: Ground, name: str, voice: Voice
) -> Shown:
    """Return the example in words, and the folded groups in a line each."""
    is_spot = ground.market is Market.SPOT
    limits = limits_told(settings, voice, is_spot=is_spot)
    losses, oddities = losses_told(settings, voice), oddities_told(settings, voice, is_spot=is_spot)
    if found is None:
        return Shown(limits=limits, losses=losses, oddities=oddities)
    occasion, example = found
    teller = _Teller(occasion, example, voice)
    return Shown(
        is_known=True,
        entry=teller.entry(name),
        share=teller.share(ground.equities.copy),
        parts=teller.parts(),
        cuts=(*teller.cuts(), *teller.waits()),
        exit=teller.exit(),
        limits=limits,
        losses=losses,
        oddities=oddities,
        base=occasion.rules.base,
        quantity=f"{occasion.quantity.normalize():f}",
    )


@dataclass(frozen=True, slots=True)
class _Teller:
    occasion: Occasion
    example: Example
    voice: Voice

    def entry(self, name: str) -> str:
        mine = self.example.copied.ordered
        code = ("sells" if self.occasion.sells else "buys") + ("" if mine else "_nothing")
        return self.voice.say(
            TEXTS[code],
            name=name,
            quantity=self._coins(self.occasion.quantity),
            price=self.voice.price(self.occasion.price),
            mine=self._coins(mine),
            worth=self._worth(mine),
        )

    def share(self, equity: Decimal | None) -> str:
        mine = EXACT.multiply(self.example.copied.ordered, self.occasion.price)
        if not equity or equity < 0 or not mine:
            return ""
        return self.voice.say("That is {share} of your account.", share=self.voice.percent(ratio(mine, equity)))

    def parts(self) -> str:
        if len(self.example.parts) < 2:
            return ""
        first, last = self.example.parts
        return self.voice.say(
            "Where his order is filled as {first} and {second}, you trade {mine}, then {more}.",
            first=self._coins(first.lead),
            second=self._coins(last.lead),
            mine=self._coins(first.ordered),
            more=self._coins(last.ordered - first.ordered),
        )

    def cuts(self) -> Iterator[str]:
        left = asked = sum((part.asked for part in self.example.parts), ZERO)
        cut: dict[str, tuple[Decimal, dict[str, str]]] = {}
        for skip in (skip for part in self.example.parts for skip in part.skips):
            before, _ = cut.get(skip.reason.value, (ZERO, {}))
            cut[skip.reason.value] = (before + skip.quantity, skip.facts)
        for reason, (quantity, facts) in cut.items():
            left -= quantity
            yield self.voice.say(
                "Instead of {asked} only {left}: {reason}.",
                asked=self._coins(asked),
                left=self._coins(left),
                reason=reason_text(reason, self.voice, facts),
            )
            asked = left

    def waits(self) -> Iterator[str]:
        copied, rules = self.example.copied, self.occasion.rules
        if copied.target and not copied.ordered:
            least = max(rules.min_notional, EXACT.multiply(rules.min_quantity, self.occasion.price))
            yield self.voice.say(
                "{worth} is below the exchange's minimum of {least}: it waits and goes with his next fill.",
                worth=self._worth(copied.target),
                least=self.voice.money(least),
            )
        elif copied.target > copied.ordered:
            rest = self._coins(copied.target - copied.ordered)
            yield self.voice.say("{rest} more is less than the exchange's step and goes with his next fill.", rest=rest)

    def exit(self) -> str:
        facts = {"quantity": self._coins(self.example.exit_lead), "mine": self._coins(self.example.exit_ordered)}
        if not self.example.copied.ordered:
            return ""
        if not self.example.exit_ordered:
            said = "When he then closes {quantity}, your part is too small alone and goes with his next exit."
            return self.voice.say(said, **facts)
        return self.voice.say("When he then closes {quantity}, you close {mine}.", **facts)

    def _coins(self, quantity: Decimal) -> str:
        return f"{self.voice.quantity(quantity)}{THIN}{self.occasion.rules.base}"

    def _worth(self, quantity: Decimal) -> str:
        return self.voice.money(EXACT.multiply(quantity, self.occasion.price))
