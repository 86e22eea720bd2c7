"""What a person's exchange accounts are called on his pages."""

from copytrade.accounts.rows import AccountRow
from copytrade.i18n.names import place_name
from copytrade.i18n.voice import Voice


def account_name(row: AccountRow, voice: Voice) -> str:
    """Return how a person knows his account."""
    return row.label or place_name(voice, row.venue, row.market)


def account_told(row: AccountRow, voice: Voice) -> str:
    """Return an account's name with its place, which several accounts of one exchange differ by."""
    name, place = account_name(row, voice), place_name(voice, row.venue, row.market)
    return name if name == place else f"{name} ({place})"
