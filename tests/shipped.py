"""An engine as one with other machines: all that goes through it is pickled, and each task is run twice.

Parcels come in another order than they were sent.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import cloudpickle

from segkit.engines.elsewhere import Sent, opened, versions
from segkit.engines.engine import Local, Parcel

T = TypeVar("T")
R = TypeVar("R")
PASSWORD = "geheim-7"


class Shipped(Local):
    """Shares nothing between tasks but the folder, of which one task may find what the same one has left before."""

    def map(self, do: Callable[[T], R], items: Sequence[T]) -> list[R]:
        there = _sent(Sent(do, versions()))

        def answer(item: tuple[int, bytes]) -> bytes:
            answers: list[bytes] = [_came(there).answer(item[0], _came(item[1])) for _ in range(2)]
            return answers[-1]

        return opened(super().map(answer, _packed(items)))

    def exchange(
        self,
        split: Callable[[T], Iterable[Parcel]],
        items: Sequence[T],
        buckets: int,
        gather: Callable[[int, Iterable[Parcel]], R],
    ) -> list[R]:
        splitting, gathering = _sent(Sent(split, versions())), _sent(Sent(gather, versions()))

        def parcels(item: tuple[int, bytes]) -> list[Parcel]:
            found = _came(splitting).parcels(item[0], _came(item[1]), buckets)
            return [Parcel(bucket, "", item[0], _sent(one)) for bucket, one in found]

        def gathered(bucket: int, parcels: Iterable[Parcel]) -> bytes:
            came = [parcel.rows for parcel in parcels][::-1]
            answers: list[bytes] = [_came(gathering).gathered(bucket, map(_came, came)) for _ in range(2)]
            return answers[-1]

        return opened(super().exchange(parcels, _packed(items), buckets, gathered))


def _packed(items: Sequence[Any]) -> list[tuple[int, bytes]]:
    return [(place, _sent(item)) for place, item in enumerate(items)]


def _sent(what: Any) -> bytes:
    sent: bytes = cloudpickle.dumps(what)
    assert PASSWORD.encode() not in sent
    return sent


def _came(sent: bytes) -> Any:
    return pickle.loads(sent)
