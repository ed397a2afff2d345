"""Whether the files that a run has read are still as they were when it read them."""

from __future__ import annotations

from pathlib import Path

from segkit.errors import DataError


class Inputs:
    """The size and the time of each file when it was opened."""

    def __init__(self) -> None:
        self._then: dict[Path, tuple[int, int]] = {}

    def seen(self, path: Path) -> None:
        """Remember how a file is now."""
        self._then.setdefault(path, _state(path))

    def require_same(self) -> None:
        """`DataError` for a file that is another one by now: the manifest would say that it was read."""
        for path, then in self._then.items():
            if not path.exists() or _state(path) != then:
                raise DataError.of(f"`{path}` has changed since the run read it", hint="apply the rules again")


def _state(path: Path) -> tuple[int, int]:
    stat = path.stat()
    return stat.st_size, stat.st_mtime_ns
