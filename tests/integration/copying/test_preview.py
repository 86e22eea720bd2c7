"""What the form of copy settings shows stands on real rules, prices, equities and the trader's own orders."""

from decimal import Decimal
from uuid import UUID

import pytest

from copytrade.copying import preview
from copytrade.db.session import reading
from copytrade.domain.instruments import Market
from copytrade.domain.sizing import CopySettings, SizingMode
from copytrade.errors import InvalidInput, NotFound
from tests.stage import Pair
from tests.waiting import wait_until

BTC = "BTC/USDT:USDT"


def ground_of(stage: Pair, *, owner: UUID | None = None) -> preview.Ground:
    with reading() as session:
        return preview.ground(
            session, owner=owner or stage.copy.owner, profile_id=stage.profile_id, copy_account_id=stage.copy.id
        )


def known_ground(stage: Pair) -> preview.Ground:
    wait_until(lambda: ground_of(stage).usual, timeout=30, what="the venue's terms")
    return ground_of(stage)


def test_the_example_stands_on_what_the_venue_and_the_trader_say(stage: Pair) -> None:
    stage.trade("BUY", "0.4")
    stage.wait_for_copy("0.04")
    ground = known_ground(stage)
    assert (ground.market, ground.holds) == (Market.PERPETUAL, 1)
    assert ground.listed[BTC] == "BTC"
    assert ground.equities.copy
    assert ground.equities.lead
    [usual] = [one for one in ground.usual if one.rules.symbol == BTC]
    assert usual.price == pytest.approx(Decimal(60_000), rel=Decimal("0.01"))
    assert usual.rules.quantity_step == Decimal("0.001")
    found = preview.of(ground, CopySettings(factor=Decimal("0.1")), symbol=BTC, quantity=Decimal("0.5"))
    assert found is not None
    occasion, shown = found
    assert (occasion.quantity, shown.copied.ordered) == (Decimal("0.5"), Decimal("0.05"))


def test_an_example_of_no_size_is_refused(stage: Pair) -> None:
    ground = known_ground(stage)
    for quantity in ("0", "-1", "1e9", "0.0001"):
        with pytest.raises(InvalidInput) as refused:
            preview.of(ground, CopySettings(mode=SizingMode.EQUITY), quantity=Decimal(quantity))
        assert refused.value.field == "example_quantity"


def test_nobody_sees_an_example_on_anothers_account(stage: Pair) -> None:
    with pytest.raises(NotFound):
        ground_of(stage, owner=stage.lead.owner)


def test_every_symbol_of_a_venue_is_listed_at_its_place(stage: Pair) -> None:
    known = known_ground(stage).listed
    assert known
    assert all(symbol.endswith(":USDT") for symbol in known)
