"""What a run is about, and which troubles befall it, drawn from its seed."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from random import Random

from copytrade.domain.instruments import Market, MarketRules
from copytrade.domain.sizing import CopySettings, DriftLess, DriftModes, DriftMore, EndMode, SizingMode, StartMode

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
D = Decimal


class Place(StrEnum):
    """A market and its position mode."""

    SPOT = "spot"
    ONE_WAY = "one_way"
    HEDGE = "hedge"

    @property
    def market(self) -> Market:
        return Market.SPOT if self is Place.SPOT else Market.PERPETUAL


@dataclass(frozen=True, slots=True)
class Case:
    """One run: the same case is the same run."""

    seed: int
    place: Place
    sizing: SizingMode

    def __str__(self) -> str:
        return f"{self.place.value}/{self.sizing.value}/{self.seed}"


class Trouble(StrEnum):
    """What may go wrong; each run has its own selection."""

    LOST = "lost"
    """The stream loses fills of the lead."""
    LATE = "late"
    DOUBLED = "doubled"
    DEAF = "deaf"
    """The stream is away for a while."""
    NO_POLL = "no_poll"
    UNREPORTED = "unreported"
    """The lead's position moves and no fill ever tells."""
    CRASH = "crash"
    SLOW_SENDER = "slow_sender"
    NO_ANSWER = "no_answer"
    BARE_ANSWER = "bare_answer"
    """Placed, without a word on what became of it."""
    LATE_EXECUTION = "late_execution"
    NEVER_ARRIVES = "never_arrives"
    LAGGING_READS = "lagging_reads"
    WRONG_READS = "wrong_reads"
    """A reading of the copy account tells of nothing, once."""
    FORGETFUL = "forgetful"
    """An execution shows up only after the venue's own promise."""
    REFUSALS = "refusals"
    NOT_SENT = "not_sent"
    HALT = "halt"
    THIN = "thin"
    WILD = "wild"
    """The price jumps."""
    OWN_TRADES = "own_trades"
    LIQUIDATION = "liquidation"
    SWITCHES = "switches"
    PAUSES = "pauses"
    SETTINGS = "settings"
    END = "end"
    STOPS = "stops"
    """A loss is reached, or the lead falls silent: entries are blocked, or all is closed."""
    ORDER_UNKNOWN = "order_unknown"
    """A fill does not tell of its order, which is read later."""
    FEES = "fees"
    """On spot fees are taken in base."""
    TRANSFERS = "transfers"
    """Coins and dollars come into and leave both accounts without a trade."""
    MEDDLING = "meddling"
    """The subscriber trades in the account whenever he likes, orders of ours on their way or not."""
    TWO_SYMBOLS = "two_symbols"
    """The lead trades two symbols, and both are copied under the same limits."""
    MODES = "modes"
    """The subscriber changes leverage or margin by hand."""


RATES = {
    Trouble.LOST: 0.25, Trouble.LATE: 0.3, Trouble.DOUBLED: 0.3, Trouble.CRASH: 0.06, Trouble.SLOW_SENDER: 0.15,
    Trouble.NO_ANSWER: 0.25, Trouble.BARE_ANSWER: 0.3, Trouble.LATE_EXECUTION: 0.25, Trouble.NEVER_ARRIVES: 0.15,
    Trouble.LAGGING_READS: 0.5, Trouble.FORGETFUL: 0.3, Trouble.REFUSALS: 0.2, Trouble.NOT_SENT: 0.15,
    Trouble.THIN: 0.5, Trouble.WILD: 0.15, Trouble.ORDER_UNKNOWN: 0.5,
    Trouble.WRONG_READS: 0.2,
}  # fmt: skip
"""How often a trouble strikes where it may, in a run that has it."""

LIKELY = {
    Trouble.FEES: 0.8, Trouble.UNREPORTED: 0.1, Trouble.END: 0.3, Trouble.LIQUIDATION: 0.15, Trouble.FORGETFUL: 0.2,
    Trouble.OWN_TRADES: 0.3, Trouble.TRANSFERS: 0.2, Trouble.MEDDLING: 0.1, Trouble.MODES: 0.1,
    Trouble.TWO_SYMBOLS: 0.1,
}  # fmt: skip
"""How many runs have a trouble; 0.4 of them, if not said."""

HARMLESS = frozenset({Trouble.DOUBLED, Trouble.LAGGING_READS, Trouble.BARE_ANSWER, Trouble.FEES, Trouble.OWN_TRADES})
"""What may delay a copy by seconds, but is no reason to give up any of it."""
LATER = (Trouble.TRANSFERS, Trouble.MEDDLING, Trouble.MODES, Trouble.TWO_SYMBOLS)
"""What was modelled later has dice of its own, so that the cases found before stay what they were."""
FAIR = 0.1
"""How many runs have no other troubles."""


