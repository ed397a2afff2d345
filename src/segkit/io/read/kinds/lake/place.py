"""Where a Delta table is: in a folder here, or in a bucket."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeAlias

import polars as pl

from segkit.addresses import CLOUD, scheme_of
from segkit.errors import DataError
from segkit.io.cloud.address import Address, parsed
from segkit.io.cloud.refused import Reason
from segkit.io.cloud.store import Bucket
from segkit.io.read.buckets.found import bucket_of, in_words_of_data
from segkit.io.read.label import Label
from segkit.io.read.problems import problem
from segkit.io.read.workspace import Workspace

_CASTS = pl.ScanCastOptions(
    integer_cast="upcast", float_cast="upcast", datetime_cast=["nanosecond-downcast", "convert-timezone"]
)
"""Types of files that a table calls otherwise: Spark writes timestamps in nanoseconds."""
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


def _scan(schema: Mapping[str, pl.DataType], **options: Any) -> Scan:
    def rows(files: Sequence[str]) -> pl.LazyFrame:
        return pl.scan_parquet(
            list(files),
            glob=False,
            hive_partitioning=False,
            schema=dict(schema),
            missing_columns="insert",
            extra_columns="ignore",
            cast_options=_CASTS,
            **options,
        )

    return rows
