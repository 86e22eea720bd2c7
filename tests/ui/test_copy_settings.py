"""The form of copy settings: what it shows while somebody types, what it refuses and where; nothing typed is lost."""

import asyncio
from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlmodel import Session

from copytrade import clock
from copytrade.accounts import queries as accounts
from copytrade.copying import queries as copying
from copytrade.copying import service
from copytrade.copying.models import SwitchMode, SwitchScope, SymbolTerms
from copytrade.copying.switches import load
from copytrade.domain.sizing import (
    CopySettings,
    Direction,
    DriftLess,
    DriftLiquidated,
    DriftModes,
    DriftMore,
    EndMode,
    LossUnit,
    SilenceMode,
    SizingMode,
    StartMode,
    StopMode,
)
from copytrade.i18n.voice import Voice
from copytrade.state.copy_draft import Draft, drafted
from copytrade.state.settings_told import card_told, settings_told
from copytrade.state.subscribe import Subscribe
from copytrade.state.subscriptions import Subscriptions
from copytrade.subscriptions.rows import ProfileRow
from copytrade.users.queries import Person
from tests.integration.accounts.linking import linked
from tests.integration.users.people import alice, bob, mallory
from tests.ui.asking import loaded, opened, sent, signed_in
from tests.ui.test_subscribing import page_of, published, taken

GAP = "\N{NO-BREAK SPACE}"
STEPS = {"BTC": ("0.001", "60000"), "ETH": ("0.01", "3000"), "DOGE": ("1", "0.2")}
EVERYTHING = {
    "mode": "fixed_percent",
    "factor": "2,5",
    "start_mode": "better_price",
    "max_order_notional": "1 000",
    "max_position_notional": "3000",
    "max_total_notional": "9000",
    "max_open_positions": "4",
    "max_leverage": "3",
    "symbols": "btc, ETHUSDT, DOGE/USDT:USDT",
    "directions": "long",
    "max_slippage": "0.4",
    "max_entry_age_s": "30",
    "max_daily_loss": "5",
    "daily_loss_unit": "share",
    "max_drawdown": "250",
    "drawdown_unit": "quote",
    "stop_mode": "close",
    "drift_less": "halt",
    "drift_more": "halt",
    "drift_liquidated": "halt",
    "drift_modes": "reset",
    "silence": "protect",
    "silence_loss": "7.5",
    "end_mode": "close",
}


def list_symbols(session: Session, account_id: UUID) -> None:
    """Write down what the account's venue demands, as the engine does."""
    ref = accounts.ref(session, account_id)
    for base, (step, price) in STEPS.items():
        session.add(
            SymbolTerms(
                venue=ref.venue.value,
                market=ref.market.value,
                mode=ref.mode,
                symbol=f"{base}/USDT:USDT",
                base=base,
                quote="USDT",
                quantity_step=Decimal(step),
                price_tick=Decimal("0.0001"),
                min_quantity=Decimal(step),
                max_quantity=Decimal(1_000_000),
                min_notional=Decimal(5),
                exits_exempt=True,
                price=Decimal(price),
                read_at=clock.now(),
            )
        )
    session.commit()


def at_settings(session: Session) -> tuple[Subscribe, Person, ProfileRow]:
    """Return Bob's page of subscribing to Alice, at its second step."""
    profile, person = published(session, alice(session)), bob(session)
    list_symbols(session, profile.lead_account_id)
    account_id = linked(session, person.id)
    page = page_of(session, person, profile)
    asyncio.run(sent(page, "take_account", {"account": str(account_id)}))
    return page, person, profile


def typed(page: Any, **fields: str) -> Any:
    return asyncio.run(sent(page, "typed", fields))


def test_the_example_follows_what_is_typed(session: Session) -> None:
    page, _, _ = at_settings(session)
    assert page.step == 2
    assert [choice.base for choice in page.choices_of_symbols] == ["BTC"]
    assert page.holds == "He holds nothing now."
    typed(page, mode="ratio", factor="0.02", example_quantity="1", keeps_margin="")
    assert page.shown.entry == (f"nordwind buys 1{GAP}BTC at 60,000.00: you buy 0.02{GAP}BTC (1,200.00{GAP}USDT).")
    assert page.shown.share == "That is 120.0% of your account."
    assert page.shown.exit == f"When he then closes 0.5{GAP}BTC, you close 0.01{GAP}BTC."
    assert page.shown.cuts == ()
    typed(page, max_order_notional="960")
    assert page.shown.cuts == (f"Instead of 0.02{GAP}BTC only 0.016{GAP}BTC: beyond your largest order (960).",)
    assert f"you buy 0.016{GAP}BTC" in page.shown.entry
    typed(page, factor="0.00005", max_order_notional="")
    assert page.shown.entry == f"nordwind buys 1{GAP}BTC at 60,000.00: you buy nothing."
    assert page.shown.cuts == (
        f"3.00{GAP}USDT is below the exchange's minimum of 60.00{GAP}USDT: it waits and goes with his next fill.",
    )


