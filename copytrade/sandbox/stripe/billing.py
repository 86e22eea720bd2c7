"""Subscriptions through time: first period or trial, renewals, failed payments, pauses, the end."""

from dataclasses import dataclass, field

from copytrade.sandbox.stripe import discounts, invoicing, payments, periods, prorations, schedule, shapes_billing
from copytrade.sandbox.stripe.errors import Json
from copytrade.sandbox.stripe.schedule import DAY
from copytrade.sandbox.stripe.world import World

RETRY_DAYS = (3, 5, 7)
"""Days between the tries of an unpaid renewal; after the last the subscription is canceled."""
_LIVE = ("active", "past_due", "trialing", "unpaid")


@dataclass(frozen=True, slots=True)
class Wish:
    """What a subscription is to be like."""

    price: Json
    quantity: int = 1
    metadata: dict[str, str] = field(default_factory=dict)
    description: str | None = None
    method: str | None = None
    trial_end: int | None = None
    without_card: str = "create_invoice"
    """What happens at the end of a trial without a card: cancel, pause or create_invoice."""
    discounts: list[Json] = field(default_factory=list)
    session: str | None = None


def period(subscription: Json) -> tuple[int, int]:
    """Return start and end of the current period."""
    item = subscription["items"]["data"][0]
    return item["current_period_start"], item["current_period_end"]


def create(world: World, customer: Json, *, wish: Wish) -> Json:
    """Make a subscription with its first, finalized invoice: incomplete, or trialing."""
    now, id = world.now(), world.new_id("sub")
    recurring = wish.price["recurring"]
    whole = periods.add(now, interval=recurring["interval"], count=recurring["interval_count"])
    end = wish.trial_end or whole
    item = shapes_billing.subscription_item(
        id=world.new_id("si"), now=now, subscription=id, price=wish.price, quantity=wish.quantity, period=(now, end)
    )
    subscription = shapes_billing.subscription(
        id=id,
        now=now,
        customer=customer["id"],
        currency=wish.price["currency"],
        items=[item],
        metadata=wish.metadata,
        description=wish.description,
        default_payment_method=wish.method,
        test_clock=customer["test_clock"],
        status="trialing" if wish.trial_end else "incomplete",
        billing_cycle_anchor=end if wish.trial_end else now,
        trial_start=now if wish.trial_end else None,
        trial_end=wish.trial_end,
        trial_settings={"end_behavior": {"missing_payment_method": wish.without_card}},
    )
    if customer["currency"] is None:
        customer["currency"] = subscription["currency"]
    world.save(subscription)
    subscription["discounts"] = [
        discounts.give(world, subscription, one, session=wish.session) for one in wish.discounts
    ]
    world.emit("customer.subscription.created", world.save(subscription))
    line = invoicing.period_line(world, item, period=(now, end), trial=bool(wish.trial_end))
    invoice = invoicing.bill(world, subscription, customer=customer, reason="subscription_create", lines=[line])
    if invoice["status"] == "paid":
        _paid(world, subscription)
    return subscription


def settle(
    world: World, invoice: Json, *, method: str | None, next_attempt: int | None = None, holder: bool = False
) -> bool:
    """Try to pay an open invoice with a stored card and move its subscription on; `holder`: its holder is there."""
    subscription = world.get("subscription", invoice["parent"]["subscription_details"]["subscription"])
    intent = payments.invoice_intent(world, invoice)
    if method is not None and payments.try_card(world, intent, method, holder=holder):
        payments.mark_paid(world, invoice)
        _paid(world, subscription, invoice=invoice)
        return True
    payments.mark_failed(world, invoice, next_attempt=next_attempt)
    if subscription["status"] in ("active", "trialing"):
        _status(world, subscription, "past_due")
    return False


def _paid(world: World, subscription: Json, *, invoice: Json | None = None) -> None:
    """Let a subscription run again when its latest invoice was paid or taken off."""
    is_latest = invoice is None or subscription["latest_invoice"] == invoice["id"]
    if is_latest and subscription["status"] in ("incomplete", "past_due", "unpaid"):
        _status(world, subscription, "active")


