"""How long a venue may show an order that it took, after the window in which it would take it."""

from datetime import timedelta

import pytest

from copytrade.domain.instruments import Venue
from copytrade.exchanges import venues
from copytrade.settings import settings


@pytest.mark.parametrize(("venue", "seconds"), [(Venue.BINANCE, 10), (Venue.BYBIT, 10), (Venue.BITGET, 30)])
def test_each_venue_has_a_time_of_its_own(venue: Venue, seconds: int) -> None:
    assert venues.lost_after(venue) == timedelta(seconds=seconds)


@pytest.mark.parametrize("venue", list(Venue))
def test_a_test_installation_may_say_another(venue: Venue, monkeypatch: pytest.MonkeyPatch) -> None:
    quick = settings().model_copy(update={"order_lost_after_s": 3.0})
    monkeypatch.setattr(venues, "settings", lambda: quick)
    assert venues.lost_after(venue) == timedelta(seconds=3)
