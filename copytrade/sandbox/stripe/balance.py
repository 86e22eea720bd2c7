"""The account's balance: each movement of money is a balance transaction, with Stripe's fee where there is one."""

from copytrade.sandbox.stripe.currencies import fee as charge_fee
from copytrade.sandbox.stripe.errors import ApiError, Json
from copytrade.sandbox.stripe.schedule import DAY
from copytrade.sandbox.stripe.world import World

SETTLING_DAYS = 2
"""After so many days, at midnight, the money of a charge can be sent on."""
_CATEGORIES = {
    "charge": "charge",
    "payment": "charge",
    "refund": "refund",
    "payment_refund": "refund",
    "transfer": "transfer",
    "transfer_refund": "transfer_reversal",
    "payout": "payout",
    "dispute": "dispute",
    "dispute_reversal": "dispute_reversal",
    "topup": "topup",
}
_TYPES = {"dispute": "adjustment", "dispute_reversal": "adjustment"}


def book(
    world: World,
    *,
    kind: str,
    source: str,
    amount: int,
    currency: str,
    description: str | None = None,
    fee: int = 0,
    fee_text: str = "Stripe processing fees",
    available_on: int | None = None,
) -> Json:
    """Write a movement into the balance of whom the request speaks for."""
    now = world.account_now()
    on = available_on if available_on is not None else now
    details = {"amount": fee, "application": None, "currency": currency, "description": fee_text, "type": "stripe_fee"}
    body: Json = {
        "id": world.new_id("txn"),
        "object": "balance_transaction",
        "amount": amount,
        "available_on": on,
        "balance_type": "payments",
        "created": now,
        "currency": currency,
        "description": description,
        "exchange_rate": None,
        "fee": fee,
        "fee_details": [details] if fee else [],
        "net": amount - fee,
        "reporting_category": _CATEGORIES[kind],
        "source": source,
        "status": "available" if on <= now else "pending",
        "type": _TYPES.get(kind, kind),
    }
    world.store.db.execute(
        "insert into money values (?, ?, ?, ?)"
        " on conflict (owner, currency, available_on) do update set net = net + excluded.net",
        (world.owner, currency, on if on > now else 0, amount - fee),
    )
    return world.save(body)


def settles_on(world: World, *, at_once: bool = False) -> int:
    """Return when the money of a charge made now can be sent on."""
    days = int(world.store.switch("settling_days", SETTLING_DAYS))
    now = world.account_now()
    return now if at_once or days == 0 else (now // DAY + days) * DAY


def book_charge(world: World, charge: Json, *, at_once: bool) -> Json:
    """Write a paid charge with its fee."""
    return book(
        world,
        kind="charge",
        source=charge["id"],
        amount=charge["amount"],
        currency=charge["currency"],
        description=charge["description"],
        fee=charge_fee(charge["amount"]),
        available_on=settles_on(world, at_once=at_once),
    )


def available(world: World, currency: str) -> int:
    """Return what can be sent on now, in minor units."""
    row = world.store.db.execute(
        "select coalesce(sum(net), 0) from money where owner = ? and currency = ? and available_on <= ?",
        (world.owner, currency, world.account_now()),
    ).fetchone()
    return int(row[0])


def need(world: World, amount: int, currency: str) -> None:
    """Refuse to send on what is not there."""
    if available(world, currency) < amount:
        raise ApiError(
            400,
            "You have insufficient available funds in your Stripe account. Try adding funds directly to your available"
            " balance by creating Charges using the 4000000000000077 test card. See: https://stripe.com/docs/testing",
            code="balance_insufficient",
        )


def retrieve(world: World, params: Json, ids: tuple[str, ...]) -> Json:
    """Handle GET /v1/balance."""
    rows = world.store.db.execute(
        "select currency, available_on <= ?, sum(net) from money where owner = ? group by 1, 2 order by 1",
        (world.account_now(), world.owner),
    ).fetchall()
    parts: dict[int, list[Json]] = {0: [], 1: []}
    for currency, ready, net in rows:
        parts[ready].append({"amount": net, "currency": currency, "source_types": {"card": net}})
    nothing = [{"amount": 0, "currency": "usd", "source_types": {"card": 0}}]
    return {
        "object": "balance",
        "available": parts[1] or nothing,
        "livemode": False,
        "pending": parts[0] or nothing,
        "refund_and_dispute_prefunding": {"available": [], "pending": []},
    }


def shown(world: World, body: Json) -> Json:
    """Return a movement with the status that it has by now."""
    body["status"] = "available" if body["available_on"] <= world.account_now() else "pending"
    return body


def read(world: World, params: Json, ids: tuple[str, ...]) -> Json:
    """Handle GET /v1/balance_transactions/:id."""
    return shown(world, world.get("balance_transaction", ids[0]))


def make_good(world: World) -> None:
    """Write the movements of charges and refunds that an earlier version kept none of."""
    if world.store.switch("balance_kept", False):
        return
    for one in reversed(world.store.find("charge", paid=1)):
        if world.store.get(one["balance_transaction"] or "") is None:
            world.save(one | {"balance_transaction": book_charge(world, one, at_once=True)["id"]})
    for one in reversed(world.store.find("refund")):
        if world.store.get(one["balance_transaction"] or "") is None:
            moved = book(world, kind="refund", source=one["id"], amount=-one["amount"], currency=one["currency"])
            world.save(one | {"balance_transaction": moved["id"]})
    world.store.set_switch("balance_kept", True)