def taken_off(world: World, invoice: Json) -> None:
    """Move a subscription on whose invoice was voided, given up or paid elsewhere."""
    subscription = world.get("subscription", invoice["parent"]["subscription_details"]["subscription"])
    if subscription["status"] != "incomplete" or invoice["status"] == "paid":
        _paid(world, subscription, invoice=invoice)


def renew(world: World, subscription: Json) -> None:
    """Do what the end of a period asks for: bill the next one, as far as somebody can pay it."""
    customer = world.get("customer", subscription["customer"])
    method = card_of(subscription, customer)
    if subscription["status"] == "trialing" and not _goes_on(world, subscription, method):
        return
    start_period(world, subscription, status="active" if subscription["status"] == "trialing" else None)
    bill_period(world, subscription, customer=customer, method=method, reason="subscription_cycle")


def _goes_on(world: World, subscription: Json, method: str | None) -> bool:
    """Tell whether a subscription outlives its trial; without a card it does as it was set."""
    without = subscription["trial_settings"]["end_behavior"]["missing_payment_method"]
    if method is not None or without == "create_invoice":
        return True
    if without == "pause":
        world.change(subscription, "customer.subscription.paused", status="paused")
    else:
        end(world, subscription, reason=None)
    return False


def start_period(world: World, subscription: Json, *, status: str | None = None, anew: bool = False) -> None:
    """Begin the next period, where the last one ended, or `anew` now."""
    item = subscription["items"]["data"][0]
    recurring = item["price"]["recurring"]
    start = world.now() if anew else item["current_period_end"]
    anchor = start if anew else subscription["billing_cycle_anchor"]
    item["current_period_end"] = periods.after(
        start, anchor=anchor, interval=recurring["interval"], step=recurring["interval_count"]
    )
    item["current_period_start"] = start
    fields: Json = {"items": subscription["items"], "billing_cycle_anchor": anchor}
    if status is not None and status != subscription["status"]:
        fields["status"] = status
    world.change(subscription, "customer.subscription.updated", **fields)


def bill_period(world: World, subscription: Json, *, customer: Json, method: str | None, reason: str) -> Json:
    """Bill the period that has begun; a paused collection and an unpaid subscription take no money."""
    line = invoicing.period_line(world, subscription["items"]["data"][0], period=period(subscription))
    pause = (subscription["pause_collection"] or {}).get("behavior")
    drafts = pause == "keep_as_draft" or subscription["status"] == "unpaid"
    invoice = invoicing.bill(world, subscription, customer=customer, reason=reason, lines=[line], finalized=not drafts)
    if drafts:
        world.save(invoice | {"auto_advance": False})
    elif invoice["status"] == "paid":
        _paid(world, subscription)
    elif pause:
        invoicing.close(world, invoice, status="void" if pause == "void" else "uncollectible")
    else:
        days = retry_days(world)
        settle(world, invoice, method=method, next_attempt=world.now() + days[0] * DAY if days else None)
    return invoice


def card_of(subscription: Json, customer: Json) -> str | None:
    """Return the payment method that a renewal charges, if there is one."""
    return subscription["default_payment_method"] or customer["invoice_settings"]["default_payment_method"]


def retry_days(world: World) -> list[int]:
    """Return the days between the tries of an unpaid renewal."""
    return world.store.switch("dunning", {}).get("days", list(RETRY_DAYS))


def retry(world: World, invoice: Json) -> None:
    """Try an unpaid renewal again; after the last failure the subscription is canceled, or what was set."""
    subscription = world.get("subscription", invoice["parent"]["subscription_details"]["subscription"])
    customer, tries = world.get("customer", subscription["customer"]), invoice["attempt_count"]
    days = retry_days(world)
    again = world.now() + days[tries] * DAY if tries < len(days) else None
    if settle(world, invoice, method=card_of(subscription, customer), next_attempt=again) or again is not None:
        return
    subscription = world.get("subscription", subscription["id"])
    match world.store.switch("dunning", {}).get("then", "cancel"):
        case "unpaid":
            _status(world, subscription, "unpaid")
        case "cancel":
            end(world, subscription, reason="payment_failed")
        case _:
            return


