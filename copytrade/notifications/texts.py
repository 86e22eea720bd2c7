"""What each kind of event says: title, body and where it leads, as English sentences of the catalogue."""

from dataclasses import dataclass


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
    "subscription.past_due": Text(
        "Your payment is late",
        "The renewal for {trader} was not paid. Copying goes on until {until}; please check your card.",
        "/subscriptions",
    ),
    "payment.failed": Text(
        "A payment failed",
        "Your card was not charged for {trader}. Copying goes on until {until}; please check your card.",
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
}
ALARM = Text("Alarm: {what}", "{facts}", "/operator", is_security=True)
OTHER = Text("News about your account", "{facts}")


def text_of(kind: str) -> Text:
    """Return the text of a kind; alarms and unknown kinds list their facts."""
    return TEXTS.get(kind, ALARM if kind.startswith("alarm.") else OTHER)
