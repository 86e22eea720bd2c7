"""What one clicks at each exchange to make a key that fits: written by venue, market and role."""

from copytrade.domain.instruments import Market, Role, Venue
from copytrade.i18n.voice import Voice

KEY_PAGES = {
    Venue.BINANCE: "On Binance, open Account → API Management → Create API and choose a system-generated key.",
    Venue.BYBIT: "On Bybit, open Account → API → Create New Key and choose a system-generated key for API "
    "transactions.",
    Venue.BITGET: "On Bitget, open Account → API Keys → Create API Key and choose a system-generated key.",
}

NEEDS = {
    (Venue.BINANCE, Market.PERPETUAL): "Open your USD-M futures account first: a key that was made before it cannot "
    "trade futures.",
    (
        Venue.BYBIT,
        Market.PERPETUAL,
    ): "The account has to be a Unified Trading Account. If yours is not one yet, upgrade "
    "it on Bybit under Assets first.",
    (
        Venue.BYBIT,
        Market.SPOT,
    ): "The account has to be a Unified Trading Account. If yours is not one yet, upgrade it on "
    "Bybit under Assets first.",
    (Venue.BITGET, Market.PERPETUAL): "The account has to be in classic mode: Bitget's unified account speaks another "
    "protocol and is refused.",
    (
        Venue.BITGET,
        Market.SPOT,
    ): "The account has to be in classic mode: Bitget's unified account speaks another protocol and is refused.",
}

RIGHTS = {
    (Venue.BINANCE, Market.PERPETUAL, Role.LEAD): "Tick “Enable Reading”. Nothing else is needed. Leave “Enable "
    "Withdrawals” and all transfers off: a key with them is refused.",
    (
        Venue.BINANCE,
        Market.SPOT,
        Role.LEAD,
    ): "Tick “Enable Reading”. Nothing else is needed. Leave “Enable Withdrawals” "
    "and all transfers off: a key with them is refused.",
    (Venue.BINANCE, Market.PERPETUAL, Role.COPY): "Tick “Enable Reading” and “Enable Futures”. Leave “Enable "
    "Withdrawals” and all transfers off: a key with them is refused.",
    (Venue.BINANCE, Market.SPOT, Role.COPY): "Tick “Enable Reading” and “Enable Spot & Margin Trading”. Leave “Enable "
    "Withdrawals” and all transfers off: a key with them is refused.",
    (
        Venue.BYBIT,
        Market.PERPETUAL,
        Role.LEAD,
    ): "Choose “Read-Only” and tick “Orders” and “Positions” of contracts. Leave "
    "“Withdrawal” and all transfers off: a key with them is refused.",
    (Venue.BYBIT, Market.SPOT, Role.LEAD): "Choose “Read-Only” and tick “Trade” of spot. Leave “Withdrawal” and all "
    "transfers off: a key with them is refused.",
    (
        Venue.BYBIT,
        Market.PERPETUAL,
        Role.COPY,
    ): "Choose “Read-Write” and tick “Orders” and “Positions” of contracts. Leave "
    "“Withdrawal” and all transfers off: a key with them is refused.",
    (Venue.BYBIT, Market.SPOT, Role.COPY): "Choose “Read-Write” and tick “Trade” of spot. Leave “Withdrawal” and all "
    "transfers off: a key with them is refused.",
    (
        Venue.BITGET,
        Market.PERPETUAL,
        Role.LEAD,
    ): "Choose “Read-only” and tick “Orders” and “Holdings” of futures. Leave "
    "“Withdraw” and “Transfer” off: a key with them is refused.",
    (
        Venue.BITGET,
        Market.SPOT,
        Role.LEAD,
    ): "Choose “Read-only” and tick “Spot trading”. Leave “Withdraw” and “Transfer” off: a key with them is refused.",
    (
        Venue.BITGET,
        Market.PERPETUAL,
        Role.COPY,
    ): "Choose “Read-write” and tick “Orders” and “Holdings” of futures. Leave "
    "“Withdraw” and “Transfer” off: a key with them is refused.",
    (
        Venue.BITGET,
        Market.SPOT,
        Role.COPY,
    ): "Choose “Read-write” and tick “Spot trading”. Leave “Withdraw” and “Transfer” off: a key with them is refused.",
}

