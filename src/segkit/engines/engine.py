"""What a run in buckets asks of an engine: two verbs. What goes through it is sealed rows, paths and small answers."""

from __future__ import annotations

import pickle
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
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

    workers: int
    """So many tasks run at once on other machines; 0 where there are none."""

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

    def close(self) -> None:
        """Let the machines go."""


class Local:
    """A process of its own: parcels wait in files of a folder until their bucket has its turn.

    A few items are under way at once, each with its own rows in memory.
    """

    workers = 0

    def __init__(self, work: Path, at_once: int) -> None:
        self._work, self._at_once = work, at_once

    def map(self, do: Callable[[T], R], items: Sequence[T]) -> list[R]:
        """A few at once."""
        return list(self._done(do, items))

    def exchange(
        self,
        split: Callable[[T], Iterable[Parcel]],
        items: Sequence[T],
        buckets: int,
        gather: Callable[[int, Iterable[Parcel]], R],
    ) -> list[R]:
        """All items, then all buckets."""
        for parcels in self._done(lambda item: list(split(item)), items):
            for parcel in parcels:
                with self._waiting(parcel.bucket).open("ab") as file:
                    pickle.dump(parcel, file, pickle.HIGHEST_PROTOCOL)
        return list(self._done(lambda bucket: gather(bucket, self._parcels(bucket)), range(buckets)))

    def close(self) -> None:
        """There is nobody else."""

    def _done(self, do: Callable[[T], R], items: Sequence[T]) -> Iterator[R]:
        """What is made of each item, in their order; no more are begun than can be under way."""
        with ThreadPoolExecutor(self._at_once) as pool:
            under_way: deque[Future[R]] = deque()
            try:
                for item in items:
                    if len(under_way) == self._at_once:
                        yield under_way.popleft().result()
                    under_way.append(pool.submit(do, item))
                while under_way:
                    yield under_way.popleft().result()
            finally:
                pool.shutdown(cancel_futures=True)

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
