"""Functions of segkit on other machines: of the same versions, and what they raise comes back as a value."""

from __future__ import annotations

import os
import pickle
import platform
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import polars as pl

from segkit import __version__
from segkit.engines.engine import Parcel
from segkit.engines.job import PaddedPiece
from segkit.errors import RuleError, SegkitError

MEANT = (SegkitError, PaddedPiece, pl.exceptions.PolarsError, OSError)
"""What a run in one process raises, too, and whoever asked for it understands. All else is a bug, or a lost machine."""
SAME = ("polars", "polars-hash", "numpy", "scipy", "shapely")
"""Packages on which the bytes of a run depend."""


class Failed(Exception):
    """What was raised, and where among all that was done: what comes first counts, as in one process."""

    def __init__(self, place: tuple[int, int], error: Exception) -> None:
        super().__init__(place, error)
        self.place, self.error = place, error


@cache
def versions() -> Mapping[str, str]:
    """What a machine runs, by the names of packages; nothing of those that it lacks."""
    found = {"Python": ".".join(platform.python_version_tuple()[:2]), "segkit": __version__}
    for name in SAME:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


@dataclass(frozen=True)
class Sent:
    """A function as it goes to other machines, from one that runs these versions."""

    do: Callable[..., Any]
    versions: Mapping[str, str]

    def answer(self, place: int, *items: Any) -> bytes:
        """What it gives for the item at this place, or what it raises."""
        try:
            self._require_same()
            return pickle.dumps(self.do(*items))
        except Failed as failed:
            return pickle.dumps(failed)
        except MEANT as error:
            return pickle.dumps(Failed((1, place), error))

    def parcels(self, place: int, item: Any, buckets: int) -> Iterator[tuple[int, Parcel | Failed]]:
        """The parcels of the item at this place, by their buckets; what it raises goes to one of them."""
        try:
            self._require_same()
            for parcel in self.do(item):
                yield parcel.bucket, parcel
        except MEANT as error:
            yield place % buckets, Failed((0, place), error)

    def gathered(self, bucket: int, parcels: Iterable[Parcel | Failed]) -> bytes:
        """What it gives for the parcels of a bucket; where one of them could not be made, why."""
        rest = iter(parcels)

        def good() -> Iterator[Parcel]:
            for parcel in rest:
                if isinstance(parcel, Failed):
                    raise _first([parcel, *(other for other in rest if isinstance(other, Failed))])
                yield parcel

        return self.answer(bucket, bucket, good())

    def _require_same(self) -> None:
        here = versions()
        if here == self.versions:
            return
        name = next(name for name in {**self.versions, **here} if here.get(name) != self.versions.get(name))
        there = f"{name} {here[name]}" if name in here else f"no {name}"
        message = f"a machine of the cluster has {there}, and this one has {self.versions.get(name, 'none')}"
        raise RuleError.of(message, hint="install the same versions on all machines: only then the bytes are the same")


def out_of_reach(files: Mapping[Path, int], work: Path, _: int) -> Path | None:
    """Which of these files, of so many bytes, is not on this machine; or the folder, where it cannot write."""
    for path, size in files.items():
        if not (os.access(path, os.R_OK) and path.stat().st_size == size):
            return path
    try:
        with tempfile.TemporaryFile(dir=work):
            return None
    except OSError:
        return work


def opened(answers: Sequence[bytes]) -> list[Any]:
    """The answers; raises what was raised first."""
    found = [pickle.loads(answer) for answer in answers]
    failed = [one for one in found if isinstance(one, Failed)]
    if failed:
        raise _first(failed).error
    return found


def _first(failed: Sequence[Failed]) -> Failed:
    return min(failed, key=lambda one: one.place)
