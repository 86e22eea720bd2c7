"""Failpoints: who is chosen dies at the n-th time, exactly one; where they are off nothing happens."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from copytrade import failpoints
from copytrade.failpoints import Label
from copytrade.settings import Settings

REACHES = """
import sys
from copytrade.failpoints import Label, reach
for number in range(int(sys.argv[1])):
    reach(Label.PLAN_COMMITTED)
    print(number, flush=True)
"""


@pytest.fixture
def armed(tmp_path: Path) -> Path:
    failpoints.arm(Label.PLAN_COMMITTED, var=tmp_path, times=3)
    return tmp_path


def reaching(times: int, *, var: Path, switch: str) -> subprocess.CompletedProcess[str]:
    variables = os.environ | {"COPYTRADE_VAR": str(var), "COPYTRADE_FAILPOINTS": switch}
    command = [sys.executable, "-c", REACHES, str(times)]
    return subprocess.run(command, env=variables, capture_output=True, text=True, check=False)


def test_whoever_takes_an_armed_label_dies_at_the_nth_time_and_nobody_else(armed: Path) -> None:
    first = reaching(9, var=armed, switch="1")
    assert (first.returncode, first.stdout.split()) == (-signal.SIGKILL, ["0", "1"])
    assert failpoints.armed(var=armed) == set()
    second = reaching(9, var=armed, switch="1")
    assert (second.returncode, len(second.stdout.split())) == (0, 9)


def test_nothing_happens_where_failpoints_are_off(armed: Path) -> None:
    done = reaching(9, var=armed, switch="0")
    assert (done.returncode, len(done.stdout.split())) == (0, 9)
    assert failpoints.armed(var=armed) == {Label.PLAN_COMMITTED}


def test_disarming_leaves_nothing_to_die_of(armed: Path) -> None:
    failpoints.disarm(var=armed)
    assert reaching(9, var=armed, switch="1").returncode == 0


@pytest.mark.parametrize("setting", [{"failpoints": True}, {"order_lost_after_s": 2.0}])
def test_production_refuses_what_is_for_tests(setting: dict[str, bool | float]) -> None:
    with pytest.raises(ValidationError, match="never for production"):
        Settings.model_validate({"environment": "production", **setting})
