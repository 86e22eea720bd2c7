"""A receipt in full, as it is shown: stages with their times, sums, orders with their doubts, and what was skipped."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from copytrade.copying import queries as copying
from copytrade.copying.history import slippage
from copytrade.copying.queries import OrderState, Resolution
from copytrade.domain.orders import Refusal
from copytrade.domain.quantities import proportion
from copytrade.i18n.names import base_asset
from copytrade.i18n.reasons import reason_text
from copytrade.i18n.voice import Voice
from copytrade.state.copy_lines import is_dust, would_have_made

STATES = {
    OrderState.PLANNED: "planned",
    OrderState.SENDING: "on its way",
    OrderState.UNKNOWN: "outcome unknown",
    OrderState.PLACED: "at the exchange",
    OrderState.FILLED: "filled",
    OrderState.ENDED: "finished",
    OrderState.REFUSED: "refused",
    OrderState.LOST: "never arrived",
    OrderState.DROPPED: "not sent",
}
TONES = {OrderState.FILLED: "jade", OrderState.UNKNOWN: "amber", OrderState.LOST: "amber", OrderState.REFUSED: "tomato"}
SENTENCES = {
    Resolution.ANSWER: "the exchange answered after all",
    Resolution.LOOK_UP: "found at the exchange by its id",
    Resolution.ORDER_LIST: "found in the exchange's list of orders",
    Resolution.ABSENCE: "it was nowhere when it could no longer arrive, so it never reached the exchange",
    Resolution.LATE_FILL: "its execution showed up after it had been given up, and was booked",
    Resolution.OPERATOR: "an operator decided it",
}

TEXTS = {
    Refusal.FUNDS: "not enough free money",
    Refusal.NOTHING_TO_REDUCE: "there was nothing to reduce",
    Refusal.LEVERAGE: "the exchange refused the leverage",
    Refusal.MIN_NOTIONAL: "below the exchange's minimum",
    Refusal.PRICE: "the exchange refused the price",
    Refusal.QUANTITY: "the exchange refused the quantity",
    Refusal.POSITION_MODE: "the account is in hedge mode",
    Refusal.MARKET_CLOSED: "the exchange does not trade it now",
    Refusal.CREDENTIALS: "the exchange refused your key",
    Refusal.OTHER: "the exchange refused the order",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One stage of a copy: when, and how long after the stage before."""

    name: str
    at: str
    after: str


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One order that was sent for a copy."""

    what: str
    state: str
    tone: str
    times: str
    result: str
    doubt: str
    """Since when and until when nobody knew its outcome, and how it was resolved."""
    ids: str


@dataclass(frozen=True, slots=True)
class ReceiptView:
    """A receipt in full."""

    steps: list[Step] = field(default_factory=list)
    sums: str = ""
    rest: str = ""
    """What is less than the exchange can trade, and what becomes of it."""
    pairs: list[tuple[str, str]] = field(default_factory=list)
    orders: list[OrderLine] = field(default_factory=list)
    tries: list[str] = field(default_factory=list)
    skips: list[str] = field(default_factory=list)
    is_paper: bool = False


def receipt_view(receipt: copying.Receipt, voice: Voice) -> ReceiptView:
    """Return a receipt as it is shown."""
    return ReceiptView(
        steps=_steps(receipt, voice),
        sums=_sums(receipt, voice),
        rest=_rest(receipt, voice),
        pairs=_pairs(receipt, voice),
        orders=[_order(one, voice, unit=base_asset(receipt.symbol)) for one in receipt.orders],
        tries=[_tries(one, voice) for one in receipt.tries],
        skips=[_skip(one, voice, unit=base_asset(receipt.symbol)) for one in receipt.skips if one.quantity],
        is_paper=receipt.is_paper,
    )


def _steps(receipt: copying.Receipt, voice: Voice) -> list[Step]:
    order = receipt.first
    stages = [
        (voice.say("trader's fill"), receipt.lead_at),
        (voice.say("captured"), receipt.captured_at),
        (voice.say("planned"), receipt.planned_at),
        (voice.say("sent"), order.sent_at if order else None),
        (voice.say("accepted"), order.accepted_at if order else None),
        (voice.say("filled"), order.ended_at if order and order.filled else None),
    ]
    return _timed(stages, voice)


def _timed(stages: Sequence[tuple[str, datetime | None]], voice: Voice) -> list[Step]:
    steps: list[Step] = []
    before: datetime | None = None
    for name, at in stages:
        if at is None:
            continue
        after = voice.milliseconds((at - before).total_seconds() * 1000) if before else ""
        steps.append(Step(name, voice.clock(at, fraction=True), f"+{after}" if after else ""))
        before = at
    return steps


def _sums(receipt: copying.Receipt, voice: Voice) -> str:
    """Return what was asked as the sum of what became of it."""
    unit = base_asset(receipt.symbol)
    pieces = [
        (receipt.copied, voice.say("{quantity} copied", quantity=voice.quantity(receipt.copied))),
        (receipt.skipped, voice.say("{quantity} skipped", quantity=voice.quantity(receipt.skipped))),
        (receipt.netted, voice.say("{quantity} evened out", quantity=voice.quantity(receipt.netted))),
        (receipt.pending, voice.say("{quantity} waiting", quantity=voice.quantity(receipt.pending))),
    ]
    parts = [told for quantity, told in pieces if quantity] or [pieces[0][1]]
    asked = voice.say("{quantity} asked", quantity=f"{voice.quantity(receipt.asked)} {unit}")
    return f"{asked} = {' + '.join(parts)}"


def _rest(receipt: copying.Receipt, voice: Voice) -> str:
    rest, unit = receipt.netted + receipt.pending, base_asset(receipt.symbol)
    if not rest or receipt.step is None or not is_dust(rest, receipt.step):
        return ""
    return voice.say(
        "{rest} of it are less than the exchange's step of {step}: they are reckoned with what the trader does next.",
        rest=f"{voice.quantity(rest)} {unit}",
        step=f"{voice.quantity(receipt.step)} {unit}",
    )


def _pairs(receipt: copying.Receipt, voice: Voice) -> list[tuple[str, str]]:
    average = receipt.average_price
    lead = f"{voice.quantity(receipt.lead_quantity)} {base_asset(receipt.symbol)}" if receipt.lead_quantity else "—"
    pairs = [
        (voice.say("Trader's fill"), f"{lead} @ {voice.price(receipt.lead_price)}"),
        (voice.say("Your price"), voice.price(average)),
        (voice.say("Slippage"), voice.basis_points(slippage(average, receipt.lead_price, side=receipt.side))),
        (voice.say("Fee"), _fees(receipt, voice)),
    ]
    if receipt.rank:
        place = voice.say(
            "{rank} of {served}; the order rotates from fill to fill",
            rank=voice.number(receipt.rank, places=0),
            served=voice.number(receipt.served, places=0),
        )
        pairs.append((voice.say("Your place among the subscribers"), place))
    return pairs


def _fees(receipt: copying.Receipt, voice: Voice) -> str:
    """Return this copy's share of what its orders paid."""
    paid: dict[str, Decimal] = {}
    for order in receipt.orders:
        if order.carried and order.filled and order.fee is not None:
            share = proportion(order.fee, order.carried, order.filled)
            paid[order.fee_asset] = paid.get(order.fee_asset, Decimal(0)) + share
    return " + ".join(f"{voice.quantity(fee)} {asset}" for asset, fee in paid.items()) or "—"


