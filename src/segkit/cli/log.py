"""`--log FILE`: one JSON line a run, also for the runs that fail, with no customer's data in it."""

from __future__ import annotations

import datetime as dt
import errno
import json
import os
import re
import threading
import time
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segkit.addresses import without_secrets
from segkit.diagnostics import Diagnostic
from segkit.errors import RuleError, SegkitError, WriteError

if TYPE_CHECKING:
    from segkit.results.apply import ApplyResult, SegmentResult

SCHEMA_VERSION = 1
OUTCOMES = {129: "interrupted", 130: "interrupted", 143: "interrupted", 141: "closed_pipe"}
"""Exit code -> how the run ended, where it neither went well nor failed."""
_QUOTED = re.compile(r"`.*`", re.DOTALL)
_COLUMN_FIRST = re.compile(r"[^`]*\b(?:column|values? of) `([^`]+)`")
_COLUMN_LAST = re.compile(r"\b(?:column|values? of) `([^`]+)`[^`]*\Z")


class RunLog:
    """A log file, which is opened at the start, so that no run begins whose log cannot be written."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._started, self._clock = dt.datetime.now(dt.UTC), time.perf_counter()
        self.rules: str | None = None
        self.result: ApplyResult | None = None
        self._lock, self._ended = threading.Lock(), False
        try:
            self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
        except OSError as error:
            hint = "name a file in a folder that is there, and that you may write to"
            raise WriteError.of(f"cannot write the log `{path}`: {error.strerror}", hint=hint) from error

    def end(self, code: int, error: BaseException | None) -> None:
        """Append the line of this run, once; WriteError where the log takes no more."""
        with self._lock:  # a signal may end the run in another thread
            if self._ended:
                return
            self._ended = True
            line = json.dumps(self._line(code, error), ensure_ascii=False) + "\n"
            try:
                _append(self._file, line.encode())
            except OSError as failure:
                raise WriteError.of(f"cannot write the log `{self._path}`: {failure.strerror}") from failure
            finally:
                os.close(self._file)

    def _line(self, code: int, error: BaseException | None) -> dict[str, Any]:
        done = self.result
        return {
            "schema_version": SCHEMA_VERSION,
            "started": self._started.isoformat(timespec="milliseconds"),
            "rules": self.rules and without_secrets(self.rules),
            "as_of": done.as_of.isoformat() if done else None,
            "outcome": self._outcome(code),
            "exit_code": code,
            "directory": done.directory if done else None,
            "customers": done.customers if done else None,
            "segments": [_segment(segment) for segment in done.segments if segment.write] if done else [],
            "warnings": [self._told(warning) for warning in done.warnings] if done else [],
            "errors": self._errors(code, error),
            "elapsed_seconds": round(time.perf_counter() - self._clock, 3),
        }

    def _outcome(self, code: int) -> str:
        """How the run ended; one that was interrupted once its lists were in their place has published them."""
        ended = OUTCOMES.get(code)
        if ended == "interrupted" and self.result and self.result.directory:
            return "published"
        return ended or (_outcome(self.result) if self.result and not code else "failed")

    def _told(self, diagnostic: Diagnostic, *, quotes: bool = False) -> dict[str, Any]:
        """The message and the place of a diagnostic."""
        place = diagnostic.location
        quotes = quotes or (place is not None and place.path == self.rules)
        message = diagnostic.message if quotes else _without_values(diagnostic.message, self._text_of_rules)
        return {"message": message, "place": str(place) if place else None}

    @cached_property
    def _text_of_rules(self) -> str:
        path = Path(self.rules or "")
        try:
            return path.read_text(encoding="utf-8") if path.is_file() else ""  # a pipe can be read once
        except (OSError, ValueError):
            return ""

    def _errors(self, code: int, error: BaseException | None) -> list[dict[str, Any]]:
        if isinstance(error, SegkitError):
            known = isinstance(error, (RuleError, WriteError))
            return [self._told(diagnostic, quotes=known) for diagnostic in error.diagnostics]
        # The message of any other exception may quote the data, so only its name is told.
        return [{"message": type(error).__name__, "place": None}] if error and code not in OUTCOMES else []


def _outcome(result: ApplyResult) -> str:
    if result.dry_run:
        return "dry_run"
    return "published" if result.directory else "standard_output"


def _segment(segment: SegmentResult) -> dict[str, Any]:
    change = segment.change
    return {
        "name": segment.name,
        "matched": segment.matched,
        "written": segment.written,
        "entered": change.entered if change else None,
        "left": change.left if change else None,
    }


def _without_values(message: str, rules: str) -> str:
    """A message about the data without what it quotes, which may be a customer's; names of columns stay.

    A name stays where the text of the rules has it: a file without a header has values in the place of names. Only the
    first and the last of what is quoted can be told from values that hold backticks.
    """
    start = end = ""
    first = _COLUMN_FIRST.match(message)
    if first and _names(rules, first[1]):
        start, message = first[0], message[first.end() :]
    last = _COLUMN_LAST.search(message)
    if last and _names(rules, last[1]) and not message[: last.start()].count("`") % 2:
        end, message = last[0], message[: last.start()]
    return start + _QUOTED.sub("`...`", message) + end


def _names(rules: str, column: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(column)}(?!\w)", rules) is not None


def _append(file: int, line: bytes) -> None:
    """Append the line in one piece: by one write, and while no other process writes."""
    try:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX)  # `os.close` lets it go
    except (ImportError, OSError):  # Windows; a file system without locks
        pass
    written = os.write(file, line)
    if written < len(line):
        os.ftruncate(file, os.fstat(file).st_size - written)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
