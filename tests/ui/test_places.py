"""A trader is copied on his own exchange and market: said where he is looked at, held where an account is taken."""

import asyncio
from dataclasses import replace
from decimal import Decimal
from uuid import UUID

import pytest
from sqlmodel import Session

from copytrade import clock
from copytrade.accounts import checking, service
from copytrade.accounts.checking import Examined
from copytrade.accounts.reasons import Reason
from copytrade.analytics.rows import OpenPositionRow, TripRow
from copytrade.domain.instruments import Role
from copytrade.i18n import Voice
from copytrade.state import routes
from copytrade.state.linking import served
from copytrade.state.position_lines import position_line, trip_line
from copytrade.state.subscribe import Subscribe
from copytrade.state.trader import Trader
from copytrade.state.traders import EVERY, Traders
from copytrade.subscriptions import queries as subscriptions
from copytrade.subscriptions.profiles import publish, save_profile
from copytrade.subscriptions.rows import ProfileRow
from copytrade.users.queries import Person
from tests.integration.accounts.linking import MAY_TRADE, SECRET, equity
from tests.integration.users.people import alice, bob
from tests.ui.asking import loaded, opened, sent, signed_in

EN, RU = Voice("en"), Voice("ru")


def linked_at(session: Session, person: Person, place: tuple[str, str], *, role: Role = Role.COPY) -> UUID:
    venue, market = place
    account_id = service.link(
        session,
        owner=person.id,
        venue=venue,
        market=market,
        role=role,
        label=f"{venue} {market}",
        api_key=f"{role.value}{venue}{market}".ljust(50, "k"),
        api_secret=SECRET,
        passphrase="phrase12" if venue == "bitget" else "",
    )
    session.commit()
    checking.settle(account_id, Examined(permissions=MAY_TRADE, equity=equity(), positions=[]))
    session.expire_all()
    return account_id


def published_at(session: Session, trader: Person, place: tuple[str, str]) -> ProfileRow:
    account_id = linked_at(session, trader, place, role=Role.LEAD)
    name = " ".join(place)
    made = save_profile(session, owner=trader.id, lead_account_id=account_id, name=name, about="", price="25")
    publish(session, owner=trader.id, profile_id=made.id, may_be_paid=True)
    session.commit()
    return subscriptions.profile_by_slug(session, name.replace(" ", "-"))


def subscribing(session: Session, person: Person, profile: ProfileRow) -> Subscribe:
    page = opened(Subscribe, cookie=signed_in(session, person), path=routes.subscribe(profile.slug))
    object.__setattr__(page, "slug", profile.slug)
    asyncio.run(loaded(page))
    return page


def looking(session: Session, profile: ProfileRow, *, cookie: str = "") -> Trader:
    page = opened(Trader, cookie=cookie, path=routes.trader(profile.slug))
    object.__setattr__(page, "slug", profile.slug)
    asyncio.run(loaded(page))
    return page


def test_all_six_places_can_be_linked() -> None:
    assert {(venue.value, market.value) for venue, market in served()} == {
        (venue, market) for venue in ("binance", "bybit", "bitget") for market in ("spot", "perpetual")
    }


def test_only_accounts_of_the_same_place_are_offered_and_the_others_say_why(session: Session) -> None:
    profile, person = published_at(session, alice(session), ("bybit", "spot")), bob(session)
    fits = linked_at(session, person, ("bybit", "spot"))
    linked_at(session, person, ("bybit", "perpetual"))
    linked_at(session, person, ("bitget", "spot"))
    page = subscribing(session, person, profile)
    assert page.place == "Bybit spot"
    assert [choice.id for choice in page.choices] == [str(fits)]
    assert [(other.title, other.why) for other in page.others] == [
        ("bybit perpetual", "it is at Bybit perpetuals"),
        ("bitget spot", "it is at Bitget spot"),
    ]
    assert page.link == "/accounts?role=copy&venue=bybit&market=spot#link"


