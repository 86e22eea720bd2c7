"""Who may import whom: import-linter's contracts (pyproject.toml) and what it cannot say."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from copytrade.settings import ROOT

STANDARD = sys.stdlib_module_names
ROOMS = sorted(folder.name for folder in (ROOT / "copytrade").iterdir() if (folder / "__init__.py").exists())


def imports(file: Path) -> Iterator[str]:
    """Yield the dotted names a file imports, `from a.b import c` as a.b.c."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: a relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_every_contract_of_the_house_is_kept() -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_room_stands_in_the_contracts() -> None:
    rules = (ROOT / "pyproject.toml").read_text()
    missing = [room for room in ROOMS if rules.count(f'"copytrade.{room}"') + rules.count(f"copytrade.{room} |") < 2]
    assert missing == []


def test_the_domain_imports_only_the_standard_library() -> None:
    strangers = {
        f"{file.name}: {name}"
        for file in (ROOT / "copytrade" / "domain").rglob("*.py")
        for name in imports(file)
        if name.partition(".")[0] not in STANDARD and not name.startswith("copytrade.domain")
    }
    assert strangers == set()


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_never_reaches_for_another_rooms_tables(room: str) -> None:
    reached = {
        f"{file.relative_to(ROOT)}: {name}"
        for file in (ROOT / "copytrade" / room).rglob("*.py")
        for name in imports(file)
        if ".models" in name and name.startswith("copytrade.") and not name.startswith(f"copytrade.{room}.")
    }
    assert reached == set()


def test_workers_never_reach_for_tables() -> None:
    reached = {
        f"{file.name}: {name}"
        for file in (ROOT / "workers").rglob("*.py")
        for name in imports(file)
        if name.startswith("copytrade.") and ".models" in name
    }
    assert reached == set()
