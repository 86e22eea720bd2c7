"""Each rule matters: without it some run breaks an invariant that holds with it."""

import pytest

from tests.model.finding import breaks, cases, kept
from tests.model.rules import RULES, Rule

NEARBY = 300
"""Cases tried where the one that was found does not break any more, since the model or the engine was changed."""


@pytest.mark.parametrize("rule", RULES, ids=[rule.name for rule in RULES])
def test_without_a_rule_some_run_breaks(rule: Rule) -> None:
    known = kept().get(rule.name)
    tried = [*([known] if known else []), *cases(rule, most=NEARBY)]
    assert any(breaks(rule, case) for case in tried), "look for another one: python -m tests.model.finding"