ADDRESSES = {
    Venue.BINANCE: "Choose “Restrict access to trusted IPs only” and put in ours; without them Binance lets no new key "
    "trade:",
    Venue.BYBIT: "Let the key be used from our addresses only; without them Bybit ends it after three months:",
    Venue.BITGET: "Bind the key to our addresses:",
}

HINTS = {
    (
        "may_withdraw",
        Venue.BINANCE,
    ): "On Binance: API Management → Edit restrictions → untick “Enable Withdrawals” → Save.",
    ("may_withdraw", Venue.BYBIT): "On Bybit: API → Edit → untick “Withdrawal” → Submit.",
    ("may_withdraw", Venue.BITGET): "On Bitget: API Keys → Edit → untick “Withdraw” → Save.",
    (
        "may_transfer",
        Venue.BINANCE,
    ): "On Binance: API Management → Edit restrictions → untick “Permits Universal Transfer” "
    "and internal transfers → Save.",
    (
        "may_transfer",
        Venue.BYBIT,
    ): "On Bybit: API → Edit → untick “Account Transfer” and “Subaccount Transfer” → Submit.",
    ("may_transfer", Venue.BITGET): "On Bitget: API Keys → Edit → untick “Transfer” → Save.",
    ("not_readable", Venue.BINANCE): "On Binance: API Management → Edit restrictions → tick “Enable Reading” → Save.",
    ("not_readable", Venue.BYBIT): "On Bybit: API → Edit → tick the rights named above → Submit.",
    ("not_readable", Venue.BITGET): "On Bitget: API Keys → Edit → tick the rights named above → Save.",
    ("read_only", Venue.BINANCE): "On Binance: API Management → Edit restrictions → tick what is named above → Save.",
    ("read_only", Venue.BYBIT): "On Bybit: API → Edit → “Read-Write” and the rights named above → Submit.",
    ("read_only", Venue.BITGET): "On Bitget: API Keys → Edit → “Read-write” and the rights named above → Save.",
    ("wrong_key", Venue.BINANCE): "Copy both again: Binance shows the secret only once, when the key is made.",
    ("wrong_key", Venue.BYBIT): "Copy both again: Bybit shows the secret only once, when the key is made.",
    ("wrong_key", Venue.BITGET): "Check the passphrase too: Bitget refuses the key when it is another one.",
}
"""What to click, by why a key was refused."""

OWN_ACCOUNT = (
    "Best use a sub-account for copying alone: what you trade yourself beside it is told apart, but shares the money."
)
OWN_PHRASE = (
    "Bitget has you choose a passphrase for the key. It is typed below beside key and secret; nobody can look it up "
    "later."
)
DEMO = (
    "Make the key inside the exchange's demo trading: a key for real money does not open it, nor the other way round."
)


def before_addresses(voice: Voice, *, venue: Venue, market: Market, role: Role, mode: str) -> list[str]:
    """Return the steps up to where the key is limited to our addresses."""
    steps = [voice.say(OWN_ACCOUNT)] if role is Role.COPY else []
    if need := NEEDS.get((venue, market)):
        steps.append(voice.say(need))
    if mode == "testnet":
        steps.append(voice.say(DEMO))
    return [*steps, voice.say(KEY_PAGES[venue]), voice.say(RIGHTS[venue, market, role])]


def addresses(voice: Voice, *, venue: Venue) -> str:
    """Return the sentence over our addresses."""
    return voice.say(ADDRESSES[venue])


def after_addresses(voice: Voice, *, venue: Venue) -> list[str]:
    """Return the steps after the key was limited to our addresses."""
    return [voice.say(OWN_PHRASE)] if venue is Venue.BITGET else []


def hint(voice: Voice, *, reason: str, venue: str) -> str:
    """Return what to click at the exchange against a refusal, empty where nothing helps."""
    text = HINTS.get((reason, Venue(venue)), "")
    return voice.say(text) if text else ""
