"""E-mail addresses: checked and brought into one form, without asking any name server."""

from email_validator import EmailNotValidError, validate_email

from copytrade.users.refusals import EmailInvalid

LONGEST = 254
"""Octets of an address that SMTP can carry (RFC 5321, 4.5.3.1.3, without the angle brackets)."""


def normalised(typed: str) -> str:
    """Return the address in lower case and one Unicode form; raise EmailInvalid for anything else."""
    address = typed.strip()
    if not address or len(address) > LONGEST:
        raise EmailInvalid("empty or too long")
    try:
        checked = validate_email(address, check_deliverability=False)
    except EmailNotValidError as error:
        raise EmailInvalid(type(error).__name__) from None
    folded = checked.normalized.lower()
    if len(folded.encode()) > LONGEST:
        raise EmailInvalid("too long")
    return folded