def _order(order: copying.ReceiptOrder, voice: Voice, *, unit: str) -> OrderLine:
    quantity = f"{voice.quantity(order.quantity)} {unit}"
    what = (
        voice.say("{quantity} at the market", quantity=quantity)
        if order.price is None
        else voice.say("{quantity}, limit {price}", quantity=quantity, price=voice.price(order.price))
    )
    stages = ((voice.say("sent"), order.sent_at), (voice.say("accepted"), order.accepted_at),
              (voice.say("finished"), order.ended_at))  # fmt: skip
    ids = (voice.say("exchange {id}", id=order.venue_order_id) if order.venue_order_id else "",
           voice.say("ours {id}", id=order.client_order_id))  # fmt: skip
    state = OrderState(order.state)
    return OrderLine(
        what=what,
        state=voice.say(STATES[state]),
        tone=TONES.get(state, "gray"),
        times=" → ".join(f"{name} {voice.clock(at, fraction=True)}" for name, at in stages if at is not None),
        result=_result(order, voice, unit=unit),
        doubt=_doubt(order, voice),
        ids=" · ".join(one for one in ids if one),
    )


def _result(order: copying.ReceiptOrder, voice: Voice, *, unit: str) -> str:
    if not order.filled:
        return order.message or voice.say("brought nothing")
    told = [f"{voice.quantity(order.filled)} {unit} @ {voice.price(order.average_price)}"]
    if order.carried != order.filled:
        told.append(voice.say("{quantity} of it for this copy", quantity=f"{voice.quantity(order.carried)} {unit}"))
    if order.slippage_bps is not None:
        told.append(voice.basis_points(order.slippage_bps))
    if order.fee is not None:
        told.append(voice.say("fee {amount}", amount=f"{voice.quantity(order.fee)} {order.fee_asset}"))
    if order.fills > 1:
        told.append(voice.count(order.fills, "covers {n} fill of the trader's", "covers {n} fills of the trader's"))
    return " · ".join(told)


def _doubt(order: copying.ReceiptOrder, voice: Voice) -> str:
    if order.unknown_at is None:
        return ""
    since = voice.clock(order.unknown_at)
    if order.resolved_at is None:
        return voice.count(
            order.checks,
            "Nobody knows its outcome since {time}; the exchange was asked {n} time. Nothing is sent twice meanwhile.",
            "Nobody knows its outcome since {time}; the exchange was asked {n} times. Nothing is sent twice meanwhile.",
            time=since,
        )
    return voice.say(
        "Its outcome was unknown from {since} for {span}: {how}.",
        since=since,
        span=voice.milliseconds((order.resolved_at - order.unknown_at).total_seconds() * 1000),
        how=voice.say(SENTENCES[Resolution(order.resolution)]),
    )


def _tries(tries: copying.Tries, voice: Voice) -> str:
    known = Refusal(tries.refusal) if tries.refusal else None
    why = voice.say(TEXTS[known]) if known is not None else voice.say(STATES[OrderState(tries.state)])
    if tries.state == OrderState.ENDED:
        why = voice.say("nobody traded at the limit of {price}", price=voice.price(tries.price))
    return voice.count(
        tries.count,
        "{n} order brought nothing, until {last}: {why}",
        "{n} orders brought nothing, until {last}: {why}",
        last=voice.clock(tries.last_at),
        why=why,
    )


def _skip(skip: copying.SkipLine, voice: Voice, *, unit: str) -> str:
    told = [f"{voice.quantity(skip.quantity)} {unit}: {reason_text(skip.reason, voice, skip.facts)}"]
    if skip.pnl is not None:
        told.append(would_have_made(skip.pnl, voice))
    elif skip.is_waiting:
        told.append(voice.say("what it would have made is known when the trader has left it"))
    return " · ".join(told)
