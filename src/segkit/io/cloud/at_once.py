"""Many objects, a few at once: an answer takes long to come, and little to carry."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

AT_ONCE = 8
"""Objects that are asked for, or put, at the same time; of a large one, several parts are in memory."""

One = TypeVar("One")
Done = TypeVar("Done")


def at_once(do: Callable[[One], Done], each: Iterable[One]) -> list[Done]:
    """What `do` gives of each, in their order; of several that fail, the first in that order raises.

    When it returns or raises, also when the process is interrupted, nothing is on its way any more: what has begun is
    waited for, and nothing else begins.
    """
    failed: list[int] = []

    def one(number: int, of: One) -> Done | None:
        if failed and number > min(failed):  # what comes before the first failure goes on: it may fail itself
            return None
        try:
            return do(of)
        except BaseException:
            failed.append(number)
            raise

    pool = ThreadPoolExecutor(AT_ONCE, "segkit-bucket")
    try:
        begun = [pool.submit(one, number, of) for number, of in enumerate(each)]
        return [future.result() for future in begun]  # type: ignore[misc]  # None stands behind one that raises
    finally:
        _end(pool)


def _end(pool: ThreadPoolExecutor) -> None:
    """Wait for what has begun, also where somebody is impatient: it would come after what is cleaned up then."""
    try:
        pool.shutdown(cancel_futures=True)
    except KeyboardInterrupt:
        _end(pool)
        raise
