"""An engine as one with other machines: all that goes through it is pickled, and each task is run twice."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import cloudpickle

from segkit.engines.engine import Local, Parcel

T = TypeVar("T")
R = TypeVar("R")
PASSWORD = "geheim-7"


class Shipped(Local):
    """Shares nothing between tasks but the folder, of which one task may find what the same one has left before."""

    def map(self, do: Callable[[T], R], items: Sequence[T]) -> list[R]:
        there = _sent(do)
        return list(map(_came, super().map(lambda item: _twice(there, item), [_sent(item) for item in items])))

    def exchange(
        self,
        split: Callable[[T], Iterable[Parcel]],
        items: Sequence[T],
        buckets: int,
        gather: Callable[[int, Iterable[Parcel]], R],
    ) -> list[R]:
        splitting, gathering = _sent(split), _sent(gather)

        def gathered(bucket: int, parcels: Iterable[Parcel]) -> bytes:
            return _twice(gathering, _sent(bucket), _sent(list(parcels)))

        def parcels(item: bytes) -> list[Parcel]:
            return list(_came(splitting)(_came(item)))

        return list(map(_came, super().exchange(parcels, [_sent(item) for item in items], buckets, gathered)))


def _twice(do: bytes, *items: bytes) -> bytes:
    _sent(_came(do)(*map(_came, items)))
    return _sent(_came(do)(*map(_came, items)))


def _sent(what: Any) -> bytes:
    sent: bytes = cloudpickle.dumps(what)
    assert PASSWORD.encode() not in sent
    return sent


def _came(sent: bytes) -> Any:
    return pickle.loads(sent)
