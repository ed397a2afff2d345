"""How the tests of a rule file went."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

from segkit.diagnostics import SourceLocation
from segkit.results.explain import Explained


class Difference(NamedTuple):
    """An expectation of a test that is not met: its key in the test, what it names, and what there is in its place."""

    key: str
    expected: tuple[str, ...]
    found: tuple[str, ...]


class Verdict(NamedTuple):
    """What a test of a rule file found; it has passed where there are no `differences`.

    `wrong` are the segments that are not as expected, with their criteria. `undecided` are those whose criteria look at
    all customers, of which the test says nothing; `undecided_written` those of which it cannot tell whether they are
    written. `left_out` says why there is no such customer.
    """

    name: str
    location: SourceLocation
    as_of: dt.date
    differences: tuple[Difference, ...]
    wrong: tuple[Explained, ...]
    undecided: tuple[str, ...]
    undecided_written: tuple[str, ...]
    left_out: str | None

    @property
    def passed(self) -> bool:
        """Whether all is as expected."""
        return not self.differences


class Verdicts(NamedTuple):
    """The tests of a rule file, in its order; `defined` counts those that were not chosen, too."""

    path: str
    defined: int
    verdicts: tuple[Verdict, ...]
    elapsed_seconds: float

    @property
    def failed(self) -> int:
        """How many are not as expected."""
        return sum(not verdict.passed for verdict in self.verdicts)
