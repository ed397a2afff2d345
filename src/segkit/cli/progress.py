"""What a long run is doing, on a terminal's stderr."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from segkit.addresses import without_secrets
from segkit.cli.terminal import Terminal

if TYPE_CHECKING:
    from rich.status import Status

DELAY_SECONDS = 0.3
"""A run that is over sooner shows no spinner."""


@contextmanager
def stages(terminal: Terminal) -> Iterator[Callable[[str], None]]:
    """A function to call with a short text at each stage.

    With `-v` it prints lines, on a terminal it shows a spinner, else it is silent.
    """
    if terminal.verbose:
        yield _lines(terminal)
    elif terminal.quiet or not sys.stderr.isatty():
        yield lambda _: None
    else:
        spinner = Spinner(terminal)
        try:
            yield spinner.update
        finally:
            spinner.stop()


def _lines(terminal: Terminal) -> Callable[[str], None]:
    start = time.monotonic()
    return lambda stage: terminal.alert(f"{time.monotonic() - start:8.2f} s  {without_secrets(stage)}")


class Spinner:
    """Rich's spinner, which starts on its own once the run takes long; Rich is imported only then."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._text = "starting"
        self._status: Status | None = None
        self._stopped = False
        self._lock = threading.Lock()
        self._timer = threading.Timer(DELAY_SECONDS, self._start)
        self._timer.daemon = True
        self._timer.start()

    def update(self, stage: str) -> None:
        """Show this text from now on."""
        with self._lock:
            self._text = without_secrets(stage)
            if self._status:
                self._status.update(self._text)

    def stop(self) -> None:
        """Wipe the spinner, or keep it from starting."""
        self._timer.cancel()
        with self._lock:
            self._stopped = True
            if self._status:
                self._status.stop()

    def _start(self) -> None:
        from rich.console import Console

        console = Console(stderr=True, no_color=not self._terminal.colored(sys.stderr), highlight=False)
        with self._lock:
            if not self._stopped:
                self._status = console.status(self._text)
                self._status.start()
