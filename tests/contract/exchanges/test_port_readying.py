"""The contract, part 10: a copy account is made like its lead's on every venue, unless something there is not ours."""

from decimal import Decimal

import pytest

from copytrade.copying import readying
from copytrade.copying.readying import LeadModes, Made, Wish
from copytrade.domain.instruments import MarginMode, PositionSide
from copytrade.domain.orders import OrderKind
from copytrade.domain.skips import SkipReason
from tests.contract.exchanges.places import PERPETUALS, Account, named, soon

pytestmark = pytest.mark.parametrize("place", PERPETUALS, indirect=True, ids=named)
CROSS, ISOLATED = MarginMode.CROSS, MarginMode.ISOLATED


def make(account: Account, lead: LeadModes | None, *, cap: int = 20, ours: str = "0", hedged: bool = False) -> Made:
    held = {PositionSide.NET: Decimal(ours)} if Decimal(ours) else {}
    wish = Wish(account.ref, account.symbol, cap=cap, lead=lead, ours=held, was=None, is_hedged=hedged)
    return account.run(lambda client: readying.make(client, wish))


def modes(account: Account) -> tuple[int, MarginMode]:
    leverage = account.run(lambda client: client.leverage(account.symbol))
    return leverage, account.run(lambda client: client.margin_mode(account.symbol))


def test_100_leverage_and_margin_become_the_leads_and_leverage_is_capped(alice: Account) -> None:
    made = make(alice, LeadModes(50, ISOLATED))
    assert (made.hold, made.leverage, made.margin_mode) == (None, 20, "isolated")
    assert modes(alice) == (20, ISOLATED)
    assert make(alice, LeadModes(3, CROSS)).hold is None
    assert modes(alice) == (3, CROSS)


def test_101_never_more_leverage_than_the_venue_gives(alice: Account) -> None:
    most = alice.run(lambda client: client.max_leverage(alice.symbol))
    made = make(alice, LeadModes(1000, CROSS), cap=1000)
    assert (made.hold, made.leverage, modes(alice)[0]) == (None, most, most)


def test_102_nothing_is_changed_beside_a_position_of_his_own(alice: Account) -> None:
    before = modes(alice)
    alice.trade("BUY", "0.1")
    made = make(alice, LeadModes(before[0] - 1, CROSS))
    assert (made.hold, made.own) == (SkipReason.LEVERAGE, Decimal("0.1"))
    assert make(alice, LeadModes(before[0], ISOLATED)).hold is SkipReason.MARGIN_MODE
    assert modes(alice) == before
    assert make(alice, LeadModes(*before)).hold is None


def test_103_nothing_is_changed_beside_an_order_of_his_own(alice: Account) -> None:
    before = modes(alice)
    resting = alice.buy("0.01", kind=OrderKind.LIMIT, price=Decimal(58_000))
    alice.run(lambda client: client.place(resting, not_after=soon()))
    assert make(alice, LeadModes(before[0] - 1, CROSS)).hold is SkipReason.LEVERAGE
    assert modes(alice) == before


def test_104_beside_our_own_copy_leverage_follows_and_a_refused_margin_mode_holds_entries(alice: Account) -> None:
    leverage, _ = modes(alice)
    alice.trade("BUY", "0.1")
    made = make(alice, LeadModes(leverage - 1, CROSS), ours="0.1")
    assert (made.hold, made.own, modes(alice)) == (None, 0, (leverage - 1, CROSS))
    assert make(alice, LeadModes(leverage - 1, ISOLATED), ours="0.1").hold is SkipReason.MARGIN_MODE
    alice.trade("SELL", "0.1")
    assert make(alice, LeadModes(leverage - 1, ISOLATED)).hold is None
    assert modes(alice) == (leverage - 1, ISOLATED)


def test_105_the_position_mode_becomes_the_leads_while_nothing_is_held(alice: Account) -> None:
    assert make(alice, LeadModes(5, CROSS), hedged=True).hold is None
    assert alice.run(lambda client: client.is_hedged()) is True
    alice.trade("BUY", "0.1", position_side="LONG")
    assert make(alice, LeadModes(5, CROSS)).hold is SkipReason.POSITION_MODE


def test_106_what_the_lead_has_is_not_guessed(alice: Account) -> None:
    before = modes(alice)
    assert make(alice, None).hold is SkipReason.LEVERAGE
    assert modes(alice) == before
