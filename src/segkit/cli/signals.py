"""SIGTERM and SIGHUP end a run as Ctrl-C does: temporary files go away, and the log gets its line."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import NoReturn

_received: list[int] = []
_turn = threading.RLock()  # a handler may run in the middle of another
_over = threading.Event()
_last_words: list[Callable[[int], object]] = []


def listen() -> None:
    """Make SIGTERM and SIGHUP interrupt the run.

    A Python signal handler waits until Polars returns from Rust (10 s and more on large files), while Polars itself
    notices SIGINT at once. So a thread hears of the others through the wakeup pipe and, where no handler has run after
    a moment, sends SIGINT. Where SIGINT is ignored (a background job of a shell script) they end the process at once,
    after a line in the log; the next run removes what is left. A SIGHUP that is ignored, as `nohup` asks, stays so.
    """
    if os.name != "posix":
        return
    gently = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _interrupt if gently else lambda *_: None)
    threading.Thread(target=_forward, args=(reader, gently), name="signals", daemon=True).start()


def begin(last_words: Callable[[int], object]) -> None:
    """A run begins; `last_words` is called with the exit code where the process has to end at once."""
    _last_words[:] = [last_words]
    _received.clear()
    _over.clear()


def over() -> None:
    """The run has ended, well or not: from now on, no signal keeps it from saying so."""
    _over.set()


def exit_code() -> int | None:
    """The exit code of a run that a signal has ended: 143 for SIGTERM, 129 for SIGHUP; None for any other run."""
    return 128 + _received[0] if _received else None


def _first(number: int) -> bool:
    """Whether this is the signal that ends the run, and nobody has said so before."""
    if _received or _over.is_set():
        return False
    _received.append(number)
    return True


def _interrupt(number: int, _frame: FrameType | None) -> None:
    """The handler of the main thread interrupts it by itself, where it comes before the thread.

    Left to the thread's SIGINT, that could come after this handler and before the system call which Python begins
    anew after it, and which then lasts as long as it likes.
    """
    with _turn:
        first = _first(number)
    if first:
        raise KeyboardInterrupt


def _forward(reader: int, gently: bool) -> NoReturn:
    while True:
        for number in os.read(reader, 64):
            if number in (signal.SIGTERM, signal.SIGHUP):
                if gently:
                    time.sleep(0.05)
                with _turn:
                    first = _first(number)
                    if first and gently:
                        os.kill(os.getpid(), signal.SIGINT)
                if first and not gently:
                    for say in _last_words:
                        say(128 + number)
                    os._exit(128 + number)
