"""An exchange account as its owner sees it: can it work now, what its key may do, how well it is watched."""

from dataclasses import dataclass, field
from datetime import datetime

from copytrade import clock
from copytrade.accounts import reasons
from copytrade.accounts.reasons import EXAMINED, State
from copytrade.accounts.rows import AccountRow, FindingRow
from copytrade.copying.account_cards import AccountCard, Light, UnlinkEffects
from copytrade.domain.instruments import Role
from copytrade.i18n import instructions
from copytrade.i18n.names import place_name, venue_name
from copytrade.i18n.voice import Moment, Voice
from copytrade.settings import settings
from copytrade.state.account_names import account_name

STATES = {
    State.CHECKING: "being checked",
    State.ACTIVE: "linked",
    State.REFUSED: "refused",
    State.PAUSED: "paused",
    State.UNLINKED: "unlinked",
}
TONES = {State.ACTIVE: "jade", State.REFUSED: "tomato", State.PAUSED: "amber", State.CHECKING: "iris"}
ROLES = {Role.LEAD: "lead account: your trades are copied", Role.COPY: "copy account: trades are copied to it"}
RIGHTS = {"may_read": "read", "may_trade": "trade", "may_withdraw": "withdraw", "may_transfer": "transfer"}
KINDS = {"live": "real money", "testnet": "demo trading", "sandbox": "practice exchange", "paper": "paper money"}
_ENDS_WITH_IT = "Your subscription to {names} ends with it and is not renewed."
WARN_DAYS, ALARM_DAYS = 14, 3


@dataclass(frozen=True, slots=True)
class FindingLine:
    """One thing that was examined."""

    name: str
    verdict: str
    text: str


@dataclass(frozen=True, slots=True)
class AccountLine:
    """A linked account; of its key only the last characters are known."""

    id: str
    title: str
    label: str
    venue: str
    role: str
    is_lead: bool
    key: str
    state: str
    state_text: str
    tone: str
    reason: str
    hint: str
    equity: str
    can_work: bool
    work_told: str
    obstacles: list[str]
    asks_passphrase: bool
    is_paper: bool = False
    """Play money: no key of his own to show or replace."""
    equity_at: Moment = field(default_factory=Moment)
    checked_at: Moment = field(default_factory=Moment)
    last_fill_at: Moment = field(default_factory=Moment)
    rights: str = ""
    network: str = ""
    expires: str = ""
    expires_tone: str = "gray"
    light: str = ""
    light_told: str = ""
    used_by: str = ""
    new_key: str = ""
    """Empty, `checking` or `refused`."""
    new_key_told: str = ""
    examination: str = ""
    """Empty, `running` or `done`."""
    examined_at: Moment = field(default_factory=Moment)
    findings: list[FindingLine] = field(default_factory=list)


def account_line(card: AccountCard, voice: Voice) -> AccountLine:
    """Return an account as it is shown."""
    row, now, state = card.account, clock.now(), State(card.account.state)
    expires, expires_tone = _expiry(row, voice)
    light_told = _light(card, voice, now=now)
    return AccountLine(
        id=str(row.id),
        title=account_name(row, voice),
        label=row.label,
        venue=venue_name(row.venue),
        role=" · ".join([_place(row, voice), voice.say(ROLES[Role(row.role)])]),
        is_lead=row.role == Role.LEAD,
        key="" if row.is_paper else f"…{row.key_hint}",
        state=row.state,
        state_text=voice.say(STATES[state]),
        tone=TONES.get(state, "gray"),
        reason=voice.say(reasons.sentence(row.reason)) if row.reason else "",
        hint=instructions.hint(voice, reason=row.reason, venue=row.venue) if row.reason else "",
        equity=voice.money(row.equity),
        can_work=card.can_work,
        work_told=_work(card, voice),
        obstacles=[voice.say(one.text, **one.facts) for one in card.obstacles],
        asks_passphrase=row.venue == "bitget",
        is_paper=row.is_paper,
        equity_at=voice.moment(row.equity_at, now=now),
        checked_at=voice.moment(row.checked_at, now=now),
        last_fill_at=voice.moment(card.last_fill_at, now=now),
        rights=_rights(row, voice),
        network=_network(row, voice),
        expires=expires,
        expires_tone=expires_tone,
        light=card.light,
        light_told=light_told,
        used_by=", ".join(card.used_by),
        new_key=row.replacing.state if row.replacing else "",
        new_key_told=_new_key(row, voice),
        examination=row.examination.state if row.examination else "",
        examined_at=voice.moment(row.examination.finished_at if row.examination else None, now=now),
        findings=[_finding(one, voice) for one in row.examination.findings] if row.examination else [],
    )


