"""Every exchange, market and role has its own way to a key that fits, in both languages."""

import itertools

import pytest

from copytrade.domain.instruments import Market, Role, Venue
from copytrade.i18n import Voice, instructions

PLACES = list(itertools.product(Venue, Market, Role))


@pytest.mark.parametrize(("venue", "market", "role"), PLACES, ids=lambda part: part.value)
def test_every_place_says_which_rights_and_which_to_leave_off(venue: Venue, market: Market, role: Role) -> None:
    steps = instructions.before_addresses(Voice("en"), venue=venue, market=market, role=role, mode="live")
    assert sum(venue.value in step.lower() for step in steps) >= 1
    assert "a key with them is refused" in steps[-1]
    assert any("sub-account" in step for step in steps) == (role is Role.COPY)
    russian = instructions.before_addresses(Voice("ru"), venue=venue, market=market, role=role, mode="live")
    assert len(russian) == len(steps)
    assert set(russian).isdisjoint(steps)


def test_only_bitget_asks_for_a_passphrase() -> None:
    for venue in Venue:
        steps = " ".join(instructions.after_addresses(Voice("en"), venue=venue))
        assert ("passphrase" in steps) == (venue is Venue.BITGET)


def test_a_spot_key_is_never_told_to_trade_futures() -> None:
    for venue, role in itertools.product(Venue, Role):
        steps = instructions.before_addresses(Voice("en"), venue=venue, market=Market.SPOT, role=role, mode="live")
        assert not any(word in steps[-1] for word in ("Futures", "futures", "contracts", "Positions"))


def test_demo_keys_are_told_apart_from_real_ones() -> None:
    told = {"venue": Venue.BYBIT, "market": Market.SPOT, "role": Role.LEAD}
    live = instructions.before_addresses(Voice("en"), mode="live", **told)  # pyright: ignore[reportArgumentType]
    demo = instructions.before_addresses(Voice("en"), mode="testnet", **told)  # pyright: ignore[reportArgumentType]
    assert [step for step in demo if step not in live] == [instructions.DEMO]


def test_a_refusal_that_a_click_mends_says_which() -> None:
    for venue in Venue:
        for reason in ("may_withdraw", "may_transfer", "read_only"):
            assert venue.value.title() in instructions.hint(Voice("en"), reason=reason, venue=venue)
        assert instructions.hint(Voice("en"), reason="exchange_away", venue=venue) == ""
