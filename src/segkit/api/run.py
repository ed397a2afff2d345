"""A run of a rule file, to be looked at in Python before, or instead of, being written."""

from __future__ import annotations

import datetime as dt
import os
import time
import weakref
from collections.abc import Callable, Iterator
from functools import cached_property

import polars as pl

from segkit.api.explanation import Explanation
from segkit.api.inputs import Inputs
from segkit.api.ledger import ledger_frame
from segkit.columns.helpers import KEY, is_visible, member
from segkit.errors import RuleError
from segkit.io.read import Workspace, require_unchanged
from segkit.operations.decide import Decision
from segkit.operations.delivery.deliver import Guards, deliver
from segkit.operations.delivery.destinations.table import published
from segkit.operations.delivery.digests import Digests
from segkit.operations.explain import Asking, explained_now
from segkit.operations.lists.lists import List
from segkit.operations.progress import silent
from segkit.report.notebook import segments_html
from segkit.results.apply import ApplyResult
from segkit.results.terms import CONTROL
from segkit.rules.text.expand import absolute
from segkit.rules.text.loader import Loaded
from segkit.words import nearest, plural


class Run:
    """What `segkit.apply` gives: who is in which list, and why others are not.

    `result` is the summary, of which `--json` is made. `run["NAME"]` are the rows of a segment's list.
    """

    def __init__(
        self, decision: Decision, result: ApplyResult, ws: Workspace, inputs: Inputs, close: Callable[[], object]
    ) -> None:
        self.result = result
        self._decision, self._ws, self._inputs = decision, ws, inputs
        weakref.finalize(self, close)

    @property
    def warnings(self) -> list[str]:
        """The warnings of the run, one sentence each; `result.warnings` has their places and hints."""
        return [warning.message for warning in self.result.warnings]

    @cached_property
    def customers(self) -> pl.LazyFrame:
        """One row a customer: the key, the columns that rules or lists read, the computed ones in use, the segments.

        `segment.NAME` (Boolean) says whether the criteria of a segment hold; whether the customer is written is in
        `ledger`.
        """
        rules, frame = self._decision.rules, self._decision.customers
        key, marks = rules.customers.key, {f"segment.{name}": member(name) for name in rules.segment}
        known = [name for name in frame.columns if is_visible(name) and name != key]
        for name in marks.keys() & {key, *known}:
            hint = "give that column another name with `rename`"
            raise RuleError.of(f"the customers have a column `{name}`, which says who is in the segment", hint=hint)
        of_segments = (pl.col(mark).alias(name) for name, mark in marks.items())
        return frame.lazy().select(pl.col(KEY).alias(key), *known, *of_segments)

    @cached_property
    def ledger(self) -> pl.DataFrame:
        """Each customer for whom the criteria of a segment hold, and what becomes of him there.

        `segment`, `key`, `outcome` (`written`, `not_written` where the segment says `write = false`, `control` for the
        control group, or the reason why he is not written), `claimed_by` (the segment that has claimed him), `variant`.
        """
        return ledger_frame(self._decision)

    def __getitem__(self, name: str) -> pl.DataFrame:
        """The rows of a segment's list: the columns of the file, in its order; of `each`, list after list.

        A list has the name of its file without the ending, such as `NAME.holdout`, or `control`. Raises
        `RuleError` where there is none.
        """
        lists = [one for one in self._decision.lists if one.segment == name and one.writes]
        if name not in self._decision.chosen:
            if name == CONTROL and self.result.control:
                return self._decision.rows.control(self._decision.lists).collect()
            lists = [one for one in self._decision.lists if one.name.rpartition(".")[0] == name]
            if not lists:
                raise self._no_list(name)
        nobody = List(name="", segment=name, rows=pl.lit(False), written=0, values={})
        rows = self._decision.rows
        return pl.concat([rows.of(one) for one in lists or [nobody]]).collect()

    def __iter__(self) -> Iterator[str]:
        """The names of the segments that are written, in the order of the file."""
        return iter(self._decision.chosen)

    def __len__(self) -> int:
        return len(self._decision.chosen)

    def __contains__(self, name: object) -> bool:
        return name in self._decision.chosen

    def explain(self, *keys: str, segment: str | None = None, near_misses: int | None = None) -> Explanation:
        """Why the customers with these keys are, or are not, in each segment; without keys, the funnels.

        With `near_misses`, who is one condition away instead: so many customers for each condition. All is computed
        anew, from the same frames and files. Keys of nobody are in `unknown`.
        """
        self._inputs.require_same()
        asking = Asking(near_misses, as_test=False, verify=False, personal=False, progress=silent)
        with Workspace(frames=self._ws.frames) as ws:
            found = explained_now(self._decision.loaded, [str(key) for key in keys], segment, ws, asking)
        return Explanation._make(found)

    def write(
        self,
        directory: str | os.PathLike[str] | None = None,
        *,
        previous: str | os.PathLike[str] | None = None,
        accept_changes: bool = False,
        replace: bool = False,
        fail_on: str = "error",
    ) -> ApplyResult:
        """Publish the lists as `segkit apply -o DIRECTORY` would; without a folder, where the rules say.

        Raises `CheckFailed` and `WriteError`, and `DataError` where a file has changed since it was read.
        """
        clock, started = time.perf_counter(), dt.datetime.now(dt.UTC)
        loaded = self._decision.loaded if directory is None else _writing_to(self._decision.loaded, directory)
        run = self._decision._replace(loaded=loaded, rows=self._decision.rows._replace(rules=loaded.rules))
        digests = Digests()
        try:
            self._inputs.require_same()
            require_unchanged(self._ws)
            to = published(
                loaded,
                run.chosen,
                digests=digests,
                started=started,
                replace=replace,
                wait=True,
                progress=silent,
            )
            to.prepare()
            to.ready(run.evaluated.plan)
            self._ws.copy_frames()
            guards = Guards(None if previous is None else os.fspath(previous), accept_changes, fail_on)
            return deliver(run, to, guards, lambda: time.perf_counter() - clock, dry_run=False)
        finally:
            digests.close()

    def __repr__(self) -> str:
        lists = ", ".join(f"{one.name} {one.written:,}" for one in self.result.segments if one.write)
        return f"<segkit.Run {self.result.as_of}, {plural(self.result.customers, 'customer')}: {lists}>"

    def _repr_html_(self) -> str:
        return segments_html(self.result)

    def _no_list(self, name: str) -> RuleError:
        segments = self._decision.rules.segment
        if name not in segments:
            return RuleError.of(f"there is no segment `{name}`", hint=nearest(str(name), segments, "segments"))
        if not segments[name].write:
            hint = f"`run.customers` says who is in it: `segment.{name}`"
            return RuleError.of(f"segment `{name}` says `write = false`", hint=hint)
        return RuleError.of(f"segment `{name}` is not in this run", hint="`select` leaves it out")


def _writing_to(loaded: Loaded, directory: str | os.PathLike[str]) -> Loaded:
    instead = {"directory": absolute(os.fspath(directory)), "to": None, "table": None, "load": "replace"}
    output = loaded.rules.output.model_copy(update=instead)
    return loaded._replace(rules=loaded.rules.model_copy(update={"output": output}))
