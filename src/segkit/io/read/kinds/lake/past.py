"""Which version of a Delta table a section asks for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any
from zoneinfo import ZoneInfo

from segkit.io.read.label import Label
from segkit.io.read.problems import problem

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def moment_of(at: dt.date | dt.datetime, timezone: str) -> dt.datetime:
    """The moment in UTC: a day is its end, and what has no offset is in `timezone`."""
    if not isinstance(at, dt.datetime):
        at = dt.datetime.combine(at, dt.time.max)
    return (at if at.tzinfo else at.replace(tzinfo=ZoneInfo(timezone))).astimezone(dt.UTC)


def version_at(label: Label, history: Sequence[Mapping[str, Any]], at: dt.datetime, logged: int) -> int:
    """The newest version that was there at a moment, by its log; `DataError` where that does not go back so far.

    The library would take the first version of all for a moment before it. `logged` is how many versions have a file in
    the log: of one that says nothing of itself the library says nothing, and gives its number to the one before.
    """
    written = list(_written(label, history, logged))
    there = [version for version, moment in written if moment <= at]
    if there:
        return there[-1]
    version, moment = written[0]
    first = f"the first version that its log knows is {version}, of {moment:%Y-%m-%d %H:%M:%S} UTC"
    raise problem(
        label, f"`{label.name}` has no version of {at:%Y-%m-%d %H:%M:%S} UTC: {first}", hint="give a later `at`"
    )


def _written(label: Label, history: Sequence[Mapping[str, Any]], logged: int) -> Iterator[tuple[int, dt.datetime]]:
    """Each version and when it was written, the oldest first; clocks that went back count as standing still."""
    commits = sorted(history, key=lambda commit: commit["version"])
    times = [commit.get("inCommitTimestamp", commit.get("timestamp")) for commit in commits]
    if not times or None in times or len(times) != logged:
        hint = "give its `version` instead of `at`"
        raise problem(label, f"the log of `{label.name}` does not say when its versions were written", hint=hint)
    for commit, time in zip(commits, accumulate(times, max), strict=True):
        yield commit["version"], _EPOCH + dt.timedelta(milliseconds=time)
