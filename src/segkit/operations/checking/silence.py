"""What `allow` silences, and what is said of an `allow` that silences nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from segkit import codes
from segkit.codes import CODES, code_named, code_of
from segkit.diagnostics import Diagnostic, Severity
from segkit.rules.check.checking.allow import allows
from segkit.rules.findings import Finding, KeyPath
from segkit.rules.text.loader import Loaded

OF_TWO = {"SEG103", codes.OVERLAP}
"""What is found about two segments alike, so that either may allow it."""


def silenced(loaded: Loaded, found: Iterable[Diagnostic], *, data: bool) -> list[Diagnostic]:
    """What is left to say, with a warning for each `allow` that silences nothing.

    What only the data can show is missed only where it was looked for, with `data`; and nothing is where there are
    errors, which may hide it.
    """
    allowed = [(path, segment, code) for path, segment, name in allows(loaded.rules) if (code := code_named(name))]
    left: list[Diagnostic] = []
    used: set[KeyPath] = set()
    for one in found:
        by = [] if one.severity is Severity.ERROR else [path for path, *what in allowed if _silences(what, one)]
        used.update(by)
        left += [] if by else [one]
    if any(d.severity is Severity.ERROR for d in left):
        return left
    silent = [segment for _, segment, code in allowed if code == codes.UNUSED_ALLOW]
    for path, segment, code in allowed:
        if path in used or code == codes.UNUSED_ALLOW or (CODES[code].needs_data and not data):
            continue
        if None not in silent and segment not in silent:
            left.append(loaded.source.placed(_unused(path, code)))
    return left


def _silences(what: list[str | None], one: Diagnostic) -> bool:
    segment, code = what
    return code == code_of(one) and (segment is None or segment in _segments(one))


def _segments(one: Diagnostic) -> Iterator[str | None]:
    yield one.segment
    if one.code in OF_TWO:
        yield from (at.split(".")[1] for at in one.conflict if at.startswith("segment."))


def _unused(path: KeyPath, code: str) -> Finding:
    where = "in this segment" if path[0] == "segment" else "in this file"
    message = f"`{CODES[code].name}` is allowed, and nothing {where} is found that it would silence"
    return Finding(path, message, "take it out", warning=True, code=codes.UNUSED_ALLOW)
