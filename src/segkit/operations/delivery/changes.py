"""A run compared with the last one: how many entered and left each segment, and the files that hold these alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import polars as pl

from segkit.columns import helpers
from segkit.columns.helpers import KEY
from segkit.diagnostics import Diagnostic, Severity
from segkit.errors import DataError, RuleError
from segkit.io.write import FORMATS, Sink, sink
from segkit.operations.delivery.manifest import MembersOf
from segkit.operations.delivery.past.carry import Past
from segkit.operations.delivery.runs import MEMBERS_FILE, SINCE, PublishedList, Run, find_run
from segkit.operations.lists.audience import FILE, file_of_customers
from segkit.operations.lists.lists import List, combined_name, control_name
from segkit.operations.lists.protection import key_form, written_key
from segkit.operations.lists.rows import Rows
from segkit.results.apply import ApplyResult, Change, SegmentResult, TableTarget, WrittenFile
from segkit.results.terms import CONTROL, ENTERED, HELD_OUT, LEFT, WRITTEN
from segkit.rules.model.file import RuleFile

NOBODY: pl.LazyFrame = pl.LazyFrame(schema={KEY: pl.String})


class Changes(NamedTuple):
    """What became of the lists of the last run."""

    last: Run | None
    rows: Rows
    files: Sequence[List]
    not_written: Sequence[List] = ()
    """The lists of those held out, and of those of the control group."""
    stayed: Mapping[str, int] = MappingProxyType({})
    """List -> how many of its customers in the last run are still in it."""
    by_segment: Mapping[str, Change] = MappingProxyType({})
    past: Past = Past()

    @property
    def rules(self) -> RuleFile:
        """The rule file."""
        return self.rows.rules

    @property
    def writes(self) -> bool:
        """Whether the lists hold the changes alone."""
        return self.rules.output.writes_changes

    def before(self, name: str) -> PublishedList | None:
        """The list of this name in the last run."""
        return next((listing for listing in self._old() if listing.name == name), None)

    def _old(self) -> list[PublishedList]:
        return self.last.lists if self.last else []

    @property
    def carried(self) -> list[PublishedList]:
        """The lists of segments that `--select` leaves out: what the last run said of them still stands."""
        chosen = {file.segment for file in self.files}
        segments = self.rules.segment
        return [
            o for o in self._old() if o.segment in segments and segments[o.segment].write and o.segment not in chosen
        ]

    @property
    def gone(self) -> list[PublishedList]:
        """The lists that no longer exist: of a segment taken out, or of a value of `each` that nobody has."""
        known = {*(list_name(file) for file in self.files), *(listing.name for listing in self.carried)}
        return [listing for listing in self._old() if listing.name not in known]


def list_name(file: List) -> str:
    """The name of a file without the ending of its format."""
    return file.name.removesuffix(Path(file.name).suffix)


def compare(last: Run | None, rows: Rows, lists: Sequence[List]) -> Changes:
    """The changes since the last run, with how many stayed.

    Raises `DataError` where the files of the last run are not as it wrote them, or where its keys cannot be compared.
    """
    rules = rows.rules
    files = [list_ for list_ in lists if list_.writes]
    not_written = [list_ for list_ in lists if not list_.writes]
    changes = Changes(last=last, rows=rows, files=files, not_written=not_written)
    if last is None:
        return changes
    last.key.require_same(key_form(rules), f"`{last.shown}`", "this run")
    last.check()
    names = list(dict.fromkeys(file.segment for file in files))
    segments = {name: [o for o in last.lists if o.segment == name] for name in names}
    asked = {("segment", n): (pl.col(helpers.written(n)), old) for n, old in segments.items() if n in last.written}
    for file in files if changes.writes else ():
        old = changes.before(list_name(file))
        asked["list", list_name(file)] = (file.rows, [old] if old else [])
    with last.reading():
        counts = pl.collect_all([_stayed(last, changes, *question) for question in asked.values()])
    stayed = {question: int(count.item()) for question, count in zip(asked, counts, strict=True)}
    return changes._replace(
        stayed={name: count for (what, name), count in stayed.items() if what == "list"},
        by_segment={n: _change(n, files, segments[n], c) for (what, n), c in stayed.items() if what == "segment"},
    )


def _stayed(last: Run, changes: Changes, rows: pl.Expr, old: Iterable[PublishedList]) -> pl.LazyFrame:
    keys = pl.concat([NOBODY, *(last.keys(listing) for listing in old)])
    new = changes.rows.marked.filter(rows).select(written_key(changes.rules).alias(KEY))
    return new.join(keys, on=KEY, how="semi").select(pl.len())


def _change(name: str, files: Sequence[List], old: Iterable[PublishedList], stayed: int) -> Change:
    now = sum(file.written for file in files if file.segment == name)
    return Change(now - stayed, sum(listing.written for listing in old) - stayed)


def with_changes(result: ApplyResult, changes: Changes) -> ApplyResult:
    """The result with what changed since the last run, and with the files of changes where these are written."""
    segments = tuple(_with_change(segment, changes) for segment in result.segments)
    return result._replace(segments=segments)


def _with_change(segment: SegmentResult, changes: Changes) -> SegmentResult:
    change = changes.by_segment.get(segment.name)
    if changes.writes and segment.write:
        # For those who take the lists, all are new in a segment that the last run did not have.
        change = change or Change(segment.written, 0)
        outputs = tuple(output for old in segment.outputs for output in _both(old, changes))
        return segment._replace(change=change, outputs=outputs)
    return segment._replace(change=change)


def _both(output: WrittenFile, changes: Changes) -> list[WrittenFile]:
    path = Path(output.path)
    before, stayed = changes.before(path.stem), changes.stayed.get(path.stem, 0)
    counts = {ENTERED: output.written - stayed, LEFT: (before.written if before else 0) - stayed}
    return [
        output._replace(path=str(path.with_suffix(f".{holds}{path.suffix}")), written=count, holds=holds)
        for holds, count in counts.items()
    ]


def in_table(result: ApplyResult, table: TableTarget) -> ApplyResult:
    """The result with the names of lists in place of files: in a table, rows have them in the column `list`."""

    def named(file: WrittenFile) -> WrittenFile:
        name = Path(file.path).name
        stem = name.removesuffix(Path(name).suffix)
        return file._replace(path=stem.removesuffix(f".{file.holds}") if file.holds in (ENTERED, LEFT) else stem)

    segments = tuple(
        segment._replace(outputs=tuple(map(named, segment.outputs)), holdout=segment.holdout and named(segment.holdout))
        for segment in result.segments
    )
    return result._replace(segments=segments, table=table)


def output_names(rules: RuleFile, files: Sequence[List], changes: Changes | None = None) -> list[str]:
    """The names of all that a run writes beside its manifest; `changes` tells which lists no longer exist."""
    names = [name for file in files if file.outcome != CONTROL for name in file.files]
    if rules.output.to is not None:
        names = []
    elif rules.output.changes:
        ending = FORMATS[rules.output.format].extension
        names = [f"{list_name(f)}.{holds}.{ending}" for f in files if f.writes for holds in (ENTERED, LEFT)]
        names += [file.name for file in files if file.outcome == HELD_OUT]
        names += [f"{listing.name}.{LEFT}.{ending}" for listing in (changes.gone if changes else ())]
    if rules.output.keeps_members:
        names.append(MEMBERS_FILE)
    names += changes.past.names if changes else []
    return [*names, *filter(None, (control_name(rules), combined_name(rules), rules.output.workbook))]


def output_sinks(changes: Changes, directory: Path) -> list[Sink]:
    """The sinks of all that a run writes beside its manifest and its workbook."""
    rows, output = changes.rows, changes.rules.output
    members = [sink(_members(changes), directory / MEMBERS_FILE, "parquet")] if output.keeps_members else []
    members += changes.past.sinks(directory)
    if output.to is not None:
        return members
    lists = [rows.sink(frame, directory / name) for name, frame in list_rows(changes)]
    return [*lists, *members, *rows.combined_sinks(changes.files, directory)]


def list_rows(changes: Changes) -> list[tuple[str, pl.LazyFrame]]:
    """The name and the rows of each list that is written, in the order of the manifest."""
    rows, ending = changes.rows, FORMATS[changes.rules.output.format].extension
    held = [file for file in changes.not_written if file.outcome == HELD_OUT]
    name = control_name(changes.rules)
    control = [(name, rows.control(changes.not_written))] if name else []
    if changes.writes:
        changed = [(f"{name}.{holds}.{ending}", frame) for name, holds, frame in change_rows(changes)]
        return [*changed, *((file.name, rows.of(file)) for file in held), *control]
    order = list(changes.rules.segment)
    lists = sorted([*changes.files, *held], key=lambda file: (order.index(file.segment), not file.writes))
    return [*(one for file in lists for one in rows.files_of(file)), *control]


def change_rows(changes: Changes) -> Iterator[tuple[str, str, pl.LazyFrame]]:
    """The name of each list, `entered` or `left`, and the rows of these; lists that there are no longer are left."""
    for file in changes.files:
        listing = changes.before(list_name(file))
        old = changes.last.keys(listing) if changes.last and listing else NOBODY
        yield list_name(file), ENTERED, _joined(changes, old, "anti").of(file)
        yield list_name(file), LEFT, _left(changes, old, file)
    for listing in changes.gone:
        nobody = List(name=listing.name, segment=listing.segment, rows=pl.lit(False), written=0, values={})
        assert changes.last is not None
        yield listing.name, LEFT, _left(changes, changes.last.keys(listing), nobody)


def _joined(changes: Changes, old: pl.LazyFrame, how: Any) -> Rows:
    """The rows of the customers who are among `old`, or who are not."""
    rows, key = changes.rows, written_key(changes.rules)
    return rows._replace(marked=rows.marked.join(old, left_on=key, right_on=KEY, how=how, maintain_order="left"))


def _left(changes: Changes, old: pl.LazyFrame, file: List) -> pl.LazyFrame:
    """The rows of those who were in the list and no longer are.

    First come those who are still customers, with all columns. Then come those who are not, with key and label alone.
    """
    known = _joined(changes, old, "semi").of(file._replace(rows=~file.rows))
    key, label, *rest = known.collect_schema().items()
    unknown = old.join(changes.rows.marked, left_on=KEY, right_on=written_key(changes.rules), how="anti").sort(KEY)
    nothing = [pl.lit(None, dtype).alias(name) for name, dtype in rest]
    return pl.concat([known, unknown.select(pl.col(KEY).alias(key[0]), pl.lit(file.segment).alias(label[0]), *nothing)])


_MEMBER: dict[str, Any] = {**dict.fromkeys(["list", "segment", "key", "outcome", "variant"], pl.String), SINCE: pl.Date}


def _members(changes: Changes) -> pl.LazyFrame:
    """Everybody in a list, held out, or in the control group: of this run, then of segments that it leaves out."""
    new = [_listed(changes, file) for file in [*changes.files, *changes.not_written]]
    named = {"file": pl.String} if changes.rules.output.audience is not None else {}
    of_run = pl.concat([pl.LazyFrame(schema={**_MEMBER, **named}).drop(SINCE), *new])
    rows = _with_since(changes, of_run)
    return pl.concat([rows, *(one.select(rows.collect_schema().names()) for one in _carried(changes))])


def _with_since(changes: Changes, rows: pl.LazyFrame) -> pl.LazyFrame:
    """The rows with the day since which they are so: that of the last run, where they were so then, too."""
    today = pl.lit(changes.rows.day, pl.Date)
    if changes.last is None:
        return rows.with_columns(today.alias(SINCE))
    same = ["segment", "key", "outcome"]
    before = changes.last.reached().rename({KEY: "key"}).group_by(same).agg(pl.col(SINCE).min())
    joined = rows.join(before, on=same, how="left", maintain_order="left").with_columns(pl.coalesce(SINCE, today))
    return joined.select(*_MEMBER, *(name for name in rows.collect_schema() if name not in _MEMBER))


def _listed(changes: Changes, file: List) -> pl.LazyFrame:
    split = changes.rules.segment[file.segment].split
    variant = pl.col(helpers.variant(file.segment)) if split and file.writes else pl.lit(None, pl.String)
    of_platform = changes.rules.output.audience is not None
    rows = (
        file_of_customers(changes.rows.marked, changes.rules, file)
        if of_platform
        else changes.rows.marked.filter(file.rows)
    )
    return rows.select(
        pl.lit(list_name(file)).alias("list"),
        pl.lit(file.segment).alias("segment"),
        written_key(changes.rules).alias("key"),
        pl.lit(file.outcome).alias("outcome"),
        variant.cast(pl.String).alias("variant"),
        *([pl.col(FILE).alias("file")] if of_platform else []),
    )


def _carried(changes: Changes) -> list[pl.LazyFrame]:
    """What the last run said of the segments that this one leaves out."""
    last, carried = changes.last, changes.carried
    if last is None or not carried:
        return []
    if last.members_file:
        left_out = list(dict.fromkeys(listing.segment for listing in carried))
        return [last.members().filter(pl.col("segment").is_in(left_out))]
    return [
        last.keys(listing).select(
            pl.lit(listing.name).alias("list"),
            pl.lit(listing.segment).alias("segment"),
            pl.col(KEY).alias("key"),
            pl.lit(WRITTEN).alias("outcome"),
            pl.lit(None, pl.String).alias("variant"),
            pl.lit(last.day).alias(SINCE),
            pl.lit(listing.file).alias("file"),
        )
        for listing in carried
    ]


def members_of(changes: Changes) -> tuple[MembersOf, ...] | None:
    """What the manifest says about the members; None where the files hold them."""
    if not changes.rules.output.keeps_members:
        return None
    new = [MembersOf(list=list_name(f), segment=f.segment, written=f.written) for f in changes.files]
    old = [MembersOf(list=o.name, segment=o.segment, written=o.written) for o in changes.carried]
    return (*new, *old)


def since_last_run(
    rows: Rows, lists: Sequence[List], directory: Path | None, previous: str | None
) -> tuple[Changes, list[Diagnostic]]:
    """The changes since the last run in `directory`, or since the run at `previous`; without both, it is the first.

    A run that cannot be read gives a warning. Where the changes are what is written, it raises `DataError` instead: all
    customers would go out as new ones. Raises `RuleError` where there is no run at `previous`.
    """
    rules = rows.rules
    try:
        place = Path(previous) if previous else directory
        last = find_run(place) if place else None
        if last is None and previous:
            raise RuleError.of(f"`{previous}` holds no run: there is no `manifest.json`")
        if last and not rules.output.writes_changes and last.key.column != rules.customers.key:
            last = None  # the run of another rule file: other customers
        return compare(last, rows, lists), []
    except DataError as error:
        problem = error.diagnostics[0]
        if rules.output.writes_changes:
            hint = "restore it, or name another run with `--previous`"
            anew = "" if previous else f"; with `{directory}` moved away, all count as entered"
            raise DataError(replace(problem, hint=hint + anew)) from error
        message = f"what changed since the last run is not known: {problem.message}"
        return compare(None, rows, lists), [Diagnostic(message, hint=problem.hint, severity=Severity.WARNING)]
