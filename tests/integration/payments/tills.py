"""A till for tests: sells a trader's months at the sandbox's Stripe for real, and books them."""

from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import stripe as sdk
from sqlmodel import Session

from copytrade.db.model import new_id
from copytrade.payments import gateway, ledger
from copytrade.payments.gateway import ask
from copytrade.payments.models import PaidPeriod
from tests.integration.payments.books import DAY, Books, Sold
from tests.integration.payments.paying import Stripe

AT_ONCE = "4000 0000 0000 0077"
"""A card whose payments can be sent on at once."""
SETTLES_LATER = "4242 4242 4242 4242"


@dataclass(slots=True)
class Till:
    """Sells months of one trader; `books` show what we have of them."""

    session: Session
    stripe: Stripe
    trader: UUID
    books: Books = field(init=False)
    _price: dict[tuple[int, str], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.books = Books(self.session, self.trader)

    def sell(
        self, minor: int = 2900, *, currency: str = "usd", card: str = AT_ONCE, booked: bool = True, days_ago: int = 0
    ) -> sdk.Charge:
        """Sell a month on the hosted page, book it as its webhook would, and return the charge."""
        customer = ask(lambda client: client.v1.customers.create({"email": "bob@copytrade.example"}))
        page = ask(
            lambda client: client.v1.checkout.sessions.create(
                {
                    "mode": "subscription",
                    "customer": customer.id,
                    "line_items": [{"price": self._priced(minor, currency), "quantity": 1}],
                    "success_url": "http://localhost/paid",
                }
            )
        )
        assert self.stripe.pay(str(page.url), card).status_code == 303
        charge = ask(lambda client: client.v1.charges.list({"customer": customer.id})).data[0]
        if booked:
            found = ask(lambda client: client.v1.subscriptions.list({"customer": customer.id})).data[0]
            [invoice] = gateway.paid_invoices(found.id)
            invoice = replace(invoice, paid_at=invoice.paid_at - days_ago * DAY)
            sold = Sold(new_id(), new_id(), self.trader)
            assert ledger.book_paid(self.session, subscription=sold, invoice=invoice)
            self.session.commit()
        return charge

    def fund(self, minor: int = 100_000) -> None:
        """Let there be money at Stripe that is nobody's here: disputes and their fees are taken of it."""
        self.sell(minor, booked=False)

    def period(self, charge: sdk.Charge) -> PaidPeriod:
        """Return the period that a charge paid."""
        found = ledger.locked_period(self.session, payment_intent_id=str(charge.payment_intent))
        assert found is not None
        return found

    def refund(self, charge: sdk.Charge, minor: int | None = None) -> str:
        """Give money back in Stripe's dashboard; return the refund's id."""
        return self.refund_of(charge.id, minor)

    def refund_of(self, charge_id: str, minor: int | None = None) -> str:
        """Give money of a charge back."""
        params: Any = {"charge": charge_id} | ({"amount": minor} if minor else {})
        return ask(lambda client: client.v1.refunds.create(params)).id

    def dispute(self, charge: sdk.Charge) -> str:
        """Let the payer's bank take a charge back; return the dispute's id."""
        return self.stripe.control("POST", "dispute", charge=charge.id)["id"]

    def decide(self, dispute: str, status: str) -> None:
        """Let the bank decide: `won` or `lost`, seen from us."""
        self.stripe.control("POST", "dispute/decide", dispute=dispute, status=status)

    def transfers(self) -> list[sdk.Transfer]:
        """Return what was moved to connected accounts, newest first."""
        return ask(lambda client: client.v1.transfers.list({"limit": 100})).data

    def _priced(self, minor: int, currency: str) -> str:
        if (minor, currency) not in self._price:
            product = ask(lambda client: client.v1.products.create({"name": "Nordwind"}))
            price = ask(
                lambda client: client.v1.prices.create(
                    {
                        "product": product.id,
                        "unit_amount": minor,
                        "currency": currency,
                        "recurring": {"interval": "month"},
                    }
                )
            )
            self._price[minor, currency] = price.id
        return self._price[minor, currency]