def end(world: World, subscription: Json, *, reason: str | None, **more: object) -> Json:
    """Cancel a subscription now."""
    now = world.now()
    details = {**subscription["cancellation_details"], "reason": reason or "cancellation_requested"}
    invoicing.stop_collecting(world, subscription)
    return world.change(
        subscription,
        "customer.subscription.deleted",
        status="canceled",
        ended_at=now,
        canceled_at=subscription["canceled_at"] or now,
        cancellation_details=details,
        **more,
    )


def cancel_later(world: World, subscription: Json, *, wanted: bool, at: int | None = None) -> Json:
    """Let a subscription end with its period, or `at` a moment, or take that back."""
    return world.change(
        subscription,
        "customer.subscription.updated",
        cancel_at_period_end=wanted and at is None,
        cancel_at=(at or period(subscription)[1]) if wanted else None,
        canceled_at=world.now() if wanted else None,
        cancellation_details={
            **subscription["cancellation_details"],
            "reason": "cancellation_requested" if wanted else None,
        },
    )


def happen(world: World, subscription: Json) -> None:
    """Do the one thing of a subscription that is due now."""
    now, (_, finished) = world.now(), period(subscription)
    known, resumes = schedule.told(world.store, subscription["id"]), (subscription["pause_collection"] or {})
    if subscription["status"] == "incomplete":
        _expire(world, subscription)
    elif subscription["cancel_at"] and subscription["cancel_at"] <= now:
        end(world, subscription, reason=None)
    elif resumes.get("resumes_at") and resumes["resumes_at"] <= now:
        world.change(subscription, "customer.subscription.updated", pause_collection=None)
    elif finished <= now:
        renew(world, subscription)
    elif known.get("trial") != subscription["trial_end"] and schedule.trial_ends_soon(subscription, now=now):
        world.store.set_switch(f"told:{subscription['id']}", {**known, "trial": subscription["trial_end"]})
        world.emit("customer.subscription.trial_will_end", world.save(subscription))
    else:
        world.store.set_switch(f"told:{subscription['id']}", {**known, "upcoming": finished})
        world.save(subscription)
        world.emit("invoice.upcoming", preview(world, subscription, price=subscription["items"]["data"][0]["price"]))


def _expire(world: World, subscription: Json) -> None:
    """Give a subscription up whose first invoice nobody paid within a day."""
    invoice = world.get("invoice", subscription["latest_invoice"])
    if invoice["status"] == "open":
        invoicing.close(world, invoice, status="void")
    world.change(subscription, "customer.subscription.updated", status="incomplete_expired", ended_at=world.now())


def preview(world: World, subscription: Json, *, price: Json, quantity: int | None = None) -> Json:
    """Reckon the next invoice without writing anything."""
    customer, finished = world.get("customer", subscription["customer"]), period(subscription)[1]
    item = {**subscription["items"]["data"][0], "price": price}
    item["quantity"] = quantity or item["quantity"]
    recurring = price["recurring"]
    anchor = subscription["billing_cycle_anchor"]
    until = periods.after(finished, anchor=anchor, interval=recurring["interval"], step=recurring["interval_count"])
    waiting = [prorations.line(world, one) for one in prorations.pending(world, subscription)]
    lines = [invoicing.period_line(world, item, period=(finished, until)), *waiting]
    id = world.new_id("upcoming_in")
    return invoicing.build(
        world,
        subscription,
        customer=customer,
        id=id,
        reason="upcoming",
        lines=[line | {"invoice": id} for line in lines],
        at=finished,
    ) | {"next_payment_attempt": finished}


def _status(world: World, subscription: Json, status: str) -> None:
    if subscription["status"] != status:
        world.change(subscription, "customer.subscription.updated", status=status)
