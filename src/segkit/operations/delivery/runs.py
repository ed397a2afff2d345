"""A published run, read back: what its manifest says, and the keys of the customers in each segment."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import polars as pl

from segkit.columns.helpers import KEY
from segkit.errors import DataError, RuleError
from segkit.gates.draws import VARIANT
from segkit.io.publish.folder import MANIFEST
from segkit.io.publish.kept_runs import LATEST
from segkit.io.write import FORMATS, keys_of
from segkit.operations.delivery import elsewhere
from segkit.operations.delivery.manifest import Manifest
from segkit.operations.lists.protection import KeyForm
from segkit.results.terms import CONTROL, HELD_OUT, MEMBERS, WRITTEN

RUN_FOLDER = "run"
"""What a run keeps for later beside its lists."""
MEMBERS_FILE = f"{RUN_FOLDER}/members.parquet"
"""The members and the held out of a run that writes changes alone: `list`, `segment`, `key`, `outcome`, `variant`,
`since`."""
SINCE = "since"
"""The day of the run since which somebody is written, or held out, without a break."""
OLD_MEMBERS_FILE = "members.parquet"
"""Where older versions kept it, beside the lists and with the first three columns."""
_WHOLE = "the files of a run belong together: compare them where segkit has written them"


class PublishedList(NamedTuple):
    """One list of customers of a run: a file, or the part of the members file that stands for one."""

    name: str
    segment: str
    written: int
    path: Path
    file: str
    """The name of the file beside the manifest."""


class Run(NamedTuple):
    """A run in a folder; `shown` is what the user calls it."""

    folder: Path
    shown: str
    manifest: Manifest

    @property
    def written(self) -> dict[str, int]:
        """How many customers were written, by segment.

        For a run of changes, the segments that `--select` left out are counted, too.
        """
        counts = {s.name: s.written for s in self.manifest.segments if s.write}
        for listing in self.lists if self.manifest.members else ():
            if listing.segment not in counts:
                counts[listing.segment] = sum(o.written for o in self.lists if o.segment == listing.segment)
        return counts

    @property
    def as_of(self) -> str:
        """The day of the run."""
        return self.manifest.as_of

    @property
    def day(self) -> dt.date:
        """The same as a date."""
        return dt.date.fromisoformat(self.as_of)

    @property
    def exclusive(self) -> bool:
        """Whether a customer was in one segment at most."""
        return self.manifest.assignment == "exclusive"

    @property
    def key(self) -> KeyForm:
        """How the files show the keys."""
        output = self.manifest.output
        return KeyForm(output.key, output.key_protection, output.key_secret, bool(output.key_escaped))

    @property
    def label_column(self) -> str:
        """The column with the name of the segment."""
        return self.manifest.output.label_column

    def _headers(self, *columns: str) -> list[str]:
        """The names that these columns have in the files."""
        return [self.manifest.output.headers.get(column, column) for column in columns]

    @property
    def delimiter(self) -> str:
        """What separates the fields of CSV."""
        return self.manifest.output.delimiter

    @property
    def sizes(self) -> Mapping[str, int]:
        """The length of each file in bytes."""
        return self.manifest.bytes

    @property
    def lists(self) -> list[PublishedList]:
        """The lists of the run, in the order of the manifest."""
        file = self.members_file
        members = self.manifest.members if file else None
        kept = [PublishedList(m.list, m.segment, m.written, self.folder / file, file) for m in members or () if file]
        return kept or list(self._files())

    @property
    def members_file(self) -> str | None:
        """The file of the members; None where the lists hold them."""
        if self.manifest.members is None:
            return None
        return MEMBERS_FILE if MEMBERS_FILE in self.manifest.files else OLD_MEMBERS_FILE

    def members(self) -> pl.LazyFrame:
        """All that the file of the members says, in the columns of today."""
        rows = pl.scan_parquet(self.folder / (self.members_file or ""), glob=False)
        if self.members_file == OLD_MEMBERS_FILE:
            rows = rows.with_columns(pl.lit(WRITTEN).alias("outcome"), pl.lit(None, pl.String).alias("variant"))
        if not self.tells_since:
            rows = rows.with_columns(pl.lit(self.day).alias(SINCE))
        if "file" in rows.collect_schema():
            return rows
        extension = "" if self.manifest.output.table else f".{FORMATS[self.manifest.output.format].extension}"
        return rows.with_columns(pl.concat_str(pl.col("list"), pl.lit(extension)).alias("file"))

    @property
    def tells_since(self) -> bool:
        """Whether the file of the members says since when they are in their lists; older versions did not."""
        return (
            bool(self.members_file)
            and SINCE in pl.scan_parquet(self.folder / (self.members_file or ""), glob=False).collect_schema()
        )

    def reached(self) -> pl.LazyFrame:
        """Everybody who was written, held out, or held out by the control group, as the run shows his key.

        One row a list: `KEY`, `segment`, `outcome`, `variant`, `file`, the list by its name beside the manifest (none
        where no file has somebody, whom a platform cannot find), and `since`, the day of the run where nothing tells.
        """
        if self.members_file:
            return self.members().select(pl.col("key").alias(KEY), "segment", "outcome", "variant", "file", SINCE)
        split = {one.name for one in self.manifest.segments if one.split}
        lists = [self._listed(one.file, one.segment, WRITTEN, split=one.segment in split) for one in self.lists]
        held = [(one.holdout_path, one.name) for one in self.manifest.segments if one.holdout_path]
        nobody = pl.LazyFrame(schema=dict.fromkeys([KEY, "segment", "outcome", "variant", "file"], pl.String))
        rows = pl.concat([nobody, *lists, *(self._listed(*one, HELD_OUT) for one in held), *self._control()])
        return rows.with_columns(pl.lit(self.day).alias(SINCE))

    def _control(self) -> list[pl.LazyFrame]:
        control = self.manifest.control
        if control is None or control.path is None:
            return []
        head = self._headers(self.key.column, self.label_column)
        rows = keys_of(self.folder / control.path, head, self.delimiter)
        label = pl.nth(1).cast(pl.String).str.split("|").alias("segment")
        rows = rows.select(pl.nth(0).cast(pl.String).alias(KEY), label).explode("segment")
        return [_named(rows, pl.col("segment"), CONTROL, control.path)]

    def _listed(self, file: str, segment: str, outcome: str, *, split: bool = False) -> pl.LazyFrame:
        head = self._headers(self.key.column, *([self.label_column, VARIANT] if split else []))
        rows = keys_of(self.folder / file, head, self.delimiter)
        variant = pl.nth(2).cast(pl.String) if split else pl.lit(None, pl.String)
        rows = rows.select(pl.nth(0).cast(pl.String).alias(KEY), variant.alias("variant"))
        return _named(rows, pl.lit(segment), outcome, file)

    def _files(self) -> Iterator[PublishedList]:
        for segment in self.manifest.segments:
            for output in segment.outputs:
                if output.holds == MEMBERS:
                    path = self.folder / output.path
                    yield PublishedList(path.stem, segment.name, output.written, path, output.path)

    def keys(self, listing: PublishedList) -> pl.LazyFrame:
        """The keys of a list in its order, as they were written; one column, `KEY`."""
        if listing.file == self.members_file:
            rows = self.members().filter(pl.col("list") == listing.name, pl.col("outcome") == WRITTEN)
            return rows.select(pl.col("key").alias(KEY))
        rows = keys_of(listing.path, self._headers(self.key.column), self.delimiter)
        return rows.select(pl.nth(0).cast(pl.String).alias(KEY))

    def check(self) -> None:
        """DataError where a file is gone, or is not as long as when it was written."""
        control = [self.manifest.control.path] if self.manifest.control else []
        held_out = [] if self.members_file else [*(one.holdout_path for one in self.manifest.segments), *control]
        for file in dict.fromkeys([*(listing.file for listing in self.lists), *filter(None, held_out)]):
            self.require(file)

    def require(self, file: str) -> None:
        """DataError where a file is gone, or is not as long as when it was written."""
        path = self.folder / file
        elsewhere.bring(path)
        if not path.is_file():
            raise DataError.of(f"`{self.shown}` is not whole: `{file}` is missing", hint=_WHOLE)
        size, written = path.stat().st_size, self.sizes[file]
        if size != written:
            message = f"`{elsewhere.named(path)}` is not as it was written: it has {size:,} bytes, and had {written:,}"
            raise DataError.of(message, hint=_WHOLE)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Turn what Polars cannot read inside the block into a DataError."""
        try:
            yield
        except (pl.exceptions.PolarsError, OSError) as error:
            raise DataError.of(f"a file of the run `{self.shown}` cannot be read", hint=_WHOLE) from error


