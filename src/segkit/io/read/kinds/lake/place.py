"""Where a Delta table is: in a folder here, or in a bucket."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple, Protocol, TypeAlias

import polars as pl

from segkit.addresses import CLOUD, scheme_of
from segkit.errors import DataError
from segkit.io.cloud.address import Address, parsed
from segkit.io.cloud.refused import Reason
from segkit.io.cloud.store import Bucket
from segkit.io.read.buckets.found import bucket_of, in_words_of_data
from segkit.io.read.folders.tables import LOG
from segkit.io.read.label import Label
from segkit.io.read.problems import problem
from segkit.io.read.workspace import Workspace

_CASTS = pl.ScanCastOptions(
    integer_cast="upcast",
    float_cast="upcast",
    datetime_cast=["nanosecond-downcast", "millisecond-upcast", "convert-timezone"],
)
"""Types of files that a table calls otherwise: Spark writes timestamps in nanoseconds, others in milliseconds."""
Scan: TypeAlias = Callable[[Sequence[str]], pl.LazyFrame]
"""The rows of some files of a table, one after the other."""


class Place(Protocol):
    """A folder with a log, and the files that this names."""

    @property
    def name(self) -> str:
        """As the libraries take it."""
        ...

    def table(self, version: int | None = None) -> Any:
        """The table at a version, or at the newest one, as deltalake gives it."""
        ...

    def file(self, path: str) -> str:
        """A file of the table, by its path in the log."""
        ...

    def missing(self, label: Label, files: Sequence[str]) -> Sequence[str]:
        """Those of some files that are not there."""
        ...

    def scan(self, schema: Mapping[str, pl.DataType]) -> Scan:
        """What reads files with the columns of the table."""
        ...

    def logged(self, label: Label, newest: int) -> int:
        """How many versions have a file in the log, up to the newest one."""
        ...

    def columns(self, file: str) -> Set[str]:
        """Those of a file."""
        ...

    def refused(self, label: Label, error: BaseException) -> DataError | None:
        """What an error of a library means, where it is not the table that is to blame."""
        ...


class _Folder(NamedTuple):
    """A folder of a table here."""

    path: Path

    @property
    def name(self) -> str:
        return str(self.path.resolve())

    def table(self, version: int | None = None) -> Any:
        import deltalake

        return deltalake.DeltaTable(self.name, version=version)

    def file(self, path: str) -> str:
        return str(self.path / path)

    def missing(self, label: Label, files: Sequence[str]) -> Sequence[str]:
        return [file for file in files if not Path(file).exists()]

    def scan(self, schema: Mapping[str, pl.DataType]) -> Scan:
        return _scan(schema)

    def logged(self, label: Label, newest: int) -> int:
        return _versions((file.name for file in (self.path / LOG).iterdir()), newest)

    def columns(self, file: str) -> Set[str]:
        return pl.read_parquet_schema(file).keys()

    def refused(self, label: Label, error: BaseException) -> DataError | None:
        return None


class _InBucket(NamedTuple):
    """A table in a bucket."""

    bucket: Bucket
    address: Address

    @property
    def name(self) -> str:
        return str(self.address)

    def table(self, version: int | None = None) -> Any:
        import deltalake

        return deltalake.DeltaTable(self.name, version=version, storage_options=self.bucket.settings())

    def file(self, path: str) -> str:
        return f"{self.address}/{path}"

    def missing(self, label: Label, files: Sequence[str]) -> Sequence[str]:
        with in_words_of_data(label):
            there = {str(self.address.at(one.key)) for one in self.bucket.list(self.address.key)}
        return [file for file in files if file not in there]

    def scan(self, schema: Mapping[str, pl.DataType]) -> Scan:
        return _scan(schema, **self.bucket.scanning())

    def logged(self, label: Label, newest: int) -> int:
        with in_words_of_data(label):
            return _versions(self.bucket.names(f"{self.address.key}/{LOG}"), newest)

    def columns(self, file: str) -> Set[str]:
        frame = pl.scan_parquet(file, glob=False, hive_partitioning=False, **self.bucket.scanning())
        return frame.collect_schema().keys()

    def refused(self, label: Label, error: BaseException) -> DataError | None:
        refused = self.bucket.means(error, self.address.key)
        if refused.reason in (Reason.OTHER, Reason.NO_KEY):
            return None
        return problem(label, refused.message, hint=refused.hint)


def place_of(ws: Workspace, label: Label, path: Path) -> Place:
    """Where the table of a source is: at the address that it is called by, or in the folder."""
    if scheme_of(label.path) not in CLOUD:
        return _Folder(path)
    address = parsed(label.path)
    return _InBucket(bucket_of(ws, address), address)


def _versions(names: Iterable[str], newest: int) -> int:
    """How many files of a log are of a version, up to the newest one."""
    files = (PurePosixPath(name) for name in names)
    return sum(file.suffix == ".json" and file.stem.isdigit() and int(file.stem) <= newest for file in files)


def _scan(schema: Mapping[str, pl.DataType], **options: Any) -> Scan:
    """What reads the columns of some files; partitions stand in few of these, and their values do not count.

    Any other column is one too many: `Region`, where the table has a `region`, which would be missing in all rows.
    """

    def rows(files: Sequence[str]) -> pl.LazyFrame:
        return pl.scan_parquet(
            list(files),
            glob=False,
            hive_partitioning=False,
            schema=dict(schema),
            missing_columns="insert",
            extra_columns="raise",
            cast_options=_CASTS,
            **options,
        )

    return rows
