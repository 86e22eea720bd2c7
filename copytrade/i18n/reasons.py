"""Reason codes as sentences; a fact that a reason carries fills its braces."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from copytrade.domain.driving import WaitReason
from copytrade.domain.skips import SkipReason
from copytrade.i18n.voice import Voice

REASONS: dict[SkipReason, str] = {
    SkipReason.PAUSED: "copying was paused",
    SkipReason.SYMBOL_NOT_ALLOWED: "this symbol is not on your list",
    SkipReason.DIRECTION_NOT_ALLOWED: "you do not copy this direction",
    SkipReason.TOO_OLD: "it reached us too late to enter",
    SkipReason.MAX_ORDER: "beyond your largest order",
    SkipReason.MAX_POSITION: "beyond your largest position",
    SkipReason.MAX_TOTAL: "beyond what you allow in all",
    SkipReason.MAX_OPEN_POSITIONS: "you have as many positions as you allow",
    SkipReason.MAX_LEVERAGE: "beyond the leverage you allow",
    SkipReason.DAILY_LOSS: "the loss you allow for a day was reached",
    SkipReason.DRAWDOWN: "the fall you allow was reached",
    SkipReason.ILLIQUID: "the market is too thin for all subscribers",
    SkipReason.EQUITY_UNKNOWN: "the accounts' equity could not be read",
    SkipReason.NO_EQUITY: "the account is empty",
    SkipReason.ORDER_UNKNOWN: "the trader's order could not be read",
    SkipReason.OUT_OF_ORDER: "it reached us after a later trade",
    SkipReason.MISSED: "it happened while the exchange did not tell us",
    SkipReason.NOTHING_TO_REDUCE: "there was nothing of it on your account",
    SkipReason.NOT_ENTITLED: "the subscription was not active",
    SkipReason.STOPPED: "the subscription had ended",
    SkipReason.HALTED: "copying was switched off",
    SkipReason.SLIPPAGE: "the price had moved too far",
    SkipReason.FUNDS: "not enough free money",
    SkipReason.LEVERAGE: "the exchange refused the leverage",
    SkipReason.OWN_POSITION: "you hold a position of your own on the other side",
    SkipReason.OWN_TRADE: "you traded this yourself",
    SkipReason.DRIFT_HALT: "waits for you after a difference on the account",
    SkipReason.TOO_SMALL: "below the exchange's minimum",
    SkipReason.MARKET_CLOSED: "the exchange does not trade it now",
    SkipReason.POSITION_MODE: "the account is in hedge mode",
    SkipReason.CREDENTIALS: "the exchange refused your key",
    SkipReason.REFUSED: "the exchange refused the order",
    SkipReason.UNKNOWN_OUTCOME: "nobody could find out what became of the order",
    SkipReason.UNREACHABLE: "the exchange could not be reached",
    SkipReason.UNLISTED: "the exchange does not list this symbol",
    SkipReason.MARGIN_MODE: "the exchange refused the margin mode",
    SkipReason.MODES_CHANGED: "leverage or modes of the account were changed by hand",
    SkipReason.SILENT: "nothing is heard of the trader's account",
}

WAITS: dict[WaitReason, str] = {
    WaitReason.LIVE_ORDER: "an order is on its way",
    WaitReason.TOO_SMALL: "below the exchange's minimum, goes with the next fill",
    WaitReason.NEEDS_QUOTE: "waits for the price",
    WaitReason.PAUSE: "tried again in a moment",
    WaitReason.MARKET_MOVED: "waits for a better price",
    WaitReason.HELD_BACK: "entries are held back",
    WaitReason.HANDS_OFF: "copying is switched off",
    WaitReason.NOT_FREE: "waits until what should be sold is free on the account",
}


def reason_text(code: str, voice: Voice, facts: Mapping[str, Any] | None = None) -> str:
    """Return the sentence for why something was not copied; the code itself where it is not known here."""
    sentence = {str(reason): text for reason, text in REASONS.items()}.get(code)
    if sentence is None:
        return code.replace("_", " ")
    said = voice.say(sentence)
    limit = (facts or {}).get("limit")
    return f"{said} ({voice.quantity(Decimal(limit))})" if limit else said


def wait_text(code: str, voice: Voice) -> str:
    """Return why a copied position is not yet what it should be."""
    sentence = {str(reason): text for reason, text in WAITS.items()}.get(code)
    return voice.say(sentence) if sentence else ""
