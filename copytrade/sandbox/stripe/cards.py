"""The test cards and what each of them does."""

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from copytrade.sandbox.stripe import shapes
from copytrade.sandbox.stripe.errors import Json
from copytrade.sandbox.stripe.world import World


class Behaviour(StrEnum):
    """What a card does when it is charged."""

    PAYS = "pays"
    ASKS = "asks"
    GENERIC = "generic_decline"
    FUNDS = "insufficient_funds"
    EXPIRED = "expired_card"
    CVC = "incorrect_cvc"
    STOLEN = "stolen_card"
    LATER = "generic_decline_later"
    """Attaches, and is declined when it is charged."""
    ASKS_ALWAYS = "authentication_required"
    """Wants its holder each time, so that every renewal fails without him."""
    DISPUTES = "disputes"
    """Pays, and is disputed at once."""
    AT_ONCE = "available_at_once"
    """Pays, and the money can be sent on at once."""
    NOT_TEST = "test_mode_live_card"


CARDS = {
    "4242424242424242": Behaviour.PAYS,
    "5555555555554444": Behaviour.PAYS,
    "4000002500003155": Behaviour.ASKS,
    "4000000000003220": Behaviour.ASKS,
    "4000002760003184": Behaviour.ASKS_ALWAYS,
    "4000000000000002": Behaviour.GENERIC,
    "4000000000000341": Behaviour.LATER,
    "4000000000000259": Behaviour.DISPUTES,
    "4000000000000077": Behaviour.AT_ONCE,
    "4000000000009979": Behaviour.STOLEN,
    "4000000000009995": Behaviour.FUNDS,
    "4000000000000069": Behaviour.EXPIRED,
    "4000000000000127": Behaviour.CVC,
}
TOKENS = {
    "pm_card_visa": "4242424242424242",
    "pm_card_mastercard": "5555555555554444",
    "pm_card_bypassPending": "4000000000000077",
    "pm_card_createDispute": "4000000000000259",
    "pm_card_authenticationRequiredOnSetup": "4000002500003155",
    "pm_card_threeDSecure2Required": "4000000000003220",
    "pm_card_authenticationRequired": "4000002760003184",
    "pm_card_chargeCustomerFail": "4000000000000341",
    "pm_card_chargeDeclined": "4000000000000002",
    "pm_card_visa_chargeDeclined": "4000000000000002",
    "pm_card_chargeDeclinedInsufficientFunds": "4000000000009995",
    "pm_card_chargeDeclinedExpiredCard": "4000000000000069",
    "pm_card_chargeDeclinedIncorrectCvc": "4000000000000127",
}
"""Stripe's test payment methods, which the API takes in the place of a card."""
_CODES = {Behaviour.LATER: "generic_decline"}
_DECLINES = {
    Behaviour.GENERIC: ("card_declined", "Your card was declined."),
    Behaviour.LATER: ("card_declined", "Your card was declined."),
    Behaviour.STOLEN: ("card_declined", "Your card was declined."),
    Behaviour.ASKS_ALWAYS: (
        "authentication_required",
        "Your card was declined. This transaction requires authentication.",
    ),
    Behaviour.FUNDS: ("card_declined", "Your card has insufficient funds."),
    Behaviour.EXPIRED: ("expired_card", "Your card has expired."),
    Behaviour.CVC: ("incorrect_cvc", "Your card's security code is incorrect."),
    Behaviour.NOT_TEST: (
        "card_declined",
        "Your card was declined. Your request was in test mode, but used a non test card.",
    ),
}


class BadCard(Exception):
    """The form cannot be used as it is typed."""


@dataclass(frozen=True, slots=True)
class Typed:
    """A card as it was typed into a hosted page, checked."""

    number: str
    month: int
    year: int
    name: str


def typed(form: Json, *, now: int) -> Typed:
    """Return the card of a form, or raise `BadCard` with the text to show."""
    number = re.sub(r"[\s-]", "", str(form.get("number", "")))
    if not re.fullmatch(r"\d{12,19}", number):
        raise BadCard("Your card number is incomplete.")
    if not _luhn(number):
        raise BadCard("Your card number is invalid.")
    found = re.fullmatch(r"\s*(\d{1,2})\s*/?\s*(\d{2}|\d{4})\s*", str(form.get("expiry", "")))
    if found is None or not 1 <= int(found[1]) <= 12:
        raise BadCard("Your card's expiration date is incomplete.")
    month, year = int(found[1]), int(found[2]) + (2000 if len(found[2]) == 2 else 0)
    today = datetime.fromtimestamp(now, UTC)
    if (year, month) < (today.year, today.month):
        raise BadCard("Your card's expiration year is in the past.")
    if not re.fullmatch(r"\d{3,4}", str(form.get("cvc", "")).strip()):
        raise BadCard("Your card's security code is incomplete.")
    return Typed(number=number, month=month, year=year, name=str(form.get("name", "")).strip()[:100])


def _luhn(number: str) -> bool:
    total = 0
    for index, digit in enumerate(reversed(number)):
        value = int(digit) * (2 if index % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def method(world: World, card: Typed, *, customer: str | None, email: str | None) -> Json:
    """Store a card as a payment method; its behaviour is remembered beside it, never its number."""
    body = shapes.payment_method(
        id=world.new_id("pm"),
        now=world.now(),
        customer=customer,
        card=shapes.card(
            brand="mastercard" if card.number.startswith("5") else "visa",
            last4=card.number[-4:],
            month=card.month,
            year=card.year,
            fingerprint=hashlib.sha256(card.number.encode()).hexdigest()[:16],
        ),
        details=shapes.billing_details(email=email, name=card.name or None),
    )
    world.store.set_switch(f"card:{body['id']}", CARDS.get(card.number, Behaviour.NOT_TEST))
    return world.save(body)


def behaviour(world: World, method: str) -> Behaviour:
    """Return what the card behind a payment method does."""
    return Behaviour(world.store.switch(f"card:{method}", Behaviour.NOT_TEST))


def needs_holder(card: Typed) -> bool:
    """Tell whether the card's bank wants its holder to confirm."""
    return CARDS.get(card.number) in (Behaviour.ASKS, Behaviour.ASKS_ALWAYS)


def decline(world: World, method: Json, *, holder: bool = False) -> Json | None:
    """Return the decline of a card when it is charged, None when it pays; `holder`: its holder has confirmed."""
    does = behaviour(world, method["id"])
    today = datetime.fromtimestamp(world.now(), UTC)
    if (method["card"]["exp_year"], method["card"]["exp_month"]) < (today.year, today.month):
        does = Behaviour.EXPIRED
    if does not in _DECLINES or (holder and does is Behaviour.ASKS_ALWAYS):
        return None
    code, message = _DECLINES[does]
    return {"code": code, "decline_code": _CODES.get(does, str(does)), "message": message}


def refused_when_attached(world: World, method: Json) -> Json | None:
    """Return the decline of a card that its bank refuses even to keep."""
    if behaviour(world, method["id"]) in (Behaviour.LATER, Behaviour.ASKS_ALWAYS):
        return None
    return decline(world, method)


def from_token(world: World, token: str, *, customer: str | None) -> Json:
    """Store the card behind one of Stripe's test payment methods."""
    year = datetime.fromtimestamp(world.now(), UTC).year + 1
    card = Typed(number=TOKENS[token], month=8, year=year, name="")
    return method(world, card, customer=customer, email=None)
