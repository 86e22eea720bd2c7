"""What an account's fills were at their time: how much of the order was left, how much they closed, their sequence."""

from dataclasses import dataclass

from copytrade.sandbox.exchange.accounts import Account
from copytrade.sandbox.exchange.instruments import INSTRUMENTS
from copytrade.sandbox.exchange.orders import Fill, PositionSide


@dataclass(frozen=True, slots=True)
class Step:
    """What one fill did, in steps; `sequence` is shared by the fills that one order made in one moment."""

    left: int
    closed: int
    sequence: int


class Trail:
    """Follows one account's fills, each once."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._seen = 0
        self._executed: dict[int, int] = {}
        self._held: dict[tuple[int, PositionSide], int] = {}
        self._steps: dict[int, Step] = {}
        self._last: dict[int, Fill] = {}

    def of(self, fill: Fill) -> Step:
        """Return what a fill of the account did."""
        self._follow()
        return self._steps[fill.id]

    def sequence(self, instrument: int) -> int:
        """Return the sequence of an instrument's last fill, 0 where there was none."""
        self._follow()
        last = self._last.get(instrument)
        return 0 if last is None else self._steps[last.id].sequence

    def _follow(self) -> None:
        for fill in self._account.fills[self._seen :]:
            self._steps[fill.id] = self._step(fill)
            self._last[fill.instrument] = fill
        self._seen = len(self._account.fills)

    def _step(self, fill: Fill) -> Step:
        executed = self._executed[fill.order] = self._executed.get(fill.order, 0) + fill.steps
        order = self._account.orders[fill.order]
        last = self._last.get(fill.instrument)
        is_same = last is not None and (last.order, last.time) == (fill.order, fill.time)
        sequence = self._steps[last.id].sequence if last is not None and is_same else fill.id
        # of an order given in money nobody knows what is left in base
        left = 0 if order.budget else max(order.steps - executed, 0)
        return Step(left, self._close(fill), sequence)

    def _close(self, fill: Fill) -> int:
        if INSTRUMENTS[fill.instrument].is_spot:
            return 0
        key = (fill.instrument, fill.position_side)
        held = self._held.get(key, 0)
        self._held[key] = held + fill.side * fill.steps
        return min(abs(held), fill.steps) if held * fill.side < 0 else 0
