"""What Stripe still wants to know of a trader, said in plain words."""

from collections.abc import Iterable

NEEDS: dict[str, str] = {
    "external_account": "Your bank account",
    "verification.document": "A document that shows who you are",
    "verification.additional_document": "A second document, such as a bill with your address",
    "verification.proof_of_liveness": "A photo of yourself",
    "dob.": "Your date of birth",
    "address.": "Your address",
    "first_name": "Your name",
    "last_name": "Your name",
    "email": "Your email address",
    "phone": "Your phone number",
    "id_number": "Your tax or identity number",
    "ssn_last_4": "Your tax or identity number",
    "tax_id": "Your tax or identity number",
    "tos_acceptance.": "Your consent to Stripe's terms",
    "business_type": "Whether you are a person or a company",
    "business_profile.": "What you earn money with",
    "company.": "Details of your company",
    "owners": "Who owns your company",
    "directors": "Who runs your company",
    "representative.": "Who speaks for your company",
    "": "Further details, which Stripe names on its page",
}
"""A part of Stripe's name, and what it is about; the first that fits counts."""


def needs_of(requirements: Iterable[str]) -> tuple[str, ...]:
    """Return each kind of detail that is missing once, in the order in which Stripe asks."""
    return tuple(dict.fromkeys(_word(name) for name in requirements))


def _word(name: str) -> str:
    return next(word for part, word in NEEDS.items() if part in name)
