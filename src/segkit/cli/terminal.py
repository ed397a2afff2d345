"""How segkit talks: to which stream, how much, and in which colours."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

import click

from segkit.diagnostics import Diagnostic
from segkit.words import readable

if TYPE_CHECKING:
    from segkit.cli.log import RunLog

STYLES = {
    "error:": ("red", True),
    "warning:": ("yellow", True),
    "note:": ("cyan", True),
    "hint:": ("cyan", False),
    "code:": ("blue", False),
}
"""How a line of a diagnostic begins -> (colour of that word, bold)."""


@dataclass(slots=True)
class Terminal:
    """What `-q`, `-v` and `--color` ask for; one object from the first option parsed to the last error shown."""

    color: str = "auto"
    quiet: bool = False
    verbose: bool = False
    log: RunLog | None = None
    published: str | None = None
    """Where the lists of this run are, from the moment at which they are in their place."""

    def colored(self, stream: TextIO) -> bool:
        """Whether colour codes may go to this stream; a flag outranks NO_COLOR."""
        if self.color != "auto":
            return self.color == "always"
        plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
        return stream.isatty() and not plain

    def say(self, text: str) -> None:
        """A line of talk on stderr; nothing with `-q`."""
        if not self.quiet:
            self.alert(text)

    def alert(self, text: str) -> None:
        """A line on stderr, with `-q` too."""
        self._print(text, sys.stderr)

    def diagnose(
        self,
        diagnostics: Iterable[Diagnostic],
        stream: TextIO | None = None,
        *,
        name: Callable[[Diagnostic], str] = lambda _: "",
    ) -> None:
        """Every diagnostic, on stderr where no stream is given, with an empty line between two.

        `name` says what kind of problem one is, where that is told.
        """
        text = "\n\n".join(d.render(name(d)) for d in diagnostics)
        if text:
            self._print(text, stream or sys.stderr)

    def note(self, note: Diagnostic) -> None:
        """A note on stderr, while something runs; nothing with `-q`."""
        if not self.quiet:
            self.diagnose([note])

    def _print(self, text: str, stream: TextIO) -> None:
        text = readable(text)
        print(painted(text) if self.colored(stream) else text, file=stream, flush=True)


def painted(text: str) -> str:
    """A rendered diagnostic with its first words, frame and caret coloured."""
    return "\n".join(_painted_line(line) for line in text.split("\n"))


def _painted_line(line: str) -> str:
    word, space, rest = line.partition(" ")
    if word in STYLES:
        color, bold = STYLES[word]
        return click.style(word, fg=color, bold=bold) + space + rest
    if line.startswith("  --> "):
        return click.style("  -->", fg="blue") + line[5:]
    gutter, bar, code = line.partition("|")
    if bar and not gutter.strip(" 0123456789"):
        caret = bool(code.strip()) and not code.strip(" \t^")
        return click.style(gutter + bar, fg="blue") + (click.style(code, fg="red") if caret else code)
    return line
