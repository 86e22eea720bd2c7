"""Transfers to connected accounts, what takes them back, and the payouts to those accounts' banks."""

from copytrade.sandbox.stripe import balance, connect, lists, shapes_money, shapes_payment
from copytrade.sandbox.stripe.currencies import KNOWN
from copytrade.sandbox.stripe.errors import ApiError, Json, invalid, no_such
from copytrade.sandbox.stripe.forms import integer, metadata, text
from copytrade.sandbox.stripe.schedule import DAY
from copytrade.sandbox.stripe.shapes import page
from copytrade.sandbox.stripe.world import World

CREATE = (
    "amount",
    "currency",
    "destination",
    "transfer_group",
    "metadata",
    "source_transaction",
    "description",
    "source_type",
)
REVERSE = ("amount", "metadata", "description", "refund_application_fee")
ARRIVAL_DAYS = 2


def create(world: World, params: Json, ids: tuple[str, ...]) -> Json:
    """Handle POST /v1/transfers."""
    currency = text(params, "currency").lower()
    if currency not in KNOWN:
        raise invalid("currency", f"Invalid currency: {currency}.")
    account = _destination(world, text(params, "destination"))
    source = (
        world.get("charge", params["source_transaction"], param="source_transaction")
        if params.get("source_transaction")
        else None
    )
    amount = _amount(world, params, source, currency)
    body = shapes_money.transfer(
        id=world.new_id("tr"),
        now=world.now(),
        amount=amount,
        currency=currency,
        destination=account["id"],
        description=params.get("description") or None,
        metadata=metadata(params),
        transfer_group=_group(params, source),
        source_transaction=source["id"] if source else None,
    )
    on = None
    if source is not None:
        on = world.get("balance_transaction", source["balance_transaction"])["available_on"]
    moved = balance.book(
        world,
        kind="transfer",
        source=body["id"],
        amount=-amount,
        currency=currency,
        description=body["description"],
        available_on=on,
    )
    body["balance_transaction"] = moved["id"]
    body["destination_payment"] = _arrive(world, body, on=on)
    world.emit("transfer.created", world.save(body))
    connect.expect_payout(world, account["id"])
    return body


def _destination(world: World, id: str) -> Json:
    found = world.store.get(id, owner="")
    if found is None or found["object"] != "account":
        raise ApiError(400, f"No such destination: '{id}'", code="resource_missing", param="destination")
    if found["capabilities"].get("transfers") != "active":
        raise ApiError(
            400,
            "Your destination account needs to have at least one of the following capabilities enabled: transfers,"
            " crypto_transfers, legacy_payments",
            code="insufficient_capabilities_for_transfer",
        )
    return found


def _amount(world: World, params: Json, source: Json | None, currency: str) -> int:
    """Return what is sent: bounded by the charge that it comes from, or by what is there."""
    if source is None:
        amount = integer(params, "amount", least=1)
        balance.need(world, amount, currency)
        return amount
    if source["currency"] != currency:
        raise invalid("currency", "The currency of source_transaction's balance transaction must be the transfer's.")
    sent = sum(
        one["amount"] - one["amount_reversed"] for one in world.store.find("transfer", source_transaction=source["id"])
    )
    left = source["amount"] - sent
    amount = integer(params, "amount", default=left, least=1)
    if amount > left:
        raise ApiError(
            400,
            f"You cannot create a transfer with this source_transaction for more than what is left of it ({left}).",
            param="amount",
        )
    return amount


def _group(params: Json, source: Json | None) -> str | None:
    of_source = (source["transfer_group"] or f"group_{source['payment_intent']}") if source else None
    return params.get("transfer_group") or of_source


def _arrive(world: World, transfer: Json, *, on: int | None) -> str:
    """Write the payment that the connected account sees, and its money; return its id."""
    before, world.owner = world.owner, transfer["destination"]
    try:
        body = shapes_payment.destination_payment(id=world.new_id("py"), now=world.now(), transfer=transfer)
        moved = balance.book(
            world,
            kind="payment",
            source=body["id"],
            amount=transfer["amount"],
            currency=transfer["currency"],
            available_on=on,
        )
        body["balance_transaction"] = moved["id"]
        world.emit("payment.created", world.save(body))
        return body["id"]
    finally:
        world.owner = before


