"""Every page renders; a misspelt variable or attribute fails here and not in a browser."""

import json
import re

import pytest

from copytrade.copytrade import PAGES, Page


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.route)
def test_a_page_renders_in_both_languages_inside_the_frame(page: Page) -> None:
    rendered = str(page.component().render()).replace("\\\\", "\\")
    assert json.dumps("Трейдеры")[1:-1] in rendered
    assert "Traders" in rendered
    assert "/favicon.svg" in rendered


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.route)
def test_no_form_asks_for_the_row_it_stands_in(page: Page) -> None:
    hooks = "\n".join(page.component()._get_all_hooks())  # pyright: ignore[reportPrivateUsage]
    rows = re.findall(r"\w+_rx_state_\b", hooks)
    assert rows == [], "hooks are made outside of the rows: the browser would not know them"