def test_a_fixed_size_shows_both_parts_and_fills_in_the_limit(session: Session) -> None:
    page, _, _ = at_settings(session)
    events = typed(page, mode="fixed_quote", factor="1", example_quantity="1")
    assert (page.draft.factor, page.draft.max_position_notional) == ("100", "500")
    assert len(events) == 2
    typed(page, factor="300")
    assert page.draft.max_position_notional == "1500"
    assert page.shown.parts == (
        f"Where his order is filled as 0.25{GAP}BTC and 0.75{GAP}BTC, you trade 0.001{GAP}BTC, then 0.004{GAP}BTC."
    )
    typed(page, max_position_notional="700")
    typed(page, factor="200")
    assert page.draft.max_position_notional == "700", "his own limit stays"
    typed(page, mode="ratio")
    assert page.draft.factor == "0.1"
    typed(page, factor="0.5")
    typed(page, mode="fixed_quote")
    assert page.draft.factor == "200", "each way keeps its own size"


def test_settings_are_told_in_russian_too() -> None:
    settings = CopySettings(mode=SizingMode.FIXED_PERCENT, factor=Decimal("0.025"), max_drawdown=Decimal(250))
    size, limits, losses, oddities = settings_told(settings, "nordwind", Voice("ru"), is_spot=False)
    assert size == "Каждый ордер nordwind становится вашим на 2,5% счёта."
    assert limits == "Плечо до 5"
    assert losses.startswith(f"Останавливается после просадки 250,00{GAP}USDT")
    assert oddities == "Пока он не отвечает, копии удерживаются · ликвидация приостанавливает копирование"


def test_a_card_says_of_oddities_only_what_was_chosen() -> None:
    voice = Voice("en")
    usual = CopySettings(mode=SizingMode.FIXED_PERCENT, factor=Decimal("0.025"))
    assert (
        card_told(usual, "nordwind", voice, is_spot=False) == settings_told(usual, "nordwind", voice, is_spot=False)[:3]
    )
    chosen = replace(usual, silence=SilenceMode.FLATTEN, drift_liquidated=DriftLiquidated.HALT)
    assert card_told(chosen, "nordwind", voice, is_spot=False)[3:] == [
        "While he cannot be heard all copies are closed · a liquidation holds entries"
    ]


WRONG = [
    ({"factor": ""}, "factor", "A number is needed here."),
    ({"factor": "0"}, "factor", "Enter a number above 0 and at most 100."),
    ({"factor": "-1"}, "factor", "Enter a number above 0 and at most 100."),
    ({"factor": "NaN"}, "factor", "Please type a number, for example 0.5."),
    ({"factor": "Infinity"}, "factor", "Please type a number, for example 0.5."),
    ({"factor": "1e9999999"}, "factor", "Enter a number above 0 and at most 100."),
    (
        {"mode": "fixed_percent", "factor": "101", "max_position_notional": "9"},
        "factor",
        "Enter a number above 0 and at most 100 %.",
    ),
    ({"mode": "everything"}, "mode", "Please choose one of the list."),
    ({"max_order_notional": "0"}, "max_order_notional", "Enter a number above 0 and at most 1000000000."),
    ({"max_order_notional": "x"}, "max_order_notional", "Please type a number, for example 0.5."),
    ({"max_open_positions": "1.5"}, "max_open_positions", "Please type a whole number."),
    ({"max_open_positions": "1e500"}, "max_open_positions", "Please type a whole number."),
    ({"max_leverage": "126"}, "max_leverage", "Enter a number between 1 and 125."),
    ({"max_slippage": "6"}, "max_slippage", "Enter a number above 0 and at most 5 %."),
    ({"max_entry_age_s": ""}, "max_entry_age_s", "A number is needed here."),
    ({"max_entry_age_s": "0"}, "max_entry_age_s", "An entry may be between 1 and 3600 seconds old."),
    (
        {"max_daily_loss": "101", "daily_loss_unit": "share"},
        "max_daily_loss",
        "Enter a number above 0 and at most 100 %.",
    ),
    ({"max_drawdown": "-5"}, "max_drawdown", "Enter a number above 0 and at most 100 %."),
    (
        {"silence": "protect", "silence_loss": "60"},
        "silence_loss",
        "Enter a number between 0.1 % and 50 %.",
    ),
    ({"symbols": "BTC, PEPECOIN"}, "symbols", "PEPECOIN is not traded there."),
    ({"drift_less": "buy more"}, "drift_less", "Please choose one of the list."),
    ({"end_mode": ""}, "end_mode", "Please choose one of the list."),
]
"""What is typed, and what is told at which field."""


