"""`allow`: names and codes of findings that `check` keeps to itself."""

from __future__ import annotations

from collections.abc import Iterator

from segkit import codes
from segkit.codes import ALIASES, CODES
from segkit.diagnostics import Severity
from segkit.rules.findings import Finding, KeyPath
from segkit.rules.model.file import RuleFile
from segkit.words import nearest


def allows(rules: RuleFile) -> Iterator[tuple[KeyPath, str | None, str]]:
    """Each name in an `allow`: its place, the segment that allows it (None: the whole file), the name."""
    yield from ((("allow", position), None, name) for position, name in enumerate(rules.allow))
    for segment, block in rules.segment.items():
        yield from ((("segment", segment, "allow", n), segment, name) for n, name in enumerate(block.allow))


def check_allow(rules: RuleFile) -> Iterator[Finding]:
    """A finding for each name that no finding has, and for each error, which cannot be allowed."""
    known = [*(about.name for about in CODES.values()), *ALIASES, *CODES]
    for path, _, name in allows(rules):
        code = codes.code_named(name)
        if code is None:
            hint = nearest(name, known) or "the page of codes, `docs/codes.md`, lists the names"
            yield Finding(path, f"`allow` knows no finding `{name}`", hint, code=codes.UNKNOWN_NAME)
        elif CODES[code].severity is Severity.ERROR:
            message = f"`{name}` is an error, which cannot be allowed"
            yield Finding(path, message, "take it out: warnings and notes can be", code=codes.CONTRADICTION)
