"""`python -m tests.model.finding` looks for a case that breaks without each rule, and keeps it for the tests."""

import json
from itertools import count
from pathlib import Path

from tests.model.chance import Case, Place
from tests.model.rules import RULES, Rule, taken_out
from tests.model.runs import run

FOUND = Path(__file__).with_name("found.json")
FAR_ENOUGH = 6000


def cases(rule: Rule, *, most: int) -> list[Case]:
    """Return the first cases of the markets and sizings that a rule concerns."""
    found = list[Case]()
    for seed in count():
        found += [Case(seed, place, sizing) for place, sizing in rule.kinds]
        if len(found) >= most:
            return found[:most]
    raise AssertionError


def breaks(rule: Rule, case: Case) -> str:
    """Return what breaks in a case without a rule and holds with it, nothing where all holds."""
    with taken_out(rule):
        failure = run(case)
    return failure.what if failure is not None and run(case) is None else ""


def kept() -> dict[str, Case]:
    """Return the cases that were found, by the rule's name."""
    names: dict[str, str] = json.loads(FOUND.read_text())
    return {rule: case_named(name) for rule, name in names.items()}


def case_named(name: str) -> Case:
    """Return the case that goes by a name."""
    place, sizing, seed = name.split("/")
    kind = next(one for rule in RULES for one in rule.kinds if (one[0].value, one[1].value) == (place, sizing))
    return Case(int(seed), Place(kind[0]), kind[1])


def main() -> None:
    found = dict[str, str]()
    for rule in RULES:
        hit = next((case for case in cases(rule, most=FAR_ENOUGH) if breaks(rule, case)), None)
        print(f"{rule.name}: {hit or 'NOTHING'}", flush=True)
        if hit is not None:
            found[rule.name] = str(hit)
    FOUND.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