def test_what_cannot_be_used_is_told_at_its_field(session: Session) -> None:
    page, _, _ = at_settings(session)
    for form, field, fault in WRONG:
        page.draft = Draft()
        asyncio.run(sent(page, "settle", form))
        assert page.faults == {field: fault}, form
        assert (page.problem, page.step) == ("Please look at the fields that are marked.", 2)
        assert {name: getattr(page.draft, name) for name in form} == form, "nothing typed is lost"


def test_a_fault_goes_once_it_is_mended(session: Session) -> None:
    page, _, _ = at_settings(session)
    asyncio.run(sent(page, "settle", {"factor": "0", "max_slippage": "9"}))
    assert set(page.faults) == {"factor", "max_slippage"}
    typed(page, factor="1", max_slippage="9")
    assert set(page.faults) == {"max_slippage"}
    typed(page, max_slippage="1", max_order_notional="x")
    assert page.faults == {}, "what was not sent yet is not complained of"


def test_an_example_of_nonsense_is_told_beside_it(session: Session) -> None:
    page, _, _ = at_settings(session)
    for quantity in ("0", "abc", "99999999999"):
        typed(page, example_quantity=quantity)
        assert set(page.faults) == {"example_quantity"}
    typed(page, example_quantity="2", example_symbol="nothing/of:that")
    assert page.faults == {}


def test_everything_that_is_set_is_kept(session: Session) -> None:
    page, person, _ = at_settings(session)
    asyncio.run(sent(page, "settle", EVERYTHING))
    assert (page.faults, page.step) == ({}, 3)
    assert page.starts == "What he holds at the start is joined where the price is better than his."
    assert page.summary[0] == "Each order of nordwind becomes one of 2.5% of your account."
    asyncio.run(sent(page, "pay", {"consent": "yes", "country": "DE"}))
    [settings] = copying.settings_of(session, owner=person.id).values()
    assert settings == CopySettings(
        mode=SizingMode.FIXED_PERCENT,
        factor=Decimal("0.025"),
        max_order_notional=Decimal(1000),
        max_position_notional=Decimal(3000),
        max_total_notional=Decimal(9000),
        max_open_positions=4,
        max_leverage=Decimal(3),
        max_slippage=Decimal("0.004"),
        max_entry_age_s=30,
        symbols=("BTC/USDT:USDT", "ETH/USDT:USDT", "DOGE/USDT:USDT"),
        directions=Direction.LONG,
        start_mode=StartMode.BETTER_PRICE,
        end_mode=EndMode.CLOSE,
        max_daily_loss=Decimal("0.05"),
        daily_loss_unit=LossUnit.SHARE,
        max_drawdown=Decimal(250),
        drawdown_unit=LossUnit.QUOTE,
        stop_mode=StopMode.CLOSE,
        drift_less=DriftLess.HALT,
        drift_more=DriftMore.HALT,
        drift_liquidated=DriftLiquidated.HALT,
        drift_modes=DriftModes.RESET,
        silence=SilenceMode.PROTECT,
        silence_loss=Decimal("0.075"),
    )


def test_the_form_shows_what_is_kept_and_keeps_what_it_shows(session: Session) -> None:
    profile, person = published(session, alice(session)), bob(session)
    list_symbols(session, profile.lead_account_id)
    subscription_id = taken(session, person, profile)
    page = opened(Subscriptions, cookie=signed_in(session, person))
    asyncio.run(sent(page, "edit", str(subscription_id)))
    asyncio.run(sent(page, "save", EVERYTHING))
    assert (page.problem, page.faults, page.editing) == ("", {}, "")
    kept = copying.settings_of(session, owner=person.id)[subscription_id]
    asyncio.run(sent(page, "edit", str(subscription_id)))
    assert (page.draft.factor, page.draft.symbols, page.draft.max_slippage) == ("2.5", "BTC, ETH, DOGE", "0.4")
    assert page.draft == drafted(kept, listed={f"{base}/USDT:USDT": base for base in STEPS})
    asyncio.run(sent(page, "save", {}))
    session.expire_all()
    assert copying.settings_of(session, owner=person.id)[subscription_id] == kept


