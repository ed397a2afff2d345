"""The runs before this one, as the last run has them: their days, and who was in which segment.

The history goes on from the last run. Members are known of two days at most: those of the last run, in its lists, and
those of the last run of a day before, in `run/before.parquet`. A run that is repeated compares with these.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import polars as pl

from segkit.columns.helpers import KEY
from segkit.errors import DataError
from segkit.histories import Line
from segkit.operations.delivery.past.lines import has_history, lines_of
from segkit.operations.delivery.runs import RUN_FOLDER, Run, find_run
from segkit.rules.model.file import RuleFile

BEFORE_FILE = f"{RUN_FOLDER}/before.parquet"
"""The members of the last run of an earlier day: `as_of`, `segment`, `key` as the lists show it."""
ANEW = "restore it; with it moved away, all begins anew"
"""What becomes of what cannot go on."""
MEMBER = {"as_of": pl.String, "segment": pl.String, "key": pl.String}


class Earlier(NamedTuple):
    """What the last run says of the days until then.

    `rules` has the digest of the rule file by day, of all days whose members may be known: of those of the last run,
    and of those that it keeps.
    """

    run: Run
    lines: list[Line]
    rules: Mapping[str, str]

    @property
    def until(self) -> str | None:
        """The last day of the history; None where it begins."""
        return self.lines[-1].as_of if self.lines else None

    @property
    def counts(self) -> bool:
        """Whether the day of the last run is one of the history: it is not where it came after a later one."""
        return self.until is None or self.run.as_of == self.until

    def before(self, day: str) -> str | None:
        """The last day before, with a run whose members may be known."""
        return max((one for one in self.rules if one < day), default=None)

    def members(self, day: str) -> pl.LazyFrame:
        """Who was in which segment on a day. DataError where the files are not as the run has written them."""
        if self.counts and day == self.run.as_of:
            self.run.check()
            lists = [
                self.run.keys(one).select(
                    pl.lit(day).alias("as_of"), pl.lit(one.segment).alias("segment"), pl.col(KEY).alias("key")
                )
                for one in self.run.lists
            ]
            return pl.concat([pl.LazyFrame(schema=MEMBER), *lists])
        self.run.require(BEFORE_FILE)
        return pl.scan_parquet(self.run.folder / BEFORE_FILE, glob=False).filter(pl.col("as_of") == day)


def earlier_of(run: Run) -> Earlier:
    """The days until a run. DataError where its history is not as it was written."""
    kept = run.manifest.history
    try:
        lines = lines_of(run)
    except DataError as error:
        raise DataError(replace(error.diagnostics[0], hint=ANEW)) from error
    earlier = Earlier(run, lines, kept.before if kept else {})
    if not earlier.counts:
        return earlier
    digest = run.manifest.rules.sha256 if run.manifest.rules else ""
    return earlier._replace(rules={**earlier.rules, run.as_of: digest})


def require_kept(run: Run, file: str) -> None:
    """DataError where a file that is carried on is not as the run has written it."""
    try:
        run.require(file)
    except DataError as error:
        raise DataError(replace(error.diagnostics[0], hint=ANEW)) from error


def last_run(last: Path | None, previous: str | None) -> Run | None:
    """The run whose history goes on: the last one in the output directory, or that which `--previous` names."""
    found = find_run(last) if last else None
    return found or (find_run(Path(previous)) if previous else None)


def day_before(rules: RuleFile, directory: Path, previous: str | None) -> dt.date | None:
    """The day of the run whose members' purchases the history asks for; None where it asks for none."""
    if not rules.output.history:
        return None
    last = last_run(directory, previous)
    if last is None or (not has_history(last) and last.key.column != rules.customers.key):
        return None
    earlier, today = earlier_of(last), rules.today().isoformat()
    day = earlier.before(today)
    return dt.date.fromisoformat(day) if day and today >= (earlier.until or "") else None
