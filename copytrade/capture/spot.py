"""What a spot fill moves and when it may be planned (copy-engine, Step 1). Pure.

On spot an instrument is a coin, named by its market against USDT whatever the fill was quoted in, and P is what the
lead holds of it, net of fees. A fill moves up to three coins: its base; its quote, where that is no dollar (what pays
is sold, what is received is bought); and the coin of its fee, where the lead holds it as an instrument: a fee in a
third coin lowers that coin's P, so that P ends at 0 with the holding, and means nothing for who copies another coin.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from copytrade.capture.ordering import Known, Moment, Step, Waiting
from copytrade.domain.changes import ChangeKind
from copytrade.domain.instruments import PositionSide
from copytrade.exchanges.holdings import STABLE

Place = tuple[str, str]
Prices = Callable[[str], Decimal | None]
"""The price of a coin in USDT, None where it is not known."""
ZERO = Decimal(0)
DUST = Decimal(1)
"""A holding worth less USDT than this is none: P ends with it."""


@dataclass(frozen=True, slots=True)
class Planned:
    """One change of one coin's P."""

    place: Place
    step: Step


def place_of(asset: str) -> Place:
    """Return the place of a coin."""
    return f"{asset}/USDT", PositionSide.NET.value


def coin_of(place: Place) -> str:
    """Return the coin of a place."""
    return place[0].partition("/")[0]


def coins_of(symbol: str) -> tuple[str, str]:
    """Return base and quote of a symbol."""
    base, _, quote = symbol.partition("/")
    return base, quote.partition(":")[0]


def effect(*, symbol: str, signed: Decimal, price: Decimal, fee: Decimal, fee_asset: str) -> dict[str, Decimal]:
    """Return by how much a fill moved each asset it touched, dollars among them."""
    base, quote = coins_of(symbol)
    moved = {base: signed}
    moved[quote] = moved.get(quote, ZERO) - signed * price
    if fee and fee_asset:
        moved[fee_asset] = moved.get(fee_asset, ZERO) - fee
    return moved


def order(known: Mapping[Place, Known], fills: Sequence[Waiting], *, moment: Moment, prices: Prices) -> list[Planned]:
    """Return the changes that may be planned now, in the venue's order over all of an account's symbols."""
    quantity = {place: one.quantity for place, one in known.items()}
    newest = {place: one.planned_until for place, one in known.items()}
    queue = sorted(fills, key=lambda fill: fill.rank)
    planned: list[Planned] = []
    for index, fill in enumerate(queue):
        if not _is_proven(fill, moment):
            break
        is_last = index == len(queue) - 1
        for place, signed, price in _moves(fill, quantity, prices):
            before = quantity.get(place, ZERO)
            after = max(before + signed, ZERO)
            if is_last and signed < 0 and _is_dust(known.get(place), after, fill, price):
                after = ZERO
            late = newest.get(place)
            step = Step(
                _kind(signed, price), before, after, price or fill.price, fill=fill,
                is_late=late is not None and fill.venue_time < late,
            )  # fmt: skip
            planned.append(Planned(place, step))
            quantity[place] = after
            newest[place] = max(late or fill.venue_time, fill.venue_time)
    return planned


def _is_proven(fill: Waiting, moment: Moment) -> bool:
    """Return whether nothing can be missing before a fill: an unbroken stream told it, or a poll covers its time."""
    if fill.is_streamed and moment.is_unbroken:
        return True
    return moment.polled_until is not None and fill.venue_time <= moment.polled_until - moment.spare


def _moves(
    fill: Waiting, quantity: Mapping[Place, Decimal], prices: Prices
) -> list[tuple[Place, Decimal, Decimal | None]]:
    """Return place, signed net quantity and price in USDT of each coin whose P a fill moves, its base first."""
    base, quote = coins_of(fill.symbol)
    moved = effect(symbol=fill.symbol, signed=fill.signed, price=fill.price, fee=fill.fee, fee_asset=fill.fee_asset)
    found: list[tuple[Place, Decimal, Decimal | None]] = []
    for asset, signed in moved.items():
        place = place_of(asset)
        held = quantity.get(place, ZERO)
        is_fee_alone = asset not in (base, quote)
        if (
            (asset in STABLE and asset != base)
            or (is_fee_alone and not held)
            or (signed < 0 and not held and asset != base)
        ):
            continue
        found.append((place, signed, _price(asset, fill, prices)))
    return found


def _price(asset: str, fill: Waiting, prices: Prices) -> Decimal | None:
    base, quote = coins_of(fill.symbol)
    if asset != base:
        return prices(asset)
    if quote in STABLE:
        return fill.price
    rate = prices(quote)
    return None if rate is None else fill.price * rate


def _kind(signed: Decimal, price: Decimal | None) -> ChangeKind:
    # What opens needs its price, for the slippage guard; what reduces must not wait for one.
    return ChangeKind.MISSED if price is None and signed > 0 else ChangeKind.FILL


def _is_dust(known: Known | None, after: Decimal, fill: Waiting, price: Decimal | None) -> bool:
    """Return whether the venue's balance after a sale is as good as nothing, though P is more (he moved some away)."""
    if known is None or known.seen_quantity is None or known.seen_at is None or known.seen_at < fill.venue_time:
        return False
    return known.seen_quantity < after and known.seen_quantity * (price or fill.price) < DUST
