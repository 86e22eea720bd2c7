"""Following the processes' logs at the terminal, each line with the name of its process."""

from dataclasses import dataclass, field
from pathlib import Path

_QUIET = ("supervisord", "pages", "postgres", "valkey", "migrate", "demo")


@dataclass(slots=True)
class LogFollower:
    """Reads what was added to the logs of a folder since the last look."""

    folder: Path
    positions: dict[Path, int] = field(default_factory=dict)

    def skip(self) -> None:
        """Leave out what is there already."""
        self.positions = {file: file.stat().st_size for file in self._files()}

    def fresh(self) -> list[str]:
        """Return the whole lines that came since the last look; a log that shrank was rotated and is read anew."""
        return [f"{file.stem:<17}| {line}" for file in self._files() for line in self._read(file)]

    def _files(self) -> list[Path]:
        return sorted(file for file in self.folder.glob("*.log") if file.stem not in _QUIET)

    def _read(self, file: Path) -> list[str]:
        size, position = file.stat().st_size, self.positions.get(file, 0)
        if size < position:
            position = 0
        with file.open("rb") as source:
            source.seek(position)
            content = source.read(65536)
        whole = content.rpartition(b"\n")[0]
        self.positions[file] = position + (len(whole) + 1 if whole else 0)
        return whole.decode(errors="replace").splitlines()
