"""What is found wrong with rules, before its place in the text is looked up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

from segkit.diagnostics import SourceLocation

KeyPath: TypeAlias = tuple[str | int, ...]
"""The keys, and positions in lists, that lead from the top of the rule file to a value."""
At: TypeAlias = Callable[..., SourceLocation]
"""Takes the parts of a `KeyPath`, gives the place in the text."""
SPELLINGS = {"behavioural": "behavioral"}
"""A key as the rules know it -> its second spelling."""


def dotted(path: KeyPath) -> str:
    """The path as it is written, such as `rfm.brand_a`; the RFM table without a name is `rfm`."""
    return ".".join(str(part) for part in path if part != "")


class Finding(NamedTuple):
    """What is wrong at `path`; `code` is one of `CODES`, or empty for a plain fault of the rules."""

    path: KeyPath
    message: str
    hint: str | None = None
    warning: bool = False
    code: str = ""


class Misfits(Exception):
    """What is wrong with the rules, or with them for these tables."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__(*(finding.message for finding in findings))
        self.findings = findings