def test_a_pause_that_came_while_typing_stays(session: Session) -> None:
    profile, person = published(session, alice(session)), bob(session)
    subscription_id = taken(session, person, profile)
    page = opened(Subscriptions, cookie=signed_in(session, person))
    asyncio.run(sent(page, "edit", str(subscription_id)))
    service.pause(session, owner=person.id, subscription_id=subscription_id)
    session.commit()
    asyncio.run(sent(page, "save", {"factor": "2"}))
    session.expire_all()
    kept = copying.settings_of(session, owner=person.id)[subscription_id]
    assert (kept.factor, kept.is_paused) == (Decimal(2), True)


def test_a_coin_of_his_is_put_on_the_list(session: Session) -> None:
    page, _, _ = at_settings(session)
    asyncio.run(sent(page, "add_symbol", "BTC"))
    asyncio.run(sent(page, "add_symbol", "ETH"))
    asyncio.run(sent(page, "add_symbol", "BTC"))
    assert page.draft.symbols == "BTC, ETH"


def test_without_the_venues_list_the_usual_spelling_is_taken(session: Session) -> None:
    profile, person = published(session, alice(session)), bob(session)
    account_id = linked(session, person.id)
    page = page_of(session, person, profile)
    asyncio.run(sent(page, "take_account", {"account": str(account_id)}))
    assert not page.shown.is_known
    typed(page, factor="0.5")
    asyncio.run(sent(page, "settle", {"symbols": "btc"}))
    assert page.step == 3
    assert "only BTC" in page.summary[1]
    asyncio.run(sent(page, "back", 2))
    list_symbols(session, profile.lead_account_id)
    asyncio.run(loaded(page))
    assert page.shown.is_known, "the example comes by itself"
    assert page.draft.factor == "0.5"


def test_mallory_types_into_nobodys_settings(session: Session) -> None:
    profile, person = published(session, alice(session)), bob(session)
    subscription_id = taken(session, person, profile)
    page = opened(Subscriptions, cookie=signed_in(session, mallory(session)))
    asyncio.run(sent(page, "edit", str(subscription_id)))
    assert (page.problem, page.editing) == ("There is no such subscription.", "")
    page.editing = str(subscription_id)
    asyncio.run(sent(page, "typed", {"factor": "9"}))
    assert page.problem == "There is nothing at this address."
    asyncio.run(sent(page, "save", {"factor": "9"}))
    assert copying.settings_of(session, owner=person.id)[subscription_id].factor == 1
    for handler in ("go_on", "release"):
        asyncio.run(sent(page, handler, str(subscription_id)))
        assert page.problem == "There is no such subscription."


def test_the_big_stop_is_ones_own(session: Session) -> None:
    person, other = bob(session), mallory(session)
    page = opened(Subscriptions, cookie=signed_in(session, other))
    for mode in (SwitchMode.ENTRIES_OFF, SwitchMode.FLATTEN, SwitchMode.HANDS_OFF):
        asyncio.run(sent(page, "stop_everything", mode.value))
        asyncio.run(loaded(page))
        assert page.problem == ""
        assert page.switch == mode.value
        assert page.switch_told
        modes = load(session).modes
        assert modes == {(SwitchScope.SUBSCRIBER, str(other.id)): mode}
    asyncio.run(sent(page, "stop_everything", "everything"))
    assert page.problem == "Please choose one of the list."
    asyncio.run(sent(page, "stop_everything", SwitchMode.ON.value))
    asyncio.run(loaded(page))
    assert (page.switch, page.switch_told) == ("on", "")
    mine = opened(Subscriptions, cookie=signed_in(session, person))
    asyncio.run(loaded(mine))
    assert mine.switch == "on"


def test_a_late_answer_to_a_key_does_not_wipe_away_what_was_refused(session: Session) -> None:
    page, _, _ = at_settings(session)
    form, field, _ = WRONG[0]
    asyncio.run(sent(page, "settle", form))
    asyncio.run(sent(page, "typed", form))
    assert (page.problem, set(page.faults)) == ("Please look at the fields that are marked.", {field})
    asyncio.run(sent(page, "typed", {"mode": "ratio", "factor": "0.1"} | dict.fromkeys(form.keys() - {"mode"}, "1")))
    assert (page.problem, page.faults) == ("", {})
