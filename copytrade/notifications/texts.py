"""What each kind of event says: title, body and where it leads, as English sentences of the catalogue."""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Text:
    """A notice before its facts are filled in; `path` is the page it leads to."""

    title: str
    body: str
    path: str = "/notices"
    is_security: bool = False
    """Security cannot be switched off."""
    is_mailed: bool = True


TEXTS: dict[str, Text] = {
    "user.registered": Text(
        "Welcome to CopyTrade",
        "Your account is ready. The next step is to link an exchange account.",
        "/accounts",
        is_security=True,
    ),
    "user.signed_in_elsewhere": Text(
        "Somebody signed in to your account",
        "A new browser signed in: {user_agent}. If that was not you, change your password and end that session.",
        "/settings",
        is_security=True,
    ),
    "account.linked": Text(
        "Exchange account linked",
        "{label} is linked and ready. Its key may not withdraw.",
        "/accounts",
        is_security=True,
    ),
    "account.refused": Text(
        "Exchange account refused",
        "{label} could not be linked. Nothing of the key was kept.",
        "/accounts",
    ),
    "account.paused": Text(
        "Exchange account paused",
        "{label} does not work any more: copying on it is paused until you check it.",
        "/accounts",
    ),
    "account.key_expires": Text(
        "An API key expires soon",
        "The key of {label} expires on {expires}. Make a new one on the exchange and replace it in time.",
        "/accounts",
        is_security=True,
    ),
    "account.key_replaced": Text(
        "API key replaced",
        "{label} works with the key {key} now; the old one is forgotten. Delete it on the exchange too.",
        "/accounts",
        is_security=True,
    ),
    "trader.left": Text(
        "A trader you copy is gone",
        "{trader} has unlinked the exchange account that you copy: nothing is opened or closed for you any more. Look "
        "after your open positions.",
        "/subscriptions",
        is_security=True,
    ),
    "account.unlinked": Text(
        "Exchange account unlinked",
        "{label} is unlinked and its key forgotten for good.",
        "/accounts",
        is_security=True,
    ),
    "account.secrets_requested": Text(
        "A service asked for your keys",
        "The service {service} was given the keys of your copy accounts, sealed so that only it can read them.",
        "/accounts",
        is_security=True,
    ),
    "profile.published": Text("Your profile is public", "{name} stands in the list of traders now.", "/traders/{slug}"),
    "subscription.activated": Text(
        "Your subscription is active",
        "You copy {trader} from now on. The first copy arrives with the trader's next trade.",
        "/copies",
    ),
    "subscriber.joined": Text("A new subscriber", "Somebody subscribed to {trader}.", "/desk"),
    "payouts.ready": Text(
        "You can be paid", "Stripe has all that it asked for: your share is sent there on its dates.", "/earnings"
    ),
    "payouts.restricted": Text(
        "Your payouts are on hold",
        "Stripe does not pay you for now. Open its pages from your desk and see what it asks for; your share waits.",
        "/earnings",
        is_security=True,
    ),
    "payout.sent": Text("Payout sent", "{amount} is on its way to your account at Stripe.", "/earnings"),
    "payout.canceled": Text(
        "A payout was not possible",
        "{amount} could not be sent: Stripe does not pay you for now. It is still yours, and is sent once you can be "
        "paid.",
        "/earnings",
    ),
    "payout.reversed": Text(
        "A part of a payout was taken back",
        "{amount} of an earlier payout was taken back, since a subscriber got his money back.",
        "/earnings",
    ),
    "payout.debt": Text(
        "Your next payout will be smaller",
        "{amount} of an earlier payout went back to a subscriber and could not be taken back: it is kept of your next "
        "payout.",
        "/earnings",
    ),
    "earnings.frozen": Text(
        "A subscriber's payment is disputed",
        "A subscriber's bank took {amount} back ({reason}). Your share of it waits until the bank has decided.",
        "/earnings",
    ),
    "earnings.dispute_won": Text(
        "A dispute was won", "The bank gave {amount} back: your share of it is yours again.", "/earnings"
    ),
    "earnings.dispute_lost": Text(
        "A dispute was lost", "The bank keeps {amount}: your share of it went back to the subscriber.", "/earnings"
    ),
    "subscription.past_due": Text(
        "Your payment is late",
        "The renewal for {trader} was not paid. Copying goes on until {until}; please check your card.",
        "/subscriptions",
    ),
    "payment.taken": Text(
        "Payment received",
        "{amount} was paid for {trader}. It is paid until {until}.",
        "/subscriptions",
    ),
    "payment.failed": Text(
        "A payment failed",
        "Your card was not charged for {trader}. Copying goes on until {until}; please check your card.",
        "/subscriptions",
    ),
    "payment.refunded": Text(
        "Money went back to you",
        "{amount} for {trader} goes back to your card. Banks take a few days to show it.",
        "/subscriptions",
    ),
    "payment.card_expires": Text(
        "Your card expires soon",
        "The card ending in {last4} expires at the end of {month}, before the next payment for {trader}. Please add "
        "another one.",
        "/subscriptions",
    ),
    "subscription.trial_started": Text(
        "Your free trial has begun",
        "You copy {trader} free of charge until {until}. Then {price} are charged each month, unless you cancel "
        "before.",
        "/subscriptions",
    ),
    "subscription.trial_ending": Text(
        "Your free trial ends soon",
        "On {until} your card is charged {price} for {trader}. Cancel before that if you do not want to go on.",
        "/subscriptions",
    ),
    "subscription.unpaid": Text(
        "Nothing new is copied",
        "The renewal for {trader} is still not paid: exits are followed, nothing is opened. Pay, and copying goes on.",
        "/subscriptions",
        is_security=True,
    ),
    "subscription.paused": Text(
        "Your subscription is on hold",
        "Nothing is charged for {trader} for now: exits are followed, nothing is opened.",
        "/subscriptions",
        is_security=True,
    ),
    "subscription.disputed": Text(
        "A payment is disputed",
        "Your bank holds back a payment for {trader}: exits are followed, nothing is opened until that is decided.",
        "/subscriptions",
        is_security=True,
    ),
    "subscription.resumed": Text(
        "Copying goes on", "Positions of {trader} are opened for you again.", "/subscriptions"
    ),
    "subscription.ending": Text(
        "Your subscription will not be renewed",
        "You copy {trader} until {until}; nothing more is charged. You can take that back until then.",
        "/subscriptions",
    ),
    "subscription.price_changes": Text(
        "A price changes",
        "{trader} asks {new} a month instead of {old}. You pay that from your first renewal after {since}; cancel "
        "before that if you do not want to go on.",
        "/subscriptions",
        is_security=True,
    ),
    "subscription.trader_gone": Text(
        "A trader takes no subscribers any more",
        "{trader} has stopped. Nothing more is charged, and what you paid for runs out on {until}.",
        "/subscriptions",
        is_security=True,
    ),
    "subscription.trader_refunded": Text(
        "A trader takes no subscribers any more",
        "{trader} has stopped. Your subscription has ended, and the unused days go back to your card.",
        "/subscriptions",
        is_security=True,
    ),
    "subscription.moved": Text(
        "Copies go to another account",
        "{trader} is copied onto {account} from now on. What is open on the old account is treated as you chose.",
        "/subscriptions",
    ),
    "subscription.ended": Text(
        "Your subscription has ended",
        "You no longer copy {trader}. Open positions are treated as you chose: see your subscriptions.",
        "/subscriptions",
    ),
    "copy.skipped": Text(
        "A trade was not copied", "{trader}: {symbol} was skipped. The reason stands in your copies.", "/copies"
    ),
    "copy.failed": Text(
        "A copy failed",
        "{trader}: {symbol} could not be copied. The reason stands in your copies.",
        "/copies",
    ),
    "leg.drift": Text(
        "A position differs",
        "{symbol}: what you hold is not what copying expects. See your copies.",
        "/copies",
    ),
    "leg.halted": Text(
        "Entries wait for you",
        "{symbol}: your account holds {found} where copying expects {expected}. As you chose, nothing is opened there "
        "for {trader} until you let entries go on; exits go on as ever.",
        "/copies",
    ),
    "leg.liquidated": Text(
        "The exchange closed a copied position",
        "{symbol}: the exchange liquidated what was copied from {trader}; {found} of {expected} are left. Copying him "
        "is paused until you resume it.",
        "/subscriptions",
        is_security=True,
    ),
    "leg.modes": Text(
        "The account's settings were changed",
        "{symbol}: copying {trader} needs {expected}, the account has {found}. Nothing is opened there until you set "
        "it back or let entries go on; exits go on as ever.",
        "/copies",
    ),
    "leg.modes_reset": Text(
        "The account's settings are set back",
        "{symbol}: copying {trader} needs {expected}, the account has {found}. It is set back as soon as nothing is "
        "open there.",
        "/copies",
    ),
    "stop.daily_kept": Text(
        "Your daily loss was reached",
        "Copies of {trader} lost {loss} USDT today. Nothing is opened until 00:00 UTC; what is open follows the "
        "trader's "
        "exits.",
        "/copies",
        is_security=True,
    ),
    "stop.daily_closed": Text(
        "Your daily loss was reached",
        "Copies of {trader} lost {loss} USDT today. What was copied is being closed, and nothing is opened until 00:00 "
        "UTC.",
        "/copies",
        is_security=True,
    ),
    "stop.drawdown_kept": Text(
        "Your drawdown stop was reached",
        "Copies of {trader} fell {loss} USDT from their peak. Nothing is opened until you let copying go on; what is "
        "open "
        "follows the trader's exits.",
        "/subscriptions",
        is_security=True,
    ),
    "stop.drawdown_closed": Text(
        "Your drawdown stop was reached",
        "Copies of {trader} fell {loss} USDT from their peak. What was copied is being closed, and nothing is opened "
        "until "
        "you let copying go on.",
        "/subscriptions",
        is_security=True,
    ),
    "silence.hold": Text(
        "A trader cannot be heard",
        "Since {since} nothing is heard of the account of {trader}. What you hold of it stays as it is: nobody would "
        "tell "
        "us of an exit. Look after it.",
        "/copies",
        is_security=True,
    ),
    "silence.protect": Text(
        "A trader cannot be heard",
        "Since {since} nothing is heard of the account of {trader}. A copied position is closed as soon as the market "
        "moves against it by {share} %.",
        "/copies",
        is_security=True,
    ),
    "silence.flatten": Text(
        "A trader cannot be heard",
        "Since {since} nothing is heard of the account of {trader}. What was copied is being closed.",
        "/copies",
        is_security=True,
    ),
    "silence.protected": Text(
        "A copied position was closed for safety",
        "{trader} cannot be heard, and the market moved against {symbol}: your copy is being closed.",
        "/copies",
        is_security=True,
    ),
    "silence.over": Text(
        "A trader is heard again",
        "The account of {trader} answers again: copying goes on. What was closed stays closed.",
        "/copies",
    ),
    "halt.entries_off": Text(
        "Your copying opens nothing",
        "New positions are not copied until this is switched back; exits go on.",
        "/copies",
        is_security=True,
    ),
    "halt.flatten": Text(
        "Your copies are being closed",
        "Everything that was copied for you is being closed, and nothing is opened until this is switched back.",
        "/copies",
        is_security=True,
    ),
    "halt.hands_off": Text(
        "Your copying is frozen",
        "No order is sent for you, exits neither, until this is switched back: look after your open positions.",
        "/copies",
        is_security=True,
    ),
    "halt.on": Text("Your copying goes on", "Copying for you is switched on again.", "/copies", is_security=True),
    "support.entries_off": Text(
        "Support holds back your entries",
        "New positions are not copied until this is switched back; exits go on. {reason}",
        "/copies",
        is_security=True,
    ),
    "support.flatten": Text(
        "Support closes your copies",
        "Everything that was copied for you is being closed, and nothing is opened until this is switched back. "
        "{reason}",
        "/copies",
        is_security=True,
    ),
    "support.hands_off": Text(
        "Support has frozen your copying",
        "No order is sent for you, exits neither, until this is switched back: look after your open positions. "
        "{reason}",
        "/copies",
        is_security=True,
    ),
    "support.on": Text(
        "Support lets your copying go on", "Copying for you is switched on again. {reason}", "/copies", is_security=True
    ),
    "switch.entries_off": Text(
        "No new entries: {name}", "{who} holds back new entries of {name}: {reason}", "/operator", is_security=True
    ),
    "switch.flatten": Text(
        "Everything is closed: {name}", "{who} closes all copies of {name}: {reason}", "/operator", is_security=True
    ),
    "switch.hands_off": Text(
        "Frozen: {name}", "{who} stops every order of {name}: {reason}", "/operator", is_security=True
    ),
    "switch.on": Text(
        "Copying goes on: {name}", "{who} lets copying of {name} go on: {reason}", "/operator", is_security=True
    ),
}
ALARM = Text("Alarm: {what}", "{facts}", "/operator", is_security=True)
OF_MONEY = ("balance", "dispute", "money", "paid", "payout", "reconciliation", "refund", "reversal", "webhook")
"""With what the names of alarms begin that the operators' page of money is about."""
MONEY_ALARM = replace(ALARM, path="/operator/money")
OTHER = Text("News about your account", "{facts}")


def text_of(kind: str) -> Text:
    """Return the text of a kind; alarms and unknown kinds list their facts."""
    if not kind.startswith("alarm."):
        return TEXTS.get(kind, OTHER)
    return TEXTS.get(kind, MONEY_ALARM if kind.removeprefix("alarm.").startswith(OF_MONEY) else ALARM)
