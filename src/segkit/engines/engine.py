"""What a run in buckets asks of an engine: two verbs. What goes through it is sealed rows, paths and small answers."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class Parcel(NamedTuple):
    """Sealed rows on their way to a bucket, of which table, and from which piece of it."""

    bucket: int
    table: str
    piece: int
    rows: bytes


class Engine(Protocol):
    """Machines, or one, that run functions of segkit."""

    def map(self, do: Callable[[T], R], items: Sequence[T]) -> list[R]:
        """The answers, in the order of the items."""

    def exchange(
        self,
        split: Callable[[T], Iterable[Parcel]],
        items: Sequence[T],
        buckets: int,
        gather: Callable[[int, Iterable[Parcel]], R],
    ) -> list[R]:
        """Split each item into parcels, bring those of a bucket together, and gather each; the answers by bucket."""


class Local:
    """A process of its own: parcels wait in files of a folder until their bucket has its turn."""

    def __init__(self, work: Path) -> None:
        self._work = work

    def map(self, do: Callable[[T], R], items: Sequence[T]) -> list[R]:
        """One after another."""
        return [do(item) for item in items]

    def exchange(
        self,
        split: Callable[[T], Iterable[Parcel]],
        items: Sequence[T],
        buckets: int,
        gather: Callable[[int, Iterable[Parcel]], R],
    ) -> list[R]:
        """One item after another, then one bucket after another."""
        for item in items:
            for parcel in split(item):
                with self._waiting(parcel.bucket).open("ab") as file:
                    pickle.dump(parcel, file, pickle.HIGHEST_PROTOCOL)
        return [gather(bucket, self._parcels(bucket)) for bucket in range(buckets)]

    def _waiting(self, bucket: int) -> Path:
        return self._work / f"{bucket}.parcels"

    def _parcels(self, bucket: int) -> Iterator[Parcel]:
        path = self._waiting(bucket)
        if not path.exists():
            return
        with path.open("rb") as file:
            end = path.stat().st_size
            while file.tell() < end:
                yield pickle.load(file)
        path.unlink()