@pytest.mark.parametrize("place", [("binance", "spot"), ("bybit", "perpetual"), ("bitget", "perpetual")])
def test_an_account_of_another_place_is_not_taken_whatever_is_sent(session: Session, place: tuple[str, str]) -> None:
    profile, person = published_at(session, alice(session), ("binance", "perpetual")), bob(session)
    other = linked_at(session, person, place)
    page = subscribing(session, person, profile)
    asyncio.run(sent(page, "take_account", {"account": str(other)}))
    assert page.problem.startswith("This account cannot copy him: it is at ")
    assert page.step == 1
    page.account_id = str(other)
    asyncio.run(sent(page, "pay", {"consent": "yes", "country": "DE"}))
    assert page.problem
    assert subscriptions.subscriptions_of(session, owner=person.id) == []


def test_a_paused_account_of_the_place_says_so(session: Session) -> None:
    profile, person = published_at(session, alice(session), ("bitget", "spot")), bob(session)
    account_id = linked_at(session, person, ("bitget", "spot"))
    service.pause(session, account_id=account_id, reason=Reason.WRONG_KEY)
    session.commit()
    page = subscribing(session, person, profile)
    assert page.choices == []
    assert [other.why for other in page.others] == ["it is paused"]


def test_his_page_says_where_he_trades_and_whether_one_has_an_account_there(session: Session) -> None:
    profile, person = published_at(session, alice(session), ("bitget", "spot")), bob(session)
    cookie = signed_in(session, person)
    stranger = looking(session, profile)
    assert (stranger.head.place, stranger.head.has_account, stranger.head.is_spot) == ("Bitget spot", False, True)
    linked_at(session, person, ("bitget", "perpetual"))
    assert not looking(session, profile, cookie=cookie).head.has_account
    linked_at(session, person, ("bitget", "spot"))
    assert looking(session, profile, cookie=cookie).head.has_account


def test_the_list_is_narrowed_to_an_exchange_and_a_market(session: Session) -> None:
    trader = alice(session)
    for place in (("bybit", "spot"), ("bybit", "perpetual"), ("bitget", "spot")):
        published_at(session, trader, place)
    for asked, names in (
        ({}, {"bybit spot", "bybit perpetual", "bitget spot"}),
        ({"venue": "bybit"}, {"bybit spot", "bybit perpetual"}),
        ({"market": "spot"}, {"bybit spot", "bitget spot"}),
        ({"venue": "bitget", "market": "spot"}, {"bitget spot"}),
        ({"venue": "nowhere", "market": "'--"}, {"bybit spot", "bybit perpetual", "bitget spot"}),
    ):
        page = opened(Traders, path=routes.TRADERS, **asked)
        asyncio.run(loaded(page))
        assert {row.name for row in page.rows} == names, asked


def test_one_filter_keeps_the_others_and_none_takes_it_away(session: Session) -> None:
    page = opened(Traders, path=routes.TRADERS, venue="bybit", search="nord", window="30d")
    asyncio.run(loaded(page))
    answer = str(asyncio.run(sent(page, "choose", "market", "spot")))
    for part in ("venue=bybit", "market=spot", "search=nord", "window=30d"):
        assert part in answer
    assert "venue" not in str(asyncio.run(sent(page, "choose", "venue", EVERY)))


def test_a_coin_is_held_and_not_long_and_has_no_leverage() -> None:
    coin = OpenPositionRow(
        symbol="BTC/USDT",
        quantity=Decimal("0.019980000000000000"),
        entry_price=Decimal(0),
        mark_price=Decimal(60000),
        notional=Decimal("1198.8"),
        unrealized_pnl=Decimal(0),
        leverage=1,
    )
    shown = position_line(coin, EN)
    assert (shown.side, shown.leverage, shown.quantity, shown.entry) == ("spot", "", "0.01998 BTC", "—")
    assert shown.pnl.text == "—", "nobody knows what it was bought for"
    contract = replace(coin, symbol="BTC/USDT:USDT", entry_price=Decimal(59000), leverage=5)
    assert (position_line(contract, EN).side, position_line(contract, EN).leverage) == ("long", "5×")


def test_a_coin_sold_is_no_long_closed() -> None:
    at, zero = clock.now(), Decimal(0)
    trip = TripRow(
        "SOL/USDT", True, at, at, Decimal(2), Decimal(150), Decimal(160), zero, zero, zero, zero, None, False, False
    )
    assert trip_line(trip, EN).side == "spot"
    assert trip_line(replace(trip, symbol="SOL/USDT:USDT"), RU).side == "лонг"