def _named(rows: pl.LazyFrame, segment: pl.Expr, outcome: str, file: str) -> pl.LazyFrame:
    variant = pl.col("variant") if outcome == WRITTEN else pl.lit(None, pl.String)
    named = {"segment": segment, "outcome": pl.lit(outcome), "variant": variant, "file": pl.lit(file)}
    return rows.select(KEY, *(value.alias(name) for name, value in named.items()))


def find_run(path: Path) -> Run | None:
    """The run in a folder or a bucket, in `latest` in it, or beside a manifest; None where there is none.

    Raises `DataError` where the manifest is not one of segkit, where a link leads to no run, or for what a bucket
    refuses.
    """
    place = elsewhere.here(path)
    folder = place.parent if place.name == MANIFEST else place
    latest = folder / LATEST
    if not (folder / MANIFEST).is_file() and (latest.is_symlink() or (latest / MANIFEST).is_file()):
        folder = latest
    if folder.is_symlink() and not folder.exists():
        hint = "turn it to the last good run, or remove it to start anew"
        raise DataError.of(f"the link `{folder}` leads to no run", hint=hint)
    file = folder.resolve() / MANIFEST  # `latest` may be turned to another run while this one is read
    try:
        manifest = Manifest.from_json(file.read_text(encoding="utf-8"))
        if manifest.run:  # a copy of what is in a bucket
            file = file.parent / Path(manifest.run).name / MANIFEST
            manifest = Manifest.from_json(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        message = f"cannot read `{elsewhere.named(folder / MANIFEST)}`: it is not from this version of segkit"
        raise DataError.of(message, hint="is it the manifest of a run? move it away to start anew") from error
    return Run(file.parent, elsewhere.address_of(path) or str(path), manifest)


def open_run(path: Path) -> Run:
    """The run; DataError where there is none, or where its files do not fit its manifest."""
    run = find_run(path)
    if run is None:
        hint = "name the directory that `segkit apply` has written, or its `manifest.json`"
        raise DataError.of(f"`{path}` holds no run: there is no `{MANIFEST}`", hint=hint)
    run.check()
    return run


def read_written(directory: Path, *, must_exist: bool) -> dict[str, int] | None:
    """How many customers a run has written, by segment; None where there is no run.

    Raises `RuleError` where there is none and `must_exist`, or where the run cannot be read.
    """
    try:
        run = find_run(directory)
    except DataError as error:
        raise RuleError(*error.diagnostics) from error
    if run is None and must_exist:
        raise RuleError.of(f"`{directory}` holds no run: there is no `{MANIFEST}`")
    return run.written if run else None
