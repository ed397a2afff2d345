"""What a database does can be stopped: where it takes too long, and by Ctrl-C."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from threading import Timer
from typing import TypeVar

_Gives = TypeVar("_Gives")
PAUSE = 0.1
"""Seconds between two looks at whether it is done, and between two tries to stop it."""


@contextmanager
def time_limit(seconds: float, stop: Callable[[], object]) -> Iterator[None]:
    """Calls `stop` from another thread where the block takes longer."""
    timer = Timer(seconds, stop)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def interruptible(work: Callable[[], _Gives], stop: Callable[[], object]) -> _Gives:
    """What `work` gives, in a thread of its own: drivers do not hear Ctrl-C, or take it for themselves."""
    with ThreadPoolExecutor(1, "segkit-database") as pool:
        done = pool.submit(work)
        try:
            while not wait([done], PAUSE).done:
                pass  # after ADBC was used, Ctrl-C does not end a wait that is longer
        except KeyboardInterrupt:
            while not wait([done], PAUSE).done:
                stop()
            raise
        return done.result()
