"""The card of an account in words: does it work, when its key expires, how it is heard, what unlinking it ends."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from copytrade import clock
from copytrade.accounts.rows import AccountRow, ExaminationRow, FindingRow, ReplacementRow
from copytrade.copying.account_cards import AccountCard, Light, Obstacle, UnlinkEffects
from copytrade.domain.instruments import Role
from copytrade.i18n import Voice
from copytrade.state.account_lines import AccountLine, account_line, effects_told

EN, RU = Voice("en"), Voice("ru")


def row(**facts: object) -> AccountRow:
    made = AccountRow(
        id=uuid4(),
        venue="bitget",
        market="spot",
        role="copy",
        mode="sandbox",
        label="Main",
        key_hint="1234",
        state="active",
        reason="",
        permissions={"may_read": True, "may_trade": True, "may_withdraw": False, "may_transfer": False},
        ip_restricted=True,
        key_expires_at=None,
        linked_at=clock.now(),
        checked_at=clock.now(),
        equity=Decimal(1000),
        equity_at=clock.now(),
    )
    return replace(made, **facts)  # pyright: ignore[reportArgumentType]


def card(account: AccountRow, **facts: object) -> AccountCard:
    made = AccountCard(
        account=account,
        can_work=True,
        obstacles=(),
        last_fill_at=None,
        last_polled_at=clock.now() - timedelta(minutes=2),
        light=Light.OFF,
        light_since=None,
        problem="",
        used_by=("nordwind", "kolibri"),
    )
    return replace(made, **facts)  # pyright: ignore[reportArgumentType]


def line(voice: Voice = EN, **facts: object) -> AccountLine:
    return account_line(card(row(**facts)), voice)


def test_a_card_names_place_role_and_what_it_is_used_for() -> None:
    shown = line()
    assert (shown.title, shown.role, shown.used_by) == (
        "Main",
        "Bitget spot · copy account: trades are copied to it",
        "nordwind, kolibri",
    )
    assert (shown.can_work, shown.work_told, shown.asks_passphrase) == (True, "It can copy now.", True)
    assert not line(venue="bybit").asks_passphrase


def test_what_keeps_it_from_working_is_listed_in_the_persons_language() -> None:
    stuck = card(row(), can_work=False, obstacles=(Obstacle("empty", "There is no money on it."),))
    assert account_line(stuck, EN).work_told == "It cannot copy now:"
    assert account_line(stuck, EN).obstacles == ["There is no money on it."]
    assert account_line(stuck, RU).obstacles != account_line(stuck, EN).obstacles
    lead = replace(stuck, account=row(role="lead"))
    assert account_line(lead, EN).work_told == "Its trades cannot be copied now:"


def test_a_paused_account_says_what_to_click() -> None:
    assert "Bitget" in line(state="paused", reason="may_withdraw").hint
    assert line(state="paused", reason="exchange_away").hint == ""


@pytest.mark.parametrize(
    ("days", "tone", "told"),
    [
        (90, "gray", "in 90 days"),
        (14, "amber", "in 14 days"),
        (3, "tomato", "in 3 days"),
        (1, "tomato", "in 1 day"),
        (0, "tomato", "in 0 days"),
    ],
)
def test_the_nearer_a_key_expires_the_louder_it_is_said(days: int, tone: str, told: str) -> None:
    shown = line(key_expires_at=clock.real_now() + timedelta(days=days, hours=1), days_left=days)
    assert (shown.expires_tone, told in shown.expires) == (tone, True)


def test_an_expired_key_and_one_that_stays() -> None:
    gone = line(key_expires_at=clock.real_now() - timedelta(hours=1), days_left=0)
    assert gone.expires.startswith("the key expired on ")
    assert gone.expires_tone == "tomato"
    assert line().expires == ""


@pytest.mark.parametrize(
    ("light", "since", "told"),
    [
        (Light.CONNECTED, timedelta(minutes=5), "stream connected 5 minutes ago"),
        (Light.CONNECTED, None, "stream connected"),
        (Light.QUIET, None, "stream not connected, asked 2 minutes ago"),
        (Light.OFF, None, "asked 2 minutes ago"),
    ],
)
def test_the_light_says_how_the_account_is_heard(light: Light, since: timedelta | None, told: str) -> None:
    watched = card(row(role="lead"), light=light, light_since=clock.now() - since if since else None)
    assert account_line(watched, EN).light_told == told


def test_an_account_that_was_never_asked_says_so() -> None:
    assert account_line(card(row(), last_polled_at=None), EN).light_told == "not asked yet"


def test_a_new_key_is_told_while_it_is_checked_and_when_it_is_refused() -> None:
    asked = clock.now()
    checked = line(replacing=ReplacementRow("checking", "9876", "", asked))
    assert (checked.new_key, "…9876" in checked.new_key_told) == ("checking", True)
    refused = line(replacing=ReplacementRow("refused", "9876", "may_withdraw", asked))
    assert refused.new_key == "refused"
    assert refused.new_key_told.startswith("The new key was not taken, the old one stays. This key may withdraw money")
    assert refused.new_key_told.endswith("untick “Withdraw” → Save.")


def test_findings_are_said_in_the_persons_language() -> None:
    found = (
        FindingRow("clock", "ok", "Nothing is held."),
        FindingRow("stream", "problem", "never {what}", {"what": "x"}),
    )
    shown = line(RU, examination=ExaminationRow("done", clock.now(), clock.now(), found))
    assert [(one.name, one.verdict) for one in shown.findings] == [("Часы", "ok"), ("Поток", "problem")]
    assert shown.findings[1].text == "never x"
    assert line(examination=ExaminationRow("running", clock.now(), None, ())).examination == "running"


def test_unlinking_a_copy_account_says_what_ends_and_what_stays() -> None:
    assert effects_told(UnlinkEffects(Role.COPY, ("nordwind",), 3, 0), EN) == [
        "Your subscription to nordwind ends with it and is not renewed.",
        "3 copied positions stay open on the exchange and are yours alone to close.",
        "Its key is destroyed here; its past stays.",
    ]
    assert effects_told(UnlinkEffects(Role.COPY, (), 0, 0), EN) == ["Its key is destroyed here; its past stays."]


def test_unlinking_a_lead_account_says_who_pays_for_it() -> None:
    told = effects_told(UnlinkEffects(Role.LEAD, ("nordwind",), 0, 21), RU)
    assert told[0] == "Ваш профиль убирается из списка: nordwind."
    assert told[1] == "21 платящий подписчик не получит новых копий и узнает об этом."


def test_a_paper_account_shows_no_key_and_says_that_it_is_play_money() -> None:
    shown = line(mode="paper", key_hint="9876")
    assert (shown.is_paper, shown.key) == (True, "")
    assert "paper money" in shown.role
    assert "бумажные деньги" in line(RU, mode="paper").role


def test_unlinking_play_money_leaves_nothing_open_and_ends_no_payment() -> None:
    effects = UnlinkEffects(role=Role.COPY, traders=("nordwind",), positions=2, paying=0, is_paper=True)
    assert effects_told(effects, EN) == [
        "Your paper copy of nordwind ends with it.",
        "Its play money is gone; what you tried stays in your history.",
    ]
    assert all(any("а" <= letter <= "я" for letter in told) for told in effects_told(effects, RU))
