"""Where every run ends: an error becomes a message on stderr and an exit code, never a traceback."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO

import click

from segkit.cli import signals
from segkit.cli.terminal import Terminal
from segkit.diagnostics import Diagnostic
from segkit.errors import SegkitError, WriteError

USAGE, DATA, WRITE, BUG, INTERRUPTED, CLOSED_PIPE = 2, 3, 4, 70, 130, 141
DISK_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EFBIG}


class ClosedPipe(Exception):
    """The reader of standard output has gone; click would turn a BrokenPipeError into exit code 1."""


@contextmanager
def closed_pipes() -> Iterator[None]:
    """Turn a BrokenPipeError into an exception that click lets through."""
    try:
        yield
    except BrokenPipeError as error:
        raise ClosedPipe from error


def run(call: Callable[[], Any], terminal: Terminal) -> int:
    """The exit code of a call.

    Whatever it raises is shown on stderr. The run is logged where that was asked for.
    """
    signals.begin(lambda code: _logged(code, KeyboardInterrupt(), terminal))
    try:
        code = _code(call())
        sys.stdout.flush()
        signals.over()
    except SystemExit as exit_:  # click ends completion in this way
        return _code(exit_.code)
    except BaseException as error:  # noqa: BLE001 - the outermost frame; a Rust panic is a BaseException
        signals.over()
        # The error is not kept beyond this line: a second Ctrl-C may leave folders, which go away with the frames that
        # the error holds.
        return _logged(_told(error, terminal), error, terminal)
    return _logged(code, None, terminal)


def _logged(code: int, raised: BaseException | None, terminal: Terminal) -> int:
    """The exit code, once the log has it.

    Where all else went well and the log cannot be written, it is the exit code of that error.
    """
    if terminal.log is None:
        return code
    try:
        terminal.log.end(code, raised)
    except WriteError as error:
        terminal.diagnose(error.diagnostics)
        return code or error.exit_code
    return code


def _code(value: Any) -> int:
    return value if isinstance(value, int) else 0


def _told(error: BaseException, terminal: Terminal) -> int:
    """The exit code of an error, which is shown where somebody is there to read it."""
    try:
        return _show(error, terminal)
    except OSError:  # the terminal has hung up
        _silence(sys.stderr)
        return error.exit_code if isinstance(error, SegkitError) else signals.exit_code() or CLOSED_PIPE


def _show(error: BaseException, terminal: Terminal) -> int:
    if signals.exit_code() and not isinstance(error, SegkitError):
        error = KeyboardInterrupt()  # a spinner that cannot write to a terminal that hung up, for one
    match error:
        case SegkitError():
            terminal.diagnose(error.diagnostics)
            return error.exit_code
        case click.exceptions.NoArgsIsHelpError():
            terminal.alert(error.format_message())
            return error.exit_code
        case click.ClickException():
            terminal.diagnose([_usage(error)])
            return error.exit_code
        case KeyboardInterrupt() | click.Abort():
            there = terminal.published
            terminal.alert(f"interrupted, once the lists were published: `{there}`" if there else "interrupted")
            return signals.exit_code() or INTERRUPTED
        case ClosedPipe() | BrokenPipeError():
            return _closed_pipe()
        case MemoryError():
            hint = "a machine with more memory, or fewer rows and columns, would do"
            terminal.diagnose([Diagnostic("out of memory", hint=hint)])
            return DATA
        case OSError() if error.errno:
            return _os_error(error, terminal)
        case _:
            return _bug(error, terminal)


def _usage(error: click.ClickException) -> Diagnostic:
    """Click's message in segkit's style."""
    text = getattr(error, "message", "") or error.format_message()
    if isinstance(error, click.MissingParameter | click.BadParameter | click.FileError):
        text = error.format_message()
    text = text.strip().removesuffix(".").replace("'", "`")
    near = getattr(error, "possibilities", None)
    hint = f"did you mean {' or '.join(f'`{name}`' for name in near)}?" if near else _help_hint(error)
    return Diagnostic(text[:1].lower() + text[1:], hint=hint)


def _help_hint(error: click.ClickException) -> str:
    ctx = getattr(error, "ctx", None)
    return f"`{ctx.command_path if ctx else 'segkit'} -h` shows what there is"


def _os_error(error: OSError, terminal: Terminal) -> int:
    reason = os.strerror(error.errno or 0)
    if error.errno in DISK_ERRORS:
        place = f"`{error.filename}`" if error.filename else "to standard output"
        terminal.diagnose([Diagnostic(f"cannot write {place}: {reason}", hint="free some space, or write elsewhere")])
        _silence(sys.stdout)
        return WRITE
    if not error.filename:
        return _bug(error, terminal)
    terminal.diagnose(
        [Diagnostic(f"`{error.filename}`: {reason}", hint="check that the path is right and that you may use it")]
    )
    return DATA


def _bug(error: BaseException, terminal: Terminal) -> int:
    from segkit.cli.crash import write_report

    path = write_report(error)
    terminal.diagnose(
        [
            Diagnostic(
                f"segkit failed in a way that it should not ({type(error).__name__})",
                hint=f"please send `{path}` to the authors: it says where, and holds no data; "
                "`segkit check RULES --data` may show what is unusual about the input",
            )
        ]
    )
    return BUG


def _closed_pipe() -> int:
    """The exit code where the reader has gone; nothing is said, and the interpreter has nothing to flush at its end."""
    _silence(sys.stdout)
    return CLOSED_PIPE


def _silence(stream: TextIO) -> None:
    try:
        target = stream.fileno()
    except (OSError, ValueError):  # not a real file: a test's buffer
        return
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, target)
    os.close(null)
