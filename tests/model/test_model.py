"""Some thousand seconds of trouble in a few real ones; `make model RUNS=100000` goes on."""

import pytest

from copytrade.domain.sizing import SizingMode
from tests.model.chance import Case, Place
from tests.model.runs import run

RUNS = 80
"""Of each market and sizing."""


@pytest.mark.parametrize("sizing", list(SizingMode))
@pytest.mark.parametrize("place", list(Place))
def test_no_run_breaks_an_invariant(place: Place, sizing: SizingMode) -> None:
    failures = [run(Case(seed, place, sizing)) for seed in range(RUNS)]
    assert not [f"{failure.case}: {failure.what}" for failure in failures if failure is not None]


def test_a_case_is_the_same_run_whenever_it_is_run() -> None:
    traces = [list[str](), list[str]()]
    for trace in traces:
        run(Case(3, Place.ONE_WAY, SizingMode.RATIO), trace=trace)
    told = [[line for line in trace if "lead" in line or "planned" in line] for trace in traces]
    assert told[0] == told[1] != []
