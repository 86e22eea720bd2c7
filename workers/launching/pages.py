"""The pages' bundle: built once, and again when sources, packages or the address change."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from copytrade.engines import CannotStart
from copytrade.settings import ROOT
from workers.launching.supervision import tail

_NOT_SHOWN = ("sandbox", "demo", "exchanges", "domain", "__pycache__")


def build_pages(environment: Mapping[str, str], *, web: Path, log: Path) -> bool:
    """Build the bundle into `web` unless its stamp says that it is the one; tell whether it was built."""
    stamp_file = web / "copytrade.stamp"
    stamp = _stamp(environment)
    if stamp_file.exists() and stamp_file.read_text() == stamp:
        return False
    stamp_file.unlink(missing_ok=True)
    with log.open("wb") as out:
        done = subprocess.run(
            [sys.executable, "-m", "reflex", "export", "--frontend-only", "--no-zip", "--loglevel", "info"],
            env={**environment, "REFLEX_WEB_WORKDIR": str(web), "COPYTRADE_KEYRING": "", **_path(environment)},
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            check=False,
        )
    if done.returncode != 0 or not (web / "build" / "client").exists():
        raise CannotStart(f"The pages could not be built:\n{tail(log)}")
    stamp_file.write_text(stamp)
    return True


def _path(environment: Mapping[str, str]) -> dict[str, str]:
    # bun comes as a wheel: Reflex finds it on PATH and downloads nothing.
    beside = str(Path(sys.executable).parent)
    return {"PATH": f"{beside}{os.pathsep}{environment.get('PATH', os.defpath)}"}


def _stamp(environment: Mapping[str, str]) -> str:
    digest = hashlib.sha256()
    for name in ("COPYTRADE_PORT", "COPYTRADE_PUBLIC_URL", "COPYTRADE_HOST"):
        digest.update(f"{name}={environment.get(name, '')}\n".encode())
    digest.update(sys.version.encode())
    for file in sorted(file for file in _sources() if file.exists()):
        digest.update(f"{file.relative_to(ROOT)}\n".encode() + file.read_bytes())
    return digest.hexdigest()


def _sources() -> Iterator[Path]:
    # Not reflex.lock/package.json: a build writes it anew, and it says nothing that bun.lock does not.
    yield from (ROOT / name for name in ("rxconfig.py", "requirements.txt", "reflex.lock/bun.lock"))
    yield from (file for file in (ROOT / "assets").rglob("*") if file.is_file() and "external" not in file.parts)
    for file in (ROOT / "copytrade").rglob("*"):
        if file.suffix in (".py", ".po", ".css", ".js") and not set(file.relative_to(ROOT).parts) & set(_NOT_SHOWN):
            yield file
