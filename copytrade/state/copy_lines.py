"""One line of the history of copies, as it is shown."""

from dataclasses import dataclass
from decimal import Decimal

from copytrade import clock
from copytrade.capture.queries import FillRow
from copytrade.copying import queries as copying
from copytrade.domain.planning import PartKind
from copytrade.i18n.names import base_asset, kind_name, symbol_name
from copytrade.i18n.reasons import reason_text
from copytrade.i18n.voice import Moment, Voice
from copytrade.state import routes

STATES = {
    "copied": "copied",
    "pending": "waiting",
    "skipped": "skipped",
    "failed": "failed",
    "netted": "evened out",
    "own": "adjusted to the account",
}
TONES = {"copied": "jade", "pending": "iris", "skipped": "amber", "failed": "tomato", "netted": "gray", "own": "gray"}
KINDS = {
    PartKind.JOIN: "joined at the start",
    PartKind.STOP: "closed by a stop",
    PartKind.LATE: "an order that came late, taken back",
}
"""Where a line comes from when no fill of the trader's made it."""
MINE = "mine"
"""The filter that shows what the subscriber traded himself."""


@dataclass(frozen=True, slots=True)
class CopyLine:
    """One line of the history."""

    id: str
    at: Moment
    clock: str
    day: str
    trader: str
    href: str
    symbol: str
    side: str
    is_buy: bool
    amount: str
    state: str
    state_text: str
    tone: str
    reason: str
    slippage: str
    delay: str
    market: str
    fee: str = ""
    is_mine: bool = False
    is_paper: bool = False


def copy_line(row: copying.CopyRow, voice: Voice) -> CopyLine:
    """Return a copy as it is shown."""
    quantity = f"{voice.quantity(row.quantity)} {base_asset(row.symbol)}"
    price = f" @ {voice.price(row.price)}" if row.price is not None else ""
    state, reason = _told(row, voice)
    return CopyLine(
        id=str(row.id),
        at=voice.moment(row.at, now=clock.now()),
        clock=voice.clock(row.at),
        day=voice.day(row.at),
        trader=row.trader_name,
        href=routes.trader(row.profile_slug) if row.profile_slug else "",
        is_paper=row.is_paper,
        symbol=symbol_name(row.symbol),
        side=voice.say("BUY") if row.side == "buy" else voice.say("SELL"),
        is_buy=row.side == "buy",
        amount=f"{quantity}{price}",
        state=state,
        state_text=voice.say(STATES.get(state, state)),
        tone=TONES.get(state, "gray"),
        reason=reason,
        slippage=voice.basis_points(row.slippage_bps) if row.slippage_bps is not None else "",
        delay=voice.milliseconds(row.delay_ms) if row.delay_ms is not None else "",
        market=kind_name(voice, row.symbol),
    )


def own_line(row: FillRow, voice: Voice, *, account: str) -> CopyLine:
    """Return a trade of the subscriber's own as it stands beside the copies."""
    price = voice.price(row.price)
    state_text = voice.say("liquidated") if row.is_liquidation else voice.say("your own trade")
    return CopyLine(
        id=str(row.id),
        at=voice.moment(row.venue_time, now=clock.now()),
        clock=voice.clock(row.venue_time),
        day=voice.day(row.venue_time),
        trader=account,
        href="",
        symbol=symbol_name(row.symbol),
        side=voice.say("BUY") if row.side == "buy" else voice.say("SELL"),
        is_buy=row.side == "buy",
        amount=f"{voice.quantity(row.quantity)} {base_asset(row.symbol)} @ {price}",
        state=MINE,
        state_text=state_text,
        tone="tomato" if row.is_liquidation else "gray",
        reason="",
        slippage="",
        delay="",
        market=kind_name(voice, row.symbol),
        fee=voice.say("fee {amount}", amount=f"{voice.quantity(row.fee)} {row.fee_asset}") if row.fee else "",
        is_mine=True,
    )


def _told(row: copying.CopyRow, voice: Voice) -> tuple[str, str]:
    """Return how a line stands and why. A part that was copied is copied, also while a rest of it waits."""
    unit, state = base_asset(row.symbol), str(row.state)
    told = [voice.say(KINDS[PartKind(row.kind)])] if row.kind in KINDS else []
    why = reason_text(row.reason, voice, row.facts) if row.reason and (row.skipped or not row.asked) else ""
    is_told = not (row.copied and is_dust(row.skipped, row.step))
    if row.state == "pending" and row.copied:
        state = "copied"
        if not is_dust(row.pending, row.step):
            rest = f"{voice.quantity(row.pending)} {unit}"
            told.append(voice.say("{rest} of it wait and go with the next fill", rest=rest))
    elif why and is_told and (row.copied or row.state == "pending"):
        told.append(voice.say("{rest} of it not: {why}", rest=f"{voice.quantity(row.skipped)} {unit}", why=why))
    elif is_told:
        told.append(why)
    if row.netted and row.copied and not is_dust(row.netted, row.step):
        rest = f"{voice.quantity(row.netted)} {unit}"
        told.append(voice.say("{rest} of it were taken back by the trader before they could be traded", rest=rest))
    if row.missed is not None and is_told:
        told.append(would_have_made(row.missed, voice))
    return state, " · ".join(one for one in told if one)


def is_dust(quantity: Decimal, step: Decimal | None) -> bool:
    """Tell whether a rest is less than the exchange can trade at all: the receipt tells it, a line need not."""
    return step is not None and quantity < step


def would_have_made(pnl: Decimal, voice: Voice) -> str:
    """Return what a skipped quantity would have brought, before fees."""
    return voice.say("it would have made {amount}", amount=voice.change(pnl).text)