def effects_told(effects: UnlinkEffects, voice: Voice) -> list[str]:
    """Say what unlinking an account does, in numbers."""
    said: list[str] = []
    names = ", ".join(effects.traders)
    if effects.role == Role.LEAD:
        if effects.traders:
            said.append(voice.say("Your profile {names} is taken from the list.", names=names))
        if effects.paying:
            said.append(
                voice.count(
                    effects.paying,
                    "{n} subscriber who pays for it gets no new copies and is told.",
                    "{n} subscribers who pay for it get no new copies and are told.",
                )
            )
        return [*said, voice.say("Its key is destroyed here; its past stays.")]
    if effects.traders:
        sentence = "Your paper copy of {names} ends with it." if effects.is_paper else _ENDS_WITH_IT
        said.append(voice.say(sentence, names=names))
    if effects.is_paper:
        return [*said, voice.say("Its play money is gone; what you tried stays in your history.")]
    if effects.positions:
        said.append(
            voice.count(
                effects.positions,
                "{n} copied position stays open on the exchange and is yours alone to close.",
                "{n} copied positions stay open on the exchange and are yours alone to close.",
            )
        )
    return [*said, voice.say("Its key is destroyed here; its past stays.")]


def _place(row: AccountRow, voice: Voice) -> str:
    place = place_name(voice, row.venue, row.market)
    is_told = row.is_paper or (len(settings().exchange_modes) > 1 and row.mode in KINDS)
    return f"{place}, {voice.say(KINDS[row.mode])}" if is_told else place


def _work(card: AccountCard, voice: Voice) -> str:
    is_lead = card.account.role == Role.LEAD
    if card.can_work:
        return voice.say("Its trades are seen and copied.") if is_lead else voice.say("It can copy now.")
    return voice.say("Its trades cannot be copied now:") if is_lead else voice.say("It cannot copy now:")


def _rights(row: AccountRow, voice: Voice) -> str:
    held = [voice.say(name) for right, name in RIGHTS.items() if row.permissions.get(right)]
    if not held:
        return ""
    said = voice.say("the key may: {rights}", rights=", ".join(held))
    is_more = row.role == Role.LEAD and row.permissions.get("may_trade")
    return f"{said} ({voice.say('reading alone would do')})" if is_more else said


def _network(row: AccountRow, voice: Voice) -> str:
    if row.ip_restricted is None:
        return ""
    return voice.say("limited to our addresses") if row.ip_restricted else voice.say("not limited to addresses")


def _expiry(row: AccountRow, voice: Voice) -> tuple[str, str]:
    """Return when the key expires and how loudly that is said."""
    if row.key_expires_at is None or row.days_left is None:
        return "", "gray"
    tone = "tomato" if row.days_left <= ALARM_DAYS else "amber" if row.days_left <= WARN_DAYS else "gray"
    day = voice.day(row.key_expires_at)
    if row.days_left < 0 or row.key_expires_at <= clock.real_now():
        return voice.say("the key expired on {day}", day=day), "tomato"
    left = voice.count(row.days_left, "in {n} day", "in {n} days")
    return voice.say("the key expires {left}, on {day}", left=left, day=day), tone


def _light(card: AccountCard, voice: Voice, *, now: datetime) -> str:
    since = voice.ago(card.light_since, now=now) if card.light_since else ""
    match card.light:
        case Light.CONNECTED:
            return voice.say("stream connected {since}", since=since) if since else voice.say("stream connected")
        case Light.QUIET:
            polled = voice.ago(card.last_polled_at, now=now) if card.last_polled_at else ""
            told = voice.say("stream not connected")
            return f"{told}, {voice.say('asked {when}', when=polled)}" if polled else told
        case _:
            polled = voice.ago(card.last_polled_at, now=now) if card.last_polled_at else ""
            return voice.say("asked {when}", when=polled) if polled else voice.say("not asked yet")


def _new_key(row: AccountRow, voice: Voice) -> str:
    if row.replacing is None:
        return ""
    if row.replacing.state == "checking":
        return voice.say(
            "The new key …{hint} is being checked; until then the old one is used.", hint=row.replacing.key_hint
        )
    why = voice.say(reasons.sentence(row.replacing.reason))
    click = instructions.hint(voice, reason=row.replacing.reason, venue=row.venue)
    return " ".join(part for part in (voice.say("The new key was not taken, the old one stays."), why, click) if part)


def _finding(row: FindingRow, voice: Voice) -> FindingLine:
    return FindingLine(voice.say(EXAMINED.get(row.what, row.what)), row.verdict, voice.say(row.text, **row.facts))