@dataclass(slots=True)
class Chance:
    """The dice of one run."""

    rng: Random
    troubles: frozenset[Trouble]
    is_calm: bool = False
    """In the end nothing goes wrong any more."""

    @property
    def is_fair(self) -> bool:
        """Tell whether nothing befalls this run that would excuse a copy that was not made."""
        return self.troubles <= HARMLESS - {Trouble.OWN_TRADES}

    def strikes(self, trouble: Trouble) -> bool:
        """Tell whether a trouble strikes now."""
        return not self.is_calm and trouble in self.troubles and self.rng.random() < RATES.get(trouble, 1)

    def seconds(self, least: float, most: float) -> timedelta:
        """Return a length of time."""
        return timedelta(microseconds=int(self.rng.uniform(least, most) * 1e6))

    def quantity(self, least: int, most: int, step: Decimal) -> Decimal:
        """Return a multiple of a step."""
        return self.rng.randint(least, most) * step


def chance_of(case: Case) -> Chance:
    """Return the dice of a case."""
    rng = Random(f"{case}")
    first = [trouble for trouble in Trouble if trouble not in LATER]
    troubles = frozenset(trouble for trouble in first if rng.random() < LIKELY.get(trouble, 0.4))
    if rng.random() < FAIR:
        return Chance(rng, troubles & HARMLESS)
    others = Random(f"{case}/later")
    return Chance(rng, troubles | {trouble for trouble in LATER if others.random() < LIKELY[trouble]})


def rules_of(chance: Chance, place: Place, *, base: str = "BTC") -> tuple[MarketRules, Decimal]:
    """Return what the venue demands in this run, and the price at which it begins."""
    rng = chance.rng
    price, step, tick = rng.choice([(D(60000), D("0.001"), D("0.1")), (D(2000), D("0.001"), D("0.01"))])
    if place is Place.SPOT:
        step /= 100
    least_notional = rng.choice([D(5), D(5), D(20)])
    # No venue's largest order is under its own minimum.
    most = step * max(rng.choice([10**6, 10**6, 40, 7]), int(8 * least_notional / (step * price)) + 1)
    symbol = f"{base}/USDT" if place is Place.SPOT else f"{base}/USDT:USDT"
    rules = MarketRules(
        symbol=symbol,
        base=base,
        quote="USDT",
        quantity_step=step,
        price_tick=tick,
        min_quantity=step,
        max_quantity=most,
        max_market_quantity=max(most / 4, step),
        min_notional=least_notional,
        exits_exempt_from_minimum=place is not Place.SPOT and rng.random() < 0.6,
    )
    return rules, price


def settings_of(chance: Chance, case: Case, *, unit: Decimal, price: Decimal) -> CopySettings:
    """Return how the subscriber copies; `unit` is about what the lead trades at a time."""
    rng, later = chance.rng, Random(f"{case}/settings")
    notional = unit * price
    factor = {
        SizingMode.RATIO: D(rng.choice(["1", "1", "0.5", "0.1", "0.0137"])),
        SizingMode.EQUITY: D(rng.choice(["1", "0.5", "2"])),
        SizingMode.FIXED_QUOTE: notional * D(rng.choice(["1", "0.1"])),
        SizingMode.FIXED_PERCENT: D(rng.choice(["0.01", "0.002"])),
        SizingMode.FIXED_QUANTITY: unit * D(rng.choice(["1", "0.13"])),
    }[case.sizing]

    def limit(times: int) -> Decimal | None:
        return notional * times if rng.random() < 0.15 else None

    return CopySettings(
        mode=case.sizing,
        factor=factor,
        max_order_notional=limit(1),
        max_position_notional=limit(2),
        max_total_notional=limit(2),
        max_leverage=D(rng.choice([1000, 1000, 1000, 1])) if case.place is not Place.SPOT else D(1000),
        max_slippage=rng.choice([None, D("0.003"), D("0.02")]),
        max_entry_age_s=rng.choice([60, 60, 20]),
        keeps_margin=case.sizing is SizingMode.EQUITY and rng.random() < 0.3,
        start_mode=StartMode.ALL if rng.random() < 0.2 else StartMode.NEW_ONLY,
        end_mode=rng.choice(list(EndMode)),
        drift_less=rng.choice(list(DriftLess)),
        drift_more=later.choice(list(DriftMore)),
        drift_modes=later.choice(list(DriftModes)),
        max_open_positions=1 if later.random() < 0.1 else None,
    )
