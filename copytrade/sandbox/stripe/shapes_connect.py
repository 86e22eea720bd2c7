"""The shapes of Connect: accounts and their banks."""

from copytrade.sandbox.stripe.errors import Json
from copytrade.sandbox.stripe.shapes import page

REQUIRED = (
    "business_type",
    "external_account",
    "individual.dob.day",
    "individual.dob.month",
    "individual.dob.year",
    "individual.email",
    "individual.first_name",
    "individual.last_name",
    "tos_acceptance.date",
    "tos_acceptance.ip",
)
"""What a new account still has to tell."""


def account(*, id: str, now: int, country: str, email: str | None, currency: str, controller: Json, kind: str) -> Json:
    """Build an account that has not been onboarded."""
    return {
        "id": id,
        "object": "account",
        "business_profile": {
            "annual_revenue": None,
            "estimated_worker_count": None,
            "mcc": None,
            "minority_owned_business_designation": None,
            "name": None,
            "product_description": None,
            "support_address": None,
            "support_email": None,
            "support_phone": None,
            "support_url": None,
            "url": None,
        },
        "business_type": None,
        "capabilities": {},
        "charges_enabled": False,
        "controller": {**controller, "type": "application", "is_controller": True},
        "country": country,
        "created": now,
        "default_currency": currency,
        "details_submitted": False,
        "email": email,
        "external_accounts": page(f"/v1/accounts/{id}/external_accounts", []),
        "future_requirements": requirements([]),
        "metadata": {},
        "payouts_enabled": False,
        "requirements": requirements(list(REQUIRED), disabled="requirements.past_due"),
        "settings": {
            "branding": {"icon": None, "logo": None, "primary_color": None, "secondary_color": None},
            "card_payments": {
                "decline_on": {"avs_failure": False, "cvc_failure": False},
                "statement_descriptor_prefix": None,
                "statement_descriptor_prefix_kana": None,
                "statement_descriptor_prefix_kanji": None,
            },
            "dashboard": {"display_name": None, "timezone": "Etc/UTC"},
            "payments": {
                "statement_descriptor": None,
                "statement_descriptor_kana": None,
                "statement_descriptor_kanji": None,
            },
            "payouts": {
                "debit_negative_balances": True,
                "schedule": {"delay_days": 2, "interval": "daily"},
                "statement_descriptor": None,
            },
        },
        "tos_acceptance": {"date": None, "ip": None, "user_agent": None},
        "type": kind,
    }


def requirements(due: list[str], *, disabled: str | None = None) -> Json:
    """Build what an account has still to tell, and why it is held back."""
    return {
        "alternatives": [],
        "current_deadline": None,
        "currently_due": due,
        "disabled_reason": disabled,
        "errors": [],
        "eventually_due": due,
        "past_due": due if disabled == "requirements.past_due" else [],
        "pending_verification": [],
    }


def bank(*, id: str, account: str, country: str, currency: str, last4: str, holder: str, fingerprint: str) -> Json:
    """Build the bank account that is paid to."""
    return {
        "id": id,
        "object": "bank_account",
        "account": account,
        "account_holder_name": holder,
        "account_holder_type": "individual",
        "account_type": None,
        "available_payout_methods": ["standard"],
        "bank_name": "STRIPE TEST BANK",
        "country": country,
        "currency": currency,
        "default_for_currency": True,
        "fingerprint": fingerprint,
        "future_requirements": None,
        "last4": last4,
        "metadata": {},
        "requirements": None,
        "routing_number": "110000000",
        "status": "new",
    }
