"""Names into addresses."""

import pytest

from copytrade.subscriptions.slugs import slug_of


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Nordwind", "nordwind"),
        ("Быстрый Джо", "bystryy-dzho"),
        ("Crème  Brûlée!", "creme-brulee"),
        ("日本", "trader"),
        ("2026", "trader-2026"),
        ("What if", "trader-what-if"),
        ("../../etc", "etc"),
        ("<script>", "script"),
    ],
)
def test_a_name_becomes_a_plain_address(name: str, slug: str) -> None:
    assert slug_of(name) == slug