def reverse(world: World, params: Json, ids: tuple[str, ...]) -> Json:
    """Handle POST /v1/transfers/:id/reversals: all that is left unless an amount is told."""
    body = world.get("transfer", ids[0])
    left = body["amount"] - body["amount_reversed"]
    amount = integer(params, "amount", default=left, least=0 if left == 0 else 1)
    if left == 0:
        raise ApiError(400, f"Transfer {body['id']} is already fully reversed.", param="id")
    if amount > left:
        raise ApiError(
            400,
            f"Reversal amount ({amount}) is greater than the unreversed amount of the transfer ({left})",
            param="amount",
        )
    _take(world, body, amount)
    id = world.new_id("trr")
    moved = balance.book(world, kind="transfer_refund", source=id, amount=amount, currency=body["currency"])
    made = shapes_money.reversal(
        id=id, now=world.now(), transfer=body, amount=amount, metadata=metadata(params), transaction=moved["id"]
    )
    world.save(made)
    total = body["amount_reversed"] + amount
    listed = world.store.find("transfer_reversal", transfer=body["id"])
    world.change(
        body,
        "transfer.reversed",
        amount_reversed=total,
        reversed=total == body["amount"],
        reversals=page(f"/v1/transfers/{body['id']}/reversals", listed[:10]) | {"total_count": len(listed)},
    )
    return made


def reversals(world: World, params: Json, ids: tuple[str, ...]) -> Json:
    """Handle GET /v1/transfers/:id/reversals."""
    world.get("transfer", ids[0])
    return lists.paged(world, f"/v1/transfers/{ids[0]}/reversals", "transfer_reversal", {"transfer": ids[0]}, params)


def read_reversal(world: World, params: Json, ids: tuple[str, ...]) -> Json:
    """Handle GET /v1/transfers/:id/reversals/:id."""
    found = world.get("transfer_reversal", ids[1])
    if found["transfer"] != ids[0]:
        raise no_such("transfer_reversal", ids[1])
    return found


def update(world: World, params: Json, ids: tuple[str, ...]) -> Json:
    """Handle POST /v1/transfers/:id."""
    body = world.get("transfer", ids[0])
    return world.change(
        body,
        "transfer.updated",
        metadata=metadata(params, old=body["metadata"]),
        description=params.get("description", body["description"]) or None,
    )


def _take(world: World, transfer: Json, amount: int) -> None:
    """Take money back from a connected account, which may not have it any more."""
    before, world.owner = world.owner, transfer["destination"]
    try:
        if balance.available(world, transfer["currency"]) < amount and not world.store.switch("reserves", False):
            raise ApiError(
                400,
                f"The connected account {transfer['destination']} has insufficient funds in its balance to reverse"
                " this transfer.",
                code="balance_insufficient",
            )
        balance.book(
            world,
            kind="payment_refund",
            source=transfer["destination_payment"],
            amount=-amount,
            currency=transfer["currency"],
        )
    finally:
        world.owner = before


def pay_out(world: World, account: Json) -> None:
    """Send an account's available balance to its bank, as Stripe does each day."""
    world.store.set_switch(f"payout:{account['id']}", None)
    world.save(account)
    if not account["payouts_enabled"] or account["settings"]["payouts"]["schedule"]["interval"] == "manual":
        return
    world.owner = account["id"]
    rows = world.store.db.execute("select distinct currency from money where owner = ?", (world.owner,)).fetchall()
    for (currency,) in rows:
        amount = balance.available(world, currency)
        if amount > 0:
            _send(world, account, amount=amount, currency=currency)
    world.owner = ""
    waiting = world.store.db.execute(
        "select 1 from money where owner = ? and available_on > ? and net > 0", (account["id"], world.account_now())
    )
    if waiting.fetchone():
        connect.expect_payout(world, account["id"])


def _send(world: World, account: Json, *, amount: int, currency: str) -> None:
    now = world.account_now()
    body = shapes_money.payout(
        id=world.new_id("po"),
        now=now,
        amount=amount,
        currency=currency,
        arrival=(now // DAY + ARRIVAL_DAYS) * DAY,
        destination=account["external_accounts"]["data"][0]["id"],
    )
    moved = balance.book(world, kind="payout", source=body["id"], amount=-amount, currency=currency)
    body["balance_transaction"] = moved["id"]
    world.emit("payout.created", world.save(body))


def arrive_at_bank(world: World, body: Json) -> None:
    """Let a payout be in the bank."""
    world.change(body, "payout.paid", status="paid", reconciliation_status="completed")
